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
import { memorystore } from "./memorystore.ts";

const settings = { project: "netra-staging", region: "us-central1", instance: "staging-redis" };
const metric = (name: string): string => `redis.googleapis.com/${name}`;
const busy: Record<string, FakeResponse> = {
  [metric("stats/memory/usage_ratio")]: one(double(0.91)),
  [metric("stats/memory/system_memory_usage_ratio")]: one(double(0.84)),
  [metric("clients/connected")]: one(double(130)),
  [metric("stats/reject_connections_count")]: one(int(3)),
  [metric("stats/evicted_keys")]: one(int(250)),
};

async function probe(answers: Record<string, FakeResponse>, more: Record<string, unknown> = {}) {
  const fake = await fakeMonitoring(answers);
  const result = await probeOnce(memorystore, { ...settings, ...more }, { googleApis: fake.url });
  return { result, asked: fake.asked };
}

proberContract({
  prober: memorystore,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeMonitoring(busy)).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("memorystore", () => {
  it("measures memory, clients, refusals and evictions of the one instance", async () => {
    const { result, asked } = await probe(busy, { max_clients: 200 });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "memorystore_memory_utilization")).toBe(0.91);
    expect(measured(result, "memorystore_system_memory_utilization")).toBe(0.84);
    expect(measured(result, "memorystore_clients")).toBe(130);
    expect(measured(result, "memorystore_client_utilization")).toBe(0.65);
    expect(measured(result, "memorystore_rejected_connections")).toBe(3);
    expect(measured(result, "memorystore_evicted_keys")).toBe(250);
    expect(Object.keys(asked).sort()).toEqual(Object.keys(busy).sort());
    for (const requests of Object.values(asked))
      expect(requests[0]?.get("filter")).toContain(
        'resource.type = "redis_instance" AND resource.labels.instance_id = "projects/netra-staging/locations/us-central1/instances/staging-redis"',
      );
  });

  it("reports that there are no points to read, and does without missing metrics", async () => {
    const { result } = await probe({});
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "google_api",
      message: expect.stringContaining("there is no instance staging-redis in us-central1"),
    });
    const { [metric("stats/evicted_keys")]: _, ...others } = busy;
    const less = await probe(others);
    expect(less.result.failure).toBeUndefined();
    expect(measured(less.result, "memorystore_evicted_keys")).toBeUndefined();
    expect(measured(less.result, "memorystore_client_utilization")).toBeUndefined();
  });
});
