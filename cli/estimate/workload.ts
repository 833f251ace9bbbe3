/** Computes the monthly workload of the monitor for a configuration: 30 days without incidents. */
import { Cron } from "croner";
import { flushEvery } from "../../functions/evaluate/availability/flush.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import { maxAtOnce } from "../../functions/probe/run/run.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import { isStatusPage } from "../../shared/messages/pages-due.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import type { YieldedMetric } from "../../shared/metrics/yields.ts";
import { ownEntry, setEntry } from "../../shared/runtime/entries.ts";
import { deploymentOf } from "../deployment/deployment.ts";

/** Counts of one month. */
export interface Workload {
  /** Seconds in which an instance of a function is paid for, by function. */
  readonly busySeconds: Readonly<Record<"probe" | "evaluate" | "notify", number>>;
  readonly requests: number;
  readonly jobs: number;
  readonly messageBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
  readonly seriesRead: number;
  readonly logPagesRead: number;
  readonly exportedPoints: number;
  /** Bytes that probes send over the internet. */
  readonly egressBytes: number;
  /** Metrics that the alarms of the module name, and points that they read. */
  readonly alarms: { readonly references: number; readonly points: number };
  /** Images of functions that are kept. */
  readonly images: number;
  /** Contribution of each group of probes. */
  readonly groups: readonly GroupWork[];
  readonly logLines: number;
  readonly secretVersions: number;
  readonly secretAccesses: number;
  /** Status pages in buckets: what they hold, how often an object is written and read, and what is sent to readers. */
  readonly pages: {
    readonly bytes: number;
    readonly written: number;
    readonly read: number;
    readonly sentBytes: number;
  };
  /** Runs of each kind of probe. */
  readonly runs: Readonly<Record<string, number>>;
}

/** Seconds of a month of 30 days. */
export const month: number = 30 * 86_400;

/** Request time besides waiting, in seconds: decoding, publishing and a transaction. */
const overheadSeconds = 0.15;
/** Request time of the evaluator for a report or a tick, in seconds: one transaction. */
export const evaluateSeconds = 0.15;
/** Bytes of a message without its results, and of a result with its usual measurements. */
const messageOverhead = 600;
const resultBytes = 700;
/** Incidents with their notifications. They are few and cost very little. */
const incidentsOfAMonth = 4;
const deliveriesOfAnIncident = 12;
/** A status page: its objects and their size, those that are replaced with each refresh, and readers, who are a guess. */
const pageObjectBytes = 50_000;
const pageObjects = 100;
const objectsOfARefresh = 2;
const refreshSeconds = 0.5;
const documentsOfARefresh = 8;
const viewsOfAMonth = 10_000;
/** Bytes that a probe sends to a public address: a TLS handshake, a request, acknowledgements. */
const sentByProbe = 3_000;
/** Images of each function that the repository keeps. */
const imagesOfAFunction = 2;
/** Requests are logged by Cloud Run as well, besides what a function writes. */
const linesOfARequest = 2;
/** Series that the monitor exports of itself with each tick: reports, checks, delay, three kinds of incidents. */
const ownSeries = 6;

/** Works out the workload. Pure. */
export function workloadOf(configuration: Configuration): Workload {
  const deployment = deploymentOf(configuration, "");
  const groups = [...Map.groupBy(configuration.probes, ({ group }) => group).values()].map(groupWork);
  const sum = (of: (group: Omit<GroupWork, "points">) => number): number =>
    groups.reduce((total, group) => total + of(group), 0);
  const minutes = month / 60;
  const triggers = sum(({ triggers: count }) => count);
  const reports = sum(({ reports: count }) => count);
  const notices = incidentsOfAMonth * deliveriesOfAnIncident;
  const runs: Record<string, number> = {};
  for (const { probes, reports: count } of groups) {
    const parts = Math.ceil(probes.length / maxAtOnce);
    for (const { kind } of probes) setEntry(runs, kind, (ownEntry(runs, kind) ?? 0) + count / parts);
  }
  const statusPages = configuration.channels.filter(isStatusPage).length;
  // One message refreshes all of them, with each writing of the availability.
  const refreshes = statusPages === 0 ? 0 : (month * 1000) / flushEvery;
  const pagesWritten = statusPages * (refreshes * objectsOfARefresh + notices * (objectsOfARefresh + 2));
  const secrets = new Set(Object.values(deployment.secrets).flat()).size;
  const { alarms } = deployment;
  const exports = new Set(exportsOf(configuration) ?? []);
  const exporting = deployment.exports !== null;
  const ownPoints = !exporting
    ? 0
    : minutes * (ownSeries + groups.length + (configuration.watchdog === undefined ? 0 : 1)) +
      ((month * 1000) / flushEvery) * 2 * configuration.components.length;
  const requests = triggers + reports + minutes + notices + refreshes;
  return {
    groups: groups.map((group) => ({ ...group, points: pointsOf(group, exports) })),
    egressBytes:
      sum(({ probes, reports: count }) => {
        const outside = probes.filter(({ vantage }) => vantage === "outside").length;
        return (count / Math.ceil(probes.length / maxAtOnce)) * outside;
      }) * sentByProbe,
    alarms: {
      references: (alarms.no_measurements === null ? 0 : 1) + alarms.waiting.length + 1 + (exporting ? 1 : 0),
      // Each minute: the topic, every subscription, the dead letters, and the evaluator.
      points: minutes * (1 + deployment.subscriptions.length + 1 + (exporting ? 1 : 0)),
    },
    images: imagesOfAFunction * (deployment.vantages.length + deployment.stores.length),
    busySeconds: {
      probe: sum(({ seconds }) => seconds),
      evaluate: (reports + minutes) * evaluateSeconds,
      notify: notices * 1 + refreshes * refreshSeconds,
    },
    requests,
    jobs: deployment.schedules.length,
    // Each message is carried twice: in, and out to its subscription.
    messageBytes: 2 * (sum(({ bytes }) => bytes) + (triggers + minutes + refreshes) * 1024 + notices * 4096),
    // A report reads and writes its partition; a tick reads every partition and the environment, and writes what it keeps of the day.
    reads: reports + minutes * (groups.length + 4) + notices * 10 + statusPages * refreshes * documentsOfARefresh,
    writes: reports + minutes * 2 + notices * 4,
    deletes: notices * 2,
    seriesRead: sum(({ seriesRead }) => seriesRead),
    logPagesRead: sum(({ logPagesRead }) => logPagesRead),
    exportedPoints: sum((group) => pointsOf(group, exports)) + ownPoints,
    logLines: linesOfARequest * requests,
    secretVersions: secrets,
    // Read again every five minutes by each function that needs it, while it is called at all.
    secretAccesses: Object.values(deployment.secrets).reduce((total, own) => total + own.length, 0) * (month / 300),
    pages: {
      bytes: statusPages * pageObjects * pageObjectBytes,
      written: pagesWritten,
      // Each is looked at before it is replaced.
      read: pagesWritten + statusPages * viewsOfAMonth,
      sentBytes: statusPages * viewsOfAMonth * pageObjectBytes,
    },
    runs,
  };
}

