import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { probers } from "./probers/index.ts";

describe("the contract of probers", () => {
  it.each(Object.keys(probers))("is tested for %s", async (kind) => {
    const test = await readFile(new URL(`probers/${kind}.test.ts`, import.meta.url), "utf8");
    expect(test).toMatch(/proberContract\(\{\s*prober: \w+|settingsContract\(\w+\)/);
  });
});
