/**
 * Measurements of a scenario's probes, with which records of incidents are compared. It shares no code with the writers of records except
 * the conditions of rules and their burn rates.
 */
import { sourceOf, withSamples } from "../../functions/evaluate/partition/samples.ts";
import { type Plan, paceOf } from "../../functions/evaluate/plan.ts";
import { burnAt, type RunCounts, withRun } from "../../functions/evaluate/rules/burn.ts";
import { findings } from "../../functions/evaluate/rules/rule.ts";
import { targetOf } from "../../shared/documents/availability.ts";
import { periodsOf } from "../../shared/maintenance.ts";
import { isConclusive, type ProbeResult, type Report } from "../../shared/messages/report.ts";
import { parseDuration, spokenDuration } from "../../shared/text/units.ts";

/** One run of a probe with a conclusive result. */
export interface Run {
  readonly at: number;
  readonly result: ProbeResult;
}

/** Milliseconds. */
export const second = 1000;

/** Measurements: each report once, except those in which the prober itself was unhealthy. */
export class Measured {
  readonly plan: Plan;
  readonly #runs = new Map<string, Run[]>();
  readonly #reports: readonly Report[];

  constructor(reports: readonly Report[], plan: Plan) {
    this.plan = plan;
    const once = [...new Map(reports.map((report) => [report.report, report])).values()];
    this.#reports = once.filter(({ prober_unhealthy }) => prober_unhealthy === undefined);
    for (const { trigger, results } of this.#reports) {
      // Validations prove a recovery; they do not count as scheduled results.
      if (trigger === "validation") continue;
      for (const result of results.filter(isConclusive)) {
        const own = this.#runs.get(result.probe) ?? [];
        own.push({ at: Date.parse(result.at), result });
        this.#runs.set(result.probe, own);
      }
    }
    for (const own of this.#runs.values()) own.sort((a, b) => a.at - b.at);
  }

  /** Returns the runs of a probe between two instants, both included. */
  runs(probe: string, from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY): readonly Run[] {
    return (this.#runs.get(probe) ?? []).filter(({ at }) => from <= at && at <= until);
  }

  /**
   * Returns whether `failed` of `all` runs failed within a window. It may begin up to a twelfth of it later, because runs are counted by the
   * twelfth of the fast one.
   * @param orMore whether there were other failures as well, which do not count
   */
  hasFailed(probe: string, at: number, windowMs: number, failed: number, all: number, orMore: boolean): boolean {
    const runs = this.#scheduled(probe).filter((run) => at - windowMs <= run.at && run.at < at + second);
    return runs.some(({ at: from }, index) => {
      const seen = runs.slice(index);
      const bad = seen.filter(({ result }) => !result.success).length;
      const isWhole = index === 0 || from - (at - windowMs) <= windowMs / 12;
      return isWhole && seen.length === all && (orMore ? bad > failed : bad === failed);
    });
  }

  /** Returns the runs of a probe within a displayed second. */
  runsAt(probe: string, at: number): readonly Run[] {
    return this.runs(probe, at, at + second - 1);
  }

  /** Returns whether a validation found a probe healthy at or before an instant. */
  wasProvedGood(probe: string, until: number): boolean {
    return this.#reports.some(
      ({ trigger, results }) =>
        trigger === "validation" &&
        results.some((one) => one.probe === probe && one.success && Date.parse(one.at) <= until),
    );
  }

  /**
   * Returns how long a component was down between two instants, in milliseconds, as docs/availability.md defines it: from the first failed
   * result of a probe to its first good one. It counts if it lasts as long as the duration of the probe's rule, if it is one of enough short
   * failures for the rule on intermittent failures, or if that rule is firing at the time.
   */
  downtime(component: string, from: number, until: number): number {
    const own = this.plan.configuration.probes.filter(
      (probe) => probe.component === component && probe.alert !== false,
    );
    const rankOf = ({ reach = "private", secondhand }: (typeof own)[number]): number =>
      reach === "users" ? 0 : reach === "private" && !secondhand ? 1 : 2;
    const best = Math.min(...own.map(rankOf));
    const stretches = own
      .filter((probe) => rankOf(probe) === best)
      .flatMap(({ name, alert }) => {
        const runs = this.#scheduled(name);
        const least = alert === false ? 0 : alert.afterMs;
        const burning = this.burns(name);
        return runs.flatMap(({ at, result }, index) => {
          if (result.success || runs[index - 1]?.result.success === false) return [];
          const good = runs.findIndex((run, later) => later > index && run.result.success);
          const last = runs[good < 0 ? runs.length - 1 : good - 1]?.at ?? at;
          const isOneOfMany = burning.some(({ from, at: until }) => at <= until && from <= last);
          return last - at < least && !isOneOfMany ? [] : [{ from: at, until: runs[good]?.at ?? last }];
        });
      })
      .filter((one) => one.until > from && one.from < until);
    const planned = (this.plan.configuration.maintenance ?? [])
      .filter(({ components }) => components?.includes(component) ?? true)
      .flatMap((window) => periodsOf(window, from, until));
    let sum = 0;
    // Every change in the corpus occurs at a whole second.
    for (let at = from; at < until; at += second) {
      const isPlanned = planned.some((period) => period.from <= at && at < period.to);
      if (!isPlanned && stretches.some((one) => one.from <= at && at < one.until)) sum += second;
    }
    return sum;
  }

  /** Returns when the reports that answered an attempt at a recovery stage were complete, if all results were successes. */
  proofs(stage: number, attempt: number): number[] {
    return this.#reports
      .filter(({ trigger, request = "" }) => {
        const [, ofStage, ofAttempt] = request.split("/").map(Number);
        return trigger === "validation" && ofStage === stage && ofAttempt === attempt;
      })
      .filter(({ results }) => results.every(({ success }) => success))
      .map(({ finished_at }) => Date.parse(finished_at));
  }

  /** Returns each instant from which a probe failed in its scheduled runs for as long as its own alert waits; none if it has no alert. */
  alarms(probe: string): number[] {
    const { alert = false } = this.plan.configuration.probes.find(({ name }) => name === probe) ?? {};
    if (alert === false) return [];
    const runs = this.#scheduled(probe);
    return runs.flatMap(({ at, result }, index) => {
      if (result.success || runs[index - 1]?.result.success === false) return [];
      const good = runs.findIndex((run, later) => later > index && run.result.success);
      const last = runs[good < 0 ? runs.length - 1 : good - 1]?.at ?? at;
      return last - at < alert.afterMs ? [] : [at];
    });
  }

  /** Returns the runs of a probe at which too many had failed recently, each with the first that counted. */
  burns(probe: string): readonly { readonly at: number; readonly from: number }[] {
    const { component = "", alert = false } = this.plan.configuration.probes.find(({ name }) => name === probe) ?? {};
    if (alert === false) return [];
    const runs = this.#scheduled(probe);
    const paceMs = paceOf(this.plan, probe);
    const terms = { budget: 1 - targetOf(this.plan.configuration, component), paceMs, alertAfterMs: alert.afterMs };
    const found: { at: number; from: number }[] = [];
    let counts: RunCounts | undefined;
    let bucket: Run[] = [];
    // Runs are counted in buckets: those of one bucket count together, in any order.
    const bucketOf = ({ at }: Run): number => Math.floor(at / (counts?.bucketMs ?? 1));
    for (const [index, run] of runs.entries()) {
      counts = withRun(counts, run.at, !run.result.success, paceMs);
      bucket.push(run);
      const next = runs[index + 1];
      if (next !== undefined && bucketOf(next) === bucketOf(run)) continue;
      for (const { at, result } of bucket) {
        const [from] = burnAt(counts, at, !result.success, terms)?.failures ?? [];
        if (from !== undefined) found.push({ at, from });
      }
      bucket = [];
    }
    return found;
  }

  #scheduled(probe: string): readonly Run[] {
    const runs = this.#reports
      .filter(({ trigger }) => trigger === "schedule")
      .flatMap(({ results }) => results.filter((one) => one.probe === probe && isConclusive(one)))
      .map((result) => ({ at: Date.parse(result.at), result }));
    return runs.sort((a, b) => a.at - b.at);
  }

