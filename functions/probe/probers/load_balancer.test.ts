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
import { loadBalancer } from "./load_balancer.ts";

const settings = { project: "netra-staging", url_map: "staging-lb" };
const metric = (name: string): string => `loadbalancing.googleapis.com/https/${name}`;
const byClass = (counts: Record<string, number>): FakeResponse =>
  Object.entries(counts).map(([name, count]) => ({
    labels: { "metric.labels.response_code_class": name },
    points: [[4, int(count)]],
  }));
const busy: Record<string, FakeResponse> = {
  [metric("request_count")]: byClass({ 200: 80, 300: 4, 400: 6, 500: 20, 0: 10 }),
  [metric("total_latencies")]: one(double(1_250)),
  [metric("backend_latencies")]: one(double(900)),
};

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(loadBalancer, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: loadBalancer,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(busy)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("load_balancer", () => {
  it("reads the classes of the load balancer, such as 500 instead of 5xx", async () => {
    const { result } = await probe(busy);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "load_balancer_error_rate")).toBeCloseTo(20 / 120, 10);
    expect(measured(result, "load_balancer_request_rate", "5xx")).toBeCloseTo(20 / 60, 10);
    expect(measured(result, "load_balancer_request_rate", "2xx")).toBeCloseTo(80 / 60, 10);
    expect(measured(result, "load_balancer_request_rate", "none")).toBeCloseTo(10 / 60, 10);
    expect(measured(result, "load_balancer_latency")).toBe(1.25);
    expect(measured(result, "load_balancer_backend_latency")).toBe(0.9);
    expect(measured(result, "data_age")).toBeGreaterThanOrEqual(240);
  });

  it.each([
    [{}, 'resource.labels.url_map_name = "staging-lb"'],
    [{ url_map: undefined, forwarding_rule: "front" }, 'resource.labels.forwarding_rule_name = "front"'],
    [
      { backend: "backend-service" },
      'resource.labels.url_map_name = "staging-lb" AND resource.labels.backend_target_name = "backend-service"',
    ],
  ])("reads each metric once, for %j", async (more, filter) => {
    const { asked } = await probe(busy, more);
    expect(Object.keys(asked).sort()).toEqual(Object.keys(busy).sort());
    for (const [name, requests] of Object.entries(asked)) {
      expect(requests).toHaveLength(1);
      // An open WebSocket is a request with the status 101, and would count as a slow one.
      const others = name.endsWith("latencies") ? ' AND \\(metric.labels.response_code != "101"\\)' : "";
      expect(requests[0]?.get("filter")).toMatch(new RegExp(`resource.type = "https_lb_rule" AND ${filter}${others}$`));
    }
  });

  it("keeps the other results if one reading fails", async () => {
    const unavailable = refusal(503, "UNAVAILABLE", "try later");
    const latency = await probe({ ...busy, [metric("total_latencies")]: unavailable });
    expect(latency.result.failure).toMatchObject({ kind: "unavailable", phase: "google_api" });
    expect(measured(latency.result, "load_balancer_error_rate")).toBeDefined();
    expect(measured(latency.result, "load_balancer_latency")).toBeUndefined();
    const requests = await probe({ ...busy, [metric("request_count")]: unavailable });
    expect(measured(requests.result, "load_balancer_latency")).toBe(1.25);
    expect(measured(requests.result, "load_balancer_request_rate")).toBeUndefined();
    expect(requests.result.findings ?? []).toEqual([]);
  });

  it("does not fail without traffic, unless traffic is expected", async () => {
    const { result } = await probe({});
    expect(result.failure).toBeUndefined();
    expect(measured(result, "load_balancer_error_rate")).toBeUndefined();
    expect(result.findings).toMatchObject([
      { check: "traffic", ok: true, observed: expect.stringMatching(/^no requests between/) },
    ]);
    expect((await probe({}, { expect_traffic: true })).result.failure?.message).toMatch(
      /: there is no load balancer staging-lb, or it has no traffic$/,
    );
  });

  it("requires the name of the load balancer", () => {
    const parsed = loadBalancer.settings.safeParse({ project: "netra-staging" });
    expect(parsed.error?.issues[0]?.message).toBe(
      "set url_map or forwarding_rule: the name of the load balancer, or of its frontend",
    );
  });

  it("reads the regional metrics of a regional load balancer, in its region", async () => {
    const regional = Object.fromEntries(
      Object.entries(busy).map(([name, answer]) => [name.replace("/https/", "/https/external/regional/"), answer]),
    );
    const { result, asked } = await probe(regional, { scope: "regional", region: "us-central1" });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "load_balancer_latency")).toBe(1.25);
    expect(Object.keys(asked).sort()).toEqual(Object.keys(regional).sort());
    for (const requests of Object.values(asked))
      expect(requests[0]?.get("filter")).toContain(
        'resource.type = "http_external_regional_lb_rule" AND resource.labels.region = "us-central1" AND resource.labels.url_map_name = "staging-lb"',
      );
    const parsed = loadBalancer.settings.safeParse({ ...settings, scope: "regional" });
    expect(parsed.error?.issues[0]?.message).toContain("requires region");
  });
});
