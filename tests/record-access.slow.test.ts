/** Uses the compiler to find lookups by external names. It reads the whole repository, which takes seconds. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { describe, expect, it } from "vitest";
import { inheritingAccesses } from "./support/record-access.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Returns whether a file is shipped: tests and their helpers are not. */
const isShipped = (path: string): boolean =>
  !/^(tests|bench)\/|\.(test|contract)\.ts$|fixtures|testdata|^shared\/runtime\/entries\.ts$/.test(path);

describe("external names", () => {
  it("are looked up by ownEntry and set by setEntry, which ignore inherited properties", () => {
    expect(inheritingAccesses(root, isShipped)).toEqual([]);
  }, 120_000);

  it("are found if they are looked up otherwise", () => {
    const text = `
      declare const counts: Readonly<Record<string, number>> | undefined, known: Record<"a" | "b", number>, list: number[];
      declare const name: string, either: "a" | "b", loose: "a" | (string & {}), at: number;
      export const first = counts?.[name] ?? 0;
      export const second = (JSON.parse("{}") as { [name: string]: unknown })[loose];
      export const third = known[name as "a"];
      export const fourth = name in known;
      export function fifth(into: Record<string, number>): void { into[name] = 1; delete into[name]; }
      export function sixth({ [name]: value }: Record<string, number>): number | undefined { return value; }
      export const fine = [known[either], known.a, counts?.["probe"], list[at], counts?.[either], "a" in known];
    `;
    const files = { "/names/tsconfig.json": `{ "compilerOptions": { "strict": true } }`, "/names/names.ts": text };
    expect(inheritingAccesses("/names", () => true, createVirtualFileSystem(files))).toEqual([
      "names.ts:4: counts?.[name]",
      `names.ts:5: (JSON.parse("{}") as { [name: string]: unknown })[loose]`,
      `names.ts:6: known[name as "a"]`,
      "names.ts:7: name in known",
      "names.ts:8: into[name]",
      "names.ts:9: [name]: value",
    ]);
  });
});
