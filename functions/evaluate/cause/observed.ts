/** Collects the evidence of an incident for root-cause analysis: symptoms, good facts, indicators and faults. */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { Signal } from "../../../shared/messages/report.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { Facts } from "../incident/draft.ts";
import type { Incident } from "../incident/state.ts";
import { joined } from "../partition/failure-ledger.ts";
import type { ProbeFact } from "../partition/state.ts";
import { intervalOf, type Plan, staleAfter } from "../plan.ts";
import type { CompiledRule } from "../rules/rule.ts";
import type { ProbeIndicator, Symptom } from "./diagnosis.ts";
import type { Observed } from "./evidence.ts";
import { type Change, concerns, type LogPattern } from "./knowledge/changes.ts";
import { type Fault, isSameFault, levels, slowInServer } from "./knowledge/indicators.ts";
import { signalOf } from "./strength.ts";

/** The probes as the incident knows them: what its own questions brought counts where it is newer than the last change that was heard of. */
export function knownProbes(
  { diagnosisRequest: request }: Pick<Incident, "diagnosisRequest">,
  probes: Facts["probes"],
  plan: Plan,
): Facts["probes"] {
  if (request === undefined) return probes;
  const known: Record<string, ProbeFact> = { ...probes };
  for (const fact of Object.values(request.facts)) {
    const before = ownEntry(known, fact.probe);
    const isNewer = before === undefined || before.status === "unknown" || before.at <= fact.at;
    if (!isNewer) continue;
    const asked = before === undefined ? fact : { ...fact, since: sinceOf(before, fact) };
    setEntry(known, fact.probe, before?.failures ? { ...asked, failures: before.failures } : asked);
  }
  for (const [probe, asked] of Object.entries(request.failures ?? {})) {
    const fact = ownEntry(known, probe);
    if (fact === undefined) continue;
    // Scheduled measurements since the last change are unknown: an entry must not extend over them.
    const { at = Number.NEGATIVE_INFINITY, failures } = ownEntry(probes, probe) ?? {};
    const covered = joined(
      failures,
      asked.filter(({ until }) => until <= at),
      staleAfter(plan, probe),
    );
    const later = asked.filter(({ until }) => until > at);
    setEntry(known, probe, { ...fact, failures: joined(covered, later, 0) });
  }
  return known;
}

/** Since when it is as an answer shows it: a failure that came late may have moved the beginning back, and nothing else was seen in between. */
function sinceOf(before: ProbeFact, { status, since, otherAt = 0 }: ProbeFact): number {
  return before.status === status && otherAt <= before.since ? Math.min(before.since, since) : since;
}

const day = 86_400_000;

/** The worst that metrics have shown; the same object when nothing is new. */
export function withIndicators(incident: Incident, facts: Facts, plan: Plan): NonNullable<Incident["indicators"]> {
  const known = incident.indicators ?? {};
  const next: Record<string, ProbeIndicator> = { ...known };
  let changed = false;
  for (const { probe, component, indicators = {}, status } of Object.values(facts.probes)) {
    if (status === "unknown") continue;
    for (const indicator of Object.values(indicators)) {
      const key = `${probe}/${indicator.metric}`;
      const before = ownEntry(next, key);
      if (before !== undefined && levels.indexOf(before.level) >= levels.indexOf(indicator.level)) continue;
      setEntry(next, key, { ...indicator, probe, component: speaksOf(indicator.metric, component, plan) });
      changed = true;
    }
  }
  return changed ? next : known;
}

/** Adds faults found by configuration checks; returns the same object if there are none. */
export function withFaults(incident: Incident, facts: Facts): readonly Fault[] {
  const known = incident.faults ?? [];
  const found = Object.values(facts.probes).flatMap(({ faults = [] }) => faults);
  const isKnown = (fault: Fault): boolean => known.some((one) => isSameFault(one, fault));
  const added = found.filter((fault) => !isKnown(fault)).slice(0, 40 - known.length);
  return added.length === 0 ? known : [...known, ...added];
}

/** Lookback before the first failure for changes, in milliseconds. */
const changesBefore = 3_600_000;
/** The most that are kept of one incident. */
const maxChanges = 40;
const maxLogPatterns = 24;

/** Whatever may concern an incident: what fails, and all that it depends on. */
function concerned({ symptoms, alerts }: Incident, { graph }: Plan): ReadonlySet<string> {
  const failing = [...Object.values(symptoms), ...Object.values(alerts)].map(({ component }) => component);
  return new Set(failing.flatMap((name) => (graph.names.includes(name) ? graph.causesOf(name) : [])));
}

