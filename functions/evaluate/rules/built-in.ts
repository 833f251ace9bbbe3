/** The rules that every probe has unless its `alert` is `off`: that it fails, and that it fails again and again. */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { shortestGap } from "../../../shared/config/schedule.ts";
import { type Severity, severities } from "../../../shared/messages/severity.ts";
import { formatDuration } from "../../../shared/text/units.ts";
import type { Condition, Series } from "../condition/index.ts";
import { type Burn, type BurnTerms, burnAt } from "./burn.ts";
import { type CompiledRule, compileRule } from "./rule.ts";

/** Name of the rule for continuous failures of a probe. */
export function failingName(probe: string): string {
  return `${probe} failing`;
}

/** Name of the rule for intermittent failures. */
export function intermittentName(probe: string): string {
  return `${probe} intermittent`;
}

/**
 * The built-in rules of a probe.
 * @param target how much of the time its component is to be up, from 0 to 1
 */
export function builtInRules(probe: ConfiguredProbe, target: number): CompiledRule[] {
  if (probe.alert === false) return [];
  const { name, component, alert, schedule } = probe;
  const { afterMs, severity } = alert;
  const condition = `probe_success{probe="${name}"} == 0`;
  const common = { component, condition, clearDurationMs: afterMs, severity, missing: "keep", gone: "keep" } as const;
  const failing = compileRule({ ...common, name: failingName(name), alertDurationMs: afterMs });
  const terms = { budget: 1 - target, paceMs: shortestGap(schedule), alertAfterMs: afterMs };
  const slow = lesser(severity, "warning");
  return [
    failing,
    {
      ...compileRule({ ...common, name: intermittentName(name), alertDurationMs: 0 }),
      condition: burning(name, failing.condition, terms, { fast: severity, slow }),
      graded: true,
      criterion: `intermittent ${name} ${target}`,
    },
  ];
}

/** The condition that failures which come and go burn the budget. */
function burning(
  probe: string,
  { selectors }: Condition,
  terms: BurnTerms,
  severity: Readonly<Record<Burn["window"], Severity>>,
): Condition {
  return {
    text: `${probe} fails intermittently`,
    selectors,
    limits: [],
    aggregates: false,
    evaluate(source, at, onlyTrue = false) {
      const counts = source.runs?.(probe);
      return [...source.select("probe_success", probe)].flatMap((series) => {
        if (series.labels["probe"] !== probe) return [];
        const burn = counts && burnAt(counts, at, lastValue(series, at) === 0, terms);
        if (onlyTrue && burn === undefined) return [];
        return {
          labels: series.labels,
          truth: burn !== undefined,
          seen: seenOf(burn, terms),
          series: [series],
          ...(burn === undefined ? {} : { severity: severity[burn.window], failedAt: burn.failures }),
          ...(burn?.window === "slow" ? { capped: true as const } : {}),
        };
      });
    },
  };
}

const asides = { longer: "longer failures", present: "the current failure" } as const;

/** "40 of 60 runs failed within 1h, where the target allows 1%" */
function seenOf(burn: Burn | undefined, { budget }: BurnTerms): string {
  if (burn === undefined) return "almost no runs failed";
  const allowed = Number((budget * 100).toPrecision(3));
  const aside = burn.aside === undefined ? "" : ` apart from ${asides[burn.aside]}`;
  return `${burn.failures.length} of ${burn.runs} runs failed within ${formatDuration(burn.windowMs)}${aside}, where the target allows ${allowed}%`;
}

function lastValue({ times, values }: Series, at: number): number | undefined {
  let last = times.length - 1;
  while (last >= 0 && (times[last] ?? 0) > at) last -= 1;
  return values[last];
}

function lesser(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) < severities.indexOf(b) ? a : b;
}
