/** Watches probes until all of them have been healthy for long enough. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Configuration, ConfiguredProbe } from "../shared/config/model.ts";
import { nextTrigger, scheduleInterval } from "../shared/config/schedule.ts";
import type { ProbeResult } from "../shared/messages/report.ts";
import type { Secrets } from "../shared/ports.ts";
import { runLocally } from "./local-probes.ts";
import type { SystemOptions } from "./store.ts";

/** Latest result of a probe. */
export interface LastResult {
  readonly success: boolean;
  /** The first instant at which it went like this, in milliseconds since the epoch. */
  readonly since: number;
  readonly result: ProbeResult;
}

/** Progress towards the end. */
export interface Position {
  readonly results: ReadonlyMap<string, LastResult>;
  readonly probes: readonly ConfiguredProbe[];
  /** Since when all are healthy, in milliseconds since the epoch; `undefined` while they are not. */
  readonly healthySince: number | undefined;
  readonly now: number;
}

/** Probes to run, durations, and callbacks. */
export interface Watching {
  readonly configuration: Configuration;
  readonly secrets: Secrets;
  /** Which system keeps the reports that probes wait for. */
  readonly system: SystemOptions;
  /** Duration for which all probes must be healthy, in milliseconds. */
  readonly clearMs: number;
  /** Aborted to give up. */
  readonly signal: AbortSignal;
  /** @param before what was heard of the probe before, if anything */
  readonly onResult: (result: ProbeResult, before: LastResult | undefined) => void;
  /** Called a few times a second. */
  readonly onWait: (position: Position) => void;
}

/** Runs every group at once and then by its schedule. @returns whether all became healthy; `false` when it was given up */
export async function watchUntilHealthy(watching: Watching): Promise<boolean> {
  const { configuration, clearMs, onResult, onWait } = watching;
  const { probes } = configuration;
  const results = new Map<string, LastResult>();
  const hear = (result: ProbeResult): void => {
    const before = results.get(result.probe);
    const since = before?.success === result.success ? before.since : Date.parse(result.at);
    results.set(result.probe, { success: result.success, since, result });
    onResult(result, before);
  };
  const over = new AbortController();
  const stop = AbortSignal.any([watching.signal, over.signal]);
  const groups = [...Map.groupBy(probes, ({ group }) => group).values()].map((own) => new Group(own));
  const running = groups.map((group) => group.run(watching, hear, stop));

  while (!stop.aborted) {
    const now = Date.now();
    const healthySince = sinceWhen(probes, results);
    const end = (healthySince ?? Number.POSITIVE_INFINITY) + clearMs;
    // Every run that was due within the time must have had its say.
    if (now >= end && groups.every(({ dueAt }) => dueAt > end)) over.abort();
    onWait({ results, probes, healthySince, now });
    await sleep(pollMs, undefined, { signal: stop }).catch(() => {});
  }
  if (watching.signal.aborted) return false;
  await Promise.all(running);
  return true;
}

/** Returns the duration for which all probes must be healthy, in milliseconds: the longest clear duration of the probes' own rules. */
export function clearDuration(probes: readonly ConfiguredProbe[]): number {
  const durations = probes.flatMap(({ alert }) => (alert === false ? [] : [alert.afterMs]));
  return durations.length === 0 ? 2 * minute : Math.max(...durations);
}

const minute = 60_000;

/** Interval between checks for the end, in milliseconds. */
const pollMs = 250;

/** The longest that one timer can run, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** The probes of one group, which run together. */
class Group {
  /** When the present or the next run is due, in milliseconds since the epoch. */
  dueAt: number = Date.now();
  readonly #probes: readonly ConfiguredProbe[];

  constructor(probes: readonly ConfiguredProbe[]) {
    this.#probes = probes;
  }

  async run(
    { configuration, secrets, system }: Watching,
    hear: (result: ProbeResult) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const [{ group, schedule } = { group: "", schedule: "" }] = this.#probes;
    while (!stop.aborted) {
      const reports = await runLocally({
        configuration,
        secrets,
        system,
        probes: this.#probes,
        trigger: "schedule",
        group: () => group,
        onResult: (result) => {
          if (!stop.aborted) hear(result);
        },
      });
      const fails = reports.some(({ results }) => results.some(({ success }) => !success));
      this.dueAt = nextRun(schedule, fails, Date.now());
      while (!stop.aborted && Date.now() < this.dueAt) {
        const wait = Math.min(longestTimer, this.dueAt - Date.now());
        await sleep(wait, undefined, { signal: stop }).catch(() => {});
      }
    }
  }
}

/** When a schedule comes next. Who waits for a recovery does not want to wait hours for the next look at what fails. */
function nextRun(schedule: string, fails: boolean, now: number): number {
  const interval = scheduleInterval(schedule);
  const next =
    interval !== undefined && interval < minute
      ? now - (now % interval) + interval
      : (nextTrigger(schedule, now) ?? Number.POSITIVE_INFINITY);
  return fails ? Math.min(next, now + minute) : next;
}

function sinceWhen(probes: readonly ConfiguredProbe[], results: ReadonlyMap<string, LastResult>): number | undefined {
  let latest = 0;
  for (const { name } of probes) {
    const known = results.get(name);
    if (!known?.success) return undefined;
    latest = Math.max(latest, known.since);
  }
  return latest;
}