/** Adds changes that may concern an incident; returns the same object if there are none. */
export function withChanges(incident: Incident, { probes, changes = [] }: Facts, plan: Plan): readonly Change[] {
  const known = incident.changes ?? [];
  const found = [...changes, ...Object.values(probes).flatMap((fact) => fact.changes ?? [])];
  const isKnown = new Set(known.map(({ id }) => id));
  const names = concerned(incident, plan);
  const added = found.filter((change) => {
    if (isKnown.has(change.id) || change.at < incident.firstFailureAt - changesBefore) return false;
    if (!concerns(change, names)) return false;
    isKnown.add(change.id);
    return true;
  });
  if (added.length === 0) return known;
  return [...known, ...added].sort((a, b) => a.at - b.at).slice(-maxChanges);
}

/** Replaces the log messages of an incident by those last read; returns the same object if they are equal. */
export function withLogPatterns(incident: Incident, { probes }: Facts, plan: Plan): readonly LogPattern[] {
  const known = incident.logPatterns ?? [];
  const names = concerned(incident, plan);
  const key = ({ component, resource, pattern }: LogPattern): string => JSON.stringify([component, resource, pattern]);
  const read = Object.values(probes).flatMap((fact) => fact.logPatterns ?? []);
  const found = read.filter(({ component }) => names.has(component));
  const isSame = found.every((one) => known.some((other) => key(other) === key(one) && other.lastAt === one.lastAt));
  if (isSame) return known;
  return [...new Map([...known, ...found].map((one) => [key(one), one])).values()].slice(0, maxLogPatterns);
}

/** Everything that the search for the cause begins with. */
export function observedOf(incident: Incident, facts: Facts, plan: Plan): Observed {
  const { symptoms, firstFailureAt } = incident;
  const began = incident.relapses?.at(-1)?.failedAt ?? firstFailureAt;
  const greens = Object.values(facts.probes).filter((fact) => {
    // A reading that is minutes late does not prove that its target works.
    const { environmentWide, secondhand } = plan.probes.get(fact.probe) ?? {};
    const symptom = symptoms[`probe/${fact.probe}`];
    // A single failed run is no failure: before and after it the probe was good.
    const isBad =
      symptom !== undefined && (symptom.confirmed || symptom.until === undefined || (symptom.times ?? 1) > 2);
    if (fact.status !== "good" || isBad) return false;
    if (secondhand || environmentWide) return false;
    return hasRunSince(began, fact, facts, plan);
  });
  const indicators = Object.values(incident.indicators ?? {});
  // A fault that existed for a day while everything worked is not related to this outage.
  const faults = (incident.faults ?? []).filter(({ since }) => firstFailureAt - since < day);
  return {
    symptoms: Object.values(symptoms).map((symptom) =>
      ofOwnPool(ofItsFinding(symptom, faults, plan), indicators, plan),
    ),
    greens,
    watched: watchedIn(plan),
    judged: judgedIn(plan, facts, began),
    google: googlesIn(plan),
    indicators,
    faults,
    ...(incident.changes === undefined ? {} : { changes: incident.changes }),
    ...(incident.logPatterns === undefined ? {} : { logPatterns: incident.logPatterns }),
    graph: plan.graph,
    roles: plan.roles,
    at: facts.watermark,
    now: facts.time,
  };
}

/** Returns whether a probe ran since an instant: a run without changes causes no event, so elapsed time must prove it. */
function hasRunSince(instant: number, { probe, at }: ProbeFact, { watermark }: Facts, plan: Plan): boolean {
  return at >= instant || watermark - instant >= 1.25 * intervalOf(plan, probe);
}

const watchedBy = new WeakMap<Plan, ReadonlySet<string>>();

/** Components at which some probe looks: what only reads how all is configured, or what was written of it, looks at none. */
function watchedIn(plan: Plan): ReadonlySet<string> {
  const known =
    watchedBy.get(plan) ??
    new Set([...plan.probes.values()].flatMap((probe) => (readsRecords(probe) ? [] : [probe.component])));
  watchedBy.set(plan, known);
  return known;
}

function readsRecords({ environmentWide, arrivesLate, yields = [] }: ConfiguredProbe): boolean {
  const isConfiguration = yields.every(({ metric }) => metricNamed(metric)?.signal === "configuration");
  return environmentWide === true && (arrivesLate === true || isConfiguration);
}

/** Metric and probe of a rule about one component. */
interface Judged {
  readonly component: string;
  readonly probe: string;
  readonly signal: Signal;
}

