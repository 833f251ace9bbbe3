/** Settings that probers over the network have in common. */
import { z } from "zod";
import { secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";

/** The schema of `ip_version`. */
export const ipVersion = lazily(() =>
  z
    .union([z.literal(4), z.literal(6), z.literal("any")])
    .default("any")
    .describe("The kind of address to use: 4, 6 or any. Only the first address is tried, none is raced."),
);

/** The kind of address to use. */
export type IpVersion = z.output<ReturnType<typeof ipVersion>>;

/** The schema of `tls`. */
export const tlsVerification = lazily(() =>
  z
    .strictObject({
      ca: secretReference().optional().describe("Trusted authorities in PEM, in place of the system's."),
      insecure: z.boolean().default(false).describe("Accepts any certificate. Its expiry is still measured."),
    })
    .refine(({ ca, insecure }) => ca === undefined || !insecure, {
      message: "insecure accepts the certificates of any authority: write either ca or insecure: true",
      path: ["ca"],
    })
    .prefault({})
    .describe("How the certificates are verified."),
);

/** How the certificates of a target are verified. */
export type TlsVerification = z.output<ReturnType<typeof tlsVerification>>;

/**
 * Holds of settings whose `ca` has certificates to verify; with the sentence for those whose URL is not encrypted.
 * @param scheme the encrypted one
 */
export function caOverTls(scheme: "https" | "wss"): {
  holds(settings: { readonly url: string; readonly tls: TlsVerification }): boolean;
  readonly otherwise: { message: string; path: string[] };
} {
  return {
    holds: ({ url, tls }) => tls.ca === undefined || URL.parse(url)?.protocol === `${scheme}:`,
    otherwise: {
      message: `ca verifies nothing without TLS: write a URL that begins with ${scheme}://, or leave ca out`,
      path: ["tls", "ca"],
    },
  };
}

/** The schema of `headers`, each a text or a secret, by their names in lower case. */
export const headers = lazily(() =>
  namedRecord(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be the name of a header")
      .toLowerCase(),
    textOrSecret(),
  ).default({}),
);
