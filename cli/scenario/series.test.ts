import { describe, expect, it } from "vitest";
import { namedMetric } from "../../functions/evaluate/condition/names.ts";
import { shopConfiguration } from "./scenario.fixtures.ts";
import { outcomesOf, valuesOf } from "./series.ts";

const database = shopConfiguration.probes.find(({ name }) => name === "database");

/** Outcomes as they are drawn: `.` ok, `X` failing, ` ` no result. */
function drawn(text: string): string {
  return outcomesOf(text, database)
    .map(({ what }) => (what === "ok" ? "." : what === "missing" ? " " : "X"))
    .join("");
}

describe("outcomes", () => {
  it.each([
    ["ok", "."],
    ["ok x3", "..."],
    ["okx3", "..."],
    ["ok x2, fail x3, ok", "..XXX."],
    ["ok fail ok", ".X."],
    ["ok x2 _ x2 fail", "..  X"],
    ["missing, ok", " ."],
  ])("%s", (text, marks) => {
    expect(drawn(text)).toBe(marks);
  });

  it.each([
    ["fail", { kind: "timeout", phase: "connect", message: "no answer within its timeout" }],
    ["fail(query)", { kind: "timeout", phase: "query", message: "no answer within its timeout" }],
    ["fail(authentication auth)", { kind: "auth", phase: "authentication", message: "the login was refused" }],
    [
      'fail(connect, refused, "ECONNREFUSED, twice")',
      { kind: "refused", phase: "connect", message: "ECONNREFUSED, twice" },
    ],
  ])("%s explains the syntax", (text, failure) => {
    expect(outcomesOf(text, database)).toEqual([{ what: failure }]);
  });

  it("are reported at the given delay", () => {
    expect(outcomesOf("ok, fail@+90s, ok@+0s@+2m", database).map(({ delays }) => delays)).toEqual([
      undefined,
      [90_000],
      [0, 120_000],
    ]);
  });

  it.each([
    [
      "ok, nope x3",
      'invalid outcome "nope x3": write ok, fail, fail(connect timeout) or _, each with xN behind it',
      4,
      7,
    ],
    ["fail(connect timout)", 'there is no failure kind "timout": did you mean "timeout"?', 5, 14],
    ["ok@+soon", 'invalid outcome "ok@+soon"', 0, 8],
    ["ok x20001", "the series is longer than 20000 points", 0, 9],
  ])("%s is refused at its position", (text, message, offset, length) => {
    if (text === "ok@+soon") expect(() => outcomesOf(text, database)).toThrow('invalid duration "soon": write @+90s');
    else expect(() => outcomesOf(text, database)).toThrow(expect.objectContaining({ message, offset, length }));
  });
});

const time = namedMetric("database_connection_time");
const share = namedMetric("cloud_sql_pool_utilization");

function seconds(text: string): (number | undefined)[] {
  if (time === undefined) throw new Error("no such metric");
  return valuesOf(text, "database_connection_time", time).map(({ what }) =>
    what === undefined ? undefined : Number(what.toFixed(6)),
  );
}

describe("values, as in promtool", () => {
  it.each<[string, (number | undefined)[]]>([
    ["1x4", [1, 1, 1, 1, 1]],
    ["0.4+0.05x3", [0.4, 0.45, 0.5, 0.55]],
    ["1-2x4", [1, -1, -3, -5, -7]],
    ["-2+4x3", [-2, 2, 6, 10]],
    ["1 _x3 stale", [1, undefined, undefined, undefined, undefined]],
    ["1 _ 27s 250ms", [1, undefined, 27, 0.25]],
    ["1s+500msx2", [1, 1.5, 2]],
  ])("%s", (text, values) => {
    expect(seconds(text)).toEqual(values);
  });

  it("have the unit of their metric", () => {
    if (share === undefined) throw new Error("no such metric");
    expect(valuesOf("40%+10%x2 0.9", "cloud_sql_pool_utilization", share).map(({ what }) => what)).toEqual([
      0.4,
      expect.closeTo(0.5),
      expect.closeTo(0.6),
      0.9,
    ]);
    expect(() => valuesOf("27s", "cloud_sql_pool_utilization", share)).toThrow(
      "cloud_sql_pool_utilization is a ratio and 27s is a time: write one such as 93%",
    );
  });

  it.each([
    ["1 two 3", 2, 3],
    ["1x", 0, 2],
  ])("%s is refused at its position", (text, offset, length) => {
    expect(() => seconds(text)).toThrow(expect.objectContaining({ offset, length }));
  });
});
