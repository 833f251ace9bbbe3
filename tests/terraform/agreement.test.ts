/** The code and the module agree on variables, topics and collections: neither names anything that the other lacks. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { googleReads } from "../../functions/probe/google/permissions.ts";
import { heapFlags } from "../../local/function-process.ts";
import { examinationPermissions } from "../../shared/doctor/permissions.ts";
import { expiringCollections, unindexedFields } from "../../shared/documents/indexes.ts";
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

/** Variables that only one machine sets: for the embedded engines, and secrets set by hand. */
const ofOneMachine = new Set([
  "PATHKEEPER_STORE",
  "PATHKEEPER_BROKER",
  "PATHKEEPER_METRICS",
  "PATHKEEPER_PAGES",
  "PATHKEEPER_INCIDENT_URL",
  "PATHKEEPER_GOOGLE_API",
  "PATHKEEPER_SECRETS",
  // The prefix, and the form in which comments write the rest.
  "PATHKEEPER_SECRET_",
  "PATHKEEPER_SECRET_NAME",
]);
/** Variables that the bundle itself sets, because its configuration is next to it. */
const ofTheBundle = new Set(["PATHKEEPER_CONFIGURATION"]);

/** Roles for calls that do more than read, by the name of the client or host. */
const grants: ReadonlyMap<string, string> = new Map([
  ["@google-cloud/firestore", "roles/datastore.user"],
  ["@google-cloud/pubsub", "roles/pubsub.publisher"],
  ["@google-cloud/monitoring", "roles/monitoring.metricWriter"],
  ["secretmanager.googleapis.com", "roles/secretmanager.secretAccessor"],
  ["storage.googleapis.com", "roles/storage.objectUser"],
  ["sqladmin.googleapis.com", "roles/cloudsql.client"],
]);
/** The code that derives the roles for Cloud SQL connections. */
const deployed = readFileSync(join(root, "cli/deployment/deployment.ts"), "utf8");

function matches(texts: readonly string[], pattern: RegExp): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([whole, name]) => name ?? whole)));
}

it("gives functions the same heap in the cloud and on one machine", () => {
  expect(hcl).toContain(`{ NODE_OPTIONS = "${heapFlags.join(" ")}" }`);
});

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
    const code = sources.filter(
      ({ path }) => path.startsWith(`functions/${name}/`) || path === "shared/runtime/shell.ts",
    );
    const used = matches(
      code.map(({ text }) => text),
      /\btopics\.(\w+)/g,
    );
    const published = [...used].map((key) => topics[key as keyof typeof topics]);
    expect(published.filter((topic) => !publications[name].includes(topic))).toEqual([]);
    expect(published).not.toEqual([]);
  });

  it("on the permissions of every Google API call", () => {
    const clients = matches(
      sources.map(({ text }) => text),
      /import\("(@google-cloud\/[\w-]+)"\)/g,
    );
    const hosts = matches(
      sources.filter(({ path }) => !path.includes("/google/permissions")).map(({ text }) => text),
      /https:\/\/([a-z]+\.googleapis\.com)/g,
    );
    const reads = new Set(Object.values(googleReads).map(({ api }) => api));
    // Names of OAuth scopes, and a webhook whose URL contains a key.
    const needless = ["www.googleapis.com", "chat.googleapis.com"];
    const needed = [...clients, ...hosts].filter(
      (service) => !reads.has(service) && !grants.has(service) && !needless.includes(service),
    );
    expect(needed).toEqual([]);
    expect(hosts.size).toBeGreaterThan(4);
    for (const [service, role] of grants) {
      expect([...clients, ...hosts, "sqladmin.googleapis.com"]).toContain(service);
      expect(`${hcl}${deployed}`).toContain(`"${role}"`);
    }
  });

  it("on the permissions of the drift check", () => {
    const granted = matches([moduleFiles()["drift.tf"] ?? ""], /"([a-z]+\.\w+\.\w+)"/g);
    expect([...granted].sort()).toEqual(examinationPermissions(true));
    // The other collections are read only with status pages.
    expect(examinationPermissions(true)).toEqual([...examinationPermissions(false), "storage.buckets.getIamPolicy"]);
  });

  it("on the collections with expiring documents", () => {
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
