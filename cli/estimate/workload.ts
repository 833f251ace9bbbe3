/** How much a configuration makes the monitor do in a month of 30 days, while all is well. */
import { Cron } from "croner";
import { flushEvery } from "../../functions/evaluate/availability/flush.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import { isStatusPage } from "../../shared/messages/pages-due.ts";
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
  readonly exportedPoints: number;
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

/** What a request takes besides what it waits for: decoding, publishing, a transaction. */
const overheadSeconds = 0.15;
/** What the evaluator takes for a report or a tick: one transaction, in seconds. */
const evaluateSeconds = 0.15;
/** Bytes of a message without its results, and of a result with its usual measurements. */
const messageOverhead = 600;
const resultBytes = 700;
/** An incident and all that is told of it: few, and so little that they hardly count. */
const incidentsOfAMonth = 4;
const deliveriesOfAnIncident = 12;
/** A status page: its objects and their size, those that are replaced with each refresh, and readers, who are a guess. */
const pageObjectBytes = 50_000;
const pageObjects = 100;
const objectsOfARefresh = 2;
const refreshSeconds = 0.5;
const documentsOfARefresh = 8;
const viewsOfAMonth = 10_000;
/** Metrics of a result that are exported, once a minute at the most. */
const exportedOfAResult = 3;

/** Works out the workload. Pure. */
export function workloadOf(configuration: Configuration): Workload {
  const deployment = deploymentOf(configuration, "");
  const groups = [...Map.groupBy(configuration.probes, ({ group }) => group).values()].map(groupWork);
  const sum = (of: (group: GroupWork) => number): number => groups.reduce((total, group) => total + of(group), 0);
  const minutes = month / 60;
  const triggers = sum(({ triggers: count }) => count);
  const reports = sum(({ reports: count }) => count);
  const notices = incidentsOfAMonth * deliveriesOfAnIncident;
  const runs: Record<string, number> = {};
  for (const { probes, reports: count } of groups) {
    for (const { kind } of probes) setEntry(runs, kind, (ownEntry(runs, kind) ?? 0) + count);
  }
  const statusPages = configuration.channels.filter(isStatusPage).length;
  // One message refreshes all of them, with each writing of the availability.
  const refreshes = statusPages === 0 ? 0 : (month * 1000) / flushEvery;
  const pagesWritten = statusPages * (refreshes * objectsOfARefresh + notices * (objectsOfARefresh + 2));
  const secrets = new Set(Object.values(deployment.secrets).flat()).size;
  return {
    busySeconds: {
      probe: sum(({ seconds }) => seconds),
      evaluate: (reports + minutes) * evaluateSeconds,
      notify: notices * 1 + refreshes * refreshSeconds,
    },
    requests: triggers + reports + minutes + notices + refreshes,
    jobs: deployment.schedules.length,
    // Each message is carried twice: in, and out to its subscription.
    messageBytes: 2 * (sum(({ bytes }) => bytes) + (triggers + minutes + refreshes) * 1024 + notices * 4096),
    // A report reads and writes its partition; a tick reads every partition and the environment, and writes what it keeps of the day.
    reads: reports + minutes * (groups.length + 4) + notices * 10 + statusPages * refreshes * documentsOfARefresh,
    writes: reports + minutes * 2 + notices * 4,
    deletes: notices * 2,
    seriesRead: sum(
      ({ probes, reports: count }) => count * probes.reduce((total, probe) => total + seriesOf(probe), 0),
    ),
    exportedPoints: sum(({ probes, reports: count }) => Math.min(count, minutes) * probes.length * exportedOfAResult),
    logLines: triggers + reports + minutes + refreshes,
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
function seriesOf({ kind, settings }: ConfiguredProbe): number {
  const prober = ownEntry(probers, kind);
  const { seriesRead = 0 } = prober ?? {};
  if (typeof seriesRead === "number") return seriesRead;
  const parsed = prober?.settings.safeParse(settings);
  return seriesRead(parsed?.success ? parsed.data : undefined);
}

interface GroupWork {
  readonly probes: readonly ConfiguredProbe[];
  /** Requests to the probe function. */
  readonly triggers: number;
  /** Runs, which are rounds of a request where the interval is under a minute. */
  readonly reports: number;
  readonly seconds: number;
  readonly bytes: number;
}

function groupWork(probes: readonly ConfiguredProbe[]): GroupWork {
  const [first] = probes;
  const schedule = first?.schedule ?? "every 1m";
  const interval = scheduleInterval(schedule);
  const triggers = interval === undefined ? triggersOf(schedule) : month / Math.max(60, interval / 1000);
  const rounds = interval === undefined || interval >= 60_000 ? 1 : 60_000 / interval;
  const longest = Math.max(
    ...probes.map(({ kind, holdMs = 0 }) => (ownEntry(probers, kind)?.usualSeconds ?? 0) + holdMs / 1000),
  );
  // Rounds of a minute keep their request open from the first to the last.
  const waiting = rounds === 1 ? 0 : 60 - (interval ?? 0) / 1000;
  return {
    probes,
    triggers,
    reports: triggers * rounds,
    seconds: triggers * (longest + waiting + overheadSeconds),
    bytes: triggers * rounds * Math.max(1024, messageOverhead + probes.length * resultBytes),
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
