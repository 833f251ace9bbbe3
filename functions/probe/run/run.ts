/** One run of probes: bounded and paced, each within its own deadline, all their results in one report. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { probers as registry } from "../probers/index.ts";
import { type AttemptPorts, instant, readSettings, runProbe } from "./attempt.ts";
import { showsWell, startControl } from "./control.ts";

/** The probes of a run, and the reason for it. */
export interface ProbeRun extends Omit<AttemptPorts, "unwanted"> {
  readonly environment: string;
  readonly vantage: Vantage;
  readonly group: string;
  readonly trigger: Trigger;
  /** The idempotency key of the report. */
  readonly reportId: string;
  /** The request that the report answers, if it was asked for. */
  readonly request?: string | undefined;
  readonly probes: readonly ConfiguredProbe[];
  /** A target known to be good, which is probed beside them. @default none */
  readonly control?: ConfiguredProbe | undefined;
  /** Whether this is the first run of a new instance. */
  readonly coldStart?: boolean | undefined;
  /** Maximum number of concurrent probes, excluding those that have waited for their target for a while. @default 100 */
  readonly concurrency?: number;
  /** Milliseconds between two starts: a burst of starts would be measured as slowness of the targets. @default 0.5 */
  readonly paceMs?: number;
  /** Called as soon as a probe has ended, for those who watch. */
  readonly onResult?: (result: ProbeResult) => void;
  /**
   * Called with what there is while some probes have not ended after a few seconds, so that nobody waits for a target that hangs. The report
   * of the run then holds the others only. A part is called by the probes that it holds: what another delivery of the request measures in other
   * parts is new, and no result of a round is lost whatever was published before. Not called where nothing that was measured tells whether the prober is well.
   */
  readonly onPart?: (report: Report) => void;
  /** Milliseconds after which it is called. @default 5000 */
  readonly partAfterMs?: number;
}

/** The most probes of one request; more are divided. */
export const mostAtOnce = 100;

/** How long a probe counts as running, in milliseconds: after that it only waits, and others may start. */
const laneMs = 500;
/** The most probes under way, those that wait included: far below the open files that a system allows a process. */
const mostUnderWay = 500;

/** Runs the probes. Nothing that a target does makes it throw. */
export async function runProbes(run: ProbeRun): Promise<Report> {
  const { probes, clock, concurrency = mostAtOnce, paceMs = 0.5, partAfterMs = 5_000, probers = registry } = run;
  for (const probe of probes) {
    const prober = ownEntry(probers, probe.kind);
    if (prober) readSettings(probe, prober);
  }
  const startedAt = clock.now();
  const control = run.control && startControl(run.control, run);
  const results: ProbeResult[] = [];
  // With a control probe only what reached a target tells that the prober is well.
  const isTelling = (result: ProbeResult): boolean => control === undefined || showsWell(result, probes, probers);
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
      while (underWay.size >= mostUnderWay) await Promise.race(underWay);
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
    if (some.length === probes.length || !some.some(isTelling)) return;
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

/** The id of a part, the same whenever it holds the results of the same probes. */
function partId(reportId: string, results: readonly ProbeResult[]): string {
  const names = JSON.stringify(results.map(({ probe }) => probe));
  return `${reportId}/part-${createHash("sha256").update(names).digest("hex").slice(0, 12)}`;
}

/** Waits for a promise, and no longer than so many milliseconds. */
async function atMost(limitMs: number, promise: Promise<void>): Promise<void> {
  let alarm: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    alarm = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, overdue]);
  clearTimeout(alarm);
}
