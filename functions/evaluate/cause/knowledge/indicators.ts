/**
 * Indicators: what the measurements and findings of one probe say beyond its success. A metric is normal, high or at its limit; a phase takes
 * most of the time; a configuration check found something wrong. Only that is kept of a probe between reports, and only a change of it is
 * news, so that figures that move within their bounds cost nothing.
 */

import type { FindingMeaning, ProbeResult } from "../../../../shared/messages/report.ts";
import { metricNamed } from "../../../../shared/metrics/catalogue.ts";
import type { Scale } from "../../../../shared/metrics/metric.ts";
import { ownEntry, setEntry } from "../../../../shared/runtime/entries.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import { formatValue } from "../../../../shared/text/units.ts";
import type { BaselineCheck } from "../../condition/index.ts";

/** State of a metric. */
export type Level = "normal" | "high" | "limit";

/** All of them, the worst last. */
export const levels: readonly Level[] = ["normal", "high", "limit"];

/** One metric of one probe, as far as the search for a cause needs it. */
export interface Indicator {
  readonly metric: string;
  readonly level: Level;
  /** The value when it came to this level, for people. */
  readonly shown: string;
  /** The instant at which it came to this level. */
  readonly since: number;
}

/** Something that a configuration check found wrong. */
export interface Fault {
  readonly check: string;
  readonly component: string;
  /** Checked resource, if the probe checks several of the component. */
  readonly resource?: string;
  /** Found and expected value as one phrase, and why it matters. */
  readonly found?: string;
  readonly why?: string;
  /** One sentence. */
  readonly says: string;
  /** Remedy, in a sentence or two. */
  readonly remedy?: string;
  readonly severity: "info" | "warning" | "critical";
  /** Meaning for the component beyond that something is wrong. */
  readonly tells?: readonly FindingMeaning[];
  /** The instant at which it was first seen. */
  readonly since: number;
  /** Whether an earlier run of the same probe found it correct: then it appeared with the outage or shortly before. */
  readonly isNew: boolean;
}

/** The indicators of a result, by metric. @param known those of the run before */
export function indicatorsOf(
  result: ProbeResult,
  known: Readonly<Record<string, Indicator>>,
  baselines: readonly BaselineCheck[],
  timeoutMs: number,
): Readonly<Record<string, Indicator>> {
  const at = Date.parse(result.at);
  const values = new Map<string, number>();
  for (const { metric, value } of result.measurements) {
    // Of several series of one metric the worst speaks.
    const before = values.get(metric);
    const isWorse = before === undefined || (metricNamed(metric)?.scale?.below ? value < before : value > before);
    if (isWorse) values.set(metric, value);
  }
  const indicators: Record<string, Indicator> = {};
  const put = (metric: string, level: Level, shown: string): void => {
    const before = ownEntry(known, metric);
    setEntry(indicators, metric, before?.level === level ? before : { metric, level, shown, since: at });
  };
  for (const [metric, value] of values) {
    const known = metricNamed(metric);
    if (known?.scale !== undefined)
      put(metric, levelOf(metric, value, known.scale, baselines), formatValue(value, known.unit));
    const allowed = known?.limit === undefined ? undefined : values.get(known.limit);
    if (allowed !== undefined && allowed > 0) put(metric, levelOfShare(value / allowed), `${value} of ${allowed}`);
  }
  for (const [metric, level, shown] of derived(result, values, timeoutMs)) put(metric, level, shown);
  return indicators;
}

function levelOf(metric: string, value: number, scale: Scale, baselines: readonly BaselineCheck[]): Level {
  if (scale.below ? value < scale.limit : value >= scale.limit) return "limit";
  const own = baselines.filter((check) => check.metric === metric && Object.keys(check.matchers).length === 0);
  const isHigh = own.length > 0 ? !own.every((check) => check.holds(value)) : undefined;
  return (isHigh ?? (scale.below ? value < scale.high : value >= scale.high)) ? "high" : "normal";
}

/** Indicators that are no metric: where the time of a slow connection went, and that a failure came exactly at a limit of the platform. */
export const slowInConnecting = "slow_in_connecting";
export const slowInServer = "slow_in_server";
export const cutAtLimit = "cut_at_limit";

/** Limits of the platform, in seconds, and whose they are: a request that ends exactly there was ended by it. */
export const platformLimits: readonly { readonly seconds: number; readonly says: string }[] = [
  { seconds: 30, says: "30 s, the default timeout of a load balancer's backend service" },
  { seconds: 60, says: "60 s, a usual idle timeout" },
  { seconds: 240, says: "240 s, the longest that Cloud Run waits for a start" },
  { seconds: 300, says: "300 s, the default request timeout of Cloud Run" },
  { seconds: 600, says: "600 s, an idle timeout of load balancers" },
  { seconds: 3600, says: "3600 s, the longest request timeout of Cloud Run" },
];

