/**
 * Interprets missing data. Three cases look alike in the samples: the source is silent or its probe fails, so that nothing is known; the
 * source reports but the series is gone; or a ratio has nothing to divide by. Pure.
 */
import type { MissingWord, Rule } from "../../../shared/config/model.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import { list } from "../../../shared/text/sentences.ts";
import type { Condition, Series } from "../condition/index.ts";
import { clockTime } from "../incident/record/instants.ts";

/** Why there is nothing to judge; `value`: there are samples, and what is asked of them has no answer yet. */
export type Absence = "source" | "series" | "traffic" | "value";

/** The consequence of each case. */
export type MissingPolicy = Readonly<Record<Absence, MissingWord>>;

/** The absence of an alert that fires, and the last instant at which there was something. */
export interface AlertAbsence {
  readonly what: Absence;
  readonly since: number;
}

/** An absence as it was just seen; without an instant where not even the last sample is remembered. */
export interface SeenAbsence {
  readonly what: Absence;
  readonly since?: number;
}

/** Policies for missing data. By default an alert outlasts the silence of its source, and nothing else. */
export function policyOf({ missing, gone, noTraffic }: Pick<Rule, "missing" | "gone" | "noTraffic">): MissingPolicy {
  const otherwise = missing === "keep" ? "clear" : missing;
  return { source: missing, series: gone ?? otherwise, traffic: noTraffic ?? otherwise, value: missing };
}

/**
 * Why a condition cannot be judged of these series at an instant.
 * @param series those that there are of it
 * @param sources how the probes stand that yield such series
 */
export function absenceOf(
  condition: Pick<Condition, "text" | "selectors">,
  series: readonly Series[],
  sources: readonly { readonly status: "good" | "bad" | "unknown" }[],
  at: number,
): Absence {
  const fresh = series.filter(({ times, staleAfterMs }) => at - (times.at(-1) ?? 0) <= staleAfterMs);
  const isWhole = fresh.length === series.length && fresh.length >= selectionsOf(condition);
  if (isWhole) return isRatio(condition.text) ? "traffic" : "value";
  if (sources.length === 0 || sources.some(({ status }) => status !== "good")) return "source";
  const present = new Set(fresh.map(({ metric }) => metric));
  const isOfTraffic = condition.selectors.some(({ metric }) => !present.has(metric) && metricNamed(metric)?.ofRequests);
  return isOfTraffic ? "traffic" : "series";
}

/** Describes the case, as the end of a sentence. */
export function absenceText({ what, since }: AlertAbsence, probes: readonly string[]): string {
  const names = list(probes.map((name) => `\`${name}\``));
  const then = clockTime(since);
  switch (what) {
    case "source":
      return `no measurement since ${then}${names === "" ? "" : ` by ${names}`}`;
    case "series":
      return `its series is gone: ${names === "" ? "its probes report" : `${names} ${probes.length === 1 ? "reports" : "report"}`}, but without it since ${then}`;
    case "traffic":
      return `there has been no traffic since ${then}, so the rate is undefined`;
    case "value":
      return `its condition has had no value since ${then}`;
  }
}

function selectionsOf({ selectors }: Pick<Condition, "selectors">): number {
  return new Set(selectors.map(({ metric, matchers }) => JSON.stringify([metric, matchers]))).size;
}

/** Returns whether a condition divides: then samples without a result are a division by zero. */
function isRatio(text: string): boolean {
  return text.replaceAll(/"[^"]*"|'[^']*'/g, "").includes("/");
}
