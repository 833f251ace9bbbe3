/** Settings that probers over the network have in common. */
import { z } from "zod";
import { type SecretReference, secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/lazily.ts";

/** The kind of address to use. */
export type IpVersion = 4 | 6 | "any";

/** The schema of `ip_version`. */
export const ipVersion: () => z.ZodType<IpVersion, unknown> = lazily(() =>
  z
    .union([z.literal(4), z.literal(6), z.literal("any")])
    .default("any")
    .describe("The kind of address to use: 4, 6 or any. Only the first address is tried, none is raced."),
);

/** How the certificates of a target are verified. */
export interface TlsVerification {
  readonly ca?: SecretReference | undefined;
  readonly insecure: boolean;
}

/** The schema of `tls`. */
export const tlsVerification: () => z.ZodType<TlsVerification, unknown> = lazily(() =>
  z
    .strictObject({
      ca: secretReference().optional().describe("Trusted authorities in PEM, in place of the system's."),
      insecure: z.boolean().default(false).describe("Accepts any certificate. Its expiry is still measured."),
    })
    .prefault({})
    .describe("How the certificates are verified."),
);

/** The schema of `headers`, each a text or a secret, by their names in lower case. */
export const headers: () => z.ZodType<Readonly<Record<string, string | SecretReference>>, unknown> = lazily(() =>
  z
    .record(
      z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be the name of a header")
        .toLowerCase(),
      textOrSecret(),
    )
    .default({}),
);
