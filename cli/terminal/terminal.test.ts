import { spawnSync } from "node:child_process";
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

it("ends with one sentence when the output cannot be written", () => {
  const command = ["-c", '"$0" cli/pathkeeper.mjs schema > /dev/full', process.execPath];
  const { status, stderr } = spawnSync("sh", command, { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    1,
    "pathkeeper: cannot write the output: ENOSPC: no space left on device, write\n",
  ]);
});
