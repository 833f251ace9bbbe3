/** References to secrets, as they stand in the configuration in place of the secrets themselves. */

/** A reference to a secret: Secret Manager in the cloud, an environment variable or a file on one machine. */
export interface SecretReference {
  readonly secret: string;
}

/** Whether a value that may be either is a reference. */
export function isSecretReference(value: unknown): value is SecretReference {
  return typeof value === "object" && value !== null && typeof (value as SecretReference).secret === "string";
}
