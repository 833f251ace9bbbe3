/** The charts of a component: which series belong together, and which limits the configuration sets for them. Pure. */
import { parse } from "../../../functions/evaluate/condition/language/parser.ts";
import type { Expression } from "../../../functions/evaluate/condition/language/syntax.ts";
import { namedMetric } from "../../../functions/evaluate/condition/names.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Unit } from "../../../shared/text/units.ts";
import type { SeriesName } from "../../measurements/measurements.ts";

/** A limit that a rule sets, in the base unit of its metric. */
export interface Threshold {
  readonly value: number;
  readonly rule: string;
  readonly severity: Severity;
}

/** One chart. */
export interface Panel {
  readonly id: string;
  readonly metric: string;
  readonly probe: string;
  readonly description: string;
  readonly unit: Unit;
  /** Its series are the parts of a whole, by this label, and are drawn on top of each other. */
  readonly stackedBy?: string;
  readonly thresholds: readonly Threshold[];
  /** Each with what it is called in the chart. */
  readonly series: readonly { readonly label: string; readonly name: SeriesName }[];
}

/** The most charts of a component, and series of a chart. */
const maxPanels = 40;
const maxSeries = 12;

/** Labels that divide a time into its parts. */
const parts: readonly string[] = ["phase", "stage", "step"];

/** The charts of a component, the most relevant first. */
export function panelsOf(configuration: Pick<Configuration, "rules">, series: readonly SeriesName[]): Panel[] {
  const groups = Map.groupBy(series, ({ probe, metric }) => `${probe} ${metric}`);
  const panels = [...groups].flatMap(([id, own]): Panel[] => {
    const [first] = own;
    const metric = first === undefined ? undefined : metricNamed(first.metric);
    if (first === undefined || metric === undefined) return [];
    const part = parts.find((label) => own.every(({ labels }) => ownEntry(labels, label) !== undefined));
    const isStacked = part !== undefined && metric.unit === "seconds" && own.length > 1;
    return [
      {
        id,
        metric: first.metric,
        probe: first.probe,
        description: metric.description,
        unit: metric.unit,
        ...(isStacked ? { stackedBy: part } : {}),
        thresholds: isStacked ? [] : thresholdsOf(configuration, first),
        series: own.slice(0, maxSeries).map((name) => ({ label: labelOf(name), name })),
      },
    ];
  });
  return panels.sort((a, b) => rankOf(a) - rankOf(b) || (a.id < b.id ? -1 : 1)).slice(0, maxPanels);
}

/** Times first, then what a rule watches, then shares and the rest. */
function rankOf({ metric, unit, stackedBy, thresholds }: Panel): number {
  if (metric === "probe_duration" || metric === "probe_attempts") return 5;
  if (metric === "probe_success") return 4;
  if (thresholds.length > 0) return 0;
  if (unit === "seconds") return stackedBy === undefined ? 1 : 2;
  return 3;
}

function labelOf({ metric, labels }: SeriesName): string {
  const values = Object.values(labels);
  return values.length === 0 ? metric : values.join(" ");
}

/** Every limit that a rule compares this metric with, where it is about this series. */
function thresholdsOf({ rules }: Pick<Configuration, "rules">, series: SeriesName): Threshold[] {
  return rules.flatMap(({ name, condition, severity }) => {
    const found = comparisonsIn(condition).filter(
      ({ metric, matchers }) =>
        metric === series.metric &&
        Object.entries(matchers).every(([label, value]) => labelValue(series, label) === value),
    );
    return found.map(({ value }) => ({ value, rule: name, severity }));
  });
}

function labelValue({ probe, component, labels }: SeriesName, label: string): string | undefined {
  if (label === "probe") return probe;
  return label === "component" ? component : ownEntry(labels, label);
}

interface Comparison {
  readonly metric: string;
  readonly matchers: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The comparisons of one metric with a constant in a condition. */
function comparisonsIn(condition: string): Comparison[] {
  try {
    return comparisons(parse(condition));
  } catch {
    // Invalid rules are reported by the validation of the configuration.
    return [];
  }
}

function comparisons(node: Expression): Comparison[] {
  if (node.kind === "unary") return comparisons(node.operand);
  if (node.kind !== "binary") return [];
  const { operator, left, right } = node;
  if (operator === "and" || operator === "or") return [...comparisons(left), ...comparisons(right)];
  const limit = right.kind === "literal" ? right : left.kind === "literal" ? left : undefined;
  const metrics = metricsIn(limit === right ? left : right);
  const [only] = metrics;
  return limit === undefined || only === undefined || metrics.length > 1 ? [] : [{ ...only, value: limit.value }];
}

/** The metrics of an expression, each under the name of the catalogue. A calculation compares something else than what was measured. */
function metricsIn(node: Expression): Omit<Comparison, "value">[] {
  switch (node.kind) {
    case "metric": {
      const named = namedMetric(node.name);
      const pinned = node.matchers.filter(({ operator }) => operator === "=").map(({ label, value }) => [label, value]);
      return named === undefined
        ? []
        : [{ metric: named.metric, matchers: { ...named.matchers, ...Object.fromEntries(pinned) } }];
    }
    case "call":
      return levels.has(node.name) ? node.operands.flatMap(metricsIn) : [];
    default:
      return [];
  }
}

/** Functions whose value is on the scale of what they are of. */
const levels: ReadonlySet<string> = new Set(["avg", "min", "max", "last", "p50", "p90", "p95", "p99"]);
