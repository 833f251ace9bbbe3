/** Timelines of alerts without data: the source stops reporting, the series disappears, or there is no traffic. */
import { describe, expect, it } from "vitest";
import type { Rule } from "../../../shared/config/model.ts";
import { Bench, failing, probe, rule, type Shown, smallEnvironment } from "../fixtures.ts";

type Minute = Readonly<Record<string, Shown>>;

const requests = {
  ...probe("backend-requests", "backend", "outside", "cloud_run"),
  secondhand: true as const,
  alert: false as const,
};

function benchWith(condition: string, more: Partial<Rule> = {}): Bench {
  return new Bench({
    ...smallEnvironment,
    probes: [...smallEnvironment.probes, requests],
    rules: [rule("Bad", condition, "2m", "warning", { component: "backend", ...more })],
    recovery: { stages: [] },
  });
}

async function minutes(bench: Bench, count: number, shown: Minute, silent: readonly string[] = []): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports(shown)) {
      const results = report.results.filter(({ probe: name }) => !silent.includes(name));
      if (results.length > 0) await bench.deliver({ ...report, results });
    }
    bench.now += 60_000;
    await bench.tick();
    await bench.answerValidations(shown);
  }
}

async function record(bench: Bench): Promise<{ status: unknown; timeline: string }> {
  const [one] = await bench.incidents();
  return { status: one?.fields["status"], timeline: [one?.fields["timeline"] ?? []].flat().join("\n") };
}

const bad: Minute = { "backend-requests": { cloud_run_error_rate: 0.5, cloud_run_request_rate: 3 } };
const idle: Minute = { "backend-requests": { cloud_run_request_rate: 0 } };
const condition = "cloud_run_error_rate > 5%";

describe("no traffic", () => {
  it("ends an alert over a share of requests, with the reason", async () => {
    const bench = benchWith(condition);
    await minutes(bench, 5, bad);
    expect((await record(bench)).status).toBe("open");
    await minutes(bench, 8, idle);
    const { status, timeline } = await record(bench);
    expect(status).toBe("resolved");
    expect(timeline).toContain(
      '"Bad" has ended: there has been no traffic since 12:04:00 UTC, so the rate is undefined.',
    );
    await minutes(bench, 5, bad);
    expect(bench.events.at(-1)?.event).toBe("regressed");
  });

  it("is a division by zero as well", async () => {
    const bench = benchWith("http_redirects / http_redirects > 50%");
    await minutes(bench, 5, { "pages-health": { http_redirects: 2 } });
    expect((await record(bench)).status).toBe("open");
    await minutes(bench, 4, { "pages-health": { http_redirects: 0 } });
    const { status, timeline } = await record(bench);
    expect(status).toBe("resolved");
    expect(timeline).toContain("there has been no traffic since 12:05:00 UTC");
  });

  it("keeps the alert if the rule says so, and records it in the timeline", async () => {
    for (const more of [{ noTraffic: "keep" as const }, { gone: "keep" as const, noTraffic: "keep" as const }]) {
      const bench = benchWith(condition, more);
      await minutes(bench, 5, bad);
      await minutes(bench, 60, idle);
      const { status, timeline } = await record(bench);
      expect(status).toBe("open");
      expect(timeline.match(/"Bad" continues: there has been no traffic since 12:04:00 UTC/g)).toHaveLength(1);
      await minutes(bench, 1, bad);
      expect((await record(bench)).timeline).toContain('"Bad" is measured again.');
    }
  });
});

describe("a series that vanished", () => {
  const slow: Minute = { "backend-requests": { cloud_run_instances: 90 } };
  const instances = "cloud_run_instances > 80";

  it("ends its alert, with the reason", async () => {
    const bench = benchWith(instances);
    await minutes(bench, 5, slow);
    await minutes(bench, 8, {});
    const { status, timeline } = await record(bench);
    expect(status).toBe("resolved");
    expect(timeline).toContain(
      '"Bad" has ended: its series is gone: `backend-requests` reports, but without it since 12:04:00 UTC.',
    );
  });

  it("ends its alert even if the samples have expired before the all-clear", async () => {
    const bench = benchWith(instances, { clearDurationMs: 3_600_000 });
    await minutes(bench, 5, slow);
    await minutes(bench, 50, {});
    expect((await record(bench)).status).toBe("open");
    await minutes(bench, 20, {});
    expect((await record(bench)).status).toBe("resolved");
  });

  it("does not affect the other series", async () => {
    const bench = benchWith("http_response_time > 5s");
    const both: Minute = { "pages-health": { http_response_time: 9 }, "auth-health": { http_response_time: 9 } };
    await minutes(bench, 5, both);
    await minutes(bench, 8, { "auth-health": { http_response_time: 9 } });
    const { status, timeline } = await record(bench);
    expect(status).toBe("open");
    expect(timeline).toContain("`pages-health` reports, but without it since 12:04:00 UTC");
    expect(timeline).not.toContain("`auth-health` reports");
  });

  it("fires if the rule says so", async () => {
    const bench = benchWith(instances, { gone: "fire" });
    await minutes(bench, 3, { "backend-requests": { cloud_run_instances: 10 } });
    await minutes(bench, 10, {});
    expect((await record(bench)).status).toBe("open");
  });
});

describe("a silent source", () => {
  it.each<[string, Minute, readonly string[]]>([
    ["is silent", {}, ["backend-requests"]],
    ["fails", { "backend-requests": failing("timeout/connect") }, []],
  ])("keeps the alert if it %s, and records it in the timeline", async (_, shown, silent) => {
    const bench = benchWith(condition);
    await minutes(bench, 5, bad);
    await minutes(bench, 90, shown, silent);
    const { status, timeline } = await record(bench);
    expect(status).toBe("open");
    expect(timeline.match(/"Bad" continues: no measurement since 12:04:00 UTC by `backend-requests`\./g)).toHaveLength(
      1,
    );
    await minutes(bench, 4, { "backend-requests": { cloud_run_error_rate: 0, cloud_run_request_rate: 3 } });
    expect((await record(bench)).status).toBe("resolved");
  });

  it("ends the alert if the rule says so, with the reason", async () => {
    const bench = benchWith(condition, { missing: "clear" });
    await minutes(bench, 5, bad);
    await minutes(bench, 8, {}, ["backend-requests"]);
    const { status, timeline } = await record(bench);
    expect(status).toBe("resolved");
    expect(timeline).toContain('"Bad" has ended: no measurement since 12:04:00 UTC by `backend-requests`.');
  });
});

describe("an uncertain forecast", () => {
  it("ends no alert", async () => {
    const bench = benchWith("forecast(cloud_run_instances, 20m) > 80");
    for (let i = 0; i < 16; i++) await minutes(bench, 1, { "backend-requests": { cloud_run_instances: 20 + 4 * i } });
    expect((await record(bench)).status).toBe("open");
  });
});
