/** The prober `tls`: the handshake, the certificates, and their remaining validity. */
import { z } from "zod";
import { duration, secretReference } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { formatDuration, spokenDuration } from "../../../shared/text/units.ts";
import { dial } from "../net/dial.ts";
import { hostName, portNumber } from "../net/endpoint.ts";
import { failureOf, hostAndPort, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { ipVersion } from "../net/settings.ts";
import { stopwatch } from "../net/stopwatch.ts";
import { secure } from "../net/tls.ts";
import type { Assessment, Prober } from "../prober.ts";
import { cite, type ReportText } from "../text/target-text.ts";
import { always } from "../yields.ts";

const versions = ["1.2", "1.3"] as const;

const settings = lazily(() =>
  z.strictObject({
    host: hostName("set the port separately, for example port: 443").describe(
      "The host name or address to connect to.",
    ),
    port: portNumber().default(443).describe("The port to connect to."),
    server_name: z
      .string()
      .min(1)
      .optional()
      .describe("The name to request (SNI), which the certificate must cover. Default: the host."),
    ip_version: ipVersion(),
    tls: z
      .strictObject({
        ca: secretReference().optional().describe("Trusted certificate authorities in PEM, instead of the system's."),
      })
      .prefault({})
      .describe("How certificates are verified."),
    min_validity: duration()
      .prefault("14d")
      .describe(
        "The probe fails if a certificate of the verified chain expires sooner than this. With 0s, only expired certificates fail it.",
      ),
    min_version: z
      .enum(versions)
      .default("1.2")
      .describe("The oldest TLS version that the server may choose. Versions older than 1.2 are never offered."),
  }),
);

/** Settings of a `tls` probe; durations in milliseconds. */
export type TlsSettings = z.output<ReturnType<typeof settings>>;

/** The observation of the target. */
export interface TlsObservation {
  /** The failure of the handshake, or the reason why its certificates are not accepted. */
  readonly failure?: SeenFailure | undefined;
  readonly handshake?: {
    readonly seconds: number;
    /** In the notation of OpenSSL: `TLSv1.3`. */
    readonly version: string;
    /** Seconds until the server's own certificate expires; negative if it has expired. */
    readonly leafExpiry: number | undefined;
    /** The certificate of the verified chain that expires first, and the seconds until then. */
    readonly first: { readonly name: ReportText; readonly expiry: number } | undefined;
  };
}

/** The prober `tls`. */
export const tls: Prober<TlsSettings, TlsObservation> = {
  kind: "tls",
  title:
    "Performs a TLS handshake on a fresh connection and checks the certificates: their chain, names and remaining validity.",
  reach: "private",
  get settings() {
    return settings();
  },
  example: `host: api.example.com
min_validity: 14d
`,

  usualSeconds: 0.3,
  yields: () => always("tls_handshake_time", "tls_certificate_expiry", "tls_leaf_certificate_expiry"),

  async observe(settings, world) {
    const { host, port, server_name = host, ip_version } = settings;
    const ca = settings.tls.ca && (await world.resolve(settings.tls.ca));
    const watch = stopwatch(() => world.clock());
    const failure = (error: unknown): SeenFailure =>
      failureOf(error, {
        phase: watch.phase,
        peer: hostAndPort(host, port),
        address: watch.address,
        signal: world.signal,
      });
    try {
      const family = ip_version === "any" ? {} : { family: ip_version };
      const raw = await dial({ host, port, ...family }, world, watch);
      const secured = await secure(raw, { host: server_name, ca }, watch, world.now());
      const { fault, expiresAt, expiring = "", leafExpiresAt } = secured;
      const until = (instant: number): number => (instant - world.now()) / 1000;
      return {
        ...(fault === undefined ? {} : { failure: failure(new ProbeFault("tls", fault, { signal: "certificate" })) }),
        handshake: {
          seconds: watch.times()["tls"] ?? 0,
          version: secured.socket.getProtocol() ?? "unknown",
          leafExpiry: leafExpiresAt === undefined ? undefined : until(leafExpiresAt),
          first: expiresAt === undefined ? undefined : { name: expiring, expiry: until(expiresAt) },
        },
      };
    } catch (error) {
      return { failure: failure(error) };
    }
  },

  assess(settings, { failure, handshake }) {
    if (!handshake) return { ...(failure ? { failure } : {}), measurements: [] };
    const { seconds, version, leafExpiry, first } = handshake;
    const measurements: Assessment["measurements"][number][] = [{ metric: "tls_handshake_time", value: seconds }];
    if (first) measurements.push({ metric: "tls_certificate_expiry", value: first.expiry });
    if (leafExpiry !== undefined) measurements.push({ metric: "tls_leaf_certificate_expiry", value: leafExpiry });
    const reason = failure ?? validityProblem(settings, handshake) ?? versionProblem(settings, version);
    return {
      ...(reason ? { failure: reason } : {}),
      measurements,
      findings: [
        {
          check: "tls_version",
          ok: versionProblem(settings, version) === undefined,
          observed: version,
          expected: `TLSv${settings.min_version} or newer`,
          explanation: "The version that the server chose of those it was offered.",
        },
      ],
    };
  },
};

function validityProblem(
  { min_validity }: TlsSettings,
  { first }: NonNullable<TlsObservation["handshake"]>,
): SeenFailure | undefined {
  if (!first || first.expiry * 1000 >= min_validity) return undefined;
  const left = spokenDuration(first.expiry * 1000);
  const message = cite`the certificate of ${first.name} expires in ${left}, expected at least ${formatDuration(min_validity)}`;
  return { ...tlsFailure(message), signal: "certificate" };
}

function versionProblem({ min_version }: TlsSettings, version: string): SeenFailure | undefined {
  if (version.localeCompare(`TLSv${min_version}`) >= 0) return undefined;
  return tlsFailure(`the server chose ${version}, expected TLSv${min_version} or newer`);
}

function tlsFailure(message: ReportText): SeenFailure {
  return { kind: "tls", phase: "tls", message };
}
