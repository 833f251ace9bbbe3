/** Authentication of requests: the settings, and the headers derived from them. Shared by every kind that sends headers. */
import { z } from "zod";
import { unlessAborted } from "../../../shared/net/unless-aborted.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { errorText, IdentityFault, type ProbeFault } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite } from "../text/target-text.ts";
import { accessToken, forgetTokens, oauth2Settings } from "./oauth2.ts";

/** The fields of the settings. */
export const identityFields = lazily(() => ({
  id_token: z
    .string()
    .regex(
      /^(https:\/\/[\w.-]+(:\d+)?(\/\S*)?|[\w-]+\.apps\.googleusercontent\.com|\/projects\/\d+\/\S+)$/,
      "must be an audience: the https:// URL of the Cloud Run service, or the OAuth client ID of IAP",
    )
    .optional()
    .describe(
      "Sends an ID token of the monitor's own identity for this audience: the URL of a private Cloud Run service, or the OAuth client ID of IAP. The token is sent as `authorization: Bearer` or, if you set an `authorization` header of your own, as `x-serverless-authorization` (Cloud Run) or `proxy-authorization` (IAP).",
    ),
  oauth2: oauth2Settings(),
}));

/** How a request authenticates. */
export type IdentitySettings = z.output<z.ZodObject<ReturnType<typeof identityFields>>>;

/** Headers with credentials, which no other origin may see. */
export const identityHeaderNames: readonly string[] = [
  "authorization",
  "x-serverless-authorization",
  "proxy-authorization",
];

/** Checks that the settings define `authorization` only once; with the message for those that do not. */
export const oneAuthorization: {
  holds(settings: Pick<IdentitySettings, "oauth2"> & { readonly headers: Readonly<Record<string, unknown>> }): boolean;
  readonly otherwise: { message: string; path: string[] };
} = {
  holds: ({ oauth2, headers }) => oauth2 === undefined || headers["authorization"] === undefined,
  otherwise: { message: "oauth2 sets the authorization header: remove it from headers", path: ["oauth2"] },
};

/**
 * Returns the authentication headers. Tokens are kept out of the report.
 * @param own the other headers, by their names in lower case
 * @throws IdentityFault if there is no token: the target is not to blame
 */
export async function identityHeaders(
  { id_token, oauth2 }: IdentitySettings,
  own: Readonly<Record<string, unknown>>,
  world: ProbeWorld,
): Promise<Readonly<Record<string, string>>> {
  const bearer: Record<string, string> = {};
  if (oauth2 !== undefined) bearer["authorization"] = `Bearer ${await accessToken(oauth2, world)}`;
  if (id_token === undefined) return bearer;
  const isTaken = bearer["authorization"] !== undefined || own["authorization"] !== undefined;
  const isForCloudRun = id_token.startsWith("https://");
  const name = !isTaken ? "authorization" : isForCloudRun ? "x-serverless-authorization" : "proxy-authorization";
  return { ...bearer, [name]: `Bearer ${await idToken(id_token, world)}` };
}

/** Makes the next run request new tokens if a target has refused the current one. @param status of its response */
export function reconsiderIdentity({ oauth2 }: IdentitySettings, status: number, { google }: ProbeWorld): void {
  if (status === 401 && oauth2 !== undefined) forgetTokens(google);
}

async function idToken(audience: string, { google, signal, conceal }: ProbeWorld): Promise<string> {
  try {
    // The token source does not support an abort signal.
    const token = await unlessAborted(google.idToken(audience), signal);
    conceal(token);
    return token;
  } catch (error) {
    throw refused(audience, error, signal);
  }
}

function refused(audience: string, error: unknown, signal: AbortSignal): ProbeFault {
  if (signal.aborted)
    return new IdentityFault("timeout", "the probe timed out while waiting for an ID token from Google");
  return new IdentityFault("auth", cite`Google did not issue an ID token for ${audience}: ${errorText(error)}`, {
    cause: error,
  });
}
