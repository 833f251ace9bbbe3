/** Loads `monitor.yaml`: everything checked, every problem reported at once, defaults filled in. */

import type { z } from "zod";
import type { Vantage } from "../messages/report.ts";
import { drillComponent, monitorComponent } from "../monitor.ts";
import { factsOf, type KeptFacts } from "../probe-facts.ts";
import { ownEntry } from "../runtime/entries.ts";
import { nearest } from "../text/nearest.ts";
import { formatDuration } from "../text/units.ts";
import { checkPurpose, checkReferences } from "./checks.ts";
import { entryName } from "./fields.ts";
import { checkCharacters } from "./file/characters.ts";
import { inspect } from "./file/issues.ts";
import { insteadOf, type Path, type Problem, type Problems } from "./file/problems.ts";
import { readSource } from "./file/source.ts";
import { maintenanceEntry, maintenanceWindow } from "./maintenance.ts";
import type {
  Capacity,
  Component,
  Configuration,
  ConfiguredChannel,
  ConfiguredProbe,
  Route,
  Rule,
  WatchdogSettings,
} from "./model.ts";
import { type ChannelEntry, channelEntry, routeEntry } from "./notification.ts";
import { roleOf } from "./roles.ts";
import { groupName, scheduleInterval } from "./schedule.ts";
import {
  type CapacityEntry,
  type ControlEntry,
  componentEntry,
  controlByVantage,
  controlEntry,
  googleCloudEntry,
  type Kind,
  keysOf,
  outline,
  type ProbeEntry,
  probeEntry,
  type RuleEntry,
  ruleEntry,
  type Vocabulary,
  type WatchdogEntry,
} from "./schema.ts";
import { type Template, templateEntry } from "./templates.ts";
import { checkGroupState } from "./warnings/group-state.ts";
import { checkLikelyMistakes } from "./warnings/likely-mistakes.ts";

/** A configuration, or all its errors. Warnings flag valid settings that are probably mistakes. */
export type Loaded =
  | { readonly configuration: Configuration; readonly warnings: Problem[] }
  | { readonly problems: Problem[]; readonly warnings: Problem[] };

/**
 * Reads the text of a configuration file. Never throws for what stands in it.
 * @param file what the problems call the file
 * @param now milliseconds since the epoch, for warnings of what is over; without it there are none
 */
export function loadConfiguration(text: string, file: string, vocabulary: Vocabulary, now?: number): Loaded {
  const source = readSource(text, file);
  const { data, problems } = source;
  if (source.found().problems.length === 0 && (data === null || data === undefined))
    problems.error(
      { path: [] },
      { message: "the file is empty: begin with environment: NAME, components: and probes:" },
    );
  if (!isMap(data)) {
    if (source.found().problems.length === 0)
      problems.error({ path: [] }, { message: "the file must be a map: begin with environment: NAME" });
    return source.found();
  }
  checkCharacters(data, problems);
  checkReferences(data, problems, vocabulary);
  const configuration = readFile(data, problems, vocabulary);
  if (!configuration || source.found().problems.length > 0) return source.found();
  checkPurpose(configuration, problems, vocabulary);
  checkLikelyMistakes(configuration, problems, vocabulary, now);
  checkGroupState(configuration, problems, vocabulary);
  if (source.found().problems.length > 0) return source.found();
  return { configuration, warnings: source.found().warnings };
}

type Entries = Readonly<Record<string, unknown>>;

