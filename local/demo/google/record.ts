/**
 * Records the state of the demo as the time series that Cloud Monitoring would store.
 *
 * A minute is too long for a demo, and Cloud Monitoring aligns to nothing shorter. So each sample is served as one minute: the newest sample
 * as the last complete minute, the one before it as the previous minute. Samples are taken every second, or faster at a faster pace. Probers
 * query it as they query Google, including its delays, and see a change after seconds.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { PointValue, RecordedSeries } from "./series.ts";

/** The names that the demo's parts have at Google. */
export const googleNames = {
  project: "pathkeeper-demo",
  region: "us-central1",
  connector: "demo-connector",
  instance: "demo-postgres",
  urlMap: "demo-lb",
} as const;

/** Sample of a part at one moment. Counters are cumulative. */
export interface DemoReadings {
  readonly connector: { readonly utilization: number; readonly sentBytes: number; readonly receivedBytes: number };
  /** Absent where the database does not answer. */
  readonly database?: DatabaseReadings | undefined;
}

/** Metrics of the database. */
export interface DatabaseReadings {
  readonly connections: Readonly<Record<string, number>>;
  readonly active: number;
  readonly sessions: number;
  readonly blocksRead: number;
  readonly bytesWritten: number;
  readonly bytesStored: number;
}

/** The record of a running demo. */
export interface DemoRecord {
  /** The series as they are to be read at `now`, in milliseconds since the epoch. */
  series(now: number): readonly RecordedSeries[];
  stop(): Promise<void>;
}

/** Parts to record, and options. */
export interface RecordOptions {
  readonly read: () => Promise<DemoReadings>;
  /** The services whose requests are counted: their names by the ports that they listen on, in this process. */
  readonly services: Readonly<Record<number, string>>;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
}

/** Number of samples kept. Each is served as one minute. */
const maxLooks = 60;
/** Enough of them that everything can be read at once. */
const looksBefore = 8;
const minuteMs = 60_000;

/** A look at everything, already as the values of series. */
type Look = ReadonlyMap<string, PointValue>;

/** Begins to record: when it returns there is something to be read. */
export async function recordDemo({ read, services, everyMs }: RecordOptions): Promise<DemoRecord> {
  const looks: Look[] = [];
  const described = new Map<string, Description>();
  const requests = countRequests(services);
  let instances = 2;
  let before: DemoReadings | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const seen = await read();
    const served = requests.take();
    // It scales out when it is busy, and never in.
    if (seen.connector.utilization > 0.6) instances = Math.min(10, instances + 1);
    const values = new Map<string, PointValue>();
    const set: Set = (description, value) => {
      const key = `${description.metricType} ${JSON.stringify(description.labels)}`;
      described.set(key, description);
      if (value !== undefined) values.set(key, value);
    };
    lookAtConnector(seen, before, instances, set);
    lookAtDatabase(seen, before, set);
    lookAtServices(served, Object.values(services), before === undefined, set);
    // Values in the first sample existed before it.
    if (before === undefined) looks.push(...Array<Look>(looksBefore).fill(values));
    looks.push(values);
    if (looks.length > maxLooks) looks.shift();
    before = seen;
  };
  const again = (): void => {
    if (!stopped)
      timer = setTimeout(
        () =>
          look()
            .catch(() => {})
            .finally(again),
        everyMs,
      );
  };
  await look();
  // Counts between two samples appear from the second sample on.
  await look();
  again();

  return {
    series: (now) => {
      const newest = Math.floor(now / minuteMs) * minuteMs;
      return [...described].map(([key, { delayMs, ...description }]) => ({
        ...description,
        points: looks.flatMap((values, index) => {
          const at = newest - (looks.length - 1 - index) * minuteMs;
          const value = values.get(key);
          return value === undefined || now - at < delayMs ? [] : [{ at, value }];
        }),
      }));
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      requests.stop();
    },
  };
}

