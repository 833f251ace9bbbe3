/** Common settings of network probers. */
import { z } from "zod";
import { customIssue, secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { headerMistake } from "../../../shared/net/written-address.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { clientCertificate } from "../identity/client-certificate.ts";

/** The schema of `ip_version`. */
export const ipVersion = lazily(() =>
  z
    .union([z.literal(4), z.literal(6), z.literal("any")])
    .default("any")
    .describe("The IP version to use: 4, 6 or any. Only the first address is tried."),
);

/** The IP version to use. */
export type IpVersion = z.output<ReturnType<typeof ipVersion>>;

/** The schema of `tls`. */
export const tlsVerification = lazily(() =>
  z
    .strictObject({
      ca: secretReference().optional().describe("Trusted certificate authorities in PEM, instead of the system's."),
      client_certificate: clientCertificate(),
      insecure: z.boolean().default(false).describe("Accepts any certificate. Its expiry is still measured."),
    })
    .refine(({ ca, insecure }) => ca === undefined || !insecure, {
      message: "insecure accepts certificates from any authority: set either ca or insecure: true",
      path: ["ca"],
    })
    .prefault({})
    .describe("How certificates are verified."),
);

/** How the certificates of a target are verified. */
export type TlsVerification = z.output<ReturnType<typeof tlsVerification>>;

/** Reports settings that have no effect without TLS if the URL is not encrypted. For `superRefine`. @param scheme the encrypted one */
export function tlsOverTls(scheme: "https" | "wss") {
  return (
    { url, tls }: { readonly url: unknown; readonly tls: TlsVerification },
    context: { addIssue(issue: { code: "custom"; message: string; path: string[] }): void },
  ): void => {
    // The scheme of a secret URL is not known here.
    if (typeof url !== "string" || URL.parse(url)?.protocol === `${scheme}:`) return;
    const refuse = (field: string, value: unknown, why: string): void => {
      const message = `${why}: use a URL that begins with ${scheme}://, or remove ${field}`;
      if (value !== undefined) context.addIssue({ code: "custom", message, path: ["tls", field] });
    };
    refuse("ca", tls.ca, "ca has no effect without TLS");
    refuse("client_certificate", tls.client_certificate, "client_certificate has no effect without TLS");
  };
}

/** The schema of a header name, converted to lower case. */
export const headerName: () => z.ZodString = lazily(() =>
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name")
    .toLowerCase(),
);

/** The schema of `headers`, each a text or a secret, by their names in lower case. */
export const headers = lazily(() =>
  namedRecord(
    headerName(),
    textOrSecret().superRefine(customIssue((value) => (typeof value === "string" ? headerMistake(value) : undefined))),
  ).default({}),
);