/** The configuration of a file without mistakes; for any other file it serves to report them all. */
function readFile(file: Entries, problems: Problems, vocabulary: Vocabulary): Configuration | undefined {
  const top = inspect(outline, file, [], problems);
  const written = readMap(file, "components", problems, (name, value, path) =>
    readComponent(name, value, path, problems),
  );
  const inherited = inheritable(file["google_cloud"]);
  const probes = readMap(file, "probes", problems, (name, value, path): ConfiguredProbe | undefined => {
    const entry = readKinded(value, path, problems, probeEntry, vocabulary.probers, "kinds of probe", inherited);
    if (!entry) return undefined;
    const kind = ownEntry(vocabulary.probers, entry.common.kind);
    const configured = kind && probe(name, entry.common, entry.settings, factsOf(kind, entry.understood));
    if (configured) checkHold(configured, path, problems);
    return configured;
  });
  const components = written.map((component) => withRole(component, probes, vocabulary));
  const control = readControl(file, problems, vocabulary);
  const rules = readList(file, "monitoring_rules", (value, path) => readRule(value, path, problems));
  const channels = readMap(file, "channels", problems, (name, value, path): ConfiguredChannel | undefined => {
    const entry = readKinded(value, path, problems, channelEntry, vocabulary.channels, "kinds of channel");
    if (!entry) return undefined;
    const { kind, audience, may_act: mayAct, per_minute: perMinute } = entry.common;
    return { name, kind, settings: entry.settings, ...given({ audience, mayAct, perMinute }) };
  });
  const routes = readList(file, "routes", (value, path) => readRoute(value, path, problems));
  const templates = readList(file, "templates", (value, path): Template | undefined => {
    const entry = inspect(templateEntry, value, path, problems);
    return entry && given(entry);
  });
  const planned = readList(file, "maintenance", (value, path) => inspect(maintenanceEntry, value, path, problems));
  if (!top) return undefined;
  const maintenance = planned.map((entry) => maintenanceWindow(entry, top.timezone));
  return {
    environment: top.environment,
    title: top.title ?? top.environment,
    timezone: top.timezone,
    ...(top.google_cloud
      ? { googleCloud: { project: top.google_cloud.project, ...given({ region: top.google_cloud.region }) } }
      : {}),
    components,
    probes,
    ...(control === undefined ? {} : { control }),
    rules,
    baselines: Object.entries(top.baselines).map(([metric, expectation]) => ({ metric, expectation })),
    ...(top.capacity ? { capacity: capacityOf(top.capacity) } : {}),
    recovery: { stages: top.recovery.stages, ...given({ reopenWithinMs: top.recovery.reopen_within }) },
    channels,
    routes,
    ...(maintenance.length === 0 ? {} : { maintenance }),
    ...(templates.length === 0 ? {} : { templates }),
    ...given({ incidentUrl: top.incident_url }),
    ...given({ watchdog: watchdogOf(top.watchdog), export: top.export === "off" ? false : top.export }),
    availability: top.availability,
  };
}

function readMap<T>(
  file: Entries,
  section: string,
  problems: Problems,
  read: (name: string, value: unknown, path: Path) => T | undefined,
): T[] {
  const entries = ownEntry(file, section);
  if (!isMap(entries)) return [];
  return Object.entries(entries).flatMap(([name, value]) => {
    const path = [section, name];
    const named = entryName().safeParse(name);
    if (!named.success) problems.error({ path, part: "key" }, { message: named.error.issues[0]?.message ?? "" });
    return read(name, value, path) ?? [];
  });
}

function readList<T>(file: Entries, section: string, read: (value: unknown, path: Path) => T | undefined): T[] {
  const entries = ownEntry(file, section);
  return Array.isArray(entries) ? entries.flatMap((value, index) => read(value, [section, index]) ?? []) : [];
}

function readComponent(name: string, value: unknown, path: Path, problems: Problems): Component | undefined {
  if (name === "unknown")
    problems.error({ path, part: "key" }, { message: `"unknown" means that no cause was found: choose another name` });
  if (name === monitorComponent.name)
    problems.error(
      { path, part: "key" },
      { message: `"${name}" is the monitor itself, which is there already: choose another name` },
    );
  if (name === drillComponent.name)
    problems.error({ path, part: "key" }, { message: `"${name}" is what fire drills are of: choose another name` });
  const entry = inspect(componentEntry, value, path, problems);
  if (!entry) return undefined;
  const { title = name, layer, role, depends_on: dependsOn, impact, team } = entry;
  return { name, title, layer, dependsOn, ...given({ role, impact, team }) };
}

/** The component with its role, which follows from the kinds of its probes where the file does not state it. */
function withRole(component: Component, probes: readonly ConfiguredProbe[], { probers }: Vocabulary): Component {
  const stated = component.role === "unknown" ? undefined : component.role;
  const told = probes.flatMap((one) => (one.component === component.name ? [ownEntry(probers, one.kind)?.role] : []));
  return { ...component, role: roleOf(component.layer, stated, told) };
}

/**
 * Defaults for probes from `google_cloud`. Invalid values, which are reported in their own place, are replaced by valid ones, so that probes
 * are not blamed.
 */
function inheritable(googleCloud: unknown): Entries {
  if (googleCloud === undefined) return {};
  const read = googleCloudEntry.safeParse(googleCloud);
  return read.success ? given(read.data) : { project: "a-project", region: "a-region1" };
}

