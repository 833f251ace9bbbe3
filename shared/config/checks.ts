/** Checks across entries: references to other entries, cycles and conditions; and warnings about valid settings that look like mistakes. */

import { metricNamed, metricNames } from "../metrics/catalogue.ts";
import { canYield, isOf, valuesOf, yieldsMetric } from "../metrics/yields.ts";
import { monitorComponent } from "../monitor.ts";
import { ownEntry } from "../runtime/entries.ts";
import { nearest } from "../text/nearest.ts";
import { marksOf } from "../text/placeholders.ts";
import { formatDuration, parseDuration } from "../text/units.ts";
import { capacityProblem, capacitySums } from "./capacity.ts";
import { insteadOf, type Path, type Problems, type Spot } from "./file/problems.ts";
import type { Configuration } from "./model.ts";
import { scheduleInterval } from "./schedule.ts";
import type { Mistake, Selection, Vocabulary } from "./schema.ts";
import { isSecretReference, placeholderSecret, secretName, secretVariable } from "./secret-reference.ts";
import { checkBodyText, checkTemplates } from "./templates.ts";

/**
 * Reports contradictions between entries. Works on the data as written in the file, so that a mistake in one place hides none in another;
 * the schema reports data of the wrong shape.
 */
export function checkReferences(file: unknown, problems: Problems, vocabulary: Vocabulary): void {
  const components = keysOf(at(file, "components"));
  const probes = keysOf(at(file, "probes"));
  const channels = keysOf(at(file, "channels"));
  const teams = components.flatMap((name) => {
    const team = at(file, "components", name, "team");
    return typeof team === "string" ? [team] : [];
  });
  const refer = (path: Path, what: string, candidates: readonly string[]): void => {
    const name = at(file, ...path);
    if (typeof name !== "string" || candidates.includes(name)) return;
    problems.error({ path }, unknownName(what, name, candidates));
  };
  const referEach = (path: Path, what: string, candidates: readonly string[]): void => {
    for (const index of listOf(at(file, ...path)).keys()) refer([...path, index], what, candidates);
  };

  for (const name of components) referEach(["components", name, "depends_on"], "component", components);
  checkCircles(file, components, problems);
  for (const name of probes) {
    refer(["probes", name, "component"], "component", components);
    const kind = at(file, "probes", name, "kind");
    const { components: places = [] } = (typeof kind === "string" && ownEntry(vocabulary.probers, kind)) || {};
    for (const place of places)
      for (const path of pathsTo(file, ["probes", name], place)) refer(path, "component", components);
    checkTimeout(file, ["probes", name], problems);
  }
  for (const index of listOf(at(file, "monitoring_rules")).keys()) {
    const path = ["monitoring_rules", index];
    refer([...path, "component"], "component", components);
    for (const key of ["condition", "clear_condition"])
      checkCondition(file, path, key, problems, vocabulary, { probe: probes, component: components });
  }
  checkTwice(file, ["monitoring_rules"], "rule", problems);
  for (const name of keysOf(at(file, "capacity", "services"))) {
    if (components.includes(name)) continue;
    problems.error({ path: ["capacity", "services", name], part: "key" }, unknownName("component", name, components));
  }
  checkBuiltInNames(file, probes, problems);
  checkBaselines(file, problems, vocabulary);
  for (const index of listOf(at(file, "recovery", "stages")).keys())
    referEach(["recovery", "stages", index, "probes"], "probe", probes);
  checkTwice(file, ["recovery", "stages"], "stage", problems);
  for (const [index, name] of listOf(at(file, "export")).entries()) {
    if (typeof name !== "string" || metricNamed(name) !== undefined) continue;
    problems.error({ path: ["export", index] }, unknownName("metric", name, metricNames));
  }
  for (const name of keysOf(at(file, "availability", "components"))) {
    if (components.includes(name)) continue;
    const path = ["availability", "components", name];
    problems.error({ path, part: "key" }, unknownName("component", name, components));
  }
  for (const name of channels) referEach(["channels", name, "components"], "component", components);
  checkOwned(file, channels, problems, vocabulary);
  checkPlaceholders(at(file, "channels"), problems);
  checkSecrets(file, problems);
  checkTemplates(at(file, "templates"), problems);
  for (const index of listOf(at(file, "templates")).keys())
    referEach(["templates", index, "channels"], "channel", channels);
  for (const index of listOf(at(file, "maintenance")).keys())
    referEach(["maintenance", index, "components"], "component", components);
  checkTwice(file, ["maintenance"], "maintenance window", problems);
  for (const index of listOf(at(file, "routes")).keys()) {
    referEach(["routes", index, "channels"], "channel", channels);
    referEach(["routes", index, "components"], "component", [...components, monitorComponent.name]);
    referEach(["routes", index, "teams"], "team", teams);
  }
}

