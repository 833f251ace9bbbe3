import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { listening, measured, probeOnce } from "../fixtures.ts";
import { apiMisbehaviours, echoedError } from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { subnet } from "./subnet.ts";

const settings = { project: "netra-staging", region: "us-central1", subnet: "staging-subnet" };
const ranges = [
  { rangeName: "pods", totalAllocatedIp: "1", totalFreeIp: "255" },
  { totalAllocatedIp: "205", totalFreeIp: "51" },
];

async function startFake(body: unknown, status = 200) {
  const asked: string[] = [];
  const port = await listening(
    createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body));
    }),
  );
  return { port, asked };
}

const details = (ipv4Utilizations: unknown): unknown => ({ utilizationDetails: { ipv4Utilizations } });

async function probe(body: unknown, status?: number) {
  const { port, asked } = await startFake(body, status);
  const result = await probeOnce(subnet, settings, { googleApis: `http://127.0.0.1:${port}` });
  return { result, asked };
}

proberContract({
  prober: subnet,
  google: true,
  settings: () => settings,
  healthy: async () => (await startFake(details(ranges))).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("subnet", () => {
  it("measures the addresses of the primary range", async () => {
    const { result, asked } = await probe(details(ranges));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "subnet_free_addresses")).toBe(51);
    expect(measured(result, "subnet_address_utilization")).toBeCloseTo(205 / 256);
    expect(asked).toEqual([
      "/compute.googleapis.com/compute/v1/projects/netra-staging/regions/us-central1/subnetworks/staging-subnet?views=WITH_UTILIZATION",
    ]);
  });

  it("reports a missing permission, and missing fields of the answer", async () => {
    const error = { code: 403, message: "Required 'compute.subnetworks.get' permission", status: "PERMISSION_DENIED" };
    expect((await probe({ error }, 403)).result.failure).toMatchObject({ kind: "auth", phase: "google_api" });
    expect((await probe({ name: "staging-subnet" })).result.failure).toMatchObject({
      kind: "protocol",
      message: expect.stringContaining("did not report how many addresses"),
    });
  });
});
