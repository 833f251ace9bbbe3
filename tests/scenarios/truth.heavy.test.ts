/** The record of the worked outage is accurate, and the comparison with the reports detects false statements. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests } from "../../cli/scenario/file/load.ts";
import { play } from "../../cli/scenario/play.ts";
import { readIncident, type SymptomRecord } from "../../shared/documents/incident.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { Measured } from "./measured.ts";
import { untruths } from "./truth.ts";

const examples = join(import.meta.dirname, "../../examples/netra-staging");

/** Returns the record of the first incident of a scenario, and the measurements of its probes. */
async function playedOf(path: string, name?: string): Promise<readonly [Fields, Measured]> {
  const loaded = await loadTests(readFileSync(path, "utf8"), path);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  const scenario = loaded.scenarios.find((one) => name === undefined || one.name === name);
  if (scenario === undefined) throw new Error("there is no scenario");
  const reports: Report[] = [];
  const played = await play(scenario, {
    reportArrivals: (report) => {
      reports.push(report);
      return [0];
    },
  });
  return [played.incidents[0]?.fields ?? {}, new Measured(reports, scenario.plan)];
}

/** Returns a record with every matching text changed, including those in lists. */
function withText(fields: Fields, pattern: RegExp, replacement: string): Fields {
  const change = (value: unknown): unknown => {
    if (typeof value === "string") return value.replace(pattern, replacement);
    if (Array.isArray(value)) return value.map(change);
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, change(own)]));
  };
  return change(fields) as Fields;
}

describe("the record of the worked outage", () => {
  let fields: Fields;
  let measured: Measured;

  beforeAll(async () => {
    [fields, measured] = await playedOf(join(examples, "outage.test.yaml"));
  });

  it("is accurate", () => {
    expect(untruths(fields, measured)).toEqual([]);
  });

  it.each<[string, RegExp, string]>([
    ["an instant of a failure", /12:10:00 UTC {2}`database` fails/, "12:11:30 UTC  `database` fails"],
    ["a quoted message", /no answer to the startup message/, "too many clients"],
    ["the end of a failure", /12:40:00 UTC {2}`database` is good again/, "12:39:00 UTC  `database` is good again"],
    ["the value of a rule", /database_connect_burst_success \(20%\)/, "database_connect_burst_success (40%)"],
    ["a duration", /It lasted 35 min 5 s/, "It lasted 53 min"],
    ["the downtime of a component", /\| 30 min \| 6\.94%/, "| 31 min | 6.94%"],
    ["a share of an error budget", /6\.48%/, "6.49%"],
    ["a moment of the postmortem", /\*\*12:12:36\*\*/, "**12:12:37**"],
    ["how often a journey succeeded", /completed 5 of 10 attempts/, "completed 6 of 10 attempts"],
    ["how long a stage took", /passed after \d s/, "passed after 9 s"],
  ])("is reported as false if %s is changed", (_, pattern, replacement) => {
    const changed = withText(fields, pattern, replacement);
    expect(changed).not.toEqual(fields);
    expect(untruths(changed, measured)).not.toEqual([]);
  });
});

describe("the record of intermittent failures", () => {
  let fields: Fields;
  let measured: Measured;

  beforeAll(async () => {
    [fields, measured] = await playedOf(
      join(import.meta.dirname, "recurring.yaml"),
      "Failures come back after their proved recovery",
    );
  });

  it("is accurate", () => {
    expect(untruths(fields, measured)).toEqual([]);
  });

  it.each<[string, RegExp, string]>([
    ["how many runs had failed", /10 of 45 runs/, "11 of 45 runs"],
    ["how many runs there were", /10 of 45 runs/, "10 of 46 runs"],
    ["when a run failed first", /12:30:00 UTC {2}`shop-health` fails/, "12:32:00 UTC  `shop-health` fails"],
    ["the downtime of a component", /\| 40 min \|/, "| 37 min |"],
  ])("is reported as false if %s is changed", (_, pattern, replacement) => {
    const changed = withText(fields, pattern, replacement);
    expect(changed).not.toEqual(fields);
    expect(untruths(changed, measured)).not.toEqual([]);
  });

  it.each([-60_000, 60_000, 14 * 60_000])("is reported as false if it begins %d ms later", (later) => {
    const first = new Date(Number(fields["first_failure_at"]) + later);
    expect(untruths({ ...fields, first_failure_at: first }, measured)).toContainEqual(
      expect.stringMatching(/^the first failure that counted was at 12:30:00/),
    );
  });
});