interface Description extends Omit<RecordedSeries, "points"> {
  /** Delay until a point can be read, as in Cloud Monitoring. */
  readonly delayMs: number;
}

/** Without a value it is known at Google, and nothing has been measured yet. */
type Set = (description: Description, value: PointValue | undefined) => void;

function lookAtConnector(
  { connector }: DemoReadings,
  before: DemoReadings | undefined,
  instances: number,
  set: Set,
): void {
  const { project, region, connector: name } = googleNames;
  const labels = place({ project_id: project, location: region, connector_name: name });
  const describe = (metric: string, kind: Description["kind"], type: Description["type"]): Description => ({
    metricType: `vpcaccess.googleapis.com/connector/${metric}`,
    resourceType: "vpc_access_connector",
    labels,
    kind,
    type,
    delayMs: 240_000,
  });
  // Its instances share the load, not quite evenly.
  const cpu = Array.from({ length: instances }, (_, index) => connector.utilization * (1 - index * 0.02));
  set(describe("cpu/utilizations", "DELTA", "DISTRIBUTION"), cpu);
  set(describe("instances", "GAUGE", "INT64"), instances);
  if (!before) return;
  set(describe("sent_bytes_count", "DELTA", "INT64"), connector.sentBytes - before.connector.sentBytes);
  set(describe("received_bytes_count", "DELTA", "INT64"), connector.receivedBytes - before.connector.receivedBytes);
}

const instanceStates = ["RUNNING", "SUSPENDED", "RUNNABLE", "PENDING_CREATE", "MAINTENANCE", "FAILED", "UNKNOWN_STATE"];
const diskBytes = 10 * 2 ** 30;
const blockBytes = 8_192;

function lookAtDatabase({ database }: DemoReadings, before: DemoReadings | undefined, set: Set): void {
  const { project, region, instance } = googleNames;
  const describe = (
    metric: string,
    kind: Description["kind"],
    type: Description["type"],
    own: Readonly<Record<string, string>> = {},
  ): Description => ({
    metricType: `cloudsql.googleapis.com/database/${metric}`,
    resourceType: "cloudsql_database",
    labels: { ...place({ project_id: project, region, database_id: `${project}:${instance}` }), ...own },
    kind,
    type,
    delayMs: 165_000,
  });
  set(describe("up", "GAUGE", "INT64"), database ? 1 : 0);
  for (const state of instanceStates)
    set(describe("instance_state", "GAUGE", "BOOL", { "metric.labels.state": state }), state === "RUNNING");
  if (!database) return;
  const connections = Object.values(database.connections).reduce((total, count) => total + count, 0);
  for (const [name, count] of Object.entries(database.connections))
    set(describe("postgresql/num_backends", "GAUGE", "INT64", { "metric.labels.database": name }), count);
  // Activity and size of its connections stand in for CPU and memory, which a process cannot measure for another process alone.
  set(describe("cpu/utilization", "GAUGE", "DOUBLE"), Math.min(1, 0.04 + 0.06 * database.active));
  set(describe("memory/utilization", "GAUGE", "DOUBLE"), Math.min(1, 0.25 + 0.005 * connections));
  set(describe("disk/utilization", "GAUGE", "DOUBLE"), database.bytesStored / diskBytes);
  const last = before?.database;
  if (!last) return;
  const since = (metric: string, value: number): void => set(describe(metric, "DELTA", "INT64"), Math.max(0, value));
  since("postgresql/new_connection_count", database.sessions - last.sessions);
  since("disk/read_ops_count", database.blocksRead - last.blocksRead);
  since("disk/write_ops_count", Math.ceil((database.bytesWritten - last.bytesWritten) / blockBytes));
}

