/**
 * Indicators: what the measurements and findings of one probe say beyond its success. A metric is normal, high or at its limit; a phase takes
 * most of the time; a configuration check found something wrong. Only that is kept of a probe between reports, and only a change of it is
 * news, so that figures that move within their bounds cost nothing.
 */

import type { ProbeResult } from "../../../../shared/messages/report.ts";
import { metricNamed } from "../../../../shared/metrics/catalogue.ts";
import { ownEntry, setEntry } from "../../../../shared/runtime/entries.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import { formatValue } from "../../../../shared/text/units.ts";
import type { BaselineCheck } from "../../condition/index.ts";

/** How a metric stands. */
export type Level = "normal" | "high" | "limit";

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
  /** What was looked at, where the probe looks at several things of the component. */
  readonly resource?: string;
  /** What was found and what was expected, as one phrase, and why that matters. */
  readonly found?: string;
  readonly why?: string;
  /** One sentence. */
  readonly says: string;
  /** What to do, in a sentence or two. */
  readonly remedy?: string;
  readonly severity: "info" | "warning" | "critical";
  /** The instant at which it was first seen. */
  readonly since: number;
  /** Whether an earlier run of the same probe found it right: then it came with the outage, or shortly before. */
  readonly isNew: boolean;
}

/** Where a metric is high, and where it is at its limit; `below` where small values are the bad ones. */
interface Scale {
  readonly high: number;
  readonly limit: number;
  readonly below?: true;
}

/** The metrics that patterns ask for. What the configuration says of a baseline stands above `high`. */
const scales: Readonly<Record<string, Scale>> = {
  vpc_connector_utilization: { high: 0.7, limit: 0.9 },
  vpc_connector_cpu_utilization: { high: 0.7, limit: 0.9 },
  vpc_connector_health: { high: 0.5, limit: 0.5, below: true },
  database_connect_burst_success: { high: 0.95, limit: 0.5, below: true },
  database_connection_time: { high: 5, limit: 25 },
  cloud_sql_pool_utilization: { high: 0.8, limit: 0.95 },
  cloud_sql_up: { high: 0.5, limit: 0.5, below: true },
  cloud_sql_connection_utilization: { high: 0.8, limit: 0.95 },
  cloud_sql_cpu_utilization: { high: 0.85, limit: 0.95 },
  cloud_sql_memory_utilization: { high: 0.9, limit: 0.97 },
  cloud_sql_disk_utilization: { high: 0.9, limit: 0.97 },
  failed_startups: { high: 1, limit: 10 },
  cloud_run_error_rate: { high: 0.05, limit: 0.5 },
  load_balancer_error_rate: { high: 0.05, limit: 0.5 },
  service_health_incidents: { high: 1, limit: 1 },
};

/** Indicators that are a share of what is allowed: what is used, and what may be. */
const maximumOf: Readonly<Record<string, readonly [used: string, allowed: string]>> = {
  connections_used: ["database_connections", "database_connection_limit"],
  instances_used: ["vpc_connector_instances", "vpc_connector_instance_limit"],
};

