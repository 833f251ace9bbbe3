import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { Fields } from "../../../shared/ports.ts";
import type { SeriesName } from "../../measurements/measurements.ts";
import { lineOf } from "../reading.ts";
import { noon, shop } from "../room.fixtures.ts";
import { shadedIn } from "./component-page.ts";
import { type GraphNode, graphSizes, linePath, placed } from "./graph.ts";
import { overviewOf } from "./overview.ts";
import { panelsOf } from "./panels.ts";

const hour = 3_600_000;
const day = 24 * hour;

describe("the overview", () => {
  const shares = (down: number) => ({ up: 0, down, unknown: 0 });
  const of = (days: Readonly<Record<string, { up: number; down: number }>>, incidents: readonly Fields[] = []) =>
    overviewOf({
      configuration: shop,
      incidents: incidents.map((fields, index) => ({ id: String(index), fields })),
      days: Object.fromEntries(
        Object.entries(days).map(([date, known]) => [
          date,
          { components: { api: { ...shares(0), ...known } }, journeys: {} },
        ]),
      ),
      measured: new Map([["website", { line: [0.1, undefined, 0.25], spanMs: hour }]]),
      alerts: new Map([["login", "Login slow"]]),
      now: noon,
    }).components;
  const named = (components: ReturnType<typeof of>, name: string) => components.find((one) => one.name === name);
  const failed = (from: number, until: number): Fields => ({
    status: "resolved",
    affected: [{ component: "api", title: "API", trouble: "failed", from: new Date(from), until: new Date(until) }],
  });
  const half = { up: 12.5 * 3_600, down: 0 };

  it.each<[string, Readonly<Record<string, { up: number; down: number }>>, readonly Fields[], number | undefined]>([
    ["nothing is known", {}, [], undefined],
    ["today is all that is known", { "2025-09-16": { up: 3_600, down: 3_600 } }, [], 0.5],
    [
      "yesterday's failure was within it",
      { "2025-09-16": half, "2025-09-15": { up: 82_800, down: 3_600 } },
      [failed(noon - 20 * hour, noon - 19 * hour)],
      1 - 1 / 24,
    ],
    [
      "yesterday's failure was before it",
      { "2025-09-16": half, "2025-09-15": { up: 82_800, down: 3_600 } },
      [failed(noon - 30 * hour, noon - 29 * hour)],
      1,
    ],
    [
      "yesterday counted less than the incident lasted",
      { "2025-09-16": half, "2025-09-15": { up: 86_040, down: 360 } },
      [failed(noon - 20 * hour, noon - 19 * hour)],
      1 - 0.1 / 24,
    ],
  ])("has the availability of 24 hours if %s", (_, days, incidents, expected) => {
    const { lastDay } = named(of(days, incidents), "api") ?? {};
    if (expected === undefined) expect(lastDay).toBeUndefined();
    else expect(lastDay).toBeCloseTo(expected, 4);
  });

  it("shows the response time of each component, or the firing rule", () => {
    expect(named(of({}), "website")).toMatchObject({ state: "operational", says: "250ms" });
    expect(named(of({}), "login")).toMatchObject({ state: "degraded", says: "Login slow" });
    expect(named(of({}), "cache")).toMatchObject({ state: "unknown", says: "" });
  });

  it("shows the check result of an open incident", () => {
    const symptom = {
      check: "api",
      kind: "probe",
      component: "api",
      since: new Date(noon),
      until: null,
      showed: "`api` fails: 503",
    };
    const incident = { status: "open", components: ["api"], component_states: { api: "fails" }, symptoms: [symptom] };
    expect(named(of({}, [incident]), "api")).toMatchObject({ state: "down", says: "api fails: 503" });
  });
});

