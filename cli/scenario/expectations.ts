/** Reads what a test expects: every name that it speaks of must be one of its configuration. */
import type { Plan } from "../../functions/evaluate/plan.ts";
import { inspect } from "../../shared/config/file/issues.ts";
import { insteadOf, type Path, type Problems } from "../../shared/config/file/problems.ts";
import { setEntry } from "../../shared/runtime/entries.ts";
import { nearest } from "../../shared/text/nearest.ts";
import {
  type Expectations,
  type ExpectedIncident,
  expectEntry,
  incidentEntry,
  type Moment,
  momentEntry,
} from "./file/format.ts";
import { instantIn } from "./file/times.ts";

/** Returns the expectations of a test; adds invalid ones to the problems. */
export function readExpectations(
  expected: unknown,
  path: Path,
  plan: Plan,
  problems: Problems,
): Expectations | "silence" {
  if (expected === "silence") return expected;
  const read = inspect(expectEntry, expected, path, problems);
  if (!read) return {};
  if (Object.keys(read).length === 0) {
    const message = "a test without expectations cannot fail: write silence, or the expected result";
    problems.error({ path, part: "key" }, { message });
  }
  const names = namesOf(plan, problems);
  for (const [when, alerts] of Object.entries(read.alerts ?? {})) {
    checkInstant(when, [...path, "alerts", when], problems);
    for (const rule of Object.keys(alerts)) names.rule(rule, [...path, "alerts", when, rule], "key");
  }
  for (const channel of Object.keys(read.notifications ?? {})) {
    names.channel(channel, [...path, "notifications", channel], "key");
  }
  for (const [index, { channel }] of (read.suppressed ?? []).entries()) {
    names.channel(channel, [...path, "suppressed", index, "channel"]);
  }
  const { incidents, ...rest } = read;
  if (!Array.isArray(incidents)) return { ...rest, incidents: incidents as number | undefined };
  const listed = incidents.flatMap(
    (one, index) => readIncident(one, [...path, "incidents", index], names, problems) ?? [],
  );
  return { ...rest, incidents: listed };
}

/** Every instant that an expectation names, in milliseconds after the start. */
export function instantsIn(expect: Expectations | "silence"): number[] {
  if (expect === "silence") return [];
  const incidents = typeof expect.incidents === "object" ? expect.incidents : [];
  const keys = [...Object.keys(expect.alerts ?? {}), ...incidents.flatMap(({ moments }) => Object.keys(moments))];
  return keys.map(instantIn).filter((at) => !Number.isNaN(at));
}

function readIncident(
  entry: Readonly<Record<string, unknown>>,
  path: Path,
  names: Names,
  problems: Problems,
): ExpectedIncident | undefined {
  const entries = Object.entries(entry);
  const isMoment = ([key]: [string, unknown]): boolean => /^at\s/.test(key);
  const plain = Object.fromEntries(entries.filter((each) => !isMoment(each)));
  const own = inspect(incidentEntry, plain, path, problems, ["at 12m"]);
  const moments: Record<string, Moment> = {};
  for (const [when, value] of entries.filter(isMoment)) {
    checkInstant(when, [...path, when], problems);
    const moment = inspect(momentEntry, value, [...path, when], problems);
    if (moment) setEntry(moments, when, moment);
    checkCauses(moment, [...path, when], names);
  }
  if (!own) return undefined;
  checkCauses(own, path, names);
  checkCauses({ root_cause: own.not?.root_cause }, [...path, "not"], names);
  for (const [where, members] of [
    [path, own],
    [[...path, "not"], own.not],
  ] as const) {
    for (const [index, name] of (members?.components ?? []).entries())
      names.component(name, [...where, "components", index]);
    for (const [index, rule] of (members?.alerts ?? []).entries()) names.rule(rule, [...where, "alerts", index]);
  }
  if (own.also_broken !== undefined) names.component(own.also_broken, [...path, "also_broken"]);
  return { ...own, moments };
}

function checkCauses(expected: Moment | undefined, path: Path, names: Names): void {
  const cause = expected?.root_cause;
  for (const name of typeof cause === "string" ? [cause] : (cause ?? [])) {
    if (name !== "unknown") names.component(name, [...path, "root_cause"]);
  }
}

function checkInstant(when: string, path: Path, problems: Problems): void {
  if (Number.isNaN(instantIn(when))) {
    problems.error({ path, part: "key" }, { message: `invalid instant "${when}": write at 12m` });
  }
}

type Check = (name: string, path: Path, part?: "key" | "value") => void;
type Names = Readonly<Record<"rule" | "channel" | "component", Check>>;

function namesOf({ configuration, rulesByName }: Plan, problems: Problems): Names {
  const check =
    (what: string, names: readonly string[]): Check =>
    (name, path, part = "value") => {
      if (names.includes(name)) return;
      const suggestion = nearest(name, names);
      const message = `there is no ${what} "${name}": ${insteadOf(suggestion, names, `${what}s`)}`;
      problems.error({ path, part }, { message, suggestion });
    };
  return {
    rule: check("rule", [...rulesByName.keys()]),
    channel: check(
      "channel",
      configuration.channels.map(({ name }) => name),
    ),
    // The last is the monitor's own part, which no configuration names.
    component: check("component", [...configuration.components.map(({ name }) => name), "pathkeeper"]),
  };
}
