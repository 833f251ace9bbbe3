/** References to secrets, as they stand in the configuration in place of the secrets themselves. */

/** A reference to a secret: Secret Manager in the cloud, an environment variable or a file on one machine. */
export interface SecretReference {
  readonly secret: string;
}

/** Whether a value that may be either is a reference. */
export function isSecretReference(value: unknown): value is SecretReference {
  return typeof value === "object" && value !== null && typeof (value as SecretReference).secret === "string";
}

/** Before the name of a secret, in the name of its environment variable. */
const prefix = "PATHKEEPER_SECRET_";

/** The environment variable that holds a secret on one machine. Names that differ in their case, or in - and _, share one. */
export function secretVariable(name: string): string {
  return `${prefix}${name.toUpperCase().replaceAll("-", "_")}`;
}
