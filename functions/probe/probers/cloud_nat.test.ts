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
} from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { cloudNat } from "./cloud_nat.ts";

const settings = { project: "netra-staging", region: "us-central1", gateway: "staging-nat" };
const metric = (name: string): string => `router.googleapis.com/nat/${name}`;
const busy: Record<string, FakeResponse> = {
  [metric("nat_allocation_failed")]: one(double(0)),
  [metric("dropped_sent_packets_count")]: [
    { labels: { "metric.labels.reason": "OUT_OF_RESOURCES" }, points: [[4, int(42)]] },
  ],
  [metric("allocated_ports")]: one(int(4_096)),
  [metric("port_usage")]: one(int(960)),
  [metric("open_connections")]: one(int(1_500)),
};

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(cloudNat, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: cloudNat,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(busy)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("cloud_nat", () => {
  it("measures ports, connections and dropped packets by reason, of the one gateway", async () => {
    const { result, asked } = await probe(busy, { max_ports: 1_024 });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "cloud_nat_dropped_packets", "OUT_OF_RESOURCES")).toBe(42);
    expect(measured(result, "cloud_nat_dropped_packets", "ENDPOINT_INDEPENDENCE_CONFLICT")).toBe(0);
    expect(measured(result, "cloud_nat_allocated_ports")).toBe(4_096);
    expect(measured(result, "cloud_nat_port_usage")).toBe(960);
    expect(measured(result, "cloud_nat_port_utilization")).toBe(0.9375);
    expect(measured(result, "cloud_nat_open_connections")).toBe(1_500);
    for (const requests of Object.values(asked))
      expect(requests[0]?.get("filter")).toContain(
        'resource.type = "nat_gateway" AND resource.labels.gateway_name = "staging-nat" AND resource.labels.region = "us-central1"',
      );
  });

  it("fails if the gateway could not allocate an address", async () => {
    const { result } = await probe({ ...busy, [metric("nat_allocation_failed")]: one(double(1)) });
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "state",
      signal: "saturated",
      message: expect.stringContaining("could not allocate an address"),
    });
    expect(measured(result, "cloud_nat_port_usage")).toBe(960);
  });

  it("reports that there are no points to read", async () => {
    expect((await probe({})).result.failure).toMatchObject({ kind: "unavailable", phase: "google_api" });
  });
});
