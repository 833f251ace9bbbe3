import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { counted, table } from "./terminal.ts";

describe("a table", () => {
  it("pads every column to its widest cell, without trailing spaces", () => {
    expect(
      table([
        ["a", "bcd", "e"],
        ["abc", "b", ""],
      ]),
    ).toEqual(["  a    bcd  e", "  abc  b"]);
  });

  it("ignores colour codes when it measures width", () => {
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

it("exits with one sentence when the output cannot be written", () => {
  const command = ["-c", '"$0" cli/pathkeeper.mjs schema > /dev/full', process.execPath];
  const { status, stderr } = spawnSync("sh", command, { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    1,
    "pathkeeper: cannot write the output: ENOSPC: no space left on device, write\n",
  ]);
});
