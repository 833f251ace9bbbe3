import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { ProbeRequest } from "../../../shared/messages/probe-request.ts";
import type { ProbeResult, ReportedChange, ReportedLogPattern } from "../../../shared/messages/report.ts";
import { Bench, failing, noon, probe, smallEnvironment } from "../fixtures.ts";

const minute = 60_000;
const environment = {
  ...smallEnvironment,
  probes: [...smallEnvironment.probes, probe("what-changed", "connector", "outside", "audit_logs", "0 */6 * * *")],
  recovery: { stages: [] },
};
const backendDown = { "backend-health": failing("http_status/response") };

/** A change so many minutes after the tests begin; nothing fails before the second minute. */
function change(
  id: string,
  minutes: number,
  components: readonly string[],
  more: Partial<ReportedChange> = {},
): ReportedChange {
  const at = new Date(noon + minutes * minute).toISOString();
  return {
    id,
    at,
    kind: "deployment",
    what: `deployed ${id}`,
    resource: `service ${id}`,
    components: [...components],
    ...more,
  };
}

async function minutes(bench: Bench, count: number, shown: Parameters<Bench["minute"]>[0] = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports(shown)) if (/1m$/.test(report.group)) await bench.deliver(report);
    bench.now += minute;
    await bench.tick();
  }
}

async function down(): Promise<Bench> {
  const bench = new Bench(environment);
  await minutes(bench, 2);
  await minutes(bench, 4, backendDown);
  return bench;
}

/** Delivers the response of the audit log probe to the diagnosis request. */
async function answer(bench: Bench, more: Partial<ProbeResult>): Promise<void> {
  const at = new Date(bench.now).toISOString();
  await bench.deliver({
    v: 1,
    report: `test/outside-diagnosis/${at}/${JSON.stringify(more).length}`,
    environment: "test",
    vantage: "outside",
    group: "outside-diagnosis",
    trigger: "diagnosis",
    started_at: at,
    finished_at: at,
    results: [{ probe: "what-changed", component: "connector", at, success: true, measurements: [], ...more }],
  });
}

async function incidentOf(bench: Bench) {
  const [incident] = await bench.incidents();
  return readIncident(incident?.fields ?? {});
}

function requestsOf(bench: Bench): ProbeRequest[] {
  const all = bench.publisher.published
    .filter(({ topic }) => topic === "probe-requests")
    .map(({ data }) => data as ProbeRequest);
  return all.filter(({ trigger, probes = [] }) => trigger === "diagnosis" && probes.includes("what-changed"));
}

