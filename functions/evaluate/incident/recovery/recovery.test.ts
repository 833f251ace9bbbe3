/** The record of the recovery validation in the document of an incident. */
import { describe, expect, it } from "vitest";
import type { ProbeRequest } from "../../../../shared/messages/probe-request.ts";
import type { Fields } from "../../../../shared/ports.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import { Bench, failing, probe, type Shown, smallEnvironment } from "../../fixtures.ts";
import { planOf } from "../../plan.ts";
import { lastSeenBad } from "./recovery.ts";

const outage = { database: failing("timeout/connect"), "backend-health": failing("http_status/response") };
const slow = { database: { database_connection_time: 7 } };

/** Returns an evaluator whose incident has just begun to recover, before the response to its first validation request. */
async function recovering(): Promise<Bench> {
  const bench = new Bench();
  for (let i = 0; i < 4; i++) await bench.minute(outage);
  for (;;) {
    for (const report of bench.reports()) await bench.deliver(report);
    if ((await document(bench))["status"] === "recovering") return bench;
    bench.now += 60_000;
    await bench.tick();
  }
}

/** A minute passes without a response to a validation. */
async function unanswered(bench: Bench): Promise<void> {
  bench.now += 60_000;
  await bench.tick();
}

async function document(bench: Bench): Promise<Fields> {
  return (await bench.incidents())[0]?.fields ?? {};
}

interface Recovery {
  readonly status: string;
  readonly stages: readonly Fields[];
  readonly earlier: readonly string[];
}

async function recovery(bench: Bench): Promise<Recovery> {
  return (await document(bench))["recovery"] as unknown as Recovery;
}

/** The lines of the timeline that speak of stages, without their instants. */
async function timelineOf(bench: Bench): Promise<string[]> {
  const lines = (await document(bench))["timeline"] as string[];
  return lines.map((line) => line.slice(25)).filter((line) => /stage \d/i.test(line));
}

/** The newest validation that was asked for. */
function asked(bench: Bench): ProbeRequest {
  const requests = bench.publisher.published.map(({ data }) => data as ProbeRequest);
  const found = requests.findLast(({ trigger, probes }) => trigger === "validation" && probes !== undefined);
  if (found === undefined) throw new Error("nothing was asked");
  return found;
}