  /** Returns how many of the first `attempts` runs of the schedule succeeded. */
  successesOf(probe: string, attempts: number): number {
    return this.#scheduled(probe)
      .slice(0, attempts)
      .filter(({ result }) => result.success).length;
  }

  /** Returns everything that the condition of a rule may have used at an instant. */
  seenBy(rule: string, at: number): string[] {
    const compiled = this.plan.rulesByName.get(rule);
    if (compiled === undefined) return [];
    const conclusive = this.#reports
      .filter(({ trigger }) => trigger === "schedule")
      .map((report) => ({
        ...report,
        results: report.results.filter((one) => isConclusive(one) && Date.parse(one.at) <= at),
      }))
      .sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
    const series = conclusive.reduce(
      (known, report) => withSamples(known, report, this.plan, Number.NEGATIVE_INFINITY),
      new Map() as ReturnType<typeof withSamples>,
    );
    return findings(compiled, sourceOf([{ series, probes: {} }], this.plan), at).map(({ seen }) => seen);
  }
}

/** Returns the time between two instants, each rounded down to whole seconds, in milliseconds. */
export function shownSpan(from: number, to: number): number {
  return Math.floor(to / second) * second - Math.floor(from / second) * second;
}

/** Returns whether a duration in words equals one in milliseconds, at the precision of the words. */
export function isAbout(words: string, ms: number): boolean {
  return Math.max(0, ms) < second ? /^(0 s|1 s|under 1 s|\d+ ms)$/.test(words) : words === spokenDuration(ms);
}

/** Parses a duration in words. @returns milliseconds */
export function msOf(words: string): number | undefined {
  return parseDuration(words.replaceAll(" ", "").replace("min", "m"));
}