/** Series that one run of a probe has Google return. */
function seriesReadOf({ kind, settings }: ConfiguredProbe): number {
  const prober = ownEntry(probers, kind);
  const { seriesRead = 0 } = prober ?? {};
  if (typeof seriesRead === "number") return seriesRead;
  const parsed = prober?.settings.safeParse(settings);
  return seriesRead(parsed?.success ? parsed.data : undefined);
}

/** Points of a group that are exported: each series of its probes, once a minute at the most. */
function pointsOf({ probes, reports }: Omit<GroupWork, "points">, exports: ReadonlySet<string>): number {
  const series = probes.reduce((total, probe) => total + seriesOf(probe, exports), 0);
  return Math.min(reports, month / 60) * series;
}

/** Exported series of a probe. A label whose values the settings do not say counts once. */
function seriesOf({ kind, settings }: ConfiguredProbe, exports: ReadonlySet<string>): number {
  const prober = ownEntry(probers, kind);
  const yielded = prober?.yields(prober.settings.parse(settings)) ?? [];
  const all: readonly YieldedMetric[] = [{ metric: "probe_success" }, ...yielded];
  return all
    .filter(({ metric }) => exports.has(metric))
    .reduce(
      (total, { labels = {} }) => total + Object.values(labels).reduce((product, values) => product * values.length, 1),
      0,
    );
}

/** Workload of one group of probes. */
export interface GroupWork {
  readonly name: string;
  readonly schedule: string;
  readonly probes: readonly ConfiguredProbe[];
  /** Requests to the probe function. */
  readonly triggers: number;
  /** Runs, which are rounds of a request where the interval is under a minute. */
  readonly reports: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Series that it reads of Cloud Monitoring. */
  readonly seriesRead: number;
  /** Pages of log entries that it reads. */
  readonly logPagesRead: number;
  /** Points that are exported of it. */
  readonly points: number;
}

function groupWork(probes: readonly ConfiguredProbe[]): Omit<GroupWork, "points"> {
  const [first] = probes;
  // A large group runs in parts, each asked for by a message of its own besides the one that is divided.
  const parts = Math.ceil(probes.length / maxAtOnce);
  const divided = parts > 1 ? 1 : 0;
  const schedule = first?.schedule ?? "every 1m";
  const interval = scheduleInterval(schedule);
  const triggers = interval === undefined ? triggersOf(schedule) : month / Math.max(60, interval / 1000);
  const rounds = interval === undefined || interval >= 60_000 ? 1 : 60_000 / interval;
  const longest = Math.max(
    ...probes.map(({ kind, holdMs = 0 }) => (ownEntry(probers, kind)?.usualSeconds ?? 0) + holdMs / 1000),
  );
  // Rounds of a minute keep their request open from the first to the last.
  const waiting = rounds === 1 ? 0 : 60 - (interval ?? 0) / 1000;
  const reports = triggers * rounds * parts;
  return {
    name: first?.group ?? "",
    schedule,
    probes,
    triggers: triggers * (parts + divided),
    reports,
    seconds: triggers * (parts * (longest + waiting + overheadSeconds) + divided * overheadSeconds),
    bytes: triggers * rounds * Math.max(1024 * parts, messageOverhead * parts + probes.length * resultBytes),
    seriesRead: triggers * rounds * probes.reduce((total, probe) => total + seriesReadOf(probe), 0),
    logPagesRead:
      triggers * rounds * probes.reduce((total, { kind }) => total + (ownEntry(probers, kind)?.logPagesRead ?? 0), 0),
  };
}

/** Runs of a cron expression in 30 days. */
function triggersOf(expression: string): number {
  const cron = new Cron(expression, { paused: true, timezone: "Etc/UTC" });
  const start = new Date("2026-01-01T00:00:00Z");
  const end = start.getTime() + month * 1000;
  let count = 0;
  for (let at = cron.nextRun(start); at !== null && at.getTime() <= end; at = cron.nextRun(at)) count += 1;
  return count;
}
