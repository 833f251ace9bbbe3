import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { patches } from "./patches.ts";
import { planted } from "./plant.ts";

const root = join(import.meta.dirname, "../../..");

it.each(patches)("$name still applies", (patch) => {
  const text = readFileSync(join(root, patch.file), "utf8");
  expect(planted(text, patch)).not.toBe(text);
});

it("are at least thirty, with distinct names", () => {
  expect(new Set(patches.map(({ name }) => name)).size).toBe(patches.length);
  expect(patches.length).toBeGreaterThanOrEqual(30);
});

it("throws if a patch does not apply", () => {
  const patch = { name: "x", description: "", file: "x.ts", find: "one", put: "two" };
  expect(() => planted("nothing", patch)).toThrow("does not apply any more");
  expect(() => planted("one and one", patch)).toThrow("2 times");
  const both = { ...patch, also: [{ find: "three", put: "four" }] };
  expect(planted("one and three", both)).toBe("two and four");
  expect(() => planted("one", both)).toThrow("0 times");
});
