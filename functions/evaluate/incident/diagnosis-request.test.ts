import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { ProbeRequest } from "../../../shared/messages/probe-request.ts";
import type { Finding, Report } from "../../../shared/messages/report.ts";
import { Bench, component, failing, noon, probe, smallEnvironment } from "../fixtures.ts";

/** The small environment with the probes that a diagnosis requests, each of which runs seldom by itself. */
const environment = {
  ...smallEnvironment,
  components: [
    ...smallEnvironment.components.filter(({ name }) => name !== "connector"),
    { ...component("region", "us-central1", "platform"), role: "region" as const },
    { ...component("connector", "VPC connector", "platform", ["region"]), role: "connector" as const },
  ],
  probes: [
    ...smallEnvironment.probes,
    probe("configuration", "connector", "outside", "gcp_configuration", "0 */6 * * *"),
    probe("google", "region", "outside", "service_health", "0 */6 * * *"),
    probe("capacity", "connector", "inside", "postgres", "0 */2 * * *"),
    probe("walk", "backend", "outside", "journey", "every 5m"),
  ],
  recovery: { stages: [] },
};

const outage = {
  database: failing("timeout/connect"),
  "backend-health": failing("http_status/response"),
  "auth-health": failing("http_status/response"),
};

/** Reports of the schedules only: requests get no response. */
async function minutes(bench: Bench, count: number, shown: Parameters<Bench["minute"]>[0] = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports(shown)) {
      if (/1m$/.test(report.group)) await bench.deliver(report);
    }
    bench.now += 60_000;
    await bench.tick();
  }
}

function requestsOf(bench: Bench): ProbeRequest[] {
  const requests = bench.publisher.published.filter(({ topic }) => topic === "probe-requests");
  const byId = new Map(requests.map(({ data }) => [JSON.stringify(data), data as ProbeRequest]));
  return [...byId.values()].filter(({ trigger }) => trigger === "diagnosis");
}

/** Returns the report of a probe for the first diagnosis request. */
function answer(bench: Bench, name: string, more: Partial<Report["results"][number]> = {}): Report {
  const at = new Date(bench.now).toISOString();
  const asked = environment.probes.find((one) => one.name === name);
  const { vantage = "outside", component: of = "" } = asked ?? {};
  return {
    v: 1,
    report: `test/${vantage}-diagnosis/${name}/${at}`,
    environment: "test",
    vantage,
    group: `${vantage}-diagnosis`,
    trigger: "diagnosis",
    started_at: at,
    finished_at: at,
    request: requestsOf(bench)[0]?.request,
    results: [{ probe: name, component: of, at, success: true, measurements: [], ...more }],
  };
}

function finding(check: string, ok: boolean, explanation = ""): Finding {
  return { check, ok, observed: ok ? "READY" : "ERROR", expected: "READY", explanation, severity: "critical" };
}

describe("opening an incident", () => {
  it("requests configuration checks, Google's events and all involved probes, from both vantage points", async () => {
    const bench = new Bench(environment);
    await minutes(bench, 2);
    await minutes(bench, 3, outage);
    const requests = requestsOf(bench).slice(0, 2);
    expect(requests.map(({ vantage, group }) => [vantage, group])).toEqual([
      ["outside", "outside-diagnosis"],
      ["inside", "inside-diagnosis"],
    ]);
    // The pages have nothing to do with it, and a walk is too dear.
    expect(requests.map(({ probes }) => probes?.toSorted())).toEqual([
      ["auth-health", "backend-health", "configuration", "database-direct", "google"],
      ["capacity", "database"],
    ]);
    expect(requests[0]?.request).toBe("20250916-120400-connector/diagnosis-1/1");
  });

  it("retries without a response, at most three times", async () => {
    const bench = new Bench(environment);
    await minutes(bench, 2);
    await minutes(bench, 12, outage);
    expect(new Set(requestsOf(bench).map(({ request }) => request?.split("/").slice(1).join("/")))).toEqual(
      new Set(["diagnosis-1/1", "diagnosis-1/2", "diagnosis-1/3"]),
    );
  });

  it("does not repeat answered requests, and requests nothing for a resolved incident", async () => {
    const bench = new Bench(environment);
    await minutes(bench, 2);
    await minutes(bench, 3, outage);
    for (const { probes = [] } of requestsOf(bench)) {
      for (const name of probes) await bench.deliver(answer(bench, name));
    }
    const before = requestsOf(bench).length;
    await minutes(bench, 6, outage);
    expect(requestsOf(bench)).toHaveLength(before);

    const deaf = new Bench(environment);
    await minutes(deaf, 2);
    await minutes(deaf, 3, outage);
    const [incident] = await deaf.incidents();
    await deaf.store.update("incidents", incident?.id ?? "", { status: "resolved" });
    await minutes(deaf, 8, outage);
    expect(requestsOf(deaf)).toHaveLength(before);
  });

  it("requests once more if more components become involved", async () => {
    const bench = new Bench(environment);
    await minutes(bench, 2);
    await minutes(bench, 4, { "backend-health": failing("http_status/response") });
    for (const { probes = [] } of requestsOf(bench)) {
      for (const name of probes) await bench.deliver(answer(bench, name));
    }
    const before = requestsOf(bench).length;
    await minutes(bench, 8, outage);
    const later = requestsOf(bench).slice(before);
    expect(later.flatMap(({ probes = [] }) => probes)).toContain("auth-health");
    expect(later.every(({ request }) => /diagnosis-2/.test(request ?? ""))).toBe(true);
  });
});

