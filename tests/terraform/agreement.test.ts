/** The code and the module speak of the same things: variables, topics, collections. Neither names what the other does not have. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expiringCollections, unindexedFields } from "../../shared/indexes.ts";
import { publications, topics } from "../../shared/topology.ts";
import { moduleFiles } from "./static.ts";
import { moduleFolder } from "./terraform.ts";

const root = join(moduleFolder, "..");
const hcl = Object.values(moduleFiles()).join("\n");

/** Every file that ships, by its path. */
const sources = ["functions", "shared"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test|\.contract|fixtures)\.ts$/.test(entry.name))
    .map(({ parentPath, name }) => ({
      path: join(parentPath, name).slice(root.length + 1),
      text: readFileSync(join(parentPath, name), "utf8"),
    })),
);

/** Variables that only one machine sets: the embedded engines, and secrets by hand. */
const ofOneMachine = new Set([
  "PATHKEEPER_STORE",
  "PATHKEEPER_BROKER",
  "PATHKEEPER_METRICS",
  "PATHKEEPER_PAGES",
  "PATHKEEPER_INCIDENT_URL",
  "PATHKEEPER_GOOGLE_API",
  "PATHKEEPER_SECRETS",
  // The prefix, and how the comments write what follows it.
  "PATHKEEPER_SECRET_",
  "PATHKEEPER_SECRET_NAME",
]);
/** What the bundle sets for itself: its configuration lies beside it. */
const ofTheBundle = new Set(["PATHKEEPER_CONFIGURATION"]);

function matches(texts: readonly string[], pattern: RegExp): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([whole, name]) => name ?? whole)));
}

describe("code and module agree", () => {
  it("on the variables of the functions", () => {
    const read = matches(
      sources.map(({ text }) => text),
      /["'`](PATHKEEPER_[A-Z_]+)["'`]/g,
    );
    const set = matches([hcl], /\b(PATHKEEPER_[A-Z_]+)\s*=/g);
    expect(set.size).toBeGreaterThan(4);
    const needed = [...read].filter((name) => !ofOneMachine.has(name) && !ofTheBundle.has(name));
    expect(needed.filter((name) => !set.has(name))).toEqual([]);
    expect([...set].filter((name) => !read.has(name))).toEqual([]);
  });

  it.each(["probe", "evaluate", "notify"] as const)("on the topics that %s publishes to", (name) => {
    const code = sources.filter(({ path }) => path.startsWith(`functions/${name}/`) || path === "shared/shell.ts");
    const used = matches(
      code.map(({ text }) => text),
      /\btopics\.(\w+)/g,
    );
    const published = [...used].map((key) => topics[key as keyof typeof topics]);
    expect(published.filter((topic) => !publications[name].includes(topic))).toEqual([]);
    expect(published).not.toEqual([]);
  });

  it("on the collections that are written for a while only", () => {
    const expiring = sources.filter(({ text }) => /expires_at: new Date\(/.test(text));
    expect(expiring.length).toBeGreaterThan(0);
    expect(Object.values(expiringCollections)).toEqual(Object.keys(expiringCollections).map(() => "expires_at"));
    const collections = matches(
      sources.map(({ text }) => text),
      /(?:[cC]ollection(?:: string)? = |collection: |deliveries = )"(\w+)"/g,
    );
    const named = [...Object.keys(expiringCollections), ...unindexedFields.map(({ collection }) => collection)];
    expect(named.filter((collection) => !collections.has(collection))).toEqual([]);
  });
});
