import { describe, expect, it } from "vitest";
import { counted, table } from "./terminal.ts";

describe("a table", () => {
  it("gives every column the width of its widest cell, and no line blanks at its end", () => {
    expect(
      table([
        ["a", "bcd", "e"],
        ["abc", "b", ""],
      ]),
    ).toEqual(["  a    bcd  e", "  abc  b"]);
  });

  it("does not count colours as width", () => {
    expect(
      table(
        [
          ["\u001b[31mab\u001b[39m", "c"],
          ["abc", "d"],
        ],
        "",
      ),
    ).toEqual(["\u001b[31mab\u001b[39m   c", "abc  d"]);
  });
});

it.each([
  [0, "0 probes"],
  [1, "1 probe"],
  [2, "2 probes"],
])("counts %d", (count, text) => {
  expect(counted(count, "probe")).toBe(text);
});
