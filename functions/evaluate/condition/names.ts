/** Names of metrics as conditions may write them, aliases included. */
import { type MetricName, metricNamed, metrics } from "../../../shared/metrics/catalogue.ts";
import { nearest } from "../../../shared/text/nearest.ts";
import type { Unit } from "../../../shared/text/units.ts";

/** The meaning of a name. */
export interface NamedMetric {
  readonly metric: string;
  readonly unit: Unit;
  /** Names of the labels that its series carry. */
  readonly labels: readonly string[];
  /** Labels that the alias itself asks for: `smd_phase_3_duration` is phase 3. */
  readonly matchers: Readonly<Record<string, string>>;
  /** The function that the alias applies: `avg` of `avg_http_response_time`. */
  readonly applied?: string;
}

/** The labels that every series carries. */
export const identityLabels: readonly string[] = ["probe", "component", "vantage"];

/** Resolves a name; `undefined` if it is neither a metric nor an alias of one. */
export function namedMetric(name: string): NamedMetric | undefined {
  const definition = metricNamed(name);
  if (definition !== undefined) {
    const labels = [...(definition.labels ?? []), ...identityLabels];
    return { metric: name, unit: definition.unit, labels, matchers: {} };
  }
  const phase = phaseAlias.exec(name)?.[1];
  const phases = phase === undefined ? undefined : namedMetric(smdPhase);
  if (phase !== undefined && phases !== undefined) return { ...phases, matchers: { phase } };
  const [, applied, rest] = prefixAlias.exec(name) ?? [];
  const plain = rest === undefined ? undefined : namedMetric(rest);
  if (applied === undefined || plain === undefined || plain.applied !== undefined) return undefined;
  return { ...plain, applied };
}

/** The name of a metric or an alias that somebody most likely meant; `undefined` where nothing is near. */
export function nearestMetric(name: string): string | undefined {
  const candidates = [...Object.keys(metrics), ...smdAliases];
  const [, applied, rest] = prefixAlias.exec(name) ?? [];
  const plain = rest === undefined ? undefined : nearest(rest, candidates);
  return plain === undefined ? nearest(name, candidates) : `${applied}_${plain}`;
}

const smdPhase: MetricName = "smd_phase_duration";
const smdAliases: readonly string[] = [1, 2, 3, 4, 5, 6, 7].map((phase) => `smd_phase_${phase}_duration`);
const phaseAlias: RegExp = /^smd_phase_([1-7])_duration$/;
const prefixAlias: RegExp = /^(avg|min|max|p[1-9]\d?)_(.+)$/;