describe("changes", () => {
  it("lists changes before the first failure, newest first, and names the one that fits the cause", async () => {
    const bench = await down();
    await answer(bench, {
      changes: [
        change("repair", 4, ["backend"]),
        change("backend-42", 1, ["backend"], { revert: "Go back." }),
        change("sql-tier", 0.5, ["sql"]),
        change("backend-41", -20, ["backend"]),
      ],
    });
    const incident = await incidentOf(bench);
    expect(incident.root_cause).toBe("backend");
    expect(incident.changes.map(({ what, fits }) => [what, fits])).toEqual([
      ["deployed backend-42", true],
      ["deployed sql-tier", false],
      ["deployed backend-41", false],
      ["deployed repair", false],
    ]);
    expect(incident.suspected_change).toBe(
      "Deployed backend-42 (service backend-42) at 12:01:00 UTC, 1 min before the first failure.",
    );
    expect(incident.evidence).toContainEqual(expect.stringContaining("For Backend: Deployed backend-42"));
    expect(incident.next_steps).toContainEqual(
      "Consider reverting the preceding change: deployed backend-42 (service backend-42). Go back.",
    );
    expect(incident.timeline.filter((line) => line.includes("Found: Deployed backend-42"))).toHaveLength(1);
    expect(bench.events.at(-1)).toMatchObject({
      event: "status_update",
      news: "change",
      suspected_change: incident.suspected_change,
      change: `Found: ${incident.suspected_change}`,
    });
  });

  it("names no change that is too old, too late, or of another component", async () => {
    const bench = await down();
    const before = await incidentOf(bench);
    await answer(bench, {
      changes: [
        change("later", 5, ["backend"]),
        change("old", -50, ["backend"]),
        change("other", 1, ["auth"]),
        change("stranger", 1, [], { elsewhere: true }),
        change("policy", 1, [], { kind: "policy" }),
      ],
    });
    const incident = await incidentOf(bench);
    expect(incident.suspected_change).toBeNull();
    expect(incident.changes.some(({ fits }) => fits)).toBe(false);
    expect(incident.changes.map(({ what }) => what)).toEqual(["deployed policy", "deployed old", "deployed later"]);
    const { root_cause, confidence, evidence, next_steps } = before;
    expect(incident).toMatchObject({ root_cause, confidence, evidence, next_steps });
  });

  it("never outweighs measurements: a change of a working component is not a cause", async () => {
    const bench = await down();
    await answer(bench, { changes: [change("sql-tier", 1.5, ["sql"])] });
    expect(await incidentOf(bench)).toMatchObject({ root_cause: "backend", suspected_change: null });
  });

  it("keeps the change if a later lookup fails", async () => {
    const bench = await down();
    await answer(bench, { changes: [change("backend-42", 1, ["backend"])] });
    bench.now += 1_000;
    await answer(bench, { unchecked: [{ checks: ["changes"], resource: "audit logs", explanation: "denied" }] });
    expect((await incidentOf(bench)).changes).toHaveLength(1);
  });

  it("requests changes with the first failure and its components, and again after ten minutes", async () => {
    const bench = await down();
    expect(requestsOf(bench)[0]).toMatchObject({ since: new Date(noon + 2 * minute).toISOString() });
    expect(requestsOf(bench)[0]?.about).toContain("backend");
    for (const { probes = [] } of requestsOf(bench)) {
      const at = new Date(bench.now).toISOString();
      const results = probes.map((name) => ({
        probe: name,
        component: "backend",
        at,
        success: true,
        measurements: [],
      }));
      const frame = {
        v: 1,
        environment: "test",
        vantage: "outside",
        trigger: "diagnosis",
        started_at: at,
        finished_at: at,
      } as const;
      await bench.deliver({ ...frame, report: `test/answer/${at}`, group: "outside-diagnosis", results });
    }
    const asked = requestsOf(bench).length;
    await minutes(bench, 12, backendDown);
    const later = requestsOf(bench).slice(asked);
    expect(new Set(later.map(({ request }) => request?.split("/")[1]))).toEqual(new Set(["diagnosis-2"]));
    expect(later.every(({ probes }) => probes?.join() === "what-changed")).toBe(true);
  });
});

describe("log patterns", () => {
  const pattern = (component: string, more: Partial<ReportedLogPattern> = {}): ReportedLogPattern => ({
    pattern: "connect to <*> timed out",
    resource: `Cloud Run service ${component}`,
    component,
    count: 649,
    first_at: new Date(noon + 2 * minute).toISOString(),
    last_at: new Date(noon + 5 * minute).toISOString(),
    before: 0,
    before_seconds: 3600,
    ...more,
  });
  const means = { name: "memory limit", says: "Backend ran out of memory.", remedy: "Give it more memory." };

  it("shows at most three with counts, recognized ones first", async () => {
    const bench = await down();
    const many = Array.from({ length: 5 }, (_, i) => pattern("backend", { pattern: `p${i}`, count: i + 1, before: i }));
    await answer(bench, { log_patterns: [...many, pattern("backend", { count: 2, means }), pattern("auth")] });
    const { log_patterns } = await incidentOf(bench);
    expect(log_patterns.map((one) => one.pattern)).toEqual(["connect to <*> timed out", "p0", "p4"]);
    expect(log_patterns[0]?.says).toBe(
      "`connect to <*> timed out` 2 times since 12:02:00 UTC in the log of the Cloud Run service backend, never in the 1 h before.",
    );
  });

  it("is the last why and the first step if its message is recognized", async () => {
    const bench = await down();
    await answer(bench, { log_patterns: [pattern("backend", { means })] });
    const { whys, next_steps, evidence } = await incidentOf(bench);
    expect(whys.at(-1)).toBe("Why? Backend ran out of memory.");
    expect(next_steps[0]).toBe("Give it more memory.");
    expect(evidence).toContainEqual(expect.stringContaining("`connect to <*> timed out` 649 times"));
  });

  it("blames the component in the message if it is the cause, and no working component", async () => {
    const bench = await down();
    await answer(bench, { log_patterns: [pattern("backend", { means: { ...means, blames: ["database"] } })] });
    const { root_cause, whys } = await incidentOf(bench);
    expect(root_cause).toBe("backend");
    expect(whys.at(-1)).not.toContain("memory");
  });
});
