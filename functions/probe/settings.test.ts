/** Typical invalid settings of every kind, and their error messages. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../shared/config/load.ts";
import { vocabulary } from "../../shared/config/testdata/vocabulary.ts";
import { metricNames } from "../../shared/metrics/catalogue.ts";
import { probers } from "./probers/index.ts";

const folder = new URL("./testdata/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.startsWith("invalid-"));

describe("invalid settings are reported with the place of each mistake", () => {
  // One mistake per probe. Each file ends with the expected messages, as comments below `# Problems:`. Values that depend on the registry
  // and the catalogue are filled in.
  it.each(files)("%s", (name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    const expected = text
      .split("# Problems:\n")[1]
      ?.trimEnd()
      .replace("${kinds}", Object.keys(probers).join(", "))
      .replace("${metrics}", String(metricNames.length))
      .split("\n");
    const loaded = loadConfiguration(text, name, { ...vocabulary, probers });
    const problems = "problems" in loaded ? loaded.problems : [];
    expect(problems.map(({ line, column, message }) => `# ${line}:${column} ${message}`)).toEqual(expected);
  });

  it("for every kind", () => {
    const texts = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("");
    const own = (kind: string): string => readFileSync(new URL(`./probers/${kind}.test.ts`, import.meta.url), "utf8");
    const uncovered = Object.keys(probers).filter(
      (kind) => !texts.includes(`kind: ${kind},`) && !own(kind).includes("settings.safeParse("),
    );
    expect(uncovered).toEqual([]);
  });
});
