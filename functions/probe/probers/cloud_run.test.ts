import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../../shared/messages/report.ts";
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
import { cloudRun } from "./cloud_run.ts";

const settings = { project: "netra-staging", region: "us-central1", service: "backend" };
const metric = (name: string): string => `run.googleapis.com/${name}`;
const log = "logging.googleapis.com/user/failed-startups";
const byClass = (counts: Record<string, number>, minutesAgo = 3): FakeResponse =>
  Object.entries(counts).map(([name, count]) => ({
    labels: { "metric.labels.response_code_class": name },
    points: [[minutesAgo, int(count)]],
  }));

const busy: Record<string, FakeResponse> = {
  [metric("request_count")]: byClass({ "2xx": 570, "4xx": 24, "5xx": 6 }),
  [metric("request_latencies")]: one(double(840)),
  [metric("container/instance_count")]: [
    { labels: { "metric.labels.state": "active" }, points: [[3, int(4)]] },
    { labels: { "metric.labels.state": "idle" }, points: [[3, int(1)]] },
  ],
  [metric("container/startup_latencies")]: one(double(12_500)),
  [log]: one(int(2)),
};

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(cloudRun, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

function values({ measurements }: ProbeResult): Record<string, number> {
  return Object.fromEntries(
    measurements.map(({ metric: name, value, labels }) => [[name, ...Object.values(labels)].join(" "), value]),
  );
}

proberContract({
  prober: cloudRun,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(busy)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("cloud_run", () => {
  it("measures requests by class, latency in seconds, instances and failed starts", async () => {
    const { result } = await probe(busy, { failed_startups: "failed-startups" });
    expect(result.failure).toBeUndefined();
    expect(values(result)).toMatchObject({
      cloud_run_error_rate: 0.01,
      "cloud_run_request_rate 2xx": 9.5,
      "cloud_run_request_rate 3xx": 0,
      "cloud_run_request_rate 4xx": 0.4,
      "cloud_run_request_rate 5xx": 0.1,
      cloud_run_request_latency: 0.84,
      cloud_run_startup_latency: 12.5,
      "cloud_run_instances active": 4,
      "cloud_run_instances idle": 1,
      failed_startups: 2,
    });
    expect(result.findings).toEqual([]);
  });

  it("reads each metric once, over all revisions of this service, in its region", async () => {
    const { asked } = await probe(busy, { failed_startups: "failed-startups" });
    expect(Object.keys(asked).sort()).toEqual(Object.keys(busy).sort());
    for (const requests of Object.values(asked)) {
      expect(requests).toHaveLength(1);
      expect(requests[0]?.get("filter")).toContain(
        'resource.type = "cloud_run_revision" AND resource.labels.service_name = "backend" AND resource.labels.location = "us-central1"',
      );
    }
    const latency = asked[metric("request_latencies")]?.[0];
    expect(latency?.get("filter")).toContain('AND (metric.labels.response_code != "101")');
    expect(asked[metric("request_count")]?.[0]?.get("filter")).not.toContain("101");
    expect(latency?.get("aggregation.perSeriesAligner")).toBe("ALIGN_DELTA");
    expect(latency?.get("aggregation.crossSeriesReducer")).toBe("REDUCE_PERCENTILE_95");
    expect(asked[metric("request_count")]?.[0]?.getAll("aggregation.groupByFields")).toEqual([
      "metric.labels.response_code_class",
    ]);
  });

  it("measures memory, CPU, instances relative to their maximum, and refused requests, if configured", async () => {
    const more = { utilization: true, max_instances: 5, refused_requests: "refused-requests" };
    const answers = {
      ...busy,
      [metric("container/memory/utilizations")]: one(double(0.93)),
      [metric("container/cpu/utilizations")]: one(double(0.41)),
      "logging.googleapis.com/user/refused-requests": one(int(17)),
    };
    const { result, asked } = await probe(answers, more);
    expect(values(result)).toMatchObject({
      cloud_run_memory_utilization: 0.93,
      cloud_run_cpu_utilization: 0.41,
      cloud_run_instance_utilization: 0.8,
      cloud_run_refused_requests: 17,
    });
    const memory = asked[metric("container/memory/utilizations")]?.[0];
    expect(memory?.get("aggregation.crossSeriesReducer")).toBe("REDUCE_PERCENTILE_95");
    const { result: quiet, asked: less } = await probe(busy);
    expect(Object.keys(less)).not.toContain(metric("container/memory/utilizations"));
    expect(measured(quiet, "cloud_run_memory_utilization")).toBeUndefined();
    expect(measured((await probe(busy, more)).result, "cloud_run_refused_requests")).toBe(0);
  });

  it("does not read failed starts without a log-based metric", async () => {
    const { result, asked } = await probe(busy);
    expect(asked).not.toHaveProperty(log);
    expect(measured(result, "failed_startups")).toBeUndefined();
  });

  it("counts 0 failed starts if the log-based metric has no points", async () => {
    const { [log]: _, ...others } = busy;
    const { result } = await probe(others, { failed_startups: "failed-startups" });
    expect(measured(result, "failed_startups")).toBe(0);
  });

  it.each([
    ["request_count", ["cloud_run_request_rate", "cloud_run_error_rate"]],
    ["request_latencies", ["cloud_run_request_latency"]],
    ["container/instance_count", ["cloud_run_instances"]],
    ["container/startup_latencies", ["cloud_run_startup_latency"]],
  ])("keeps the other results if %s is unavailable", async (name, missing) => {
    const answers = { ...busy, [metric(name)]: refusal(503, "UNAVAILABLE", "try later") };
    const { result } = await probe(answers, { failed_startups: "failed-startups" });
    const whole = await probe(busy, { failed_startups: "failed-startups" });
    expect(result.failure).toMatchObject({ kind: "unavailable", phase: "google_api" });
    const names = ({ measurements }: ProbeResult): string[] => measurements.map((one) => one.metric);
    expect(names(result)).toEqual(names(whole.result).filter((one) => !missing.includes(one)));
  });

  it("names a log-based metric that does not exist", async () => {
    const answers = { ...busy, [log]: refusal(404, "NOT_FOUND", "Cannot find metric(s) that match type = x") };
    const { result } = await probe(answers, { failed_startups: "failed-startups" });
    expect(result.failure).toEqual({
      kind: "protocol",
      phase: "google_api",
      message:
        "there is no log-based metric failed-startups in the project netra-staging: create it, or correct its name",
    });
  });

  it.each([
    ["a share over the whole of a longer period", { "2xx": 90, "5xx": 10 }, { period: "5m" }, 0.1, 10 / 300],
    ["only failures", { "5xx": 6 }, {}, 1, 0.1],
    ["none", { "2xx": 6 }, {}, 0, 0],
  ])("finds %s", async (_, counts, more, share, rate) => {
    const { result } = await probe({ ...busy, [metric("request_count")]: byClass(counts, 4) }, more);
    expect(measured(result, "cloud_run_error_rate")).toBe(share);
    expect(measured(result, "cloud_run_request_rate", "5xx")).toBeCloseTo(rate, 10);
  });

  it("reports no traffic without a failure, an error rate or a latency", async () => {
    const { result } = await probe({});
    expect(result.failure).toBeUndefined();
    expect(measured(result, "cloud_run_error_rate")).toBeUndefined();
    expect(measured(result, "cloud_run_request_latency")).toBeUndefined();
    expect(measured(result, "data_age")).toBeUndefined();
    expect(measured(result, "cloud_run_request_rate", "5xx")).toBe(0);
    expect(result.findings).toMatchObject([
      {
        check: "traffic",
        ok: true,
        observed: expect.stringMatching(/^neither requests nor instances between \d\d:\d\d and \d\d:\d\d UTC$/),
        explanation: "No measurements: there is no service backend in us-central1, or it has no traffic.",
      },
    ]);
  });

  it("fails without traffic if traffic is expected", async () => {
    const { result } = await probe({}, { expect_traffic: true });
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "google_api",
      message: expect.stringMatching(
        /^Cloud Monitoring has no data points for run.googleapis.com\/request_count between .*: there is no service backend/,
      ),
    });
  });
});
