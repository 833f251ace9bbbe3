/** The outage that the documents tell is the one of the example, when it is played. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadTests } from "../cli/scenario/file/load.ts";
import { judge } from "../cli/scenario/judge.ts";
import { play } from "../cli/scenario/play.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the worked outage", () => {
  const pages = ["docs/root-cause.md", "docs/incidents.md"].map(read).join("\n");
  const shown = [...pages.matchAll(/<!-- played: (\w+) -->\n```\w*\n([\s\S]*?)```/g)];

  it("matches the documents when it is played", async () => {
    const path = join(root, "examples/netra-staging/outage.test.yaml");
    const loaded = await loadTests(readFileSync(path, "utf8"), path);
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    const [scenario] = loaded.scenarios;
    if (scenario === undefined) throw new Error("there is no scenario");
    const played = await play(scenario);
    expect(judge(played)).toEqual([]);
    const [incident] = played.incidents;
    expect(new Set(shown.map(([, field]) => field))).toContain("postmortem");
    expect(shown.length).toBeGreaterThan(6);
    for (const [, field = "", text = ""] of shown) {
      const found = incident?.fields[field];
      if (typeof found === "string") expect(found).toContain(text.trimEnd());
      else expect(found).toEqual(expect.arrayContaining(text.trimEnd().split("\n")));
    }
  });
});
