import { describe, expect, it } from "vitest";
import { recorded, validated } from "../commands/replay.fixtures.ts";
import { readRecord } from "./record.ts";

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const [good, next] = recorded({ pages: ".." }).map((report) => JSON.stringify(report));
const elsewhere = good?.replace('"environment":"shop"', '"environment":"market"') ?? "";

describe("a record", () => {
  it("is ordered by the end of its reports, whatever the order of its lines", async () => {
    const { count, lastAt, reports } = await readRecord(each([next ?? "", "", good ?? ""]), "shop");
    expect([count, new Date(lastAt ?? 0).toISOString()]).toEqual([2, "2025-09-16T12:01:00.400Z"]);
    expect([...reports()].map(({ report }) => report)).toEqual([
      "shop/outside-1m/2025-09-16T12:00:00.000Z",
      "shop/outside-1m/2025-09-16T12:01:00.000Z",
    ]);
  });

  it("skips and counts reports of other environments", async () => {
    expect(await readRecord(each([good ?? "", elsewhere]), "shop")).toMatchObject({ count: 1, foreign: 1 });
  });

  it("detects whether it contains validations", async () => {
    const validation = JSON.stringify(validated(1, "outside", "x/1/1", { pages: "." }));
    expect(await readRecord(each([good ?? ""]), "shop")).toMatchObject({ holdsValidations: false });
    expect(await readRecord(each([good ?? "", validation]), "shop")).toMatchObject({ holdsValidations: true });
  });

  it("may be empty", async () => {
    expect(await readRecord(each([]), "shop")).toMatchObject({ count: 0, lastAt: undefined });
  });

  it.each([
    ["a line cut off", [good, good?.slice(0, 40)], "line 2 is not JSON: "],
    ["another message", [good, "", '{"v":1}'], "line 3 is not a report: report: "],
    ["a wrong field", [good?.replace('"success":true', '"success":1')], "line 1 is not a report: results.0.success: "],
    [
      "only other environments",
      [elsewhere],
      'the configuration is of "shop", and the record holds only reports of other environments: "market"',
    ],
    [
      "a clock that stood on its beginning",
      [good, next?.replaceAll("2025-09-16", "1970-01-01")],
      "lines 2 and 1 are 20347 days apart, with nothing in between: is their clock correct?",
    ],
  ])("is refused for %s", async (_, lines, message) => {
    await expect(readRecord(each(lines.map(String)), "shop")).rejects.toThrow(message);
  });
});
