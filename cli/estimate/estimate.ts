/** What the monitor costs in a month: the workload at list price, and what of it is free. Pure. */
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Price, type PriceName, prices } from "./prices.ts";
import { type Workload, workloadOf } from "./workload.ts";

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
}

/** The whole estimate. */
export interface Estimate {
  readonly environment: string;
  readonly lines: readonly CostLine[];
  readonly list: number;
  readonly charged: number;
  /** What the same watch would cost with Cloud Monitoring's own checks, in US dollars. */
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
const imageBytes = 4 * 160 * 1024 ** 2;
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
    line("Secret Manager", "secrets", work.secretVersions),
    line("Secret Manager", "accesses", work.secretAccesses),
    line("Artifact Registry", "images", imageBytes),
    ...(work.pages.written === 0
      ? []
      : [
          line("Cloud Storage", "pageBytes", work.pages.bytes),
          line("Cloud Storage", "pageWrites", work.pages.written),
          line("Cloud Storage", "pageReads", work.pages.read),
          line("Cloud Storage", "pageViews", work.pages.sentBytes),
        ]),
  ];
  const sum = (of: (one: CostLine) => number): number => lines.reduce((total, one) => total + of(one), 0);
  return {
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
    // What uptime checks cannot see needs a synthetic monitor, code of one's own that Google runs; what Google measures needs no check.
    else if (!delayed) syntheticRuns += count;
  }
  const { charged: uptime } = line("", "uptimeChecks", uptimeRuns);
  const { charged: synthetic } = line("", "syntheticMonitors", syntheticRuns);
  return { uptimeRuns, syntheticRuns, charged: uptime + synthetic };
}

function line(service: string, what: PriceName, amount: number): CostLine {
  const { unit, dollars, free }: Price = prices[what];
  return { service, what, unit, amount, list: amount * dollars, charged: Math.max(0, amount - free) * dollars };
}
