/** The document of an incident as shown in the console: every field, after a real outage was played end to end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests } from "../cli/scenario/file/load.ts";
import { type PlayedIncident, play } from "../cli/scenario/play.ts";
import { readIncident } from "../shared/documents/incident.ts";
import type { Fields, Store, Value } from "../shared/ports.ts";

const root = join(import.meta.dirname, "..");
const example = join(root, "examples/netra-staging/outage.test.yaml");

let incident: PlayedIncident;
let store: Store;

beforeAll(async () => {
  const loaded = await loadTests(readFileSync(example, "utf8"), example);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  const [scenario] = loaded.scenarios;
  if (scenario === undefined) throw new Error("there is no scenario");
  const { incidents } = await play(scenario, {
    between: (ports) => {
      store = ports.store;
      return ports;
    },
  });
  incident = incidents[0] as PlayedIncident;
});

/** Type of each field's value. */
type Shape = "text" | "share" | "instant" | "sentences" | "names" | "map" | "maps" | "nothing";

/** Every field at the end of the outage: first those of the contract, then those added since. */
const contract: Readonly<Record<string, Shape>> = {
  title: "text",
  status: "text",
  severity: "text",
  priority: "text",
  summary: "text",
  impact: "text",
  root_cause: "text",
  verdict: "text",
  confidence: "share",
  evidence: "sentences",
  whys: "sentences",
  components: "names",
  alerts: "names",
  opened_at: "instant",
  first_failure_at: "instant",
  acknowledged_at: "instant",
  recovering_at: "instant",
  resolved_at: "instant",
  duration: "text",
  timeline: "sentences",
  deliveries: "map",
  postmortem: "text",
  note: "text",
  silenced_until: "nothing",
  problem: "nothing",
};
const added: Readonly<Record<string, Shape>> = {
  _overview: "sentences",
  acknowledged_by: "text",
  candidates: "maps",
  changes: "maps",
  causes: "maps",
  affected: "maps",
  also_broken: "nothing",
  component_states: "map",
  edited_by: "nothing",
  environment: "text",
  findings: "maps",
  log_patterns: "maps",
  next_steps: "sentences",
  opened_by: "text",
  pattern: "text",
  previous: "nothing",
  recovery: "map",
  relapses: "maps",
  root_cause_since: "instant",
  suspected_change: "nothing",
  symptoms: "maps",
  team: "text",
  told: "map",
};

/** Empty fields that operators can fill in. */
const given = ["silenced_until", "edited_by"];

describe("the document of an incident", () => {
  it("has the fields of the contract and those that were added, and no others", () => {
    const known = Object.entries({ ...contract, ...added });
    const said = known.flatMap(([field, shape]) => (shape === "nothing" && !given.includes(field) ? [] : [field]));
    expect(Object.keys(incident.fields).sort()).toEqual(said.sort());
  });

  it.each(Object.entries({ ...contract, ...added }))("has %s as %s", (field, shape) => {
    expect(shapeOf(incident.fields[field] ?? null)).toContain(shape);
  });

  it("is read as written, at every moment", () => {
    const said = (fields: object): object =>
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
    for (const { fields } of incident.versions) expect(said(readIncident(fields))).toEqual(said(fields));
  });

  it("begins with the essentials, and omits what has not happened", () => {
    for (const { fields } of incident.versions) {
      expect(Object.keys(fields).sort()[0]).toBe("_overview");
      for (const line of fields["_overview"] as string[]) expect(line).toMatch(/[.…]$/);
    }
    const [first] = incident.versions;
    const nothing = Object.entries(first?.fields ?? {}).filter(([, value]) => value === null);
    expect(nothing.map(([field]) => field).sort()).toEqual(["edited_by", "silenced_until"]);
  });

  it("has every field explained in docs/incidents.md", () => {
    const page = readFileSync(join(root, "docs/incidents.md"), "utf8");
    const explained = new Set([...page.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
    expect(Object.keys(incident.fields).filter((field) => !explained.has(field))).toEqual([]);
  });

  it("has whole sentences", () => {
    for (const field of ["summary", "impact"]) expect(incident.fields[field]).toMatch(/^["$`A-Z0-9].*\.$/);
    for (const field of ["evidence", "whys", "next_steps"]) {
      for (const line of incident.fields[field] as string[]) expect(line).toMatch(/^["`A-Z].*[.…]$/);
    }
    for (const line of incident.fields["timeline"] as string[]) {
      expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}["`A-Z].*\.$/);
    }
  });

  it("has an id and timeline that sort by time", () => {
    const opened = (incident.fields["opened_at"] as Date).toISOString().replaceAll(/[-:]/g, "");
    expect(incident.id).toBe(`${opened.slice(0, 8)}-${opened.slice(9, 15)}-vpc-connector`);
    const lines = incident.fields["timeline"] as string[];
    expect(lines).toEqual([...lines].sort((a, b) => (a.slice(0, 23) < b.slice(0, 23) ? -1 : a === b ? 0 : 1)));
    expect(lines.at(-1)).toContain("Resolved.");
  });

  it("is found by common filters", async () => {
    const found = async (field: string, operator: "==" | "in", value: Value): Promise<string[]> =>
      (await store.query({ collection: "incidents", where: [[field, operator, value]] })).map(({ id }) => id);
    expect(await found("status", "==", "open")).toEqual([]);
    expect(await found("status", "in", ["resolved", "recovering"])).toEqual([incident.id]);
    expect(await found("root_cause", "==", "vpc-connector")).toEqual([incident.id]);
    expect(await found("severity", "==", "critical")).toEqual([incident.id]);
  });

  it("is open, acknowledged, then recovering, with the instant of each", () => {
    const stood = incident.versions.map(({ fields }) => String(fields["status"]));
    expect(stood.filter((status, index) => status !== stood[index - 1])).toEqual([
      "open",
      "acknowledged",
      "recovering",
      "resolved",
    ]);
    const [first] = incident.versions;
    expect(first?.fields).toMatchObject({
      note: "",
      silenced_until: null,
    });
    for (const later of ["acknowledged_at", "recovering_at", "resolved_at", "duration", "recovery", "postmortem"])
      expect(Object.keys(first?.fields ?? {})).not.toContain(later);
  });

  it("is small: a twentieth of the maximum size", () => {
    expect(Buffer.byteLength(JSON.stringify(incident.fields))).toBeLessThan(2 ** 20 / 20);
  });
});

function shapeOf(value: Value): Shape[] {
  if (value === null) return ["nothing"];
  if (value instanceof Date) return ["instant"];
  if (typeof value === "number") return value >= 0 && value <= 1 ? ["share"] : [];
  if (typeof value === "string") return value === "" ? [] : ["text"];
  if (Array.isArray(value)) return listShape(value);
  return typeof value === "object" && Object.keys(value as Fields).length > 0 ? ["map"] : [];
}

function listShape(items: readonly Value[]): Shape[] {
  const texts = items.filter((item) => typeof item === "string");
  if (items.length > 0 && texts.length === items.length) {
    return texts.every((text) => text.includes(" ")) ? ["sentences", "names"] : ["names"];
  }
  return items.every((item) => shapeOf(item).includes("map")) ? ["maps"] : [];
}
