import { describe, expect, it } from "vitest";
import { badBefore, changeShare, type Flapping, flappingAfter, type Results, withResult } from "./flapping.ts";

/** The share after each result of a line such as `bggb`, oldest first. */
function shares(line: string): number[] {
  let results: Results = 0;
  return [...line].map((letter) => {
    results = withResult(results, letter === "b" ? 1 : 0);
    return Math.round(changeShare(results) * 10) / 10;
  });
}

/** At which results, counted from 1, it begins and ends to flap. */
function turns(line: string): string[] {
  let results: Results = 0;
  let flapping: Flapping | undefined;
  return [...line].flatMap((letter, index) => {
    results = withResult(results, letter === "b" ? 1 : 0);
    const before = flapping;
    flapping = flappingAfter(results, index + 1, before);
    if (flapping && !before) return [`begins at ${index + 1} with ${flapping.changes} changes`];
    return before && !flapping ? [`ends at ${index + 1} after ${before.changes} changes`] : [];
  });
}

describe("the share of change", () => {
  // The changes are at the positions of the example in Icinga's documentation: 21 results, 8 changes, 39.1 %.
  it("is 39.1 % for the sequence of the documentation", () => {
    expect(shares("bbbgbgbbbbggggbbbgggb").at(-1)).toBe(39.1);
  });

  it.each([
    ["of nothing but good", "ggggggggggggggggggggg", 0],
    ["of nothing but bad, once the beginning is forgotten", "bbbbbbbbbbbbbbbbbbbbb", 0],
    ["of one change, new", "ggggb", 5.9],
    ["of one change, as old as can be", "bbbbbbbbbbbbbbbbbbbb", 4],
    ["of 20 changes", "gbgbgbgbgbgbgbgbgbgbg", 99],
  ])("%s", (_, line, expected) => {
    expect(shares(line).at(-1)).toBe(expected);
  });
});

describe("flapping", () => {
  it.each([
    ["alternating results, from the 6th on", "bgbgbgbgbg", ["begins at 6 with 6 changes"]],
    ["five changes do not suffice", "bgbgbbbbbbbbbbbbbbbbb", []],
    [
      "it ends below 25 %, not at 30 %",
      `bgbgbg${"g".repeat(20)}`,
      ["begins at 6 with 6 changes", "ends at 21 after 6 changes"],
    ],
    [
      "a change meanwhile is counted",
      `bgbgbgb${"b".repeat(30)}`,
      ["begins at 6 with 6 changes", "ends at 22 after 7 changes"],
    ],
    ["three good, three bad", "bbbgggbbbgggbbbgggbbb", ["begins at 16 with 6 changes"]],
  ])("%s", (_, line, expected) => {
    expect(turns(line)).toEqual(expected);
  });
});

it.each([
  ["gggb", 0],
  ["bggbb", 1],
  ["bgbgbbgbbb", 4],
  ["bbbb", 0],
  ["bgggggggggggggggggggggb", 0],
])("of %s, the results before the newest bad ones were bad %i times", (line, expected) => {
  let results: Results = 0;
  for (const letter of line) results = withResult(results, letter === "b" ? 1 : 0);
  expect(badBefore(results)).toBe(expected);
});
