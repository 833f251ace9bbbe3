/** The record of the worked outage is true, and the comparison with the reports finds what is not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests } from "../../cli/scenario/file/load.ts";
import { play } from "../../cli/scenario/play.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { Measured } from "./measured.ts";
import { untruths } from "./truth.ts";

const example = join(import.meta.dirname, "../../examples/netra-staging/outage.test.yaml");

let fields: Fields;
let measured: Measured;

beforeAll(async () => {
  const loaded = await loadTests(readFileSync(example, "utf8"), example);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  const [scenario] = loaded.scenarios;
  if (scenario === undefined) throw new Error("there is no scenario");
  const reports: Report[] = [];
  const played = await play(scenario, {
    reportArrivals: (report) => {
      reports.push(report);
      return [0];
    },
  });
  fields = played.incidents[0]?.fields ?? {};
  measured = new Measured(reports, scenario.plan);
});

describe("the record of the worked outage", () => {
  it("is true", () => {
    expect(untruths(fields, measured)).toEqual([]);
  });

  it.each<[string, RegExp, string]>([
    ["an instant of a failure", /12:10:00 UTC {2}`database` fails/, "12:11:30 UTC  `database` fails"],
    ["a quoted message", /no answer to the startup message/, "too many clients"],
    ["the end of a failure", /12:40:00 UTC {2}`database` is good again/, "12:39:00 UTC  `database` is good again"],
    ["the value of a rule", /database_connect_burst_success \(20%\)/, "database_connect_burst_success (40%)"],
    ["a duration", /It lasted 35 min 6 s/, "It lasted 53 min"],
    ["the downtime of a component", /\| 30 min \| 6\.94%/, "| 31 min | 6.94%"],
    ["a share of an error budget", /6\.48%/, "6.49%"],
    ["a moment of the postmortem", /\*\*12:12:36\*\*/, "**12:12:37**"],
    ["how often a journey succeeded", /in 5 of 10 attempts/, "in 6 of 10 attempts"],
    ["how long a stage took", /passed after \d s/, "passed after 9 s"],
  ])("is found to be false where %s is changed", (_, pattern, replacement) => {
    const change = (value: unknown): unknown =>
      typeof value === "string" ? value.replace(pattern, replacement) : value;
    const changed: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(fields)) {
      changed[name] = Array.isArray(value) ? value.map(change) : change(value);
    }
    expect(changed).not.toEqual(fields);
    expect(untruths(changed as Fields, measured)).not.toEqual([]);
  });
});