/** Warns about valid settings that are probably mistakes: metrics never yielded, components never watched, incidents never notified. */
export function checkPurpose(configuration: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  const { components, probes, rules, channels, routes } = configuration;
  const watched = new Set([...probes, ...rules].flatMap(({ component }) => component ?? []));
  if (probes.length === 0) problems.warn({ path: [] }, { message: "there are no probes: nothing is watched" });
  for (const [index, rule] of rules.entries()) {
    for (const [key, condition] of [
      ["condition", rule.condition] as const,
      ["clear_condition", rule.clearCondition] as const,
    ]) {
      const selections = condition === undefined ? [] : vocabulary.conditionSelectors(condition, rule.alertDurationMs);
      const warned = new Set<string>();
      for (const selection of selections) {
        const yields = probes.filter((probe) => canYield(probe, selection));
        if (rule.component === undefined) for (const probe of yields) watched.add(probe.component);
        const message = yields.length > 0 ? undefined : neverYielded(selection, probes, vocabulary);
        if (message === undefined || warned.has(message)) continue;
        warned.add(message);
        problems.warn({ path: ["monitoring_rules", index, key] }, { message });
      }
    }
  }
  for (const { metric, expectation } of configuration.baselines) {
    const selection = vocabulary.baselineSelector(metric, expectation);
    if (probes.some((probe) => canYield(probe, selection))) continue;
    const message = neverYielded(selection, probes, vocabulary);
    problems.warn({ path: ["baselines", metric], part: "key" }, { message });
  }
  for (const sum of capacitySums(configuration)) {
    const message = capacityProblem(sum);
    if (message !== undefined) problems.warn({ path: ["capacity", sum.by] }, { message });
  }
  for (const { name, role } of components) {
    if (role === "unknown") {
      const kinds = new Set(
        probes.flatMap(({ kind, component }) =>
          component === name && ownEntry(vocabulary.probers, kind)?.role !== undefined ? [kind] : [],
        ),
      );
      const message = `the probes of ${name} disagree on what it is, ${[...kinds].join(" and ")}: write its role, such as role: service`;
      problems.warn({ path: ["components", name], part: "key" }, { message });
    }
    if (watched.has(name)) continue;
    const message = `nothing watches ${name}: give a probe or a rule component: ${name}`;
    problems.warn({ path: ["components", name], part: "key" }, { message });
  }
  for (const { name, component, alert } of probes) {
    const { impact } = components.find((one) => one.name === component) ?? {};
    if (impact === undefined || alert === false || alert.most === undefined) continue;
    const message = `the failure of ${component} has an impact, so it is critical unless a severity is stated: with ${alert.most}, an incident that only ${name} detects is never more severe than that`;
    problems.warn({ path: ["probes", name, "severity"] }, { message });
  }
  for (const [index, { environments }] of routes.entries()) {
    if (environments === undefined || environments.includes(configuration.environment)) continue;
    // Allowed, because several files may share their routes, and yet it may be a slip.
    const message = `this route tells of nothing in this file: the environment here is ${configuration.environment}`;
    problems.warn({ path: ["routes", index, "environments"] }, { message });
  }
  if (routes.length === 0)
    problems.warn({ path: [] }, { message: "there are no routes: incidents are recorded, but nobody is notified" });
  else {
    const used = new Set(routes.flatMap((route) => route.channels));
    for (const { name } of channels) {
      if (used.has(name)) continue;
      const message = `no route uses ${name}: nothing is ever sent there`;
      problems.warn({ path: ["channels", name], part: "key" }, { message });
    }
  }
}

/** Why there is nothing to judge: the metric, its labels or whose it is. */
function neverYielded(
  { metric, matchers }: Selection,
  probes: Configuration["probes"],
  vocabulary: Vocabulary,
): string {
  const able = probes.filter((probe) => yieldsMetric(probe, metric));
  const end = "so there is nothing to judge";
  if (able.length === 0) return `no probe yields ${metric}, ${end}${remedy(metric, vocabulary)}`;
  const meant = able.filter((probe) => isOf(probe, matchers));
  if (meant.length === 0) {
    const others = able.map(({ name }) => name).join(", ");
    return `${metric} is not yielded by the probes that are selected here, ${end}: ${others} yields it`;
  }
  for (const [label, wanted] of Object.entries(matchers)) {
    const values = valuesOf(meant, metric, label);
    if (values === undefined || values.includes(wanted)) continue;
    const instead = insteadOf(nearest(wanted, values), values, `values of ${label}`);
    return `no probe yields ${metric} with the ${label} "${wanted}", ${end}: ${instead}`;
  }
  return `no probe yields ${metric} with these labels together, ${end}`;
}