describe("the record of a recovery", () => {
  it("is empty until all alerts have cleared", async () => {
    const bench = new Bench();
    for (let i = 0; i < 4; i++) await bench.minute(outage);
    expect(await document(bench)).toMatchObject({ status: "open" });
    expect((await document(bench))["recovery"]).toBeUndefined();
  });

  it("has each stage with its times", async () => {
    const bench = await recovering();
    const begun = bench.now;
    expect(await recovery(bench)).toMatchObject({
      status: "validating",
      begun_at: expect.any(Date),
      ended_at: null,
      stages: [
        { name: "basic health", status: "validating", attempts: 1, seconds: null },
        { name: "pages", status: "waiting", attempts: 0, begun_at: null },
      ],
    });
    bench.now += 3_000;
    await bench.answerValidations();
    const stage = { status: "passed", attempts: 1, unanswered: 0, failed_at: null, failures: [] };
    expect(await recovery(bench)).toMatchObject({
      status: "passed",
      stages: [
        { ...stage, name: "basic health", passed_at: new Date(begun + 3_000) },
        { ...stage, name: "pages", begun_at: new Date(begun + 3_000), seconds: 0 },
      ],
      earlier: [],
    });
    expect((await document(bench))["status"]).toBe("resolved");
  });

  it("has every attempt with its reason, or the first and newest of many; the timeline has the first three", async () => {
    const bench = await recovering();
    for (let i = 0; i < 8; i++) {
      await bench.answerValidations(slow);
      bench.now += 60_000;
      await bench.tick();
    }
    const reason = "`database` succeeds, but database_connection_time (7s) is not < 5s";
    const [stage] = (await recovery(bench)).stages;
    expect(stage).toMatchObject({ status: "validating", attempts: 9, unanswered: 0 });
    const failures = stage?.["failures"] as string[];
    expect(failures.map((line) => line.slice(25))).toEqual([1, 5, 6, 7, 8].map((n) => `Attempt ${n}: ${reason}.`));
    expect(await timelineOf(bench)).toEqual([
      `Validation of stage 1, basic health, failed: ${reason}.`,
      `Validation of stage 1, basic health, failed at attempt 2: ${reason}.`,
      `Validation of stage 1, basic health, failed at attempt 3: ${reason}.`,
    ]);
    await bench.answerValidations();
    expect((await timelineOf(bench)).at(-2)).toBe("Stage 1, basic health, passed after 8 min, at attempt 9.");
    expect((await recovery(bench)).stages[0]).toMatchObject({ status: "passed", attempts: 9 });
  });

  it("counts a duplicate report once", async () => {
    const bench = await recovering();
    const { published } = bench.publisher;
    await bench.answerValidations(slow);
    const again = new Bench(smallEnvironment, { watchesItself: false }, { store: bench.store });
    again.now = bench.now;
    again.publisher.published.push(...published);
    await again.answerValidations(slow);
    expect((await recovery(bench)).stages[0]).toMatchObject({
      attempts: 1,
      status: "failed",
      failures: [expect.stringContaining("Attempt 1: ")],
    });
  });

  it("names probes that did not respond", async () => {
    const bench = await recovering();
    await unanswered(bench);
    const silence = "`backend-health`, `auth-health` and `database` did not respond within 1 min";
    expect(await timelineOf(bench)).toEqual([`Validation of stage 1, basic health, was inconclusive: ${silence}.`]);
    expect((await recovery(bench)).stages[0]).toMatchObject({ status: "validating", attempts: 2, unanswered: 1 });
  });

  it("doubles its timeout after each missing response, so that slow responses pass", async () => {
    const bench = await recovering();
    const requests = [asked(bench).request];
    for (let i = 0; i < 12; i++) {
      await unanswered(bench);
      requests.push(asked(bench).request);
    }
    const waits = [...Map.groupBy(requests, (request) => request).values()].map(({ length }) => length);
    expect(waits.slice(0, 3)).toEqual([1, 2, 4]);
  });

  it("reports that the prober itself was unhealthy", async () => {
    const bench = await recovering();
    const { request, vantage, group } = asked(bench);
    const at = new Date(bench.now).toISOString();
    await bench.deliver({
      v: 1,
      report: "test/unhealthy",
      environment: "test",
      vantage,
      group,
      trigger: "validation",
      started_at: at,
      finished_at: at,
      results: [],
      request,
      prober_unhealthy: "the control target does not answer",
    });
    await unanswered(bench);
    expect((await timelineOf(bench))[0]).toMatch(
      /did not respond within 1 min: the prober itself failed \(the control target does not answer\)\.$/,
    );
  });

  it("keeps the result of an earlier validation after a relapse", async () => {
    const bench = await recovering();
    for (let i = 0; i < 4; i++) await bench.minute(outage);
    expect(await recovery(bench)).toMatchObject({ status: "regressed", stages: [{}, { status: "not_run" }] });
    for (let i = 0; i < 6; i++) await bench.minute();
    expect(await recovery(bench)).toMatchObject({
      status: "passed",
      stages: [{ status: "passed" }, { status: "passed" }],
      earlier: [expect.stringMatching(/^Begun at 12:\d\d:\d\d UTC, regressed after \d min; no stage had passed\.$/)],
    });
  });

  it("reports that an operator resolved without it", async () => {
    const bench = await recovering();
    const [incident] = await bench.incidents();
    await bench.store.update("incidents", incident?.id ?? "", { status: "resolved" });
    await bench.tick();
    expect(await recovery(bench)).toMatchObject({ status: "cut_short", stages: [{ status: "not_run" }, {}] });
  });

  it("continues if the configuration removes the probes of the stage", async () => {
    const bench = await recovering();
    bench.configure({ ...smallEnvironment, recovery: { stages: [] } });
    await unanswered(bench);
    expect((await document(bench))["status"]).toBe("resolved");
    expect(await timelineOf(bench)).toContain("Stage 1 no longer has probes: the configuration was changed.");
  });
});

