/** A rule, ready to be evaluated: its condition, its all-clear, and how the points of view of several probes are counted. */
import type { Configuration } from "../../../shared/config/model.ts";
import type { Signal } from "../../../shared/messages/report.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { type Condition, compileCondition, type Instance, type SeriesSource } from "../condition/index.ts";
import { negation, type Truth } from "../condition/logic.ts";
import { type Absence, type MissingPolicy, policyOf } from "./absence.ts";
import { bad, good, neither, type Verdict } from "./alert.ts";
import { agree, labelKey, without } from "./labels.ts";

/** A rule, ready to be evaluated. */
export interface CompiledRule {
  readonly name: string;
  readonly component?: string;
  readonly severity: Severity;
  /** Consequences of having nothing to judge. */
  readonly missing: MissingPolicy;
  readonly alertDurationMs: number;
  readonly clearDurationMs: number;
  readonly condition: Condition;
  /** Ends a firing alert; by default, the condition no longer holding does. */
  readonly clear?: Condition;
  readonly flapping: boolean;
  readonly vantages: "any" | "all" | "majority";
  /** Metrics that it looks at. */
  readonly metrics: readonly string[];
  /** Signal of the rule, if the configuration states it. */
  readonly signal?: Signal;
  /** Lookback, in milliseconds. */
  readonly windowMs: number;
  /** Whether the passing of time alone can change the outcome while there is no alert. */
  readonly timed: boolean;
  /** Its findings have severities of their own. @default false */
  readonly graded?: true;
  /** Text of the judging criterion: an alert that was judged by another criterion starts again. */
  readonly criterion: string;
}

/** The finding of a rule for one combination of series. Instances of a condition are such findings. */
export interface Finding
  extends Pick<Instance, "labels" | "truth" | "seen" | "excess" | "series" | "severity" | "capped" | "failedAt"> {
  /** Result of the all-clear condition, if the rule has one. */
  readonly clear?: boolean | undefined;
}

/** @throws ConditionError for conditions that a checked configuration does not have */
export function compileRule(rule: Configuration["rules"][number]): CompiledRule {
  const { name, component, severity, alertDurationMs, clearDurationMs, clearCondition } = rule;
  const missing = policyOf(rule);
  const compile = (text: string): Condition => compileCondition(text, { windowMs: alertDurationMs });
  const condition = compile(rule.condition);
  const clear = clearCondition === undefined ? undefined : compile(clearCondition);
  const selectors = [...condition.selectors, ...(clear?.selectors ?? [])];
  const vantages = rule.vantages ?? "any";
  return {
    name,
    ...(component === undefined ? {} : { component }),
    severity,
    missing,
    alertDurationMs,
    clearDurationMs,
    condition,
    ...(clear === undefined ? {} : { clear }),
    flapping: rule.flapping !== "off",
    vantages,
    metrics: [...new Set(selectors.map(({ metric }) => metric))],
    ...(rule.signal === undefined ? {} : { signal: rule.signal }),
    windowMs: Math.max(0, ...condition.selectors.map(({ windowMs }) => windowMs)),
    timed: firesOn(missing) || selectors.some(({ windowMs }) => windowMs > 0),
    criterion: [vantages, withSingleSpaces(rule.condition)].join(" "),
  };
}

/** A condition however it was spaced; values in quotes stay as they are. */
function withSingleSpaces(condition: string): string {
  return condition.trim().replaceAll(/("[^"]*"|'[^']*')|\s+/g, (_, quoted?: string) => quoted ?? " ");
}

/** Returns the findings of the rule at an instant, one for each combination of series. @param onlyBad leave out findings that are not bad */
export function findings(
  rule: CompiledRule,
  source: SeriesSource,
  at: number,
  onlyBad: boolean = false,
): readonly Finding[] {
  const instances = rule.condition.evaluate(source, at, onlyBad && !firesOn(rule.missing) && rule.vantages === "any");
  const found = rule.clear === undefined ? instances : withClear(instances, rule.clear.evaluate(source, at));
  return rule.vantages === "any" ? found : together(found, rule.vantages);
}

/**
 * Translates a finding into a judgement of the alert; `undefined` if it has no consequence.
 * @param absence why there is nothing to judge, if so
 */
export function verdictOf(
  { truth, clear }: Finding,
  rule: CompiledRule,
  absence: Absence = "value",
): Verdict | undefined {
  if (truth === true) return bad;
  if (truth === undefined) return ofMissing[rule.missing[absence]];
  if (rule.clear === undefined || clear === true) return good;
  return clear === undefined && rule.missing.value === "clear" ? good : neither;
}

/** Returns whether missing data may fire an alert. */
function firesOn(missing: MissingPolicy): boolean {
  return Object.values(missing).includes("fire");
}

/** Translates a value of `missing` into a judgement of the alert. */
export const ofMissing = { keep: undefined, fire: bad, clear: good } as const;

/** Joins to each instance what the all-clear says of the same series: of all of them, where there are several. */
function withClear(instances: readonly Instance[], clears: readonly Instance[]): readonly Finding[] {
  const byLabels = new Map(clears.map((instance) => [labelKey(instance.labels), instance.truth]));
  return instances.map((instance) => {
    const { labels, truth, series } = instance;
    const own = labelKey(labels);
    const clear = byLabels.has(own)
      ? byLabels.get(own)
      : quorum(
          clears.filter((other) => agree(labels, other.labels)).map((other) => other.truth),
          "all",
        );
    return {
      labels,
      truth,
      clear,
      series,
      get seen() {
        return instance.seen;
      },
      get excess() {
        return instance.excess;
      },
    };
  });
}

/** Findings of several probes of one component as one finding: each probe is one voice, wherever it runs. */
function together(found: readonly Finding[], needed: "all" | "majority"): readonly Finding[] {
  const groups = Map.groupBy(found, ({ labels }) => labelKey(without(labels, ["probe", "vantage"])));
  return [...groups.values()].map((voices) => {
    const truth = quorum(
      voices.map((voice) => voice.truth),
      needed,
    );
    // It is clear where so many do not say the opposite.
    const clear = negation(
      quorum(
        voices.map((voice) => negation(voice.clear)),
        needed,
      ),
    );
    return {
      labels: without(voices[0]?.labels ?? {}, ["probe", "vantage"]),
      truth,
      clear,
      series: voices.flatMap(({ series }) => series),
      get seen() {
        return seenTogether(voices);
      },
      get excess() {
        return voices.find(({ truth: own }) => own === true)?.excess;
      },
    };
  });
}

/** Returns whether so many are true. Unknown members leave it undecided while they could decide; an empty set is unknown. */
function quorum(truths: readonly Truth[], needed: "all" | "majority"): Truth {
  const all = truths.length;
  if (all === 0) return undefined;
  const yes = truths.filter((truth) => truth === true).length;
  const no = truths.filter((truth) => truth === false).length;
  const enough = needed === "all" ? all : Math.floor(all / 2) + 1;
  if (yes >= enough) return true;
  return all - no < enough ? false : undefined;
}

/** Voices that are shown with their values. */
const maxVoices = 3;

function seenTogether(voices: readonly Finding[]): string {
  const agreeing = voices.filter(({ truth }) => truth === true);
  const shown = (agreeing.length > 0 ? agreeing : voices).slice(0, maxVoices);
  const each = shown.map(({ labels, seen }) => `${labels["probe"] ?? "?"}: ${seen}`);
  return `${agreeing.length} of ${voices.length} probes; ${each.join("; ")}`;
}