/** Reads an entry whose keys are partly those of its section and partly those of its kind. */
function readKinded<Common extends ChannelEntry>(
  value: unknown,
  path: Path,
  problems: Problems,
  schema: z.ZodType<Common, unknown>,
  kinds: Readonly<Record<string, Kind>>,
  what: string,
  inherited: Entries = {},
): { common: Common; settings: Entries; understood: unknown } | undefined {
  if (!isMap(value)) {
    inspect(schema, value, path, problems);
    return undefined;
  }
  const entry = "kind" in value ? value : named(value, path, problems, kinds, what);
  const shared = keysOf(schema);
  const isShared = ([key]: [string, unknown]): boolean => shared.includes(key);
  const common = inspect(schema, Object.fromEntries(Object.entries(entry).filter(isShared)), path, problems);
  const written = Object.fromEntries(Object.entries(entry).filter((one) => !isShared(one)));
  const name = entry["kind"];
  if (typeof name !== "string" || (name === nameless && !("kind" in value))) return undefined;
  const kind = ownEntry(kinds, name);
  if (!kind) {
    const suggestion = nearest(name, Object.keys(kinds));
    const message = `unknown kind "${name}": ${insteadOf(suggestion, Object.keys(kinds), what)}`;
    problems.error({ path: [...path, "kind"] }, { message, suggestion });
    return undefined;
  }
  const read = keysOf(kind.settings);
  const defaults = Object.entries(inherited).filter(([key]) => read.includes(key));
  const settings = { ...Object.fromEntries(defaults), ...written };
  const understood = inspect(kind.settings, settings, path, problems, shared);
  return common && understood !== undefined ? { common, settings, understood } : undefined;
}

/** The kind of an entry that names none and gives no hint of it. */
const nameless = "";

/** An entry without a kind, which is reported, with the kind that it means: other tools write `type`. */
function named(
  entry: Entries,
  path: Path,
  problems: Problems,
  kinds: Readonly<Record<string, Kind>>,
  what: string,
): Entries {
  const all = Object.keys(kinds);
  const { type, ...others } = entry;
  const kind = typeof type === "string" ? nearest(type, all) : undefined;
  if (kind === undefined) {
    problems.error({ path, part: "key" }, { message: `"kind" is required: the ${what} are ${all.join(", ")}` });
    return { ...entry, kind: nameless };
  }
  const message = `unknown key "type": write kind: ${kind}`;
  problems.error({ path: [...path, "type"], part: "key" }, { message, suggestion: "kind" });
  return { ...others, kind };
}

/** The timeout of a probe without one, in milliseconds, where its schedule leaves as much. */
const defaultTimeoutMs = 10_000;

function probe(name: string, entry: ProbeEntry, settings: Entries, facts: KeptFacts): ConfiguredProbe {
  const { kind, component, vantage, schedule } = entry;
  // Probes of what users touch are critical unless the file says otherwise.
  const severity = entry.severity ?? (facts.reach === "users" ? "critical" : "warning");
  const { holdMs = 0 } = facts;
  const most = entry.severity === undefined || entry.severity === "critical" ? {} : { most: entry.severity };
  return {
    name,
    kind,
    component,
    vantage,
    schedule,
    // Probes that hold a connection answer late, and keep nobody else waiting.
    group: `${groupName(vantage, schedule)}${holdMs === 0 ? "" : "-hold"}`,
    timeoutMs: (entry.timeout ?? Math.min(defaultTimeoutMs, scheduleInterval(schedule) ?? defaultTimeoutMs)) + holdMs,
    ...(entry.recheck === "once" ? {} : { recheck: false }),
    alert: entry.alert === undefined ? { afterMs: entry.alert_after, severity, ...most } : false,
    ...facts,
    settings,
  };
}

/** A connection that is held must be over before the next run begins, whose request would be answered by a second one. */
function checkHold({ holdMs, timeoutMs, schedule }: ConfiguredProbe, path: Path, problems: Problems): void {
  const interval = scheduleInterval(schedule);
  if (holdMs === undefined || interval === undefined || timeoutMs <= interval) return;
  const message = `a run takes up to ${formatDuration(timeoutMs)} with a hold of ${formatDuration(holdMs)}, but the next begins after ${formatDuration(interval)}: write a slower schedule, such as every 15m`;
  problems.error({ path: [...path, "hold"] }, { message });
}

