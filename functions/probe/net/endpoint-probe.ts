/** Common parts of probes of a port: a fresh connection, an exchange over it, the time of each phase, and their assessment. */
import type { MetricName } from "../../../shared/metrics/catalogue.ts";
import type { DeclaredMetric } from "../../../shared/metrics/yields.ts";
import type { Assessment, ProbeWorld } from "../prober.ts";
import { always, onlyWhere } from "../yields.ts";
import { type Connected, connectTo, type Endpoint, type EndpointSecrets, UntrustedCertificate } from "./endpoint.ts";
import { failureOf, hostAndPort, ProbeFault, type SeenFailure } from "./faults.ts";
import { type Stopwatch, stopwatch } from "./stopwatch.ts";
import { wantsTls } from "./tls.ts";

/** The observation of a port. */
export interface EndpointObservation {
  readonly failure?: SeenFailure;
  /** Whether the server itself responded, so that another attempt would show no more. */
  readonly answered: boolean;
  /** Seconds in each completed phase. */
  readonly phases: Readonly<Record<string, number>>;
  /** Seconds until completion; absent if the probe did not complete. */
  readonly seconds?: number;
  /** Seconds until the first certificate of the verified chain expires. */
  readonly certificateExpiry?: number | undefined;
}

/** Thrown for a response of the server that is not as expected. */
export class Refusal extends ProbeFault {}

/**
 * Connects, runs the exchange, and measures.
 * @param talk the exchange over the connection, in phases that it enters; returns the failure that the response means
 * @param protocols to offer in TLS
 */
export async function observeEndpoint(
  settings: Endpoint,
  secrets: EndpointSecrets,
  world: ProbeWorld,
  talk: (socket: Connected["socket"], watch: Stopwatch) => Promise<SeenFailure | undefined>,
  protocols?: readonly string[],
): Promise<EndpointObservation> {
  const { host, port, tls } = settings;
  const peer = hostAndPort(host, port);
  const watch = stopwatch(() => world.clock());
  const started = world.clock();
  let certificateExpiry: number | undefined;
  try {
    const connected = await connectTo(settings, secrets, world, watch, protocols);
    certificateExpiry = connected.certificateExpiry;
    const failure = await talk(connected.socket, watch);
    watch.stop();
    const seconds = (world.clock() - started) / 1000;
    return { ...(failure ? { failure } : {}), answered: true, phases: watch.times(), seconds, certificateExpiry };
  } catch (caught) {
    if (caught instanceof UntrustedCertificate) certificateExpiry = caught.certificateExpiry;
    const { phase, address } = watch;
    const inPlain = !tls && (await wantsTls(caught, port, watch, world));
    const error = inPlain
      ? new ProbeFault("protocol", `${peer} speaks TLS on this port, but the request was in plain text: set tls: true`)
      : caught;
    const failure = failureOf(error, { phase, peer, address, signal: world.signal });
    return { failure, answered: caught instanceof Refusal, phases: watch.times(), certificateExpiry };
  }
}

/** Assesses the observation. @param time the metric of the total time */
export function assessEndpoint(
  time: MetricName,
  { failure, answered, phases, seconds, certificateExpiry }: EndpointObservation,
): Assessment {
  const measurements: Assessment["measurements"][number][] = Object.entries(phases).map(([phase, value]) => ({
    metric: "connection_phase_time",
    value,
    labels: { phase },
  }));
  if (seconds !== undefined) measurements.push({ metric: time, value: seconds });
  if (certificateExpiry !== undefined)
    measurements.push({ metric: "tls_certificate_expiry", value: certificateExpiry });
  if (failure === undefined) return { measurements };
  return { failure, measurements, ...(answered ? { conclusive: true } : {}) };
}

/** Returns the metrics of such a probe. @param phases of the exchange */
export function endpointYields(
  settings: Pick<Endpoint, "tls"> | undefined,
  time: MetricName,
  ...phases: readonly string[]
): DeclaredMetric[] {
  return [
    ...always(time),
    { metric: "connection_phase_time", labels: { phase: ["dns", "connect", "tls", ...phases] } },
    ...onlyWhere(settings, ({ tls }) => tls, "with tls", ["tls_certificate_expiry"]),
  ];
}
