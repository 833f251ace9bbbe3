/** Exports measurements in the cloud: custom metrics of Cloud Monitoring, through Google's client. */
import type { MetricServiceClient } from "@google-cloud/monitoring";
import { exportPrefix } from "../metrics/exported.ts";
import type { MetricPoint, MetricSink, Written } from "../ports.ts";
import { bounded } from "../text/redact.ts";

/** Options of the client, such as the address and credentials of a stand. */
type ClientOptions = NonNullable<ConstructorParameters<typeof MetricServiceClient>[0]>;

/** Destination of the points. */
export interface MonitoringOptions {
  readonly projectId: string;
  /** The environment that is watched: several may report to one project. */
  readonly environment: string;
  /** @default Google's service, with the identity of the function */
  readonly client?: ClientOptions;
  /** Maximum duration of one call, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

/** The most series of one call, and labels of one metric. */
const maxSeries = 200;
const maxLabels = 30;
/** Points that Cloud Monitoring accepts: at most 25 hours old, at most 5 minutes in the future, and finite. */
const maxLabelValue = 1_024;

/**
 * Writes to Cloud Monitoring. The client is loaded and connected with the first points, so that a cold start does not wait for it. A call is not
 * made again: the points of the next minute are as good.
 */
export class MonitoringSink implements MetricSink {
  readonly #options: MonitoringOptions;
  #client: Promise<MetricServiceClient> | undefined;

  constructor(options: MonitoringOptions) {
    this.#options = options;
  }

  async write(points: readonly MetricPoint[]): Promise<Written> {
    const sound = points.filter(({ value }) => Number.isFinite(value));
    const batches: MetricPoint[][] = [];
    for (let from = 0; from < sound.length; from += maxSeries) batches.push(sound.slice(from, from + maxSeries));
    const outcomes = await Promise.all(batches.map((batch) => this.#send(batch)));
    const refusals = outcomes.filter((outcome) => outcome.reason !== undefined);
    const refused = refusals.reduce((sum, { count }) => sum + count, points.length - sound.length);
    const reason = refusals[0]?.reason;
    return { written: points.length - refused, refused, ...(reason === undefined ? {} : { reason }) };
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.close();
  }

  async #send(batch: readonly MetricPoint[]): Promise<{ count: number; reason?: string }> {
    const { projectId, environment, timeoutMs = 10_000 } = this.#options;
    const timeSeries = batch.map((point) => seriesOf(point, projectId, environment));
    try {
      const client = await this.#connected();
      await client.createTimeSeries({ name: `projects/${projectId}`, timeSeries }, { timeout: timeoutMs });
      return { count: batch.length };
    } catch (error) {
      return { count: batch.length, reason: bounded(error instanceof Error ? error.message : String(error)) };
    }
  }

  #connected(): Promise<MetricServiceClient> {
    const client = this.#client ?? connect(this.#options);
    this.#client = client;
    // A failed connection may succeed the next time.
    client.catch(() => {
      if (this.#client === client) this.#client = undefined;
    });
    return client;
  }
}

async function connect({ projectId, client }: MonitoringOptions): Promise<MetricServiceClient> {
  const { MetricServiceClient: Client } = await import("@google-cloud/monitoring");
  if (client !== undefined) return new Client({ projectId, ...client });
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ projectId, scopes: "https://www.googleapis.com/auth/monitoring.write" });
  // Without an identity the client would not fail but end the process, by a rejection that nobody can catch.
  await auth.getClient();
  return new Client({ projectId, auth: auth as NonNullable<ClientOptions["auth"]> });
}

/** A point as the API takes it: one gauge of a double. Seconds and nanoseconds, because that is how Google writes instants. */
function seriesOf({ metric, labels, value, at }: MetricPoint, projectId: string, environment: string) {
  const endTime = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 };
  const own = Object.entries(labels)
    .slice(0, maxLabels)
    .map(([name, text]) => [name, bounded(text, [], maxLabelValue)]);
  return {
    metric: { type: `${exportPrefix}${metric}`, labels: Object.fromEntries(own) as Record<string, string> },
    resource: {
      type: "generic_node",
      labels: { project_id: projectId, location: "global", namespace: "pathkeeper", node_id: environment },
    },
    metricKind: "GAUGE" as const,
    valueType: "DOUBLE" as const,
    points: [{ interval: { startTime: endTime, endTime }, value: { doubleValue: value } }],
  };
}