describe("failing checks that no stage validates", () => {
  const ceiling = { ...probe("ceiling", "connector", "inside", "postgres", "every 2h"), alert: false as const };
  const beat = { ...probe("backup", "sql", "inside", "heartbeat", "every 2h"), alert: false as const };
  const configuration = { ...smallEnvironment, probes: [...smallEnvironment.probes, ceiling, beat] };
  const down = { ...outage, ceiling: failing("timeout/connect") };

  /** A minute in which probes that run each two hours do not run. */
  async function minute(bench: Bench, shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    for (const report of bench.reports(shown)) if (report.group !== "inside-2h") await bench.deliver(report);
    bench.now += 60_000;
    await bench.tick();
  }

  /** The outage is over, and both stages have passed. */
  async function proved(): Promise<Bench> {
    const bench = new Bench(configuration);
    await bench.minute(down);
    for (let i = 0; i < 3; i++) await minute(bench, outage);
    while ((await document(bench))["status"] !== "recovering") await minute(bench);
    for (const stage of ["basic health", "pages"]) {
      await bench.answerValidations({ ceiling: failing("timeout/connect") });
      expect((await recovery(bench)).stages.find(({ name }) => name === stage)).toMatchObject({ status: "passed" });
    }
    return bench;
  }

  it("includes checks that no stage validates and that have not passed, except heartbeats, which cannot be requested", () => {
    const symptom = (id: string, more: Partial<Symptom> = {}): [string, Symptom] => [
      id,
      { id, component: "sql", source: "probe", since: 0, phrase: "", ...more },
    ];
    const symptoms = Object.fromEntries([
      symptom("probe/ceiling"),
      symptom("probe/backup"),
      symptom("probe/database"),
      symptom("probe/database-direct", { until: 1 }),
      symptom("probe/gone"),
      symptom("alert/x", { source: "rule" }),
    ]);
    expect(lastSeenBad({ symptoms }, planOf(configuration))).toEqual(["ceiling"]);
  });

  it("is validated after the stages, and passes when it is good", async () => {
    const bench = await proved();
    expect(asked(bench).probes).toEqual(["ceiling"]);
    bench.now += 60_000;
    await bench.tick();
    await bench.answerValidations();
    expect(await recovery(bench)).toMatchObject({
      status: "passed",
      stages: [{ status: "passed" }, { status: "passed" }, { name: "what had failed", status: "passed", attempts: 2 }],
    });
    const { status, timeline, symptoms } = await document(bench);
    expect(status).toBe("resolved");
    expect((timeline as string[]).at(-1)).toContain("Resolved. Every stage of the recovery has passed. It lasted");
    const shown = symptoms as unknown as { check: string; until: Date | null }[];
    expect(shown.find(({ check }) => check === "ceiling")?.until).toEqual(new Date(bench.now));
  });

  it("does not keep the incident open, and the all-clear reports it", async () => {
    const bench = await proved();
    for (let i = 0; i < 3; i++) {
      expect((await document(bench))["status"]).toBe("recovering");
      await bench.answerValidations({ ceiling: failing("timeout/connect") });
      bench.now += 60_000;
      await bench.tick();
    }
    expect(await recovery(bench)).toMatchObject({ stages: [{}, {}, { status: "failed", attempts: 3 }] });
    const { status, timeline } = await document(bench);
    expect(status).toBe("resolved");
    expect((timeline as string[]).at(-1)).toContain(
      "`ceiling` was not confirmed healthy, but is covered by no alert and no stage.",
    );
  });

  it("does not keep the incident open without a response", async () => {
    const bench = await proved();
    for (let i = 0; i < 4; i++) await unanswered(bench);
    expect(await document(bench)).toMatchObject({ status: "resolved" });
    expect((await recovery(bench)).stages[2]).toMatchObject({ attempts: 3, unanswered: 2 });
  });

  it("is no longer requested when an alert fires again", async () => {
    const bench = await proved();
    for (let i = 0; i < 3; i++) await minute(bench, outage);
    expect(await document(bench)).toMatchObject({ status: "open", recovery: { status: "regressed" } });
  });
});