/** The indicators of a result, by metric. @param known those of the run before */
export function indicatorsOf(
  result: ProbeResult,
  known: Readonly<Record<string, Indicator>>,
  baselines: readonly BaselineCheck[],
  timeoutMs: number,
): Readonly<Record<string, Indicator>> {
  const at = Date.parse(result.at);
  const values = new Map<string, number>();
  for (const { metric, value, labels } of result.measurements) {
    const name = metric.endsWith("phase_time") ? `phase/${labels["phase"] ?? ""}` : metric;
    // Of several series of one metric the worst speaks.
    const before = values.get(name);
    const isWorse = before === undefined || (ownEntry(scales, metric)?.below ? value < before : value > before);
    if (isWorse) values.set(name, value);
  }
  const indicators: Record<string, Indicator> = {};
  const put = (metric: string, level: Level, shown: string): void => {
    const before = ownEntry(known, metric);
    setEntry(indicators, metric, before?.level === level ? before : { metric, level, shown, since: at });
  };
  for (const [metric, value] of values) {
    const scale = ownEntry(scales, metric);
    if (scale === undefined) continue;
    const unit = metricNamed(metric)?.unit ?? "count";
    put(metric, levelOf(metric, value, scale, baselines), formatValue(value, unit));
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

/** Limits of the platform, in seconds, and whose they are: a request that ends exactly there was ended by it. */
export const platformLimits: readonly { readonly seconds: number; readonly says: string }[] = [
  { seconds: 30, says: "30 s, the default timeout of a load balancer's backend service" },
  { seconds: 60, says: "60 s, a usual idle timeout" },
  { seconds: 240, says: "240 s, the longest that Cloud Run waits for a start" },
  { seconds: 300, says: "300 s, the default request timeout of Cloud Run" },
  { seconds: 600, says: "600 s, an idle timeout of load balancers" },
  { seconds: 3600, says: "3600 s, the longest request timeout of Cloud Run" },
];

function derived(
  { success, measurements }: ProbeResult,
  values: ReadonlyMap<string, number>,
  timeoutMs: number,
): [string, Level, string][] {
  const found: [string, Level, string][] = [];
  for (const [indicator, [part, whole]] of Object.entries(maximumOf)) {
    const used = values.get(part);
    const allowed = values.get(whole);
    if (used === undefined || allowed === undefined || allowed <= 0) continue;
    const share = used / allowed;
    found.push([indicator, share >= 0.95 ? "limit" : share >= 0.8 ? "high" : "normal", `${used} of ${allowed}`]);
  }
  const total = values.get("database_connection_time");
  if (total !== undefined && total >= 1) {
    const onTheWay = (values.get("phase/dns") ?? 0) + (values.get("phase/connect") ?? 0);
    const share = onTheWay / total;
    const known = values.has("phase/connect");
    if (known && share >= 0.6) found.push(["slow_in_connecting", "high", formatValue(onTheWay, "seconds")]);
    if (known && share <= 0.3) found.push(["slow_in_server", "high", formatValue(total - onTheWay, "seconds")]);
  }
  const duration = values.get("probe_duration") ?? longestOf(measurements);
  const limit = success || duration === undefined ? undefined : limitAt(duration, timeoutMs);
  if (limit !== undefined) found.push(["cut_at_limit", "limit", limit]);
  return found;
}

function longestOf(measurements: ProbeResult["measurements"]): number | undefined {
  const times = measurements.filter(({ metric }) => /_(response|stage|step|e2e)_time$/.test(metric));
  return times.length === 0 ? undefined : Math.max(...times.map(({ value }) => value));
}

/** The limit of the platform that a failure after so many seconds has met, unless the probe's own time ran out there. */
function limitAt(seconds: number, timeoutMs: number): string | undefined {
  if (Math.abs(seconds - timeoutMs / 1000) < 0.5) return undefined;
  return platformLimits.find((limit) => seconds >= limit.seconds - 0.1 && seconds < limit.seconds * 1.02 + 0.5)?.says;
}

/** The most findings that are kept of one probe. */
const mostFaults = 12;
const severities = ["critical", "warning", "info"];

/** What the configuration checks of a result found wrong. @param known what was wrong before; `undefined` where no run was seen before */
export function faultsOf(result: ProbeResult, known: readonly Fault[] | undefined): readonly Fault[] {
  const at = Date.parse(result.at);
  return (result.findings ?? [])
    .filter(({ ok }) => !ok)
    .map((finding): Fault => {
      const component = finding.component ?? result.component;
      const { check, observed, expected, explanation, remedy, resource } = finding;
      const before = known?.find((fault) => isSameFault(fault, { check, component, resource }));
      const what = `${bounded(check, [], 60)} is ${bounded(observed, [], 80)}, expected ${bounded(expected, [], 80)}`;
      // What to do is said where it is to be done.
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
          since: at,
          isNew: known !== undefined,
        }
      );
    })
    .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
    .slice(0, mostFaults);
}

/** What tells one fault from another. */
interface FaultIdentity extends Pick<Fault, "check" | "component"> {
  readonly resource?: string | undefined;
}

/** Whether two faults are the same one, whatever each says of it. */
export function isSameFault(a: FaultIdentity, b: FaultIdentity): boolean {
  return a.check === b.check && a.component === b.component && a.resource === b.resource;
}

/** Whether two sets of indicators and faults say the same. */
export function sameIndicators(
  a: { readonly indicators?: Readonly<Record<string, Indicator>>; readonly faults?: readonly Fault[] },
  b: typeof a,
): boolean {
  const levels = ({ indicators = {}, faults = [] }: typeof a): string =>
    JSON.stringify([
      Object.values(indicators)
        .map(({ metric, level }) => `${metric} ${level}`)
        .sort(),
      faults.map(({ check, component, resource = "" }) => `${check} ${component} ${resource}`).sort(),
    ]);
  return levels(a) === levels(b);
}
