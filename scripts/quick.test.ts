import { describe, expect, it } from "vitest";
import { conclusion, script } from "./quick.ts";

const passed = (name: string) => ({ name, code: 0, output: `${name} is content\n` });

describe("the quick loop", () => {
  it("says in one line that all passed", () => {
    expect(conclusion([passed("types"), passed("lint"), passed("tests")])).toEqual({
      lines: ["\ntypes passed, lint passed, tests passed"],
      code: 0,
    });
  });

  it.each([0, 1, 2])("fails with the output of whatever failed alone (%i)", (index) => {
    const ended = ["types", "lint", "tests"].map(passed).with(index, { name: "it", code: 2, output: "a.ts: wrong\n" });
    const { lines, code } = conclusion(ended);
    expect(code).toBe(1);
    expect(lines.slice(0, -1)).toEqual(["\nit:", "a.ts: wrong"]);
    expect(lines.at(-1)).toContain("it FAILED");
  });

  it("does not repeat what stood on the terminal", () => {
    expect(conclusion([{ name: "tests", code: 1, output: "" }])).toEqual({ lines: ["\ntests FAILED"], code: 1 });
  });

  it("fails a script that cannot run, with what was said about it", async () => {
    const ended = await script("no-such-script");
    expect(ended.code).not.toBe(0);
    expect(ended.output).toContain("no-such-script");
  });
});
