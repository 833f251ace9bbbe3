import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unitSuffixes } from "../../../shared/text/units.ts";
import { compileCondition } from "./condition.ts";
import { functionNames } from "./functions/functions.ts";

const page = readFileSync(new URL("../../../docs/conditions.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```condition\n(.*?)```/gs)].map(([, block = ""]) => block.trim().split("\n"));
const examples = blocks.flat();
/** Functions of expressions, in the first column of their table. */
const [, expressions = ""] = /### Functions of expressions\n(.*?)\n### /s.exec(page) ?? [];
const functions = [...expressions.matchAll(/^\| `(\w+\(.*?\))` \|/gm)].map(([, text = ""]) => text);

describe("docs/conditions.md", () => {
  it("has five examples, and enough functions and units", () => {
    expect(blocks.map((block) => block.length)).toEqual([5, 7]);
    expect(functions).toHaveLength(4);
  });

  it.each(functions)("the function %s is valid", (text) => {
    const limits = ["2", "2%", "2s"].filter((limit) => {
      try {
        return compileCondition(`${text} > ${limit}`, { windowMs: 0 }).text !== "";
      } catch {
        return false;
      }
    });
    expect(limits).not.toEqual([]);
  });

  it.each(examples)("the example %s is valid", (example) => {
    expect(compileCondition(example, { windowMs: 0 }).text).toBe(example);
  });

  it.each(functionNames.filter((name) => !/\d/.test(name)))("explains %s", (name) => {
    expect(page).toContain(`\`${name}(m, `);
  });

  it.each(unitSuffixes)("names the unit %s", (suffix) => {
    expect(page).toContain(`\`${suffix}\``);
  });
});
