import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unitSuffixes } from "../../../shared/text/units.ts";
import { compileCondition } from "./condition.ts";
import { functionNames } from "./functions/functions.ts";

const page = readFileSync(new URL("../../../docs/conditions.md", import.meta.url), "utf8");
const [, block = ""] = /```condition\n(.*?)```/s.exec(page) ?? [];
const examples = block.trim().split("\n");

describe("docs/conditions.md", () => {
  it("has five examples", () => {
    expect(examples).toHaveLength(5);
  });

  it.each(examples)("its example %s is right", (example) => {
    expect(compileCondition(example, { windowMs: 0 }).text).toBe(example);
  });

  it.each(functionNames.filter((name) => !/\d/.test(name)))("explains %s", (name) => {
    expect(page).toContain(`\`${name}(m, `);
  });

  it.each(unitSuffixes)("names the unit %s", (suffix) => {
    expect(page).toContain(`\`${suffix}\``);
  });
});
