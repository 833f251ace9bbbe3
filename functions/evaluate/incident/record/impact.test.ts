/** The document of an incident: its contents, and its maximum size. */
import { describe, expect, it } from "vitest";
import { readIncident } from "../../../../shared/documents/incident.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import { smallEnvironment } from "../../fixtures.ts";
import { planOf } from "../../plan.ts";
import { postmortemOf } from "../../postmortem/postmortem.ts";
import type { Incident } from "../state.ts";
import { documentOf } from "./document.ts";
import { affectedFields, findingFields, symptomFields } from "./impact.ts";

const plan = planOf({ ...smallEnvironment, availability: { target: 0.99, components: { backend: 0.999 } } });
const noon = Date.UTC(2025, 8, 16, 12);

/** A symptom in one line; minutes after noon. */
function symptom(id: string, component: string, since: number, until?: number, more: Partial<Symptom> = {}): Symptom {
  const source = id.startsWith("probe/") ? "probe" : "rule";
  const times = { since: noon + since * 60_000, ...(until === undefined ? {} : { until: noon + until * 60_000 }) };
  return { id, component, source, phrase: `${id} is bad`, ...times, ...more };
}

describe("the affected components", () => {
  const minute = (after: number): Date => new Date(noon + after * 60_000);

  it.each<[string, readonly Symptom[], object]>([
    [
      "failed from the first failure to the last good run",
      [symptom("probe/a", "backend", 2, 9), symptom("probe/b", "backend", 1, 7)],
      { trouble: "failed", from: minute(1), until: minute(9) },
    ],
    [
      "still fails where one probe does",
      [symptom("probe/a", "backend", 2, 9), symptom("probe/b", "backend", 1)],
      { trouble: "failed", from: minute(1), until: null },
    ],
    [
      "failed by its probes, whatever its rules say",
      [symptom("probe/a", "backend", 2, 5), symptom("alert/r", "backend", 0, 9)],
      { trouble: "failed", from: minute(2), until: minute(5) },
    ],
    ["was degraded where only a rule says so", [symptom("alert/r", "backend", 0, 9)], { trouble: "degraded" }],
    ["was no failure observed", [], { trouble: "no failure observed", from: null, until: null }],
  ])("%s", (_, symptoms, expected) => {
    expect(affectedFields(["backend"], symptoms, [], plan)).toMatchObject([
      {
        title: "Backend",
        layer: "application",
        impact: "Users get no answers",
        availability_target: 0.999,
        ...expected,
      },
    ]);
  });
});

describe("the symptoms and findings", () => {
  it("are sorted by their beginning, each with its check", () => {
    expect(
      symptomFields([
        symptom("alert/Slow|database", "sql", 3, undefined, { rule: "Slow", times: 4 }),
        symptom("probe/database", "sql", 1, 2, { vantage: "inside" }),
      ]),
    ).toMatchObject([
      { check: "database", kind: "probe", vantage: "inside", times: 1, until: new Date(noon + 120_000) },
      { check: "Slow", kind: "rule", vantage: null, times: 4, until: null },
    ]);
    const fault = { check: "egress", component: "sql", says: "egress is x", severity: "warning", since: noon } as const;
    expect(findingFields({ faults: [{ ...fault, isNew: true }] })).toMatchObject([
      { check: "egress", came_with_it: true },
    ]);
    expect(findingFields({})).toEqual([]);
  });
});

describe("a document", () => {
  it("gives each cause its own period, the first from the first failure on", () => {
    const minute = (after: number): Date => new Date(noon + after * 60_000);
    const incident: Incident = {
      id: "20250916-120200-connector",
      title: "Test",
      status: "resolved",
      severity: "critical",
      openedAt: noon + 2 * 60_000,
      firstFailureAt: noon,
      resolvedAt: noon + 24 * 60_000,
      causes: [
        { component: "unknown", since: noon + 2 * 60_000 },
        { component: "connector", since: noon + 3 * 60_000 },
        { component: "sql", since: noon + 8 * 60_000 },
      ],
      alerts: {},
      symptoms: {},
      diagnosis: { rootCause: "sql", verdict: "platform", confidence: 0.9, evidence: [], whys: [], working: [] },
      timeline: [],
      events: {},
    };
    expect(documentOf(incident, plan).causes).toEqual([
      { component: "connector", title: "VPC connector", from: minute(0), until: minute(8) },
      { component: "sql", title: "Cloud SQL", from: minute(8), until: minute(24) },
    ]);
  });

  it("has room for its postmortem when every field has its maximum size", () => {
    const long = "障".repeat(2_000);
    const names = Array.from({ length: 80 }, (_, index) => `${index}`);
    const components = plan.graph.names;
    const incident: Incident = {
      id: "20250916-120000-connector",
      title: long.slice(0, 300),
      status: "resolved",
      severity: "critical",
      openedAt: noon,
      firstFailureAt: noon,
      resolvedAt: noon + 3_600_000,
      alerts: Object.fromEntries(names.map((name) => [name, { rule: name, component: "sql", firing: false }])),
      symptoms: Object.fromEntries(
        names.map((name, index) => [
          `probe/${name}`,
          symptom(`probe/${name}`, components[index % components.length] ?? "", 0, 9, {
            phrase: long,
            confirmed: true,
            failures: names.slice(0, 8).map((phase) => ({
              failure: { kind: "timeout", phase, message: long.slice(0, 200) },
              from: noon,
              until: noon + 60_000,
              count: 1,
            })),
          }),
        ]),
      ),
      diagnosis: {
        rootCause: "connector",
        pattern: "connector loses handshakes",
        verdict: "platform",
        confidence: 0.9,
        evidence: names.slice(0, 40).map(() => `For VPC connector: ${long.slice(0, 500)}`),
        whys: names.slice(0, 8).map(() => long.slice(0, 500)),
        working: [],
      },
      faults: names.slice(0, 40).map((check) => ({
        check,
        component: "sql",
        says: long.slice(0, 480),
        severity: "critical",
        since: noon,
        isNew: true,
      })),
      timeline: Array.from({ length: 150 }, (_, i) => ({ at: noon + i * 1_000, text: `${i} ${long.slice(0, 690)}` })),
      events: {},
    };
    const fields = { ...documentOf(incident, plan), note: long.slice(0, 1_000) };
    const postmortem = postmortemOf({ id: incident.id, incident: readIncident(fields), deliveries: [], months: [] });
    expect(postmortem.length).toBeGreaterThan(15_000);
    expect(Buffer.byteLength(JSON.stringify({ ...fields, postmortem }))).toBeLessThan(0.9 * 2 ** 20);
  });
});
