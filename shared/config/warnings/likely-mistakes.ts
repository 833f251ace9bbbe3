/**
 * Warns about valid settings that are probably mistakes: conditions that never change, duplicate rules, limits out of reach, past windows,
 * routes without events.
 */
import type { IncidentEventKind } from "../../messages/incident-event.ts";
import { type Severity, severities, worse } from "../../messages/severity.ts";
import { canYield } from "../../metrics/yields.ts";
import { monitorComponent } from "../../monitor.ts";
import { ownEntry } from "../../runtime/entries.ts";
import { formatDuration, parseDuration } from "../../text/units.ts";
import type { Path, Problems } from "../file/problems.ts";
import type { Configuration, ConfiguredProbe, Rule } from "../model.ts";
import type { Vocabulary } from "../schema.ts";
import { checkReaders } from "./readers.ts";

/**
 * Reports these warnings.
 * @param now milliseconds since the epoch; without it, nothing is over
 */
export function checkLikelyMistakes(
  configuration: Configuration,
  problems: Problems,
  vocabulary: Vocabulary,
  now: number | undefined,
): void {
  checkConditions(configuration, problems, vocabulary);
  checkSameRules(configuration, problems, vocabulary);
  for (const probe of configuration.probes) checkTimes(probe, problems);
  checkRoutes(configuration, problems);
  checkReaders(configuration, problems, vocabulary);
  checkChannels(configuration, problems, vocabulary);
  for (const [index, { once }] of (configuration.maintenance ?? []).entries()) {
    if (now === undefined || once === undefined || once.to > now) continue;
    const message = "this window is over: delete it, or give it a later time";
    problems.warn({ path: ["maintenance", index] }, { message });
  }
}

function checkConditions(
  { rules, probes, baselines }: Configuration,
  problems: Problems,
  vocabulary: Vocabulary,
): void {
  for (const [index, { component, condition, clearCondition, alertDurationMs }] of rules.entries()) {
    const warn = (key: string, text: string): void => {
      for (const { message, offset, length = 1 } of vocabulary.conditionWarnings(text, alertDurationMs)) {
        const path = ["monitoring_rules", index, key];
        problems.warn(offset === undefined ? { path } : { path, within: { offset, length } }, { message });
      }
    };
    warn("condition", condition);
    if (component === undefined && vocabulary.mergesComponents(condition, alertDurationMs)) {
      const selections = vocabulary.conditionSelectors(condition, alertDurationMs);
      const yielding = probes.filter((probe) => selections.some((selection) => canYield(probe, selection)));
      if (new Set(yielding.map((probe) => probe.component)).size > 1) {
        const message =
          "this is one value of several components: name the component that the rule is about, or group by (component)";
        problems.warn({ path: ["monitoring_rules", index, "condition"] }, { message });
      }
    }
    if (clearCondition === undefined) continue;
    warn("clear_condition", clearCondition);
    if (!vocabulary.neverClears(condition, clearCondition, alertDurationMs)) continue;
    const message =
      "an alert would never clear, because this never holds while the condition is false: write what must hold for the all-clear, or remove it";
    problems.warn({ path: ["monitoring_rules", index, "clear_condition"] }, { message });
  }
  for (const { metric, expectation } of baselines) {
    const compared = /^\s*[<>=!]/.test(expectation) ? expectation : `== ${expectation}`;
    const [warning] = vocabulary.conditionWarnings(`${metric} ${compared}`, 0);
    if (warning !== undefined) problems.warn({ path: ["baselines", metric] }, { message: warning.message });
  }
}

/** Rules that judge the same at the same time, built-in ones included. */
function checkSameRules({ rules, probes }: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  const known = new Map<string, string>();
  for (const { name, component, alert } of probes) {
    if (alert === false) continue;
    const condition = `probe_success{probe="${name}"} == 0`;
    const judgement = { component, condition, alertDurationMs: alert.afterMs };
    for (const rule of [judgement, { ...judgement, component: undefined }])
      known.set(judgementOf(rule, vocabulary), `${name} failing`);
  }
  for (const [index, rule] of rules.entries()) {
    const key = judgementOf(rule, vocabulary);
    const other = known.get(key);
    known.set(key, other ?? rule.name);
    if (other === undefined) continue;
    const message = `"${other}" evaluates the same condition over the same time: remove one of them`;
    problems.warn({ path: ["monitoring_rules", index, "condition"] }, { message });
  }
}

function judgementOf(
  rule: Pick<Rule, "condition" | "alertDurationMs" | "vantages"> & { readonly component?: string | undefined },
  vocabulary: Vocabulary,
): string {
  const { component, condition, alertDurationMs, vantages = "any" } = rule;
  return JSON.stringify([vocabulary.conditionForm(condition, alertDurationMs), component, alertDurationMs, vantages]);
}

