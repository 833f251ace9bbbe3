/** The environment of a scenario: what each probe would show at an instant. */
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type {
  Failure,
  Finding,
  Measurement,
  ProbeResult,
  ReportedLogPattern,
  Vantage,
} from "../../shared/messages/report.ts";
import { isOf, yieldsMetric } from "../../shared/metrics/yields.ts";
import type { Effect, Phase, SampleCourse } from "./effect.ts";
import type { Scenario, SeriesOfValues } from "./file/load.ts";
import { healthySamples } from "./healthy.ts";
import { logPatternOf } from "./occurrence.ts";
import type { Mark, Point } from "./series.ts";

/** Result of a probe run, and the delivery of its report. */
export interface Shown {
  /** Absent when the probe is silent. */
  readonly result?: ProbeResult;
  readonly durationMs: number;
  /** When its report arrives, in milliseconds after it was finished; more than one come twice, none is lost. */
  readonly delays: readonly number[] | undefined;
}

/** Duration of a successful probe, in milliseconds. */
const usualDuration = 300;

/** The environment. */
export class Environment {
  readonly #scenario: Scenario;
  readonly #healthy: ReadonlyMap<string, readonly Measurement[]>;
  readonly #phases: ReadonlyMap<string, readonly (Phase & { readonly effect: ProbeEffect })[]>;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#healthy = healthySamples(scenario.plan, scenario.healthy);
    this.#phases = new Map(
      scenario.plan.configuration.probes.map(({ name }) => [
        name,
        scenario.phases.filter((phase): phase is Phase & { effect: ProbeEffect } => concerns(phase.effect, name)),
      ]),
    );
  }

  /**
   * Returns the result of a probe.
   * @param at milliseconds after the start
   * @param run number of previous runs; `undefined` for a requested run, which the points of series do not count
   */
  look(probe: ConfiguredProbe, at: number, run: number | undefined): Shown {
    const all = this.#phases.get(probe.name) ?? [];
    const phases = all.filter(({ from, to }) => from <= at && at < to);
    const point = run === undefined ? undefined : this.#pointOf(this.#scenario.outcomes.get(probe.name), at, run);
    const outcome = withCritical(point?.what ?? outcomeOf(phases, at, run), phases);
    const values = this.#scenario.values.flatMap((series) => {
      const value = concernsSeries(series, probe)
        ? this.#pointOf(series.points, at, run ?? this.#runAt(at))
        : undefined;
      return value === undefined ? [] : [{ series, value }];
    });
    const delays =
      point?.delays ??
      values.find(({ value }) => value.delays !== undefined)?.value.delays ??
      phases.findLast(({ effect }) => effect.what === "arrival")?.effect;
    const travels = delays === undefined || Array.isArray(delays) ? delays : arrivalOf(delays as ProbeEffect);
    if (outcome === "missing") return { durationMs: 0, delays: travels };

    const failure = outcome === "ok" ? undefined : outcome;
    const durationMs = failure?.kind === "timeout" ? probe.timeoutMs : usualDuration;
    const samples = new Map<string, Measurement>();
    const put = (metric: string, labels: Readonly<Record<string, string>>, value: number | undefined): void => {
      const key = `${metric}${JSON.stringify(Object.entries(labels).sort())}`;
      if (value === undefined) samples.delete(key);
      else samples.set(key, { metric, labels, value });
    };
    for (const { metric, labels, value } of this.#healthy.get(probe.name) ?? []) {
      const shown = failure === undefined ? value : whenFailing(metric, value, failure);
      if (shown !== undefined) put(metric, labels, shown);
    }
    const findings: Finding[] = [];
    const logPatterns: ReportedLogPattern[] = [];
    // A check that is satisfied says so, as long as its probe can say anything.
    for (const { effect } of failure === undefined ? all : []) {
      if (effect.what === "finding") put("configuration_ok", labelsOf(effect.finding), 1);
    }
    for (const phase of phases) {
      const { effect } = phase;
      if (effect.what === "finding") {
        findings.push(effect.finding);
        put("configuration_ok", labelsOf(effect.finding), 0);
      } else if (effect.what === "log") {
        // Only a diagnosis looks into the logs.
        const { start } = this.#scenario;
        if (run === undefined) logPatterns.push(logPatternOf(effect, start + phase.from, start + at));
      } else if (effect.what === "metric") {
        put(
          effect.sample.metric,
          effect.sample.labels,
          valueAt(effect.sample, phase, at, this.#scenario.until, probe.name),
        );
      }
    }
    for (const { series, value } of values) put(series.metric, withoutIdentity(series.labels), value.what);
    put("probe_success", {}, failure === undefined ? 1 : 0);
    put("probe_duration", {}, durationMs / 1000);
    const result: ProbeResult = {
      probe: probe.name,
      component: probe.component,
      at: new Date(this.#scenario.start + at).toISOString(),
      success: failure === undefined,
      ...(failure === undefined ? {} : { failure }),
      measurements: [...samples.values()],
      ...(findings.length === 0 ? {} : { findings }),
      ...(logPatterns.length === 0 ? {} : { log_patterns: logPatterns }),
    };
    return { result, durationMs, delays: travels };
  }

  /** Why the prober itself is in trouble at a vantage point, if it is. */
  unhealthy(vantage: Vantage, at: number): string | undefined {
    for (const { from, to, effect } of this.#scenario.phases) {
      if (effect.what === "unhealthy" && from <= at && at < to && effect.vantages.includes(vantage))
        return effect.message;
    }
    return undefined;
  }

  /** The status with which a channel answers at an instant, 0 for no answer; `undefined` where it accepts. */
  answer(channel: string, at: number): number | undefined {
    const phase = this.#scenario.phases.findLast(
      ({ from, to, effect }) => effect.what === "answer" && effect.channel === channel && from <= at && at < to,
    );
    return phase?.effect.what === "answer" ? phase.effect.status : undefined;
  }

  #pointOf<What>(points: readonly Point<What>[] | undefined, at: number, run: number): Point<What> | undefined {
    const { interval } = this.#scenario;
    return points?.[interval === undefined ? run : Math.floor(at / interval)];
  }

  #runAt(at: number): number {
    return Math.floor(at / (this.#scenario.interval ?? 60_000));
  }
}