/** The end of a sentence: which probes would yield the metric, of those that there are. */
function remedy(metric: string, { probers }: Vocabulary): string {
  const ways = Object.entries(probers).flatMap(([kind, { yields }]) => {
    const declared = yields().find((one) => one.metric === metric);
    return declared === undefined ? [] : [declared.needs === undefined ? kind : `${kind} ${declared.needs}`];
  });
  return ways.length === 0 ? "" : `: add a probe of kind ${ways.join(" or ")}`;
}

/** Each circle once, at the component of it that stands first in the file. */
function checkCircles(file: unknown, components: readonly string[], problems: Problems): void {
  const dependencies = (name: string): string[] =>
    listOf(at(file, "components", name, "depends_on")).filter((next) => typeof next === "string");
  for (const [index, start] of components.entries()) {
    const circle = wayBack(start, dependencies);
    if (!circle || circle.some((name) => components.indexOf(name) < index)) continue;
    const closing = circle[1] ?? start;
    const path = ["components", start, "depends_on", dependencies(start).indexOf(closing)];
    const message = `components depend on each other in a circle: ${circle.join(" -> ")}`;
    problems.error({ path }, { message });
  }
}

/** The shortest way from a node back to itself, both ends included. */
function wayBack(start: string, next: (name: string) => readonly string[]): string[] | undefined {
  const seen = new Set<string>();
  const ways: string[][] = [[start]];
  for (const way of ways) {
    for (const name of next(way.at(-1) ?? start)) {
      if (name === start) return [...way, name];
      if (seen.has(name)) continue;
      seen.add(name);
      ways.push([...way, name]);
    }
  }
  return undefined;
}

function checkTimeout(file: unknown, path: Path, problems: Problems): void {
  const timeout = durationAt(file, [...path, "timeout"]);
  const schedule = at(file, ...path, "schedule") ?? "every 1m";
  const interval = typeof schedule === "string" ? scheduleInterval(schedule) : undefined;
  if (timeout === undefined || interval === undefined || timeout <= interval) return;
  const message = `a run may take ${formatDuration(timeout)}, but the next begins after ${formatDuration(interval)}: write a timeout of ${formatDuration(interval)} or less, or a slower schedule`;
  problems.error({ path: [...path, "timeout"] }, { message });
}

/** @param names the values that a label may have, for the labels whose values the file itself names */
function checkCondition(
  file: unknown,
  path: Path,
  key: string,
  problems: Problems,
  vocabulary: Vocabulary,
  names: Readonly<Record<string, readonly string[]>>,
): void {
  const condition = at(file, ...path, key);
  if (typeof condition !== "string" || condition === "") return;
  const windowMs = durationAt(file, [...path, "alert_duration"]) ?? 0;
  const mistake = vocabulary.checkCondition(condition, windowMs);
  if (mistake) {
    reportWithin([...path, key], mistake, problems);
    return;
  }
  for (const { matchers } of vocabulary.conditionSelectors(condition, windowMs)) {
    for (const [label, candidates] of Object.entries(names)) {
      const value = ownEntry(matchers, label);
      if (value === undefined || candidates.includes(value)) continue;
      const offset = Math.max(condition.indexOf(`"${value}"`), 0);
      const wrong = unknownName(label, value, candidates);
      reportWithin([...path, key], { ...wrong, offset, length: value.length + 2 }, problems);
    }
  }
}

/** Resolves a path such as `services[].component`: once for each entry of the list. */
function pathsTo(file: unknown, from: Path, place: string): Path[] {
  return place.split(".").reduce<Path[]>(
    (paths, key) =>
      paths.flatMap((path) => {
        const here = [...path, key.replace("[]", "")];
        return key.endsWith("[]") ? [...listOf(at(file, ...here)).keys()].map((index) => [...here, index]) : [here];
      }),
    [from],
  );
}

function unknownName(what: string, name: string, candidates: readonly string[]): Mistake {
  const words = name.split(/\s+/);
  if (words.length > 1 && words.every((word) => candidates.includes(word)))
    return { message: `unknown ${what} "${name}": put commas between the names, as in [${words.join(", ")}]` };
  const suggestion = nearest(name, candidates);
  return { message: `unknown ${what} "${name}": ${insteadOf(suggestion, candidates, `${what}s`)}`, suggestion };
}

function checkBaselines(file: unknown, problems: Problems, vocabulary: Vocabulary): void {
  const baselines = at(file, "baselines");
  for (const metric of keysOf(baselines)) {
    const expectation = at(baselines, metric);
    if (typeof expectation !== "string") continue;
    const mistake = vocabulary.checkBaseline(metric, expectation);
    if (!mistake) continue;
    if (mistake.offset === undefined) problems.error({ path: ["baselines", metric], part: "key" }, mistake);
    else reportWithin(["baselines", metric], mistake, problems);
  }
}