describe("results of a diagnosis", () => {
  async function opened(): Promise<Bench> {
    const bench = new Bench(environment);
    await minutes(bench, 2);
    await minutes(bench, 3, { ...outage, "database-direct": failing("timeout/connect") });
    return bench;
  }

  it("is evidence, and can change the cause", async () => {
    const bench = await opened();
    expect((await bench.incidents())[0]?.fields).toMatchObject({ root_cause: "sql" });
    await bench.deliver(
      answer(bench, "google", { measurements: [{ metric: "service_health_incidents", value: 1, labels: {} }] }),
    );
    const [incident] = await bench.incidents();
    expect(incident?.fields["evidence"]).toContainEqual(expect.stringContaining("Google reports 1 active event"));
    expect(incident?.fields).toMatchObject({ root_cause: "region", verdict: "platform" });
    expect(bench.events.map(({ event }) => event)).toEqual(["opened", "joined", "root_cause_changed"]);
  });

  it("names the finding of a configuration check", async () => {
    const bench = await opened();
    const says = "connector state is ERROR, expected READY: it carries nothing";
    await bench.deliver(
      answer(bench, "configuration", {
        success: false,
        findings: [finding("connector state", false, "it carries nothing"), finding("egress", true)],
      }),
    );
    const [incident] = await bench.incidents();
    expect(incident?.fields["timeline"]).toContainEqual(expect.stringContaining(`Found: ${says}.`));
  });

  it("does not affect scheduled alerts, and is idempotent in any order", async () => {
    const calm = await opened();
    const stormy = await opened();
    const before = await calm.store.get("state", "outside-1m");
    const answers = [
      answer(calm, "capacity", { success: false, failure: failing("timeout/connect") }),
      answer(calm, "google"),
      answer(calm, "database"),
    ];
    for (const report of answers) await calm.deliver(report);
    for (const report of [...answers, ...answers].reverse()) await stormy.deliver(report);
    expect(await calm.store.get("state", "outside-1m")).toEqual(before);
    const [once, twice] = [await calm.incidents(), await stormy.incidents()];
    expect(twice[0]?.fields["root_cause"]).toBe(once[0]?.fields["root_cause"]);
    expect(twice[0]?.fields["evidence"]).toEqual(once[0]?.fields["evidence"]);
  });

  it("adds failed runs to the ledger, whose entries span only runs that they count", async () => {
    const down = { "backend-health": failing("http_status/response") };
    const bench = new Bench();
    const runs: number[] = [];
    for (let i = 0; i < 6; i++) {
      runs.push(bench.now);
      for (const report of bench.reports(down)) await bench.deliver(report);
      bench.now += 1_000;
      await bench.answerValidations(down);
      if (i === 2) runs.push(bench.now);
      bench.now += 59_000;
      await bench.tick();
      const [{ fields = {} } = {}] = await bench.incidents();
      const [{ failures = [] } = {}] = readIncident(fields).symptoms;
      for (const { from, until, count } of failures) {
        expect(count).toBe(runs.filter((at) => from.getTime() <= at && at <= until.getTime()).length);
      }
      if (i >= 2) expect(failures.some(({ until }) => until.getTime() === noon + 121_000)).toBe(true);
    }
  });
});
