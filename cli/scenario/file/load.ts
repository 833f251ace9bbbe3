/** Loads a file of whole-path tests: everything checked, every problem reported at once with line and column. */
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import type { z } from "zod";
import { namedMetric, nearestMetric } from "../../../functions/evaluate/condition/names.ts";
import { type Plan, planOf } from "../../../functions/evaluate/plan.ts";
import { inspect } from "../../../shared/config/file/issues.ts";
import { insteadOf, type Path, type Problem, type Problems } from "../../../shared/config/file/problems.ts";
import { readSource, type Source } from "../../../shared/config/file/source.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { keysOf } from "../../../shared/config/schema.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { nearest } from "../../../shared/text/nearest.ts";
import { configurationOf } from "../../configuration.ts";
import type { Phase, ScheduledAction } from "../effect.ts";
import { instantsIn, readExpectations } from "../expectations.ts";
import { type Mark, outcomesOf, type Point, valuesOf } from "../series.ts";
import { actionOf, effectOf } from "../statement.ts";
import { type Expectations, fileEntry, type TestFile, testEntry } from "./format.ts";
import { changedConfiguration, type Override } from "./merged.ts";
import { timeOf } from "./times.ts";
import { Misunderstood, quantityOf } from "./tokens.ts";

/** One test, ready to be played. */
export interface Scenario {
  readonly name: string;
  /** Source that reported such an outage. */
  readonly source?: string | undefined;
  readonly plan: Plan;
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Milliseconds after the start. */
  readonly until: number;
  readonly phases: readonly Phase[];
  readonly actions: readonly ScheduledAction[];
  readonly outcomes: ReadonlyMap<string, readonly Point<Mark>[]>;
  readonly values: readonly SeriesOfValues[];
  /** The time between points of a series; without it a point is a run. */
  readonly interval: number | undefined;
  readonly healthy: Readonly<Record<string, number>>;
  readonly expect: Expectations | "silence";
}

/** Exact values of a metric. */
export interface SeriesOfValues {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly Point<number | undefined>[];
}

/** The tests of a file, or all that is wrong with it. `text` is the file's, for showing where. */
export type LoadedTests =
  | { readonly scenarios: readonly Scenario[]; readonly text: string }
  | { readonly problems: readonly Problem[]; readonly text: string; readonly texts: ReadonlyMap<string, string> };

/** When tests begin that do not say: noon of the day of the outage for which all of this exists. */
const usualStart = "2025-09-16T12:00:00Z";
/** Duration of a test after the last instant that it contains. */
const settling = 30 * 60_000;
const longestTest = 92 * 86_400_000;

/**
 * Loads a file of tests.
 * @param text of the file
 * @param file its path
 */
export async function loadTests(text: string, file: string): Promise<LoadedTests> {
  const source = readSource(text, file);
  const reader = new Reader(source, text, file);
  const scenarios = await reader.read();
  const problems = [...reader.foreign, ...source.found().problems];
  return problems.length === 0 ? { scenarios, text } : { problems, text, texts: reader.texts };
}

class Reader {
  /** Problems of the configuration file, which stand in another file. */
  readonly foreign: Problem[] = [];
  readonly texts: Map<string, string> = new Map();
  readonly #source: Source;
  readonly #problems: Problems;
  readonly #file: string;
  #base: unknown;

  constructor(source: Source, text: string, file: string) {
    this.#source = source;
    this.#problems = source.problems;
    this.#file = file;
    this.texts.set(file, text);
  }

  async read(): Promise<Scenario[]> {
    const { data } = this.#source;
    if (this.#source.found().problems.length > 0) return [];
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      this.#problems.error({ path: [] }, { message: "the file must be a map: begin with config: PATH and tests:" });
      return [];
    }
    const top = inspect(fileEntry, data, [], this.#problems);
    if (!top) return [];
    const configuration = await this.#configuration(top);
    if (!configuration) return [];
    const plan = planOf(configuration);
    const healthy = this.#healthy(top);
    const names = new Set<string>();
    return top.tests.flatMap((entry, index) => {
      const scenario = this.#test(entry, ["tests", index], top, plan, healthy);
      if (scenario === undefined) return [];
      if (names.has(scenario.name)) {
        this.#problems.error(
          { path: ["tests", index, "name"] },
          { message: "duplicate test name: choose another name" },
        );
      }
      names.add(scenario.name);
      return [scenario];
    });
  }

