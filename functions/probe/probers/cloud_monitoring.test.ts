import { describe, expect, it } from "vitest";
import { measured, probeOnce } from "../fixtures.ts";
import {
  apiMisbehaviours,
  bool,
  double,
  echoedError,
  type FakeResponse,
  fakeMonitoring,
  int,
  one,
  refusal,
} from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { cloudMonitoring } from "./cloud_monitoring.ts";

const type = "pubsub.googleapis.com/subscription/oldest_unacked_message_age";
const settings = {
  project: "netra-staging",
  metric_type: type,
  resource_type: "pubsub_subscription",
  filter: 'resource.labels.subscription_id = "orders"',
  aligner: "ALIGN_MAX",
  reducer: "REDUCE_MAX",
  metric: "cloud_monitoring_seconds",
  labels: { name: "order_age" },
};

async function probe(answer: FakeResponse, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring({ [type]: answer });
  const result = await probeOnce(cloudMonitoring, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: cloudMonitoring,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring({ [type]: one(int(12)) })).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("cloud_monitoring", () => {
  it("reads the configured metric in one request", async () => {
    const { result, asked } = await probe(one(int(12), 2));
    expect(result.failure).toBeUndefined();
    expect(result.measurements).toContainEqual({
      metric: "cloud_monitoring_seconds",
      value: 12,
      labels: { name: "order_age" },
    });
    expect(measured(result, "data_age")).toBeGreaterThanOrEqual(120);
    expect(asked[type]).toHaveLength(1);
    expect(asked[type]?.[0]?.get("filter")).toBe(
      `metric.type = "${type}" AND resource.type = "pubsub_subscription" AND (resource.labels.subscription_id = "orders")`,
    );
  });

  it.each([
    ["ms", "cloud_monitoring_seconds", double(250), 0.25],
    ["us", "cloud_monitoring_seconds", int(250_000), 0.25],
    ["ns", "cloud_monitoring_seconds", int(250_000_000), 0.25],
    ["%", "cloud_monitoring_ratio", double(93), 0.93],
    ["MiB", "cloud_monitoring_bytes", int(2), 2_097_152],
    [undefined, "cloud_monitoring_count", bool(true), 1],
  ])("converts %s to the base unit", async (unit, metric, value, expected) => {
    const { result } = await probe(one(value), { metric, ...(unit === undefined ? {} : { unit }) });
    expect(measured(result, metric)).toBeCloseTo(expected, 10);
  });

  it("copies labels from the series", async () => {
    const answer: FakeResponse = ["us", "eu"].map((region, at) => ({
      labels: { "resource.labels.region": region },
      points: [[3, int(at + 1)]],
    }));
    const { result, asked } = await probe(answer, {
      group_by: ["resource.labels.region"],
      label_from: { group: "resource.labels.region" },
    });
    expect(measured(result, "cloud_monitoring_seconds", "us")).toBe(1);
    expect(measured(result, "cloud_monitoring_seconds", "eu")).toBe(2);
    expect(asked[type]?.[0]?.getAll("aggregation.groupByFields")).toEqual(["resource.labels.region"]);
  });

  it.each([
    [
      "fail",
      /^Cloud Monitoring has no data points for .* UTC: no series matches the filter, or no data is reported$/,
      undefined,
    ],
    ["zero", undefined, 0],
    ["ignore", undefined, undefined],
  ])("treats a missing point as set in empty: %s", async (empty, failure, value) => {
    const { result } = await probe([], { empty });
    if (failure) expect(result.failure?.message).toMatch(failure);
    else expect(result.failure).toBeUndefined();
    expect(measured(result, "cloud_monitoring_seconds")).toBe(value);
  });

  it("limits the number of series", async () => {
    const many: FakeResponse = Array.from({ length: 120 }, () => ({ points: [[3, int(1)]] }));
    const { result } = await probe(many);
    expect(result.failure).toEqual({
      kind: "protocol",
      phase: "series",
      message: "120 series match, more than 100: narrow the filter, or set a reducer",
    });
    expect(result.measurements.filter(({ metric }) => metric === "cloud_monitoring_seconds")).toHaveLength(100);
  });

  it("reports Google's error for an invalid filter", async () => {
    const { result } = await probe(refusal(400, "INVALID_ARGUMENT", "Field filter had an invalid value"));
    expect(result.failure).toMatchObject({
      kind: "protocol",
      message: "Cloud Monitoring rejected the request as invalid: Field filter had an invalid value",
    });
  });
});

describe("cloud_monitoring settings", () => {
  it.each([
    [{ metric_type: "cpu" }, 'invalid metric type "cpu": write one such as run.googleapis.com/request_count'],
    [{ unit: "%" }, "cloud_monitoring_seconds is in seconds: write one of s, ms, us, ns"],
    [{ metric: "probe_success" }, "the probe itself measures probe_success: choose another metric"],
    [{ labels: { queue: "orders" } }, 'cloud_monitoring_seconds has no label "queue": it has name, group'],
    [
      { label_from: { group: "state" } },
      'invalid series label "state": write metric.labels.NAME or resource.labels.NAME',
    ],
    [
      { reducer: "REDUCE_NONE", group_by: ["metric.labels.state"] },
      "group_by requires a reducer, which combines each group into one series",
    ],
    [{ delay: "2h" }, "must be at most 1h"],
  ])("reject %j", (wrong, sentence) => {
    const parsed = cloudMonitoring.settings.safeParse({ ...settings, ...wrong });
    expect(parsed.error?.issues.map(({ message }) => message)).toContain(sentence);
  });
});
