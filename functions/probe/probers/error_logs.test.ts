import { describe, expect, it } from "vitest";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { probeOf, probeOnce, tcpServer } from "../fixtures.ts";
import { apiMisbehaviours, echoedError } from "../google/fake-monitoring.fixtures.ts";
import { fakeLogging } from "../google/logging/fake-logging.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { errorLogs } from "./error_logs.ts";
import { probers } from "./index.ts";

const settings = { project: "shop-1" };
const since = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;
const place = { project: "shop-1", region: "us-central1" };
const others = (
  [
    ["cloud_run", "backend", { ...place, service: "backend" }],
    ["cloud_run", "accounts", { ...place, service: "accounts" }],
    ["cloud_sql", "database", { project: "shop-1", instance: "shop-postgres" }],
    ["load_balancer", "edge", { project: "shop-1", url_map: "shop" }],
  ] as const
).map(([kind, component, own]): ConfiguredProbe => ({ ...probeOf(kind, own), component }));

const run = (service: string) => ({ type: "cloud_run_revision", labels: { service_name: service } });

/** An entry so many minutes after the first failure. */
function entry(minutes: number, resource: object, payload: object): { at: number; json: object } {
  const at = since + minutes * minute;
  const json = {
    insertId: `${minutes}`,
    timestamp: new Date(at).toISOString(),
    logName: "projects/shop-1/logs/stderr",
    severity: "ERROR",
    resource,
    ...payload,
  };
  return { at, json };
}

/** A fake that applies the times of a filter, as Cloud Logging does. */
async function fakeOf(entries: readonly { at: number; json: object }[]) {
  return fakeLogging((filter) => {
    const [from = 0, until = 0] = [...filter.matchAll(/timestamp[><]=?"([^"]+)"/g)].map(([, time]) =>
      Date.parse(time ?? ""),
    );
    return entries.filter(({ at }) => at >= from && at < until).map(({ json }) => json);
  });
}

async function read(entries: readonly { at: number; json: object }[], more: object = {}): Promise<ProbeResult> {
  const { port } = await fakeOf(entries);
  const diagnosis = { since, about: ["backend", "database", "edge"] };
  return probeOnce(errorLogs, settings, {
    googleApis: `http://127.0.0.1:${port}`,
    all: others,
    probers,
    diagnosis,
    ...more,
  });
}

proberContract({
  prober: errorLogs,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeLogging(() => [])).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("error_logs", () => {
  it("groups new messages, with their counts and known meanings", async () => {
    const timedOut = (i: number) =>
      entry(i / 10, run("backend"), { textPayload: `connect to /cloudsql/shop timed out after ${i} s` });
    const memory = entry(1, run("backend"), { textPayload: "Memory limit of 512 MiB exceeded with 515 MiB used." });
    const result = await read([...Array.from({ length: 40 }, (_, i) => timedOut(i)), memory]);
    expect(result.failure).toBeUndefined();
    expect(result.log_patterns).toMatchObject([
      {
        component: "backend",
        count: 1,
        means: { name: "memory limit", remedy: expect.stringContaining("gcloud run services update backend --memory") },
      },
      {
        component: "backend",
        pattern: "connect to /cloudsql/shop timed out after <*> s",
        count: 40,
        before: 0,
        before_seconds: 3600,
      },
    ]);
    expect(result.log_patterns?.[1]?.first_at).toBe("2025-09-16T12:00:00.000Z");
    expect(result.log_patterns?.[1]?.means).toBeUndefined();
  });

  it("omits messages that were as frequent before", async () => {
    const always = Array.from({ length: 70 }, (_, i) =>
      entry(i - 65, run("backend"), { textPayload: `cache miss of key ${i}` }),
    );
    expect((await read(always)).log_patterns).toEqual([]);
    const sudden = Array.from({ length: 60 }, (_, i) =>
      entry(i / 60, run("backend"), { textPayload: `cache miss of key ${i}` }),
    );
    expect((await read([...always, ...sudden])).log_patterns).toMatchObject([{ count: 70, before: 60 }]);
  });

  it("reads the logs of failing load balancers and databases only", async () => {
    const result = await read([
      entry(
        1,
        { type: "http_load_balancer", labels: { url_map_name: "shop" } },
        { jsonPayload: { statusDetails: "failed_to_connect_to_backend" } },
      ),
      entry(
        1,
        { type: "cloudsql_database", labels: { database_id: "shop-1:shop-postgres" } },
        { textPayload: "FATAL: sorry, too many clients already" },
      ),
      entry(1, run("accounts"), { textPayload: "FATAL: something of a service that works" }),
      entry(
        1,
        { type: "cloudsql_database", labels: { database_id: "shop-1:other" } },
        { textPayload: "FATAL: of another instance" },
      ),
    ]);
    expect(result.log_patterns?.map(({ component, resource, means }) => [component, resource, means?.name])).toEqual([
      ["database", "Cloud SQL instance shop-postgres", "too many connections"],
      ["edge", "load balancer shop", "backend unreachable"],
    ]);
  });

  it("removes the secrets of a message", async () => {
    const { port } = await fakeOf([
      entry(1, run("backend"), { textPayload: "login with no-token refused by no-token" }),
    ]);
    const diagnosis = { since, about: ["backend"] };
    const result = await probeOnce(errorLogs, settings, {
      googleApis: `http://127.0.0.1:${port}`,
      all: others,
      probers,
      diagnosis,
    });
    expect(result.log_patterns).toMatchObject([{ pattern: "login with *** refused by ***" }]);
  });

  it("reports that there are more entries than it read", async () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      entry(i / 100, run("backend"), { textPayload: `timed out ${i}` }),
    );
    expect((await read(many)).log_patterns).toMatchObject([{ count: 200, at_least: true }]);
  });

  it("reads two limited pages in a diagnosis, and one entry while nothing fails", async () => {
    const { port, asked } = await fakeOf([]);
    const options = { googleApis: `http://127.0.0.1:${port}`, all: others, probers };
    await probeOnce(errorLogs, settings, { ...options, diagnosis: { since, about: ["backend"] } });
    expect(asked.map(({ pageSize, orderBy }) => [pageSize, orderBy])).toEqual([
      [200, "timestamp asc"],
      [200, "timestamp desc"],
    ]);
    expect(asked[0]?.filter).toContain('timestamp>="2025-09-16T11:55:00.000Z"');
    expect(asked[0]?.filter).toContain('resource.labels.service_name="backend"');
    expect(asked[0]?.filter).not.toContain("accounts");
    const calm = await probeOnce(errorLogs, settings, options);
    expect(asked[2]?.pageSize).toBe(1);
    expect(calm.log_patterns).toBeUndefined();
  });

  it("names the missing role, and does not fail because of it", async () => {
    const body = JSON.stringify({ error: { code: 403, status: "PERMISSION_DENIED", message: "denied" } });
    const port = await tcpServer((socket) =>
      socket.on("data", () =>
        socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
      ),
    );
    const result = await probeOnce(errorLogs, settings, { googleApis: `http://127.0.0.1:${port}` });
    expect(result).toMatchObject({
      success: true,
      unchecked: [{ explanation: expect.stringContaining("roles/logging.viewer") }],
    });
  });
});