function lookAtServices(served: readonly Served[], names: readonly string[], starting: boolean, set: Set): void {
  const { project, region, urlMap } = googleNames;
  const ofRun = (service: string, metric: string, how: Pick<Description, "kind" | "type">, own = {}): Description => ({
    metricType: metric.includes("/user/") ? metric : `run.googleapis.com/${metric}`,
    resourceType: "cloud_run_revision",
    labels: {
      ...place({ project_id: project, location: region, service_name: service, revision_name: `${service}-00001` }),
      ...own,
    },
    ...how,
    delayMs: 180_000,
  });
  const counter = { kind: "DELTA", type: "INT64" } as const;
  const level = { kind: "GAUGE", type: "INT64" } as const;
  const distribution = { kind: "DELTA", type: "DISTRIBUTION" } as const;
  for (const name of names) {
    const own = served.filter(({ service }) => service === name);
    for (const [code, some] of byStatus(own, starting)) {
      const labels = codeLabels(code, `${Math.floor(code / 100)}xx`);
      set(ofRun(name, "request_count", counter, labels), some?.length);
      set(
        ofRun(name, "request_latencies", distribution, labels),
        some?.map(({ milliseconds }) => milliseconds),
      );
    }
    for (const state of ["active", "idle"])
      set(
        ofRun(name, "container/instance_count", level, { "metric.labels.state": state }),
        (state === "active") === own.length > 0 ? 1 : 0,
      );
    set(ofRun(name, "logging.googleapis.com/user/failed-startups", counter), 0);
    if (starting) set(ofRun(name, "container/startup_latencies", distribution), [process.uptime() * 1000]);
  }
  const ofBalancer = (metric: string, service: string, how: Pick<Description, "kind" | "type">, own: object) => ({
    metricType: `loadbalancing.googleapis.com/https/${metric}`,
    resourceType: "https_lb_rule",
    labels: { ...place({ project_id: project, url_map_name: urlMap, backend_target_name: service }), ...own },
    ...how,
    delayMs: 210_000,
  });
  for (const service of names) {
    const own = served.filter((one) => one.service === service);
    for (const [code, some] of byStatus(own, starting)) {
      const labels = codeLabels(code, String(Math.floor(code / 100) * 100));
      const latencies = some?.map(({ milliseconds }) => milliseconds);
      set(ofBalancer("request_count", service, counter, labels), some?.length);
      set(ofBalancer("total_latencies", service, distribution, labels), latencies);
      set(ofBalancer("backend_latencies", service, distribution, labels), latencies);
    }
  }
}

/** Returns the requests served, by status. Google lists a metric before its first request, so initially the series are empty. */
function byStatus(served: readonly Served[], starting: boolean): Map<number, readonly Served[] | undefined> {
  const statuses = Map.groupBy(served, ({ status }) => status);
  return starting && statuses.size === 0 ? new Map([[200, undefined]]) : statuses;
}

function place(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`resource.labels.${name}`, value]));
}

function codeLabels(code: number, ofClass: string): Readonly<Record<string, string>> {
  return { "metric.labels.response_code": String(code), "metric.labels.response_code_class": ofClass };
}

/** One request that a service answered. */
interface Served {
  readonly service: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Counts what HTTP servers of this process answer, without their knowing it. */
function countRequests(services: Readonly<Record<number, string>>): { take(): readonly Served[]; stop(): void } {
  const started = new WeakMap<IncomingMessage, number>();
  let served: Served[] = [];
  const onStart = (message: unknown): void => {
    started.set((message as { request: IncomingMessage }).request, performance.now());
  };
  const onFinish = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const service = services[request.socket.localPort ?? 0];
    const since = started.get(request);
    if (service !== undefined && since !== undefined)
      served.push({ service, status: response.statusCode, milliseconds: performance.now() - since });
  };
  subscribe("http.server.request.start", onStart);
  subscribe("http.server.response.finish", onFinish);
  return {
    take: () => {
      const taken = served;
      served = [];
      return taken;
    },
    stop: () => {
      unsubscribe("http.server.request.start", onStart);
      unsubscribe("http.server.response.finish", onFinish);
    },
  };
}
