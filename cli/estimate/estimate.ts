/** Estimates the monthly cost of the monitor: the workload at list price, and the free tiers. Pure. */
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Price, type PriceName, prices } from "./prices.ts";
import { evaluateSeconds, type GroupWork, type Workload, workloadOf } from "./workload.ts";

/** One line of the estimate. */
export interface CostLine {
  readonly service: string;
  readonly what: PriceName;
  readonly unit: string;
  /** Units of a month. */
  readonly amount: number;
  /** US dollars at list price, nothing free. */
  readonly list: number;
  /** US dollars when nothing else uses up what is free. */
  readonly charged: number;
  /** Announced, and free until this day; not in the sums. */
  readonly from?: string;
}

/** List-price cost of one group of probes that grows with its pace. */
export interface GroupCost {
  readonly group: string;
  readonly schedule: string;
  readonly probes: number;
  /** US dollars. */
  readonly list: number;
}

/** The whole estimate. */
export interface Estimate {
  readonly environment: string;
  readonly lines: readonly CostLine[];
  readonly list: number;
  readonly charged: number;
  /** The groups of probes, the dearest first. */
  readonly groups: readonly GroupCost[];
  /** Advice about the largest cost and a cheaper alternative, as sentences. */
  readonly advice: readonly string[];
  /** US dollars more where another database of the project has Firestore's free quota: it is for one of them. */
  readonly withoutDatabaseQuota: number;
  /** Cost of the same coverage with Cloud Monitoring's own checks, in US dollars. */
  readonly alternative: Alternative;
}

/** Cloud Monitoring's own checks, for what is probed at the same pace. */
export interface Alternative {
  /** Runs of uptime checks, for what one can see: HTTP, each from three regions. */
  readonly uptimeRuns: number;
  /** Runs of synthetic monitors, for everything else. */
  readonly syntheticRuns: number;
  readonly charged: number;
}

/** Memory of an instance, in GiB, as the Terraform module has it. */
const memoryGib = 0.5;
/** Bytes of one point of a custom metric, of one line of the log, and of the images of the functions. */
const pointBytes = 8;
const lineBytes = 500;
const imageBytes = 160 * 1024 ** 2;
/** Uptime checks run from at least three regions, each of which counts. */
const uptimeRegions = 3;

/** Estimates a configuration. */
export function estimate(configuration: Configuration): Estimate {
  const work = workloadOf(configuration);
  const busy = Object.values(work.busySeconds).reduce((sum, seconds) => sum + seconds, 0);
  const lines = [
    line("Cloud Run functions", "cpu", busy),
    line("Cloud Run functions", "memory", busy * memoryGib),
    line("Cloud Run functions", "requests", work.requests),
    line("Cloud Scheduler", "jobs", work.jobs),
    line("Pub/Sub", "messages", work.messageBytes),
    line("Firestore", "reads", work.reads),
    line("Firestore", "writes", work.writes),
    line("Firestore", "deletes", work.deletes),
    line("Cloud Monitoring", "series", work.seriesRead),
    line("Cloud Monitoring", "points", work.exportedPoints * pointBytes),
    line("Cloud Logging", "logs", work.logLines * lineBytes),
    line("Cloud Logging", "logPages", work.logPagesRead),
    line("Secret Manager", "secrets", work.secretVersions),
    line("Secret Manager", "accesses", work.secretAccesses),
    line("Artifact Registry", "images", work.images * imageBytes),
    line("Network", "egress", work.egressBytes),
    line("Cloud Monitoring, announced", "references", work.alarms.references),
    line("Cloud Monitoring, announced", "alertPoints", work.alarms.points),
    ...(work.pages.written === 0
      ? []
      : [
          line("Cloud Storage", "pageBytes", work.pages.bytes),
          line("Cloud Storage", "pageWrites", work.pages.written),
          line("Cloud Storage", "pageReads", work.pages.read),
          line("Cloud Storage", "pageViews", work.pages.sentBytes),
        ]),
  ];
  const charged = lines.filter(({ from }) => from === undefined);
  const sum = (of: (one: CostLine) => number): number => charged.reduce((total, one) => total + of(one), 0);
  const groups = work.groups.map(groupCost).sort((a, b) => b.list - a.list);
  const documents = lines.filter(({ service }) => service === "Firestore");
  return {
    groups,
    advice: adviceOn(
      configuration,
      groups,
      sum(({ list }) => list),
    ),
    withoutDatabaseQuota: documents.reduce((total, { list, charged: now }) => total + list - now, 0),
    environment: configuration.environment,
    lines,
    list: sum(({ list }) => list),
    charged: sum(({ charged }) => charged),
    alternative: alternativeOf(work),
  };
}