const judgedBy = new WeakMap<Plan, readonly Judged[]>();

/** The signals of each component that rules judge by what was measured since an instant. */
function judgedIn(plan: Plan, facts: Facts, since: number): ReadonlyMap<string, ReadonlySet<Signal>> {
  const all =
    judgedBy.get(plan) ?? plan.configuration.rules.flatMap(({ name }) => judgedOf(plan.rulesByName.get(name), plan));
  judgedBy.set(plan, all);
  const found = new Map<string, Set<Signal>>();
  for (const { component, probe, signal } of all) {
    const fact = ownEntry(facts.probes, probe);
    if (fact?.status !== "good" || !hasRunSince(since, fact, facts, plan)) continue;
    const known = found.get(component) ?? new Set();
    found.set(component, known.add(signal));
  }
  return found;
}

/** Metric of a rule; none if it combines several comparisons, of which a single one says little. */
function judgedOf(rule: CompiledRule | undefined, plan: Plan): Judged[] {
  if (rule === undefined) return [];
  const { component, condition, signal, metrics } = rule;
  const [limit, ...others] = condition.limits;
  const [selector, ...more] = condition.selectors;
  if (limit === undefined || selector === undefined || others.length + more.length > 0) return [];
  const { metric, matchers } = selector;
  return plan.yielding(metric, matchers).flatMap((probe): Judged[] => {
    const of = component ?? plan.probes.get(probe)?.component;
    return of === undefined ? [] : [{ component: of, probe, signal: signal ?? signalOf(metrics, limit) }];
  });
}

const googlesBy = new WeakMap<Plan, ReadonlySet<string>>();

/** Components of which Google's APIs are asked, and those that stand in a region of which they are: only these are Google's. */
function googlesIn(plan: Plan): ReadonlySet<string> {
  const known = googlesBy.get(plan);
  if (known !== undefined) return known;
  const asked = [...plan.probes.values()].filter(({ reach }) => reach === "control_plane");
  const found = new Set(asked.flatMap(({ component, settings }) => [component, ...componentsIn(settings)]));
  const isRegion = (name: string): boolean => found.has(name) && plan.roles.get(name) === "region";
  // Components reached through a part of Google's may be anywhere.
  for (const { name, dependsOn } of plan.configuration.components)
    if (plan.roles.get(name) !== "third_party" && dependsOn.some(isRegion)) found.add(name);
  googlesBy.set(plan, found);
  return found;
}

/** Components that the settings of a probe name. */
function componentsIn(settings: unknown): string[] {
  if (typeof settings !== "object" || settings === null) return [];
  return Object.entries(settings).flatMap(([key, value]) =>
    key === "component" && typeof value === "string" ? [value] : componentsIn(value),
  );
}

/** A check of the configuration fails for what it has found, be it of another component than that of its probe. */
function ofItsFinding(symptom: Symptom, faults: readonly Fault[], { graph }: Plan): Symptom {
  if (symptom.failure?.signal !== "configuration") return symptom;
  const found = faults.filter((fault) => fault.severity === "critical" && graph.names.includes(fault.component));
  const [about] = found.toSorted((a, b) => Number(b.isNew) - Number(a.isNew));
  const isOwn = about === undefined || found.some(({ component }) => component === symptom.component);
  return isOwn ? symptom : { ...symptom, component: about.component };
}

/** An alarm about the pool of a service, whatever component its rule names, is the service's own where the database has connections left. */
function ofOwnPool(symptom: Symptom, indicators: readonly ProbeIndicator[], plan: Plan): Symptom {
  const { metrics = [], probe = "", component } = symptom;
  const owner = plan.probes.get(probe)?.component;
  if (owner === undefined || owner === component || !metrics.includes("cloud_sql_pool_utilization")) return symptom;
  const own = indicators.filter((one) => {
    const { role, resource } = metricNamed(one.metric) ?? {};
    return one.component === component && role === "database" && resource === "connections";
  });
  return own.length > 0 && own.every(({ level }) => level !== "limit") ? { ...symptom, component: owner } : symptom;
}

/**
 * Returns the component of an indicator, whichever probe measured it: what an application reports about its connector belongs to the
 * connector.
 */
function speaksOf(indicator: string, component: string, plan: Plan): string {
  const role = indicator === slowInServer ? "database" : metricNamed(indicator)?.role;
  if (role === undefined || plan.roles.get(component) === role) return component;
  const near = [...plan.graph.causesOf(component), ...plan.graph.dependentsOf(component)];
  return near.find((name) => plan.roles.get(name) === role) ?? component;
}