/** The control probes of a file; those of the keys that it leaves out are the default. */
function readControl(file: Entries, problems: Problems, vocabulary: Vocabulary): Configuration["control"] {
  const written = file["control"];
  if (isOff(written)) return undefined;
  const read = (value: unknown, path: Path, vantage: Vantage): ConfiguredProbe | undefined => {
    if (isOff(value)) return undefined;
    const entry = readKinded(value, path, problems, controlEntry, vocabulary.probers, "kinds of probe");
    return entry && controlProbe(entry.common, entry.settings, vantage);
  };
  const outside = defaultControl;
  if (written === undefined) return { outside };
  if (!isMap(written)) {
    problems.error(
      { path: ["control"] },
      { message: "must be a probe, such as { kind: tls, host: example.com }, one each for outside and inside, or off" },
    );
    return undefined;
  }
  if (!("kind" in written)) {
    inspect(controlByVantage, written, ["control"], problems, ["kind"]);
    return given({
      outside: "outside" in written ? read(written["outside"], ["control", "outside"], "outside") : outside,
      inside: "inside" in written ? read(written["inside"], ["control", "inside"], "inside") : undefined,
    });
  }
  const both = read(written, ["control"], "outside");
  return both && { outside: both, inside: { ...both, vantage: "inside" } };
}

function controlProbe(
  { kind, timeout: timeoutMs }: ControlEntry,
  settings: Entries,
  vantage: Vantage,
): ConfiguredProbe {
  const common = { name: "control", component: "pathkeeper", schedule: "every 1m", group: "control" };
  return { ...common, kind, vantage, timeoutMs, alert: false, settings };
}

/**
 * Default control probe from outside: an address of Google's that answers from anywhere on the internet. There is no default from inside,
 * because only the file knows what can be reached without the watched path.
 */
const defaultControl = controlProbe(
  { kind: "http", timeout: 5_000 },
  { url: "https://www.gstatic.com/generate_204", expect: { status: 204 } },
  "outside",
);

function isOff(value: unknown): boolean {
  return value === "off" || value === false;
}

function capacityOf({ services, database, connector }: CapacityEntry): Capacity {
  return {
    services: Object.entries(services).map(([name, { max_instances: maxInstances, pool }]) => {
      return { name, maxInstances, pool };
    }),
    ...(database ? { database: { maxConnections: database.max_connections, reserved: database.reserved } } : {}),
    ...(connector ? { connector } : {}),
  };
}

function watchdogOf(entry: WatchdogEntry | undefined): WatchdogSettings | undefined {
  if (entry === undefined) return undefined;
  const { url, method, every: everyMs, allow_private: allowPrivate } = entry;
  return { url, method, everyMs, allowPrivate };
}

function readRule(value: unknown, path: Path, problems: Problems): Rule | undefined {
  const entry = inspect(ruleEntry, value, path, problems);
  if (!entry) return undefined;
  const { name, component, condition, alert_duration: alertDurationMs, severity } = entry;
  const more = given({
    component,
    clearCondition: entry.clear_condition,
    flapping: entry.flapping === undefined ? undefined : ("off" as const),
    vantages: entry.vantages === "any" ? undefined : entry.vantages,
    signal: entry.signal,
    ...missingOf(entry.missing),
  });
  const missing = (typeof entry.missing === "string" ? entry.missing : entry.missing?.source) ?? "keep";
  const clearDurationMs = entry.clear_duration ?? alertDurationMs;
  return { name, ...more, condition, alertDurationMs, clearDurationMs, severity, missing };
}

/** Policies for single cases of missing data. The word keep applies to all cases and is not the default. */
function missingOf(missing: RuleEntry["missing"]): Pick<Rule, "gone" | "noTraffic"> {
  if (missing === "keep") return { gone: "keep", noTraffic: "keep" };
  if (missing === undefined || typeof missing === "string") return {};
  const { series = "clear", traffic = "clear" } = missing;
  return { gone: series, noTraffic: traffic };
}

function readRoute(value: unknown, path: Path, problems: Problems): Route | undefined {
  const entry = inspect(routeEntry, value, path, problems);
  if (!entry) return undefined;
  const {
    channels,
    severity,
    components,
    layers,
    teams,
    environments,
    events,
    remind_every: remindEveryMs,
    escalate_after: escalateAfterMs,
  } = entry;
  return {
    channels,
    ...given({ severity, components, layers, teams, environments, events, remindEveryMs, escalateAfterMs }),
  };
}

/** The fields that have a value. */
function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function isMap(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
