/** The configuration of a WebSocket: its settings, and the target that they define. */
import { z } from "zod";
import { customIssue } from "../../../shared/config/fields.ts";
import { urlMistake } from "../../../shared/net/written-address.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { clientCertificateOf } from "../identity/client-certificate.ts";
import { identityFields, identityHeaders } from "../identity/identity.ts";
import { headers, ipVersion, tlsVerification } from "../net/settings.ts";
import type { ProbeWorld } from "../prober.ts";
import type { WebSocketTarget } from "./session.ts";

/** The fields of the settings. */
export const socketFields = lazily(() => ({
  url: z
    .string()
    .superRefine(customIssue((url) => urlMistake(url, ["ws", "wss"], withoutUser)))
    .refine(hasNeitherUserNorFragment, `must be a URL that begins with ws:// or wss://${withoutUser}`)
    .describe("The URL to open."),
  headers: headers().describe("Headers of the upgrade request, such as `origin`."),
  ...identityFields(),
  subprotocols: z.array(z.string().min(1)).default([]).describe("Subprotocols to offer. The server must choose one."),
  ip_version: ipVersion(),
  max_message: z
    .int()
    .min(1)
    .max(16 * 2 ** 20)
    .default(2 ** 20)
    .describe("The maximum size of a message, in bytes."),
  tls: tlsVerification(),
}));

/** The target of a WebSocket, and how to open it. */
export type SocketSettings = z.output<z.ZodObject<ReturnType<typeof socketFields>>>;

/**
 * Returns the target of the settings, secrets resolved.
 * @param filled fills in the marks of a text
 * @param bearer default headers, for names that the settings do not set
 */
export async function socketTarget(
  settings: SocketSettings,
  url: string,
  filled: (text: string) => string,
  world: ProbeWorld,
  bearer: Readonly<Record<string, string>> = {},
): Promise<WebSocketTarget> {
  const own: Record<string, string> = { ...bearer };
  for (const [name, value] of Object.entries(settings.headers))
    setEntry(own, name, typeof value === "string" ? filled(value) : await world.resolve(value));
  const proof = await identityHeaders(settings, own, world);
  return {
    url: new URL(url),
    headers: { ...own, ...proof },
    subprotocols: settings.subprotocols.map(filled),
    ...(settings.ip_version === "any" ? {} : { family: settings.ip_version }),
    ca: settings.tls.ca && (await world.resolve(settings.tls.ca)),
    client: await clientCertificateOf(settings.tls.client_certificate, world),
    insecure: settings.tls.insecure,
    maxMessage: settings.max_message,
  };
}

const withoutUser = ", without user or fragment";

function hasNeitherUserNorFragment(text: string): boolean {
  const url = URL.parse(text);
  return url === null || (url.username === "" && url.password === "" && url.hash === "");
}
