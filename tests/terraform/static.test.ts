import { describe, expect, it } from "vitest";
import { mutations } from "./mutations.ts";
import { providerSchema } from "./schema.ts";
import { moduleFiles, problemsOf } from "./static.ts";

const files = moduleFiles();
const schema = providerSchema();

describe("the module, checked without terraform", () => {
  it("has nothing wrong with it", async () => {
    expect(Object.keys(files).length).toBeGreaterThan(10);
    expect(await problemsOf(files, schema)).toEqual([]);
  });

  it.each(mutations.filter(({ found }) => found !== undefined))("finds $what", async ({ file, from, to, found }) => {
    const text = files[file] ?? "";
    expect(text.split(from)).toHaveLength(2);
    const problems = await problemsOf({ ...files, [file]: text.replace(from, () => to) }, schema);
    expect(problems.join("\n")).toMatch(found ?? /^$/);
  });
});
