/** Tests docs/testing.md: its example plays as described, and every sentence in its tables is parsed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { run } from "../cli/local-probes.fixtures.ts";
import { loadTests } from "../cli/scenario/file/load.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = readFileSync(join(root, "docs/testing.md"), "utf8");
const blocks = [...page.matchAll(/```(?:yaml)?\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
const block = (begins: string | RegExp): string => {
  const found = blocks.find((text) => (typeof begins === "string" ? text.startsWith(begins) : begins.test(text)));
  if (found === undefined) throw new Error(`the page has no block that begins with ${begins}`);
  return found;
};
const [, shop = ""] =
  /```yaml\n(environment: shop\n[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];

/** Plays a text as `shop.test.yaml` next to the shop of the README. @returns the lines printed */
async function played(text: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-testing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "monitor.yaml"), shop);
  writeFileSync(join(folder, "shop.test.yaml"), text);
  const { out } = await run("test", join(folder, "shop.test.yaml"));
  return out
    .slice(1)
    .flatMap((lines) => lines.split("\n"))
    .filter((line) => line.trim() !== "");
}

/** Returns the code in the first column of the table under a heading. */
function sentences(after: string): string[] {
  const [, table = ""] = page.split(after);
  const rows = table
    .slice(table.indexOf("|---|"), table.indexOf("\n\n", table.indexOf("|---|")))
    .split("\n")
    .slice(1);
  return rows.flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code));
}

describe("the example", () => {
  const example = block("config: monitor.yaml\ntests:");

  it("passes, and prints what the page shows", async () => {
    const shown = block("$ npx --no pathkeeper test shop.test.yaml")
      .split("\n")
      .filter((line) => line.trim() !== "");
    expect(await played(example)).toEqual(shown.slice(2));
  });

  it("reports the actual result, as the page shows", async () => {
    const shown = block(/^ {2}✗/)
      .trimEnd()
      .split("\n");
    const out = await played(example.replace("root_cause: database", "root_cause: shop"));
    expect(out.slice(0, shown.length)).toEqual(shown);
  });
});

describe("every sentence of the page is parsed", () => {
  const override = {
    probes: { "connector-settings": { kind: "http", component: "vpc-connector", url: "https://example.com/settings" } },
  };
  const config = join(root, "examples/netra-staging/monitor.yaml");
  const problemsOf = async (timeline: object): Promise<unknown> => {
    const text = stringify({
      config: "monitor.yaml",
      override,
      tests: [{ name: "A sentence", timeline, expect: "silence" }],
    });
    const loaded = await loadTests(text, join(dirname(config), "page.test.yaml"));
    return "problems" in loaded ? loaded.problems.map(({ message }) => message) : [];
  };

  it.each(sentences("## The timeline").filter((sentence) => !sentence.includes("…")))("%s", async (sentence) => {
    expect(await problemsOf({ "from 10m to 20m": sentence })).toEqual([]);
  });

  it.each(sentences("`at 12m` is an instant").filter((sentence) => !sentence.includes("…")))(
    "at 12m: %s",
    async (sentence) => {
      expect(await problemsOf({ "at 12m": sentence })).toEqual([]);
    },
  );

  it("include all of the tables", () => {
    expect(sentences("## The timeline").length).toBeGreaterThan(20);
    expect(sentences("`at 12m` is an instant").length).toBeGreaterThan(8);
  });
});
