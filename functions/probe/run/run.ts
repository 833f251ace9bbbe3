/** One run of probes: bounded and paced, each within its own deadline, all their results in one report. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { probers as registry } from "../probers/index.ts";
import { type AttemptPorts, instant, readSettings, runProbe } from "./attempt.ts";
import { startControl } from "./control.ts";

/** What is run, and what for. */
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
  /** How many probes run at the same time. @default 100 */
  readonly concurrency?: number;
  /** Milliseconds between two starts: a burst of starts would be measured as slowness of the targets. @default 0.5 */
  readonly paceMs?: number;
  /** Called as soon as a probe has ended, for those who watch. */
  readonly onResult?: (result: ProbeResult) => void;
}

/** The most probes that run at the same time; a run of no more than these keeps none of them waiting. */
export const mostAtOnce = 100;

/** Runs the probes. Nothing that a target does makes it throw. */
export async function runProbes(run: ProbeRun): Promise<Report> {
  const { probes, clock, concurrency = mostAtOnce, paceMs = 0.5, probers = registry } = run;
  for (const probe of probes) {
    const prober = ownEntry(probers, probe.kind);
    if (prober) readSettings(probe, prober);
  }
  const startedAt = clock.now();
  const control = run.control && startControl(run.control, run);
  const results: ProbeResult[] = [];
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
      const result = await runProbe(probe, run);
      results[position] = result;
      run.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, probes.length) }, lane));
  const unhealthy = await control?.verdict(results, probes);
  return {
    v: 1,
    report: run.reportId,
    environment: run.environment,
    vantage: run.vantage,
    group: run.group,
    trigger: run.trigger,
    started_at: instant(startedAt),
    finished_at: instant(clock.now()),
    results,
    ...(run.request === undefined ? {} : { request: run.request }),
    ...(unhealthy === undefined ? {} : { prober_unhealthy: unhealthy }),
    ...(run.coldStart === true ? { cold_start: true } : {}),
  };
}
