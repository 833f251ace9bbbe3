/** References to secrets, as they stand in the configuration in place of the secrets themselves. */
import { type Mark, marksOf } from "../text/placeholders.ts";

/** A reference to a secret: Secret Manager in the cloud, an environment variable or a file on one machine. */
export interface SecretReference {
  readonly secret: string;
}

/** Returns whether a value is a reference. */
export function isSecretReference(value: unknown): value is SecretReference {
  return typeof value === "object" && value !== null && typeof (value as SecretReference).secret === "string";
}

/** Syntax of the name of a secret. */
export const secretName: RegExp = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Returns `${secret:NAME}`, which stands for the value of the secret inside a text of a channel. */
export function secretPlaceholder({ secret }: SecretReference): string {
  return `\${secret:${secret}}`;
}

/** Returns the name of the secret that a placeholder stands for; `undefined` where it is malformed. */
export function placeholderSecret({ name, closed }: Pick<Mark, "name" | "closed">): string | undefined {
  const [, secret = ""] = /^secret:(.*)$/s.exec(name) ?? [];
  return closed && secretName.test(secret) ? secret : undefined;
}

/** Returns the names of the secrets that the placeholders of a text stand for, in their order. */
export function placeholderSecrets(text: string): string[] {
  return marksOf(text).flatMap((mark) => placeholderSecret(mark) ?? []);
}

/** Before the name of a secret, in the name of its environment variable. */
const prefix = "PATHKEEPER_SECRET_";

/** The environment variable that holds a secret on one machine. Names that differ in their case, or in - and _, share one. */
export function secretVariable(name: string): string {
  return `${prefix}${name.toUpperCase().replaceAll("-", "_")}`;
}
