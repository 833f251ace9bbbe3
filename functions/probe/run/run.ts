/** One run of probes: with limited concurrency and pace, each within its own deadline, and all results in one report. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { probers as registry } from "../probers/index.ts";
import { type AttemptPorts, instant, readSettings, runProbe } from "./attempt.ts";
import { provesHealth, startControl } from "./control.ts";

/** The probes of a run, and the reason for it. */
export interface ProbeRun extends Omit<AttemptPorts, "unwanted"> {
  readonly environment: string;
  readonly vantage: Vantage;
  readonly group: string;
  readonly trigger: Trigger;
  /** The idempotency key of the report. */
  readonly reportId: string;
  /** The request that the report answers, if it was requested. */
  readonly request?: string | undefined;
  readonly probes: readonly ConfiguredProbe[];
  /** A target known to be healthy, probed next to the others. @default none */
  readonly control?: ConfiguredProbe | undefined;
  /** Whether this is the first run of a new instance. */
  readonly coldStart?: boolean | undefined;
  /** Maximum number of concurrent probes, excluding those that have waited for their target for a while. @default 100 */
  readonly concurrency?: number;
  /** Milliseconds between two starts: a burst of starts would be measured as latency of the targets. @default 0.5 */
  readonly paceMs?: number;
  /** Called when a probe has ended, for progress displays. */
  readonly onResult?: (result: ProbeResult) => void;
  /**
   * Called with the results so far if some probes have not ended after a few seconds, so that a hanging target delays no other result. The
   * report of the run then contains only the rest. The ID of a partial report is derived from its probes: results that another delivery of
   * the request measures in other parts are new, and no result of a round is lost, whatever was published before. Not called if no result
   * shows whether the prober is healthy.
   */
  readonly onPart?: (report: Report) => void;
  /** Milliseconds after which it is called. @default 5000 */
  readonly partAfterMs?: number;
}

/** Maximum number of probes in one request; larger requests are divided. */
export const maxAtOnce = 100;

/** How long a probe counts as running, in milliseconds: after that it only waits, and others may start. */
const laneMs = 500;
/** Maximum number of probes in progress, waiting ones included: far below the usual limit of open files per process. */
const maxUnderWay = 500;

/** Runs the probes. Nothing that a target does makes it throw. */
export async function runProbes(run: ProbeRun): Promise<Report> {
  const { probes, clock, concurrency = maxAtOnce, paceMs = 0.5, partAfterMs = 5_000, probers = registry } = run;
  for (const probe of probes) {
    const prober = ownEntry(probers, probe.kind);
    if (prober) readSettings(probe, prober);
  }
  const startedAt = clock.now();
  const control = run.control && startControl(run.control, run);
  const results: ProbeResult[] = [];
  // With a control probe, only results that reached a target show that the prober is healthy.
  const showsProberHealth = (result: ProbeResult): boolean =>
    control === undefined || provesHealth(result, probes, probers);
  const underWay = new Set<Promise<void>>();
  let next = 0;
  let lastStart = Number.NEGATIVE_INFINITY;
  const lane = async (): Promise<void> => {
    while (next < probes.length) {
      const position = next++;
      const probe = probes[position];
      if (!probe) return;
      const now = performance.now();
      lastStart = Math.max(now, lastStart + paceMs);
      if (lastStart > now) await sleep(lastStart - now);
      const ended = runProbe(probe, run).then((result) => {
        underWay.delete(ended);
        results[position] = result;
        run.onResult?.(result);
      });
      underWay.add(ended);
      await atMost(laneMs, ended);
      while (underWay.size >= maxUnderWay) await Promise.race(underWay);
    }
  };
  const reportOf = (id: string, some: readonly ProbeResult[], unhealthy?: string): Report => ({
    v: 1,
    report: id,
    environment: run.environment,
    vantage: run.vantage,
    group: run.group,
    trigger: run.trigger,
    started_at: instant(startedAt),
    finished_at: instant(clock.now()),
    results: [...some],
    ...(run.request === undefined ? {} : { request: run.request }),
    ...(unhealthy === undefined ? {} : { prober_unhealthy: unhealthy }),
    ...(run.coldStart === true ? { cold_start: true } : {}),
  });
  const told = new Set<ProbeResult>();
  const tellPart = (): void => {
    const some = results.filter((result) => result !== undefined);
    if (some.length === probes.length || !some.some(showsProberHealth)) return;
    for (const result of some) told.add(result);
    run.onPart?.(reportOf(partId(run.reportId, some), some));
  };
  const alarm = run.onPart && setTimeout(tellPart, partAfterMs);
  await Promise.all(Array.from({ length: Math.min(concurrency, probes.length) }, lane));
  await Promise.all(underWay);
  clearTimeout(alarm);
  const unhealthy = await control?.verdict(results, probes);
  return reportOf(
    run.reportId,
    results.filter((result) => !told.has(result)),
    unhealthy,
  );
}

/** Returns the ID of a partial report, which is the same for results of the same probes. */
function partId(reportId: string, results: readonly ProbeResult[]): string {
  const names = JSON.stringify(results.map(({ probe }) => probe));
  return `${reportId}/part-${createHash("sha256").update(names).digest("hex").slice(0, 12)}`;
}

/** Waits for a promise, but no longer than so many milliseconds. */
async function atMost(limitMs: number, promise: Promise<void>): Promise<void> {
  let alarm: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    alarm = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, overdue]);
  clearTimeout(alarm);
}
