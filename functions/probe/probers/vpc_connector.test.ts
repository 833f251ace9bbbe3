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
import { vpcConnector } from "./vpc_connector.ts";

const settings = { project: "netra-staging", region: "us-central1", connector: "staging-connector" };
const connections = { instance: "netra-staging:us-central1:staging-shared-postgres", ceiling: 50 };
const metric = (name: string): string => `vpcaccess.googleapis.com/connector/${name}`;
const backends = "cloudsql.googleapis.com/database/postgresql/num_backends";

/** 120 Mbit/s of the 1000 that e2-micro carries with 10 instances, with low CPU usage. */
const quiet: Record<string, FakeResponse> = {
  [metric("cpu/utilizations")]: one(double(0.31), 2),
  [metric("sent_bytes_count")]: one(double(10e6), 4),
  [metric("received_bytes_count")]: one(double(5e6), 4),
  [metric("instances")]: one(int(3), 2),
  [backends]: one(int(12), 3),
};

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(vpcConnector, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: vpcConnector,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(quiet)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("vpc_connector", () => {
  it("measures the highest of CPU and throughput, and the age of the data", async () => {
    const { result } = await probe(quiet);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "vpc_connector_utilization")).toBe(0.31);
    expect(measured(result, "vpc_connector_cpu_utilization")).toBe(0.31);
    expect(measured(result, "vpc_connector_throughput", "sent")).toBe(10e6);
    expect(measured(result, "vpc_connector_throughput", "received")).toBe(5e6);
    expect(measured(result, "vpc_connector_instances")).toBe(3);
    expect(measured(result, "vpc_connector_instance_limit")).toBe(10);
    expect(measured(result, "vpc_connector_connections")).toBeUndefined();
    expect(measured(result, "data_age")).toBeGreaterThanOrEqual(240);
    expect(measured(result, "data_age")).toBeLessThan(301);
  });

  it.each([
    ["throughput of the 200 Mbit/s of 2 instances", { max_instances: 2 }, quiet, 0.6],
    ["connections of the database behind it", { connections }, { ...quiet, [backends]: one(int(45)) }, 0.9],
    ["nothing through it, and no CPU: 0", {}, { [metric("instances")]: one(int(2)) }, 0],
  ])("finds it in %s", async (_, more, answers, utilization) => {
    const { result } = await probe(answers, more);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "vpc_connector_utilization")).toBeCloseTo(utilization, 10);
  });

  it("reads each metric once, for this connector only, aggregated to one series", async () => {
    const { asked } = await probe(quiet, { connections });
    expect(Object.keys(asked).sort()).toEqual(Object.keys(quiet).sort());
    for (const [type, requests] of Object.entries(asked)) {
      expect(requests).toHaveLength(1);
      expect(requests[0]?.get("aggregation.crossSeriesReducer")).not.toBe("REDUCE_NONE");
      expect(requests[0]?.get("filter")).toContain(
        type === backends
          ? 'resource.labels.database_id = "netra-staging:staging-shared-postgres"'
          : 'resource.labels.connector_name = "staging-connector" AND resource.labels.location = "us-central1"',
      );
    }
    const how = (name: string): (string | null | undefined)[] =>
      ["perSeriesAligner", "crossSeriesReducer"].map((part) => asked[metric(name)]?.[0]?.get(`aggregation.${part}`));
    expect(how("cpu/utilizations")).toEqual(["ALIGN_PERCENTILE_99", "REDUCE_MAX"]);
    expect(how("sent_bytes_count")).toEqual(["ALIGN_RATE", "REDUCE_SUM"]);
    expect(how("instances")).toEqual(["ALIGN_MAX", "REDUCE_MAX"]);
  });

  it.each([
    ["has no points", {}],
    [
      "is not known",
      { [metric("cpu/utilizations")]: refusal(404, "NOT_FOUND", "Cannot find metric(s) that match type") },
    ],
  ])("does without CPU if it %s, and reports it", async (_, answer) => {
    const { [metric("cpu/utilizations")]: _cpu, ...others } = quiet;
    const { result } = await probe({ ...others, ...answer });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "vpc_connector_utilization")).toBeCloseTo(0.12, 10);
    expect(result.findings).toMatchObject([{ check: "connector_cpu", ok: false, observed: "CPU is not measured" }]);
  });

  it("reports that a connector has no points to read", async () => {
    const { result } = await probe({});
    expect(result.failure).toEqual({
      kind: "unavailable",
      phase: "google_api",
      message: expect.stringMatching(
        /^Cloud Monitoring has no data points for vpcaccess.googleapis.com\/connector\/sent_bytes_count between \d\d:\d\d and \d\d:\d\d UTC: there is no connector staging-connector in us-central1, or it was just created$/,
      ),
    });
    expect(measured(result, "vpc_connector_utilization")).toBeUndefined();
  });

  it("names a metric that Cloud Monitoring does not know", async () => {
    const { result } = await probe({
      ...quiet,
      [metric("sent_bytes_count")]: refusal(404, "NOT_FOUND", "Cannot find metric"),
    });
    expect(result.failure).toEqual({
      kind: "protocol",
      phase: "google_api",
      message:
        "Cloud Monitoring has no metric vpcaccess.googleapis.com/connector/sent_bytes_count in the project netra-staging: correct its name, or wait for its first data point",
    });
  });

  it("keeps the other results if one reading fails, except for the utilization", async () => {
    const { result } = await probe({
      ...quiet,
      [metric("sent_bytes_count")]: refusal(503, "UNAVAILABLE", "try later"),
    });
    expect(result.failure).toMatchObject({ kind: "unavailable", phase: "google_api" });
    expect(measured(result, "vpc_connector_cpu_utilization")).toBeDefined();
    expect(measured(result, "vpc_connector_throughput", "received")).toBeDefined();
    expect(measured(result, "vpc_connector_throughput", "sent")).toBeUndefined();
    expect(measured(result, "vpc_connector_utilization")).toBeUndefined();
  });

  it("names the missing permission and role of a refusal", async () => {
    const { result } = await probe({
      ...quiet,
      [metric("instances")]: refusal(403, "PERMISSION_DENIED", "denied", "IAM_PERMISSION_DENIED"),
    });
    expect(result.failure).toMatchObject({ kind: "auth", message: expect.stringContaining("roles/monitoring.viewer") });
  });
});

describe("vpc_connector settings", () => {
  it.each([
    [{ machine_type: "n2" }, "expected one of"],
    [{ max_instances: 11 }, "Too big"],
    [
      { connections: { instance: "no instance" } },
      'invalid instance "no instance": write its name, or project:region:instance',
    ],
    [{ period: "30s" }, "must be whole minutes, from 1m to 1d"],
    [{ period: "90s" }, "must be whole minutes, from 1m to 1d"],
  ])("reject %j", (wrong, sentence) => {
    const parsed = vpcConnector.settings.safeParse({ ...settings, ...wrong });
    expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(sentence);
  });
});