  /** The configuration of the file with its changes. Problems are shown where they stand. */
  async #configuration({
    config = "monitor.yaml",
    override,
  }: Omit<TestFile, "tests">): Promise<Configuration | undefined> {
    this.#base = config;
    if (typeof config === "string") {
      const path = isAbsolute(config) ? config : relative(".", join(dirname(this.#file), config));
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) {
        const message = `configuration ${path} not found: set config to its path, relative to this file`;
        this.#problems.error({ path: ["config"] }, { message });
        return undefined;
      }
      const { text, loaded } = configurationOf(bytes, path);
      this.texts.set(path, text);
      // Also where it is changed: a mistake of its own is shown in its own file.
      if ("problems" in loaded) {
        this.foreign.push(...loaded.problems);
        return undefined;
      }
      this.#base = readSource(text, path).data;
      if (override === undefined) return loaded.configuration;
    }
    return changedConfiguration(this.#base, overridesOf(override), this.#problems);
  }

  #healthy({ healthy }: Pick<TestFile, "healthy">): Record<string, number> {
    return Object.fromEntries(
      Object.entries(healthy).flatMap(([name, value]) => {
        const metric = namedMetric(name);
        if (metric === undefined) return this.#noMetric(name, ["healthy", name]);
        const written = String(value);
        const read = this.#understood(["healthy", name], () =>
          quantityOf(written, name, metric.unit, { start: 0, end: written.length }),
        );
        return read === undefined ? [] : [[metric.metric, read] as const];
      }),
    );
  }

  #test(
    entry: unknown,
    path: Path,
    file: Omit<TestFile, "tests">,
    common: Plan,
    healthy: Readonly<Record<string, number>>,
  ): Scenario | undefined {
    const test = inspect(testEntry, entry, path, this.#problems) ?? withoutStrangers(testEntry, entry);
    if (!test) return undefined;
    let plan = common;
    if (test.override !== undefined) {
      const overrides = [...overridesOf(file.override), { change: test.override, path: [...path, "override"] }];
      const configuration = changedConfiguration(this.#base, overrides, this.#problems);
      if (!configuration) return undefined;
      plan = planOf(configuration);
    }
    const { configuration } = plan;
    const phases: Phase[] = [];
    const actions: ScheduledAction[] = [];
    for (const [when, sentences] of Object.entries(test.timeline)) {
      this.#happening(when, sentences, [...path, "timeline", when], configuration, phases, actions);
    }
    const outcomes = new Map<string, Point<Mark>[]>();
    const values: SeriesOfValues[] = [];
    for (const [name, points] of Object.entries(test.series)) {
      this.#series(name, points, [...path, "series", name], configuration, outcomes, values);
    }
    const expect = readExpectations(test.expect, [...path, "expect"], plan, this.#problems);
    const last = Math.max(
      0,
      ...phases.flatMap(({ from, to }) => (Number.isFinite(to) ? [from, to] : [from])),
      ...actions.map(({ at }) => at),
      ...[...outcomes.values(), ...values.map(({ points }) => points)].map(
        (points) => points.length * (file.interval ?? 60_000),
      ),
      ...instantsIn(expect),
    );
    const until = test.until ?? last + settling;
    if (until > longestTest) {
      this.#problems.error({ path: [...path, "until"] }, { message: "a test lasts at most 92d" });
    }
    const { name, source } = test;
    const start = Date.parse(file.start ?? usualStart);
    return {
      name,
      source,
      plan,
      start,
      until,
      phases,
      actions,
      outcomes,
      values,
      interval: file.interval,
      healthy,
      expect,
    };
  }

  #happening(
    when: string,
    sentences: string | readonly string[],
    path: Path,
    configuration: Configuration,
    phases: Phase[],
    actions: ScheduledAction[],
  ): void {
    const span = timeOf(when);
    if (span === undefined) {
      const message = `invalid time "${when}": write from 10m to 40m, from 10m, or at 12m`;
      this.#problems.error({ path, part: "key" }, { message });
      return;
    }
    if (!("at" in span) && span.to <= span.from) {
      this.#problems.error({ path, part: "key" }, { message: "this phase ends before it begins" });
    }
    const list = typeof sentences === "string" ? [sentences] : sentences;
    for (const [index, text] of list.entries()) {
      const place = typeof sentences === "string" ? path : [...path, index];
      if ("at" in span) {
        const action = this.#understood(place, () => actionOf(text, configuration));
        if (action) actions.push({ at: span.at, action, text });
      } else {
        const effect = this.#understood(place, () => effectOf(text, configuration));
        if (effect) phases.push({ ...span, effect, text });
      }
    }
  }

  #series(
    written: string,
    points: string,
    path: Path,
    { probes, components }: Configuration,
    outcomes: Map<string, Point<Mark>[]>,
    values: SeriesOfValues[],
  ): void {
    const probe = probes.find(({ name }) => name === written);
    if (probe !== undefined) {
      const read = this.#understood(path, () => outcomesOf(points, probe));
      if (read) outcomes.set(written, read);
      return;
    }
    const [, name = "", matchers = ""] = /^([\w-]+)\s*(?:\{(.*)\})?$/.exec(written.trim()) ?? [];
    const metric = namedMetric(name);
    if (metric === undefined) {
      const names = probes.map((one) => one.name);
      const suggestion = nearest(written, names) ?? nearestMetric(name);
      const message = `there is no probe and no metric "${written}": ${insteadOf(suggestion, names, "probes")}`;
      this.#problems.error({ path, part: "key" }, { message, suggestion });
      return;
    }
    const labels: Record<string, string> = { ...metric.matchers };
    for (const [, label = "", value = ""] of matchers.matchAll(/(\w+)\s*=\s*"?([^",]*)"?/g))
      setEntry(labels, label, value);
    const strange = Object.keys(labels).find((label) => !metric.labels.includes(label));
    if (strange !== undefined) {
      const message = `${name} has no label "${strange}": ${insteadOf(nearest(strange, metric.labels), metric.labels, "labels")}`;
      this.#problems.error({ path, part: "key" }, { message });
      return;
    }
    for (const [what, names] of [
      ["probe", probes.map((one) => one.name)],
      ["component", components.map((one) => one.name)],
    ] as const) {
      const given = labels[what];
      if (given === undefined || names.includes(given)) continue;
      const message = `there is no ${what} "${given}": ${insteadOf(nearest(given, names), names, `${what}s`)}`;
      this.#problems.error({ path, part: "key" }, { message });
      return;
    }
    const read = this.#understood(path, () => valuesOf(points, name, metric));
    if (read) values.push({ metric: metric.metric, labels, points: read });
  }

  #noMetric(name: string, path: Path): [] {
    const suggestion = nearestMetric(name);
    const instead = suggestion === undefined ? "they are listed in docs/metrics.md" : `did you mean "${suggestion}"?`;
    this.#problems.error({ path, part: "key" }, { message: `there is no metric "${name}": ${instead}`, suggestion });
    return [];
  }

  /** Returns the result of `read`, or adds a problem at its position in the text. */
  #understood<T>(path: Path, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Misunderstood)) throw error;
      const { message, offset, length, suggestion } = error;
      this.#problems.error({ path, within: { offset, length } }, { message, suggestion });
      return undefined;
    }
  }
}

function overridesOf(override: unknown): Override[] {
  return override === undefined ? [] : [{ change: override, path: ["override"] }];
}

/** Returns an entry without its unknown keys, so that its other problems are also reported. */
function withoutStrangers<T>(schema: z.ZodType<T, unknown>, entry: unknown): T | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const known = keysOf(schema);
  return schema.safeParse(Object.fromEntries(Object.entries(entry).filter(([key]) => known.includes(key)))).data;
}
