import { describe, expect, it } from "vitest";
import { Redactor } from "../../../shared/text/redact.ts";
import { openText, type ReportText } from "../text/target-text.ts";
import { extract, extractions } from "./extract.ts";

const opened = (text: ReportText): string => openText(text, new Redactor());

const json = {
  pool: 72,
  text: "93%",
  slow: "1500ms",
  connector: "degraded",
  up: true,
  phases: { 1: 1.2, 2: 800 },
  list: [5, 6],
  nothing: null,
  words: { 1: "soon" },
};

const samples = (settings: unknown): unknown => {
  const [extraction] = extractions().parse([settings]);
  if (!extraction) throw new Error("no extraction");
  const { samples, problem } = extract(extraction, json);
  if (problem !== undefined) return opened(problem);
  return samples.map(({ value, labels = {} }) => [value, ...Object.values(labels).map(opened)]);
};

describe("extraction", () => {
  it.each([
    [{ metric: "cloud_sql_pool_utilization", path: "$.pool", unit: "%" }, [[0.72]]],
    [{ metric: "cloud_sql_pool_utilization", path: "$.text" }, [[0.93]]],
    [{ metric: "database_connection_time", path: "$.slow" }, [[1.5]]],
    [{ metric: "database_connection_time", path: "$.pool", unit: "ms" }, [[0.072]]],
    [{ metric: "vpc_connector_health", path: "$.connector", equals: ["healthy", "ready"] }, [[0]]],
    [{ metric: "vpc_connector_health", path: "$.connector", equals: "degraded" }, [[1]]],
    [{ metric: "vpc_connector_health", path: "$.up" }, [[1]]],
    [{ metric: "smd_phase_duration", path: "$.pool", labels: { phase: "3" } }, [[72, "3"]]],
    [
      { metric: "smd_phase_duration", path: "$.phases", each: "phase" },
      [
        [1.2, "1"],
        [800, "2"],
      ],
    ],
    [
      { metric: "smd_phase_duration", path: "$.list", each: "phase", unit: "ms" },
      [
        [0.005, "1"],
        [0.006, "2"],
      ],
    ],
    [{ metric: "database_connections", path: "$.none", required: false }, []],
    [{ metric: "database_connections", path: "$.nothing", required: false }, []],
    [{ metric: "database_connections", path: "$.none" }, "the body has no $.none to extract database_connections from"],
    [
      { metric: "database_connections", path: "$.connector" },
      '$.connector is "degraded", expected a number for database_connections',
    ],
    [
      { metric: "database_connection_time", path: "$.text" },
      '$.text is "93%", expected a number for database_connection_time',
    ],
    [
      { metric: "smd_phase_duration", path: "$.words", each: "phase" },
      '$.words 1 is "soon", expected a number for smd_phase_duration',
    ],
    [
      { metric: "smd_phase_duration", path: "$.pool", each: "phase" },
      "$.pool is 72, not an object or a list of values",
    ],
  ])("%j", (settings, expected) => {
    expect(samples(settings)).toEqual(expected);
  });

  it("yields no samples if the body is not JSON", () => {
    const [extraction] = extractions().parse([{ metric: "database_connections", path: "$" }]);
    expect(extraction && opened(extract(extraction, undefined).problem ?? "")).toContain("the body has no $");
  });
});