function reportWithin(path: Path, mistake: Mistake, problems: Problems): void {
  const { offset, length } = mistake;
  problems.error(offset === undefined ? { path } : { path, within: { offset, length: length ?? 1 } }, mistake);
}

/** No two channels of one kind may have the same destination. */
function checkOwned(file: unknown, channels: readonly string[], problems: Problems, vocabulary: Vocabulary): void {
  const owners = new Map<string, string>();
  for (const name of channels) {
    const kind = at(file, "channels", name, "kind");
    const setting = typeof kind === "string" ? ownEntry(vocabulary.channels, kind)?.owns : undefined;
    const value = setting === undefined ? undefined : at(file, "channels", name, setting);
    if (setting === undefined || typeof value !== "string") continue;
    const owned = JSON.stringify([kind, value]);
    const owner = owners.get(owned);
    owners.set(owned, owner ?? name);
    if (owner === undefined) continue;
    const message = `"${owner}" writes to the ${setting} "${value}" too, so they would overwrite each other: choose another ${setting}`;
    problems.error({ path: ["channels", name, setting] }, { message });
  }
}

/** On one machine a secret comes from an environment variable, and two of one variable would be one secret. */
function checkSecrets(file: unknown, problems: Problems): void {
  const names = new Map<string, string>();
  const note = (secret: string, spot: Spot): void => {
    const variable = secretVariable(secret);
    const known = names.get(variable) ?? secret;
    names.set(variable, known);
    if (known === secret) return;
    const message = `the secrets "${known}" and "${secret}" are both read from the environment variable ${variable}: rename one of them`;
    problems.error(spot, { message });
  };
  eachValue(file, [], (value, path) => {
    if (isSecretReference(value)) note(value.secret, { path: [...path, "secret"] });
    else if (typeof value === "string" && path[0] === "channels") {
      for (const mark of marksOf(value)) {
        const secret = placeholderSecret(mark);
        if (secret !== undefined) note(secret, { path, within: mark });
      }
    }
  });
}

/** In the texts of a channel, `${` begins the placeholder of a secret. */
function checkPlaceholders(channels: unknown, problems: Problems): void {
  eachValue(channels, ["channels"], (value, path) => {
    if (typeof value !== "string") return;
    // A body of one's own holds fields of notices as well.
    if (path[2] === "body") return checkBodyText(value, path, problems);
    for (const mark of marksOf(value)) {
      if (placeholderSecret(mark) !== undefined) continue;
      const { name, offset, length, closed } = mark;
      const near = name.replace(/^\s*secrets?\s*[:.=]?\s*/i, "").trim();
      const instead = secretName.test(near) ? near : "NAME";
      const message = `${closed ? "malformed placeholder" : "the brace of ${ is not closed"}: write \${secret:${instead}} for the value of a secret, or $\${ for the two characters`;
      problems.error({ path, within: { offset, length } }, { message });
    }
  });
}

/** Calls `look` with every reference to a secret, and every value that is neither a list nor a map. */
function eachValue(value: unknown, path: Path, look: (value: unknown, path: Path) => void): void {
  if (typeof value !== "object" || value === null || isSecretReference(value)) look(value, path);
  else
    for (const [key, part] of Object.entries(value))
      eachValue(part, [...path, Array.isArray(value) ? Number(key) : key], look);
}

/** Names in a list of entries must differ, because state and history are kept under them. */
function checkTwice(file: unknown, path: Path, what: string, problems: Problems): void {
  const seen = new Set<string>();
  for (const [index, entry] of listOf(at(file, ...path)).entries()) {
    const name = at(entry, "name");
    if (typeof name !== "string") continue;
    if (seen.has(name))
      problems.error(
        { path: [...path, index, "name"] },
        { message: `there is a ${what} "${name}" already: choose another name` },
      );
    seen.add(name);
  }
}

function checkBuiltInNames(file: unknown, probes: readonly string[], problems: Problems): void {
  for (const [index, entry] of listOf(at(file, "monitoring_rules")).entries()) {
    const name = at(entry, "name");
    const probe = typeof name === "string" ? /^(.*) (?:failing|intermittent)$/.exec(name)?.[1] : undefined;
    if (probe === undefined || !probes.includes(probe)) continue;
    const message = `"${name}" is the name of the built-in rule of the probe ${probe}: choose another name`;
    problems.error({ path: ["monitoring_rules", index, "name"] }, { message });
  }
}

function durationAt(file: unknown, path: Path): number | undefined {
  const text = at(file, ...path);
  return typeof text === "string" ? parseDuration(text) : undefined;
}

/** Returns the value at a path of plain data; `undefined` if there is none. */
function at(data: unknown, ...path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" ? ownEntry(value as Record<string, unknown> | null, String(key)) : undefined,
    data,
  );
}

function keysOf(value: unknown): string[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
