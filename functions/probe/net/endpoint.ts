/** A configured port of a host, optionally with TLS: its settings, and a fresh connection to it. */
import type { Socket } from "node:net";
import { z } from "zod";
import { customIssue, secretReference } from "../../../shared/config/fields.ts";
import { hostMistake } from "../../../shared/net/written-address.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { clientCertificate, clientCertificateOf } from "../identity/client-certificate.ts";
import type { ProbeWorld } from "../prober.ts";
import type { ReportText } from "../text/target-text.ts";
import { dial } from "./dial.ts";
import { ProbeFault } from "./faults.ts";
import { ipVersion } from "./settings.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { secure } from "./tls.ts";

const hostForm = /^([\w.-]+|[\da-f:.]+)$/i;

/** The schema of a host, a name or an address. @param advice where to put a port */
export function hostName(advice: string = "set the port separately, for example port: 443"): z.ZodType<string, string> {
  return z
    .string()
    .regex(hostForm, `must be a host name or an address, such as api.example.com: ${advice}`)
    .superRefine(customIssue((host) => (hostForm.test(host) ? hostMistake(host) : undefined)));
}

/** The schema of a port. */
export const portNumber: () => z.ZodInt = lazily(() => z.int().min(1).max(65_535));

/** The fields of the settings, except for the port. */
export const endpointFields = lazily(() => ({
  host: hostName().describe("The host name or address to connect to."),
  ip_version: ipVersion(),
  tls: z.boolean().default(false).describe("Whether to use TLS from the first byte. Certificates are verified."),
  server_name: z
    .string()
    .min(1)
    .optional()
    .describe("The name to request (SNI), which the certificate must cover. Default: the host."),
  ca: secretReference().optional().describe("Trusted certificate authorities in PEM, instead of the system's."),
  client_certificate: clientCertificate(),
}));

/** The endpoint to connect to. */
export type Endpoint = z.output<z.ZodObject<ReturnType<typeof endpointFields>>> & { readonly port: number };

/** Reports fields that have no effect without TLS. For `superRefine`. */
export function tlsFieldsNeedTls(
  settings: Omit<Endpoint, "port">,
  context: { addIssue(issue: { code: "custom"; message: string; path: string[] }): void },
): void {
  const { tls, ca, server_name, client_certificate } = settings;
  if (tls) return;
  const refuse = (field: string, value: unknown, why: string): void => {
    if (value !== undefined)
      context.addIssue({ code: "custom", message: `${why}: set tls: true, or remove ${field}`, path: [field] });
  };
  refuse("ca", ca, "ca has no effect without TLS");
  refuse("server_name", server_name, "server_name has no effect without TLS");
  refuse("client_certificate", client_certificate, "client_certificate has no effect without TLS");
}

/** An open connection. */
export interface Connected {
  readonly socket: Socket;
  /** Seconds until the first certificate of the verified chain expires; negative if it has expired. */
  readonly certificateExpiry?: number | undefined;
}

/** Secrets of an endpoint, read before anything is measured. */
export interface EndpointSecrets {
  readonly ca: string | undefined;
  readonly client: Awaited<ReturnType<typeof clientCertificateOf>>;
}

/** Reads the secrets of an endpoint. @throws ProbeFault, or the error of a secret that cannot be had */
export async function endpointSecrets(
  { ca, client_certificate }: Pick<Endpoint, "ca" | "client_certificate">,
  world: ProbeWorld,
): Promise<EndpointSecrets> {
  return { ca: ca && (await world.resolve(ca)), client: await clientCertificateOf(client_certificate, world) };
}

/**
 * Connects in the phases `dns`, `connect` and, with TLS, `tls`.
 * @param protocols to offer in TLS
 * @throws ProbeFault, or the error of the connection
 */
export async function connectTo(
  { host, port, ip_version, tls, server_name = host }: Endpoint,
  { ca, client }: EndpointSecrets,
  world: ProbeWorld,
  watch: Stopwatch,
  protocols?: readonly string[],
): Promise<Connected> {
  const raw = await dial({ host, port, ...(ip_version === "any" ? {} : { family: ip_version }) }, world, watch);
  if (!tls) return { socket: raw };
  const options = { host: server_name, ca, client, ...(protocols === undefined ? {} : { protocols }) };
  const { socket, expiresAt, fault } = await secure(raw, options, watch, world.now());
  const certificateExpiry = expiresAt === undefined ? undefined : (expiresAt - world.now()) / 1000;
  if (fault !== undefined) throw new UntrustedCertificate(fault, certificateExpiry);
  return { socket, certificateExpiry };
}

/** Thrown if the certificates of a server are not accepted. */
export class UntrustedCertificate extends ProbeFault {
  /** Seconds until the first certificate of the chain expires, if known. */
  readonly certificateExpiry: number | undefined;

  constructor(text: ReportText, certificateExpiry: number | undefined) {
    super("tls", text, { signal: "certificate" });
    this.certificateExpiry = certificateExpiry;
  }
}