describe("the graph", () => {
  const node = (name: string, ...dependsOn: string[]): GraphNode => ({
    name,
    title: name,
    state: "operational",
    says: "",
    dependsOn,
  });
  const many = Array.from({ length: 200 }, (_, index) =>
    node(`c${index}`, ...(index < 7 ? [] : [`c${Math.floor(index / 7)}`])),
  );

  it.each(["wide", "narrow"] as const)(
    "places every component below its dependents, without overlap and within the width: %s",
    (kind) => {
      const size = graphSizes[kind];
      const found = placed([node("a", "b", "c"), node("b", "c"), node("c"), node("d", "missing"), ...many], size);
      const y = new Map(found.map((one) => [one.name, one.y]));
      for (const one of found) {
        expect(one.x).toBeGreaterThanOrEqual(0);
        expect(one.x + size.nodeWidth).toBeLessThanOrEqual(size.width + 0.01);
        for (const needed of one.dependsOn) if (y.has(needed)) expect(y.get(needed) ?? 0).toBeGreaterThan(one.y);
      }
      expect(new Set(found.map((one) => `${one.x} ${one.y}`)).size).toBe(found.length);
    },
  );

  it("terminates on a cycle", () => {
    expect(placed([node("a", "b"), node("b", "a")], graphSizes.wide)).toHaveLength(2);
  });

  it.each<[readonly (number | undefined)[], string]>([
    [[], ""],
    [[undefined, undefined], ""],
    [[0, 1], "M0 96L100 4"],
    [[1, undefined, undefined, 1], "M0 4L100 4"],
    [[1, undefined, undefined, undefined, 1], "M0 4h1M100 4h1"],
  ])("draws %j as %j", (values, expected) => {
    expect(linePath(values)).toBe(expected);
  });

  it("draws a line with the resolution of the measurements", () => {
    const at = [noon - 3 * hour, noon - 2 * hour, noon - hour];
    expect(lineOf({ at, p50: [1, 2, 3], p95: [1, 2, 3] }, noon)).toEqual({ line: [1, 2, 3], spanMs: 3 * hour });
    expect(lineOf({ at: [noon - 3 * day], p50: [1], p95: [1] }, noon).spanMs).toBe(day);
  });
});

describe("the charts of a component", () => {
  const series = (metric: string, labels: SeriesName["labels"] = {}): SeriesName => ({
    component: "api",
    probe: "health",
    metric,
    labels,
  });
  const rule = (name: string, condition: string) => ({
    ...{ name, condition, alertDurationMs: 0, clearDurationMs: 0 },
    ...{ severity: "warning" as const, missing: "keep" as const },
  });
  const limits = (condition: string, ...all: SeriesName[]): number[] =>
    panelsOf({ rules: [rule("R", condition)] }, all).flatMap(({ thresholds }) => thresholds.map(({ value }) => value));

  it.each<[string, SeriesName, number[]]>([
    ["http_response_time > 2s", series("http_response_time"), [2]],
    ["2s < http_response_time", series("http_response_time"), [2]],
    ["avg_http_response_time > 500ms", series("http_response_time"), [0.5]],
    ["p95(http_response_time, 5m) > 1s or http_status >= 500", series("http_response_time"), [1]],
    ['http_response_time{probe="other"} > 2s', series("http_response_time"), []],
    ['http_response_time{probe="health"} > 2s', series("http_response_time"), [2]],
    ["rate(http_response_time, 5m) > 1", series("http_response_time"), []],
    ["http_response_time > 2s", series("http_cold_response_time"), []],
    ["vpc_connector_utilization > 70%", series("vpc_connector_utilization"), [0.7]],
    ["this is no condition", series("http_response_time"), []],
  ])("have the limits of %s", (condition, name, expected) => {
    expect(limits(condition, name)).toEqual(expected);
  });

  it("stack the phases of a duration, and nothing else", () => {
    const phases = ["dns", "connect"].map((phase) => series("http_phase_time", { phase }));
    const stages = ["connect", "login"].map((stage) => series("database_connect_burst_opened", { stage }));
    const panels = panelsOf({ rules: [] }, [...phases, ...stages, series("probe_success"), series("unheard_of")]);
    expect(panels.filter(({ stackedBy }) => stackedBy !== undefined).map(({ metric }) => metric)).toEqual([
      "http_phase_time",
    ]);
    expect(panels.at(-1)?.metric).toBe("probe_success");
    expect(panels.some(({ metric }) => metric === "unheard_of")).toBe(false);
  });

  it("shade only the times in which the component was affected", () => {
    const incident = readIncident({
      title: "Down",
      severity: "critical",
      affected: [
        {
          component: "api",
          title: "API",
          trouble: "failed",
          from: new Date(noon - 2 * hour),
          until: new Date(noon - hour),
        },
      ],
    });
    const listed = [{ id: "i", incident }];
    const shaded = { from: noon - 2 * hour, until: noon - hour, title: "Down", severity: "critical" };
    expect(shadedIn(listed, "api", { from: noon - day, until: noon })).toEqual([shaded]);
    expect(shadedIn(listed, "api", { from: noon - hour / 2, until: noon })).toEqual([]);
    expect(shadedIn(listed, "login", { from: noon - day, until: noon })).toEqual([]);
  });
});