describe("the record of an outage that relapsed", () => {
  let fields: Fields;
  let measured: Measured;

  beforeAll(async () => {
    [fields, measured] = await playedOf(
      join(import.meta.dirname, "relapses.yaml"),
      "A service that keeps failing briefly after its recovery is one incident",
    );
  });

  it("is accurate", () => {
    expect(untruths(fields, measured)).toEqual([]);
  });

  it.each<[string, RegExp, string]>([
    ["how long it had lasted by an earlier end", /It lasted 14 min 8 s/, "It lasted 24 min 4 s"],
    ["how often it had failed by then", /2 times in total/, "3 times in total"],
    ["how long it lasted in all", /It lasted 35 min 20 s\.$/, "It lasted 1 h 22 min."],
    ["its duration", /^35 min 20 s$/, "1 h 22 min"],
    ["when it failed again", /It failed again, 11 min 56 s after/, "It failed again, 9 min 56 s after"],
    [
      "since when a relapse had failed",
      /7 min after the first failure of this relapse/,
      "24 min after the first failure",
    ],
    [
      "how long a stage of an earlier proof took",
      /12:34:01 UTC {2}(.*) passed after 1 s/,
      "12:34:01 UTC  $1 passed after 9 s",
    ],
    ["how an earlier proof ended", /UTC, resolved after 4 s/, "UTC, regressed after 4 s"],
    ["how often it came back, in the postmortem", /relapsed 4 times/, "relapsed 3 times"],
    ["when it came back last, in the postmortem", /last at 13:25:00 UTC/, "last at 13:05:00 UTC"],
    [
      "how long it lasted, in the postmortem",
      /excluding the time it was resolved, it lasted 35 min 20 s/,
      "excluding the time it was resolved, it lasted 25 min",
    ],
    ["how often its recovery was declared too early", /declared too early 4 times/, "declared too early 3 times"],
  ])("is reported as false if %s is changed", (_, pattern, replacement) => {
    const changed = withText(fields, pattern, replacement);
    expect(changed).not.toEqual(fields);
    expect(untruths(changed, measured)).not.toEqual([]);
  });

  it.each<[string, "failed_at" | "resolved_at" | "reopened_at", number]>([
    ["before it failed again", "failed_at", -60_000],
    ["after it had failed again", "failed_at", 60_000],
    ["after it was over", "resolved_at", 120_000],
    ["after the alert", "reopened_at", 60_000],
  ])("is reported as false if a relapse is moved to an instant %s", (_, field, by) => {
    const { relapses } = readIncident(fields);
    const changed = relapses.map((relapse, index) =>
      index === 1 ? { ...relapse, [field]: new Date(Number(relapse[field]) + by) } : relapse,
    );
    expect(untruths({ ...fields, relapses: changed }, measured)).not.toEqual([]);
  });

  it.each<[string, (entries: SymptomRecord["failures"]) => SymptomRecord["failures"]]>([
    ["is dropped", (entries) => entries.slice(1)],
    ["counts a run too few", ([first, ...others]) => (first ? [{ ...first, count: first.count - 1 }, ...others] : [])],
    ["counts a run twice", ([first, ...others]) => (first ? [{ ...first, count: first.count + 1 }, ...others] : [])],
  ])("is reported as false if the ledger of an earlier period %s", (_, change) => {
    const { symptoms } = readIncident(fields);
    const changed = symptoms.map((symptom) => ({ ...symptom, failures: change(symptom.failures) }));
    expect(untruths({ ...fields, symptoms: changed }, measured)).not.toEqual([]);
  });
});
