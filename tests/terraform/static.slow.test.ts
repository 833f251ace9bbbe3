import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mutations } from "./mutations.ts";
import { providerSchema } from "./schema.ts";
import { moduleFiles, problemsOf } from "./static.ts";
import { moduleFolder } from "./terraform.ts";

const files = moduleFiles();
const schema = providerSchema();

describe("the module, checked without terraform", () => {
  it("has no errors", async () => {
    expect(Object.keys(files).length).toBeGreaterThan(10);
    expect(await problemsOf(files, schema)).toEqual([]);
  });

  it("documents exactly its variables and outputs in its README", async () => {
    const text = readFileSync(join(moduleFolder, "README.md"), "utf8");
    const [variables = "", outputs = ""] = text.slice(text.indexOf("| variable ")).split("\n\n");
    const rows = (table: string): string[] => [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
    const declared = (kind: string): string[] =>
      [
        ...Object.values(files)
          .join("\n")
          .matchAll(new RegExp(`^${kind} "(\\w+)"`, "gm")),
      ].map(([, name = ""]) => name);
    expect(rows(variables)).toEqual(declared("variable").sort());
    expect(rows(outputs)).toEqual(declared("output").sort());
  });

  it.each(mutations.filter(({ found }) => found !== undefined))("finds $what", async ({ file, from, to, found }) => {
    const text = files[file] ?? "";
    expect(text.split(from)).toHaveLength(2);
    const problems = await problemsOf({ ...files, [file]: text.replace(from, () => to) }, schema);
    expect(problems.join("\n")).toMatch(found ?? /^$/);
  });
});
