import { describe, expect, it } from "vitest";
import { measured, probeOnce } from "../fixtures.ts";
import {
  apiMisbehaviours,
  double,
  echoedError,
  type FakeResponse,
  fakeMonitoring,
  int,
  one,
  refusal,
} from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { cloudSql } from "./cloud_sql.ts";

const settings = { project: "netra-staging", instance: "netra-staging:us-central1:staging-shared-postgres" };
const metric = (name: string): string => `cloudsql.googleapis.com/database/${name}`;

const well: Record<string, FakeResponse> = {
  [metric("up")]: one(int(1), 2),
  [metric("instance_state")]: one(double(1), 2),
  [metric("cpu/utilization")]: one(double(0.42)),
  [metric("memory/utilization")]: one(double(0.61)),
  [metric("disk/utilization")]: one(double(0.2)),
  [metric("disk/read_ops_count")]: one(double(30)),
  [metric("disk/write_ops_count")]: one(double(12.5)),
  [metric("postgresql/num_backends")]: one(int(17)),
  [metric("postgresql/new_connection_count")]: one(double(0.5)),
};
const statesOf = (state: string): FakeResponse =>
  ["RUNNING", "SUSPENDED", "RUNNABLE", "MAINTENANCE", "FAILED"].map((name) => ({
    labels: { "metric.labels.state": name },
    points: [[2, double(name === state ? 1 : 0)]],
  }));

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(cloudSql, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: cloudSql,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(well)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("cloud_sql", () => {
  it("measures state, CPU, memory, disk and connections", async () => {
    const { result } = await probe(well, { max_connections: 100 });
    expect(result.failure).toBeUndefined();
    const values = Object.fromEntries(
      result.measurements.map(({ metric: name, value, labels }) => [[name, ...Object.values(labels)].join(" "), value]),
    );
    expect(values).toMatchObject({
      cloud_sql_up: 1,
      cloud_sql_cpu_utilization: 0.42,
      cloud_sql_memory_utilization: 0.61,
      cloud_sql_disk_utilization: 0.2,
      "cloud_sql_disk_operations read": 30,
      "cloud_sql_disk_operations write": 12.5,
      cloud_sql_connections: 17,
      cloud_sql_connection_utilization: 0.17,
      cloud_sql_new_connections: 0.5,
    });
    expect(values["data_age"]).toBeGreaterThanOrEqual(240);
  });

  it("reads each metric once, and only the state RUNNING", async () => {
    const { asked } = await probe(well);
    expect(Object.keys(asked).sort()).toEqual(Object.keys(well).sort());
    for (const requests of Object.values(asked)) {
      expect(requests).toHaveLength(1);
      expect(requests[0]?.get("filter")).toContain(
        'resource.labels.database_id = "netra-staging:staging-shared-postgres"',
      );
    }
    expect(asked[metric("instance_state")]?.[0]?.get("filter")).toContain('metric.labels.state = "RUNNING"');
    expect(asked[metric("instance_state")]?.[0]?.get("aggregation.perSeriesAligner")).toBe("ALIGN_FRACTION_TRUE");
    expect(asked[metric("postgresql/num_backends")]?.[0]?.get("aggregation.crossSeriesReducer")).toBe("REDUCE_SUM");
  });

  it("uses the project of the probe for an instance without one", async () => {
    const { asked } = await probe(well, { instance: "staging-shared-postgres" });
    expect(asked[metric("up")]?.[0]?.get("filter")).toContain('database_id = "netra-staging:staging-shared-postgres"');
  });

  it("fails when the server is down although its state is RUNNING", async () => {
    const { result } = await probe({ ...well, [metric("up")]: one(int(0), 2) });
    expect(measured(result, "cloud_sql_up")).toBe(0);
    expect(result.failure).toEqual({
      kind: "database",
      phase: "state",
      message: expect.stringMatching(
        /^the server of netra-staging:us-central1:staging-shared-postgres is down: its state is still RUNNING, so it was not stopped \(measured (2 min( \d+ s)?|3 min) ago\)$/,
      ),
    });
  });

  it.each([
    ["RUNNABLE", 0, /is down: it was stopped by its owner/],
    ["MAINTENANCE", 0, /is down: it is down for maintenance/],
    ["SUSPENDED", 1, /is not running normally: it is suspended, for example because of a billing problem/],
    ["FAILED", 0, /is down: its creation failed, or an operation left it broken/],
  ])("names the state %s, and reads it only if the instance is not RUNNING", async (state, up, sentence) => {
    const { result, asked } = await probe({
      ...well,
      [metric("up")]: one(int(up), 2),
      [metric("instance_state")]: statesOf(state),
    });
    expect(result.failure).toMatchObject({
      kind: "database",
      phase: "state",
      message: expect.stringMatching(sentence),
    });
    expect(asked[metric("instance_state")]).toHaveLength(2);
  });

  it("assesses the instance even if the state has no points", async () => {
    const { [metric("instance_state")]: _state, ...others } = well;
    const { result } = await probe(others);
    expect(result.failure).toBeUndefined();
  });

  it("reports an instance without points as unread, and not as down", async () => {
    const { result } = await probe({});
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "google_api",
      message: expect.stringMatching(
        /^Cloud Monitoring has no data points for cloudsql.googleapis.com\/database\/up between .* UTC: there is no instance/,
      ),
    });
    expect(measured(result, "cloud_sql_up")).toBeUndefined();
  });

  it("keeps the other results if one reading fails, including that the server is down", async () => {
    const unavailable = refusal(503, "UNAVAILABLE", "try later");
    const { result } = await probe({ ...well, [metric("cpu/utilization")]: unavailable });
    expect(result.failure).toMatchObject({ kind: "unavailable", phase: "google_api" });
    expect(measured(result, "cloud_sql_up")).toBe(1);
    expect(measured(result, "cloud_sql_disk_utilization")).toBeDefined();
    expect(measured(result, "cloud_sql_cpu_utilization")).toBeUndefined();
    const down = await probe({ ...well, [metric("up")]: one(int(0)), [metric("cpu/utilization")]: unavailable });
    expect(down.result.failure).toMatchObject({ kind: "database", phase: "state" });
  });

  it("names the command that enables a disabled API", async () => {
    const { result } = await probe({
      ...well,
      [metric("up")]: refusal(403, "PERMISSION_DENIED", "disabled", "SERVICE_DISABLED"),
    });
    expect(result.failure?.message).toBe(
      "Cloud Monitoring is not enabled in the project netra-staging: run gcloud services enable monitoring.googleapis.com --project netra-staging",
    );
  });
});