/** Warns of times that an answer may take and never can, because the probe gives up before. */
function checkTimes({ name, timeoutMs, settings }: ConfiguredProbe, problems: Problems): void {
  const look = (value: unknown, path: Path): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      const here = [...path, Array.isArray(value) ? Number(key) : key];
      const mostMs = key === "max_time" && typeof part === "string" ? parseDuration(part) : undefined;
      if (mostMs !== undefined && mostMs > timeoutMs) {
        const [most, timeout] = [formatDuration(mostMs), formatDuration(timeoutMs)];
        const message = `a run ends after its timeout of ${timeout}, so ${most} are never reached: write a longer timeout or a shorter max_time`;
        problems.warn({ path: here }, { message });
      }
      look(part, here);
    }
  };
  look(settings, ["probes", name]);
}

/** Reports the warnings of channel kinds about their settings. */
function checkChannels({ channels }: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  for (const { name, kind, settings } of channels) {
    const known = ownEntry(vocabulary.channels, kind);
    const parsed = known?.warnings && known.settings.safeParse(settings);
    if (!parsed?.success) continue;
    for (const { key, message } of known?.warnings?.(parsed.data) ?? [])
      problems.warn({ path: ["channels", name, key] }, { message });
  }
}

/** The events that only come where some route has a setting. */
const timedBy: Readonly<Partial<Record<IncidentEventKind, string>>> = {
  reminder: "remind_every",
  escalated: "escalate_after",
};

/** Warns of routes that match no incident that there can be. */
function checkRoutes(configuration: Configuration, problems: Problems): void {
  const { components, probes, rules, routes } = configuration;
  const watched = new Set([...probes, ...rules].flatMap(({ component }) => component ?? []));
  // A rule without a component may speak of any; a cause may be what something watched depends on.
  const isOpen = rules.some(({ component }) => component === undefined);
  const reach = (name: string): void => {
    for (const next of components.find((one) => one.name === name)?.dependsOn ?? []) {
      if (watched.has(next)) continue;
      watched.add(next);
      reach(next);
    }
  };
  for (const name of [...watched]) reach(name);
  const severities = new Set([
    ...rules.map(({ severity }) => severity),
    ...probes.flatMap(({ alert }) => (alert === false ? [] : [alert.severity])),
  ]);
  const timed = new Set([
    ...routes.flatMap(({ remindEveryMs }) => (remindEveryMs === undefined ? [] : ["remind_every"])),
    ...routes.flatMap(({ escalateAfterMs }) => (escalateAfterMs === undefined ? [] : ["escalate_after"])),
  ]);
  for (const [index, route] of routes.entries()) {
    const path = ["routes", index];
    const silent = route.components?.every((name) => name !== monitorComponent.name && !watched.has(name));
    if (silent && !isOpen) {
      const message = "this route never matches: no probe and no rule watches these components";
      problems.warn({ path: [...path, "components"] }, { message });
    }
    const settings = (route.events ?? []).map((event) => timedBy[event]);
    if (settings.length > 0 && settings.every((one) => one !== undefined && !timed.has(one))) {
      const message = `this route never matches: no route has ${[...new Set(settings)].join(" or ")}`;
      problems.warn({ path: [...path, "events"] }, { message });
    }
    // Incidents become more severe by what users feel and by the monitor's own troubles, never less.
    if (route.severity?.every((severity) => severity === "info") && !severities.has("info")) {
      const message = "this route never matches: no probe and no rule has the severity info";
      problems.warn({ path: [...path, "severity"] }, { message });
    }
    const most = route.components && mostSevere(route.components, configuration);
    if (most !== undefined && route.severity?.every((severity) => isLess(most, severity)) && !silent) {
      const message = `this route never matches: the severity of incidents of these components is at most ${most}`;
      problems.warn({ path: [...path, "severity"] }, { message });
    }
  }
}

/**
 * The most severe that an incident of one of these components can be. What the graph ties together may be one incident; of the monitor's own, all is
 * possible, and so is any severity where nothing is known of it.
 */
function mostSevere(names: readonly string[], { components, probes, rules }: Configuration): Severity | undefined {
  if (names.includes(monitorComponent.name)) return undefined;
  const tied = new Set(names);
  for (let size = 0; size < tied.size; ) {
    size = tied.size;
    for (const { name, dependsOn } of components) {
      if (![name, ...dependsOn].some((one) => tied.has(one))) continue;
      for (const one of [name, ...dependsOn]) tied.add(one);
    }
  }
  const impacts = new Set(components.flatMap(({ name, impact }) => (impact === undefined ? [] : [name])));
  const possible = [
    ...rules.filter(({ component }) => component === undefined || tied.has(component)).map(({ severity }) => severity),
    ...probes.flatMap(({ component, alert }): Severity[] => {
      if (alert === false || !tied.has(component)) return [];
      return [impacts.has(component) && alert.most === undefined ? "critical" : alert.severity];
    }),
  ];
  return possible.length === 0 ? undefined : possible.reduce(worse);
}

function isLess(one: Severity, other: Severity): boolean {
  return severities.indexOf(one) < severities.indexOf(other);
}
