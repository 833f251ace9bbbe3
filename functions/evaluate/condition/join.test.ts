import { describe, expect, it } from "vitest";
import { agreedLabels, rowsOf, type Selection } from "./join.ts";
import type { Series } from "./series.ts";

type Labels = Readonly<Record<string, string>>;

function selection(metric: string, pinned: Labels = {}): Selection {
  const matchers = Object.entries(pinned).map(([label, value]) => ({
    label,
    operator: "=" as const,
    value,
    start: 0,
    end: 0,
  }));
  return { metric, matchers, pinned };
}

/** The rows of several metrics, each series by the values of its labels: `p1/dns`. */
function rows(selections: readonly Selection[], found: Readonly<Record<string, readonly Labels[]>>): string[] {
  const source = {
    select: (metric: string): Series[] =>
      (found[metric] ?? []).map((labels) => ({ metric, labels, times: [], values: [], staleAfterMs: 0 })),
  };
  return rowsOf(selections, source).map((row) =>
    row.map((series) => (series === undefined ? "-" : Object.values(series.labels).join("/"))).join(" "),
  );
}

const p1 = { probe: "p1" };
const p2 = { probe: "p2" };
const p3 = { probe: "p3" };

describe("rowsOf", () => {
  it.each<[string, readonly Selection[], Record<string, readonly Labels[]>, string[]]>([
    ["one metric", [selection("a")], { a: [p1, p2] }, ["p1", "p2"]],
    ["the same probes", [selection("a"), selection("b")], { a: [p1, p2], b: [p2, p1] }, ["p1 p1", "p2 p2"]],
    [
      "some probes in common",
      [selection("a"), selection("b")],
      { a: [p1, p2], b: [p2, p3] },
      ["p1 -", "p2 p2", "- p3"],
    ],
    ["no probe in common", [selection("a"), selection("b")], { a: [p1], b: [p2, p3] }, ["p1 p2", "p1 p3"]],
    ["nothing on the left", [selection("a"), selection("b")], { b: [p2, p3] }, ["- p2", "- p3"]],
    ["nothing on the right", [selection("a"), selection("b")], { a: [p1] }, ["p1 -"]],
    [
      "labels of their own decide within a probe",
      [selection("a"), selection("b")],
      {
        a: [
          { ...p1, phase: "dns" },
          { ...p1, phase: "tls" },
        ],
        b: [{ ...p1, phase: "tls" }],
      },
      ["p1/dns -", "p1/tls p1/tls"],
    ],
    [
      "labels of their own decide between probes",
      [selection("a"), selection("b")],
      {
        a: [
          { ...p1, phase: "dns" },
          { ...p1, phase: "tls" },
        ],
        b: [{ ...p2, phase: "tls" }],
      },
      ["p1/dns -", "p1/tls p2/tls"],
    ],
    [
      "a label of one side only joins with all",
      [selection("a"), selection("b")],
      {
        a: [
          { ...p1, phase: "dns" },
          { ...p1, phase: "tls" },
        ],
        b: [p1],
      },
      ["p1/dns p1", "p1/tls p1"],
    ],
    [
      "a label that both sides pin is left out",
      [selection("a", { phase: "dns" }), selection("a", { phase: "tls" })],
      {
        a: [
          { ...p1, phase: "dns" },
          { ...p1, phase: "tls" },
          { ...p2, phase: "tls" },
        ],
      },
      ["p1/dns p1/tls", "- p2/tls"],
    ],
    [
      "two vantage points are two probes",
      [selection("a", { vantage: "inside" }), selection("a", { vantage: "outside" })],
      {
        a: [
          { ...p1, vantage: "inside" },
          { ...p2, vantage: "outside" },
        ],
      },
      ["p1/inside p2/outside"],
    ],
    ["two probes that are both pinned", [selection("a", p1), selection("a", p2)], { a: [p1, p2, p3] }, ["p1 p2"]],
    [
      "three metrics",
      [selection("a"), selection("b"), selection("c")],
      { a: [p1, p2], b: [p1], c: [p1, p2] },
      ["p1 p1 p1", "p2 - p2"],
    ],
  ])("%s", (_, selections, found, expected) => {
    expect(rows(selections, found)).toEqual(expected);
  });
});

describe("agreedLabels", () => {
  it("is the union without conflicting labels", () => {
    const row = [{ labels: { a: "1", b: "2" } }, undefined, { labels: { b: "3", c: "4" } }, { labels: { b: "2" } }];
    expect(agreedLabels(row)).toEqual({ a: "1", c: "4" });
    expect(agreedLabels([])).toEqual({});
  });

  it("accepts any name", () => {
    expect(agreedLabels([{ labels: { constructor: "x" } }])).toEqual({ constructor: "x" });
  });
});