type ProbeEffect = Exclude<Effect, { what: "unhealthy" | "answer" }>;

function concerns(effect: Effect, probe: string): boolean {
  return effect.what !== "unhealthy" && effect.what !== "answer" && effect.probes.has(probe);
}

function arrivalOf(effect: ProbeEffect): readonly number[] | undefined {
  return effect.what === "arrival" ? effect.delays : undefined;
}

function outcomeOf(
  phases: readonly { readonly from: number; readonly effect: ProbeEffect }[],
  at: number,
  run: number | undefined,
): Mark {
  const phase = phases.findLast(({ effect }) => effect.what === "outcome");
  if (phase === undefined || phase.effect.what !== "outcome") return "ok";
  const { outcome } = phase.effect;
  if (outcome.outcome === "good") return "ok";
  if (outcome.outcome === "silent") return "missing";
  const { failure, share } = outcome;
  if (share === undefined) return failure;
  const turn = run ?? Math.floor(at / 60_000);
  return turn % share.of < share.runs ? failure : "ok";
}

/** A critical finding fails its probe: something does not work because of it. */
function withCritical(outcome: Mark, phases: readonly { readonly effect: ProbeEffect }[]): Mark {
  const [first] = phases.flatMap(({ effect }) =>
    effect.what === "finding" && effect.finding.severity === "critical" ? [effect.finding] : [],
  );
  if (outcome !== "ok" || first === undefined) return outcome;
  const { check, resource, observed, expected } = first;
  const message = `${check}${resource === undefined ? "" : ` of ${resource}`}: ${observed}, expected ${expected}`;
  return { kind: "unavailable", phase: "configuration", message, signal: "configuration" };
}

function labelsOf({ check, resource, severity }: Finding): Record<string, string> {
  return {
    check,
    ...(resource === undefined ? {} : { resource }),
    ...(severity === undefined ? {} : { severity }),
  };
}

function concernsSeries({ metric, labels }: SeriesOfValues, probe: ConfiguredProbe): boolean {
  return (labels["probe"] !== undefined || yieldsMetric(probe, metric)) && isOf(probe, labels);
}

function withoutIdentity({
  probe,
  component,
  vantage,
  ...labels
}: Readonly<Record<string, string>>): Record<string, string> {
  return labels;
}

/** Returns the measurements of a failing probe: none of the phases after the failure. */
function whenFailing(metric: string, healthy: number, { kind, status }: Failure): number | undefined {
  if (metric.endsWith("_success") && metric !== "database_connect_burst_success") return 0;
  if (kind !== "http_status" && kind !== "body") return undefined;
  if (metric === "http_status") return status ?? (kind === "body" ? 200 : 503);
  return /^(http|tls)_/.test(metric) ? healthy : undefined;
}

/** Noise is the same for the same instant and probe, whatever else is in the file. */
function valueAt(
  { values, metric }: SampleCourse,
  { from, to }: Phase,
  at: number,
  until: number,
  probe: string,
): number | undefined {
  if (values === undefined) return undefined;
  const { first, last, shape } = values;
  const share = shape === "noise" ? chance(`${metric}:${probe}:${at}`) : (at - from) / (Math.min(to, until) - from);
  return first + (last - first) * share;
}

/** A number from 0 to 1 that a text always has (FNV-1a, 32 bits, mixed once more). */
function chance(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