function levelOfShare(share: number): Level {
  return share >= 0.95 ? "limit" : share >= 0.8 ? "high" : "normal";
}

function derived(
  { success, measurements }: ProbeResult,
  values: ReadonlyMap<string, number>,
  timeoutMs: number,
): [string, Level, string][] {
  const found: [string, Level, string][] = [];
  for (const [metric, total] of values) {
    const phases = metricNamed(metric)?.phases;
    if (phases === undefined || total < 1) continue;
    const timeIn = (phase: string): number | undefined =>
      measurements.find((one) => one.metric === phases && one.labels["phase"] === phase)?.value;
    const connecting = timeIn("connect");
    if (connecting === undefined) continue;
    const onTheWay = (timeIn("dns") ?? 0) + connecting;
    const share = onTheWay / total;
    if (share >= 0.6) found.push([slowInConnecting, "high", formatValue(onTheWay, "seconds")]);
    if (share <= 0.3) found.push([slowInServer, "high", formatValue(total - onTheWay, "seconds")]);
  }
  const duration = values.get("probe_duration");
  const limit = success || duration === undefined ? undefined : limitAt(duration, timeoutMs);
  if (limit !== undefined) found.push([cutAtLimit, "limit", limit]);
  return found;
}

/** The limit of the platform that a failure after so many seconds has met, unless the probe's own time ran out there. */
function limitAt(seconds: number, timeoutMs: number): string | undefined {
  if (Math.abs(seconds - timeoutMs / 1000) < 0.5) return undefined;
  return platformLimits.find((limit) => seconds >= limit.seconds - 0.1 && seconds < limit.seconds * 1.02 + 0.5)?.says;
}

/** The most findings that are kept of one probe. */
const maxFaults = 12;
const severities = ["critical", "warning", "info"];

/** Faults found by the configuration checks of a result. @param known earlier faults; `undefined` if there was no earlier run */
export function faultsOf(result: ProbeResult, known: readonly Fault[] | undefined): readonly Fault[] {
  const at = Date.parse(result.at);
  return (result.findings ?? [])
    .filter(({ ok }) => !ok)
    .map((finding): Fault => {
      const component = finding.component ?? result.component;
      const { check, observed, expected, explanation, remedy, resource, tells } = finding;
      const before = known?.find((fault) => isSameFault(fault, { check, component, resource }));
      const what = `${bounded(check, [], 60)} is ${bounded(observed, [], 80)}, expected ${bounded(expected, [], 80)}`;
      // The remedy is given where it applies.
      const reason =
        remedy !== undefined && explanation.endsWith(remedy) ? explanation.slice(0, -remedy.length) : explanation;
      const why = bounded(reason.trim(), [], 240).replace(/\.$/, "");
      return (
        before ?? {
          check,
          component,
          ...(resource === undefined ? {} : { resource }),
          found:
            expected === ""
              ? bounded(observed, [], 80)
              : `${bounded(observed, [], 80)}, expected ${bounded(expected, [], 80)}`,
          ...(why === "" ? {} : { why }),
          says: why === "" ? what : `${what}: ${why}`,
          ...(remedy === undefined ? {} : { remedy: bounded(remedy, [], 300) }),
          severity: finding.severity ?? "warning",
          ...(tells === undefined ? {} : { tells }),
          since: at,
          isNew: known !== undefined,
        }
      );
    })
    .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
    .slice(0, maxFaults);
}

/** Identity of a fault. */
interface FaultIdentity extends Pick<Fault, "check" | "component"> {
  readonly resource?: string | undefined;
}

/** Returns whether two faults are the same, whatever their texts. */
export function isSameFault(a: FaultIdentity, b: FaultIdentity): boolean {
  return a.check === b.check && a.component === b.component && a.resource === b.resource;
}

/** Returns whether a fault has this meaning for its component. */
export function hasMeaning({ tells = [] }: Fault, wanted: FindingMeaning): boolean {
  return tells.includes(wanted);
}

/** Findings of one probe besides its success. */
interface Shown {
  readonly indicators?: Readonly<Record<string, Indicator>>;
  readonly faults?: readonly Fault[];
}

/** Returns whether two sets of indicators and faults are equal. */
export function sameIndicators(a: Shown, b: Shown): boolean {
  const { indicators: some = {}, faults: found = [] } = a;
  const { indicators: others = {}, faults: known = [] } = b;
  const all = Object.values(some);
  return (
    all.length === Object.keys(others).length &&
    found.length === known.length &&
    all.every(({ metric, level }) => ownEntry(others, metric)?.level === level) &&
    found.every((fault) => known.some((other) => isSameFault(fault, other)))
  );
}
