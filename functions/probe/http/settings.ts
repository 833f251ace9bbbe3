import { z } from "zod";
import { customIssue, type SecretReference, secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { unfilledMark, urlMistake } from "../../../shared/net/written-address.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { anyJson, namedRecord } from "../../../shared/runtime/named-record.ts";
import { identityFields } from "../identity/identity.ts";
import { headers as headerFields, ipVersion, tlsVerification } from "../net/settings.ts";
import { expectations } from "./expect.ts";

/** A value of a form. */
export type FormValue = string | number | boolean | SecretReference;

const formValue: () => z.ZodType<FormValue, FormValue> = lazily(() =>
  z.union([z.string(), z.number(), z.boolean(), secretReference()], {
    error: "must be a text, a number, true or false, or { secret: NAME }",
  }),
);

/** The fields of the settings. */
export const requestFields = lazily(() => ({
  url: z
    .union(
      [
        z
          .string()
          .superRefine(customIssue((url) => urlMistake(url, ["http", "https"])))
          .refine(
            (url) => !hasUserinfo(url),
            "must not contain a password: set an Authorization header with { secret: NAME }",
          ),
        secretReference(),
      ],
      { error: "must be a URL that begins with http:// or https://, or { secret: NAME }" },
    )
    .describe(
      "The URL to request, or a secret that holds it, with user and password if needed. For a secret URL, reports show only the host and port.",
    ),
  method: z
    .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    .default("GET")
    .describe("The request method."),
  headers: headerFields().describe("Request headers. A secret header is not sent to another origin after a redirect."),
  ...identityFields(),
  body: textOrSecret().optional().describe("The request body, as a text or a secret."),
  json: anyJson().optional().describe("The request body as JSON, instead of `body`."),
  form: namedRecord(z.string(), z.union([formValue(), z.array(formValue())]))
    .optional()
    .describe(
      "The request body as form fields, instead of `body`: texts, numbers, true or false, secrets, or lists of these. It is sent as `application/x-www-form-urlencoded`.",
    ),
  follow_redirects: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe("The maximum number of redirects to follow. With 0, the first response counts."),
  allow_private_redirects: z
    .boolean()
    .default(false)
    .describe(
      "Also follows redirects from a public address to a private one, such as an internal service. A target at a private address may always redirect to private addresses.",
    ),
  ip_version: ipVersion(),
  max_body: z
    .int()
    .min(1)
    .max(64 * 2 ** 20)
    .default(2 ** 20)
    .describe("The maximum size of the decoded body, in bytes."),
  tls: tlsVerification(),
  expect: expectations().prefault({}).describe("The expectations for the response."),
}));

/** A request and the expectations for its response. */
export type RequestSettings = z.output<z.ZodObject<ReturnType<typeof requestFields>>>;

/** Reports a mark in the URL, for a kind that does not support any. For `superRefine`. */
export function completeUrl(
  { url }: { readonly url: unknown },
  context: { addIssue(issue: { code: "custom"; message: string; path: string[] }): void },
): void {
  const message = typeof url === "string" ? unfilledMark(url) : undefined;
  if (message !== undefined) context.addIssue({ code: "custom", message, path: ["url"] });
}

/** Reports more than one body. For `superRefine`. */
export function oneBody(
  settings: Pick<RequestSettings, "body" | "json" | "form">,
  context: { addIssue(issue: { code: "custom"; message: string; path: string[] }): void },
): void {
  const [first, second] = (["body", "json", "form"] as const).filter((field) => settings[field] !== undefined);
  if (first === undefined || second === undefined) return;
  context.addIssue({ code: "custom", message: `set either ${first} or ${second}, not both`, path: [second] });
}

/** Returns whether a text is an HTTP URL. */
export function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

function hasUserinfo(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== "" || url.password !== "");
}