function alternativeOf({ runs }: Workload): Alternative {
  let uptimeRuns = 0;
  let syntheticRuns = 0;
  for (const [kind, count] of Object.entries(runs)) {
    const { uptimeCheck, delayed } = ownEntry(probers, kind) ?? {};
    if (uptimeCheck) uptimeRuns += uptimeRegions * count;
    // Targets that uptime checks cannot test need a synthetic monitor, custom code that Google runs. Google's own metrics need no check.
    else if (!delayed) syntheticRuns += count;
  }
  const { charged: uptime } = line("", "uptimeChecks", uptimeRuns);
  const { charged: synthetic } = line("", "syntheticMonitors", syntheticRuns);
  return { uptimeRuns, syntheticRuns, charged: uptime + synthetic };
}

/** Returns the costs that grow with the pace of a group: its function, the evaluator, messages, documents, series and logs. */
function groupCost({
  name,
  schedule,
  probes,
  triggers,
  reports,
  seconds,
  bytes,
  seriesRead,
  points,
}: GroupWork): GroupCost {
  const busy = seconds + reports * evaluateSeconds;
  const uses: readonly (readonly [PriceName, number])[] = [
    ["cpu", busy],
    ["memory", busy * memoryGib],
    ["requests", triggers + reports],
    ["messages", 2 * (bytes + triggers * 1024)],
    ["reads", reports],
    ["writes", reports],
    ["series", seriesRead],
    ["points", points * pointBytes],
    ["logs", 2 * (triggers + reports) * lineBytes],
  ];
  const list = uses.reduce((total, [what, amount]) => total + amount * prices[what].dollars, 0);
  return { group: name, schedule, probes: probes.length, list };
}

/** A group that costs more than this, in dollars, and more than all others together, is worth a word. */
const worthAWord = 5;

function adviceOn(configuration: Configuration, groups: readonly GroupCost[], total: number): string[] {
  return groups.flatMap(({ group, schedule, list, probes }) => {
    const interval = scheduleInterval(schedule);
    if (interval === undefined || list < worthAWord || (list < total / 2 && interval >= 60_000)) return [];
    const slower = interval < 60_000 ? "every 1m" : interval < 300_000 ? "every 5m" : "every 15m";
    if ((scheduleInterval(slower) ?? 0) <= interval) return [];
    const own = configuration.probes
      .filter((probe) => probe.group === group)
      .map((probe) => ({ ...probe, schedule: slower }));
    const [less] = workloadOf({ ...configuration, probes: own }).groups.map(groupCost);
    return [
      `the ${probes === 1 ? "probe" : `${probes} probes`} of ${group} cost about $${list.toFixed(2)} of $${total.toFixed(2)} at list price; ${slower} they would cost $${(less?.list ?? 0).toFixed(2)}`,
    ];
  });
}

function line(service: string, what: PriceName, amount: number): CostLine {
  const { unit, dollars, free, from }: Price = prices[what];
  const cost = { service, what, unit, amount, list: amount * dollars, charged: Math.max(0, amount - free) * dollars };
  return from === undefined ? cost : { ...cost, from };
}
