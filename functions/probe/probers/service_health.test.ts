import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { listening, measured, probeOnce } from "../fixtures.ts";
import { apiMisbehaviours, echoedError } from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { serviceHealth } from "./service_health.ts";

const settings = { project: "netra-staging", region: "us-central1", products: ["Cloud SQL", "VPC"] };
const event = (id: string, more: object = {}) => ({
  name: `projects/netra-staging/locations/global/events/${id}`,
  title: "Cloud SQL: connections time out in us-central1",
  category: "INCIDENT",
  state: "ACTIVE",
  detailedState: "CONFIRMED",
  relevance: "IMPACTED",
  startTime: new Date(Date.now() - 20 * 60_000).toISOString(),
  eventImpacts: [{ product: { productName: "Google Cloud SQL" }, location: { locationName: "us-central1" } }],
  updates: [{ updateTime: "2025-09-16T12:00:00Z", symptom: "New connections time out. Old ones live." }],
  ...more,
});

/** Answers with pages, in order. @returns the port, and the received queries */
async function startFake(...pages: readonly { status?: number; body: object }[]) {
  const asked: URLSearchParams[] = [];
  const port = await listening(
    createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://fake");
      const known = url.pathname === "/servicehealth.googleapis.com/v1/projects/netra-staging/locations/global/events";
      const page = pages[Number(url.searchParams.get("pageToken") ?? 0)] ?? { status: 400, body: {} };
      asked.push(url.searchParams);
      response
        .writeHead(known ? (page.status ?? 200) : 404, { connection: "close" })
        .end(JSON.stringify(known ? page.body : {}));
    }),
  );
  return { port, asked };
}

async function probe(port: number, more: Record<string, unknown> = {}) {
  return probeOnce(serviceHealth, { ...settings, ...more }, { googleApis: `http://127.0.0.1:${port}` });
}

const disabled = {
  status: 403,
  body: {
    error: { code: 403, status: "PERMISSION_DENIED", message: "disabled", details: [{ reason: "SERVICE_DISABLED" }] },
  },
};

proberContract({
  prober: serviceHealth,
  google: true,
  settings: () => settings,
  healthy: async () => (await startFake({ body: {} })).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("service_health", () => {
  it("reports 0 if there are no incidents", async () => {
    const { port, asked } = await startFake({ body: {} });
    const result = await probe(port);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "service_health_incidents")).toBe(0);
    expect(result.findings).toMatchObject([{ check: "google_incident", ok: true }]);
    expect(Object.fromEntries(asked[0] ?? [])).toEqual({
      filter: "category=INCIDENT state=ACTIVE",
      view: "EVENT_VIEW_FULL",
      pageSize: "100",
    });
  });

  it("reports each incident in sentences, and does not fail because of it", async () => {
    const { port } = await startFake({ body: { events: [event("abc123")] } });
    const result = await probe(port);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "service_health_incidents")).toBe(1);
    expect(result.findings).toEqual([
      {
        check: "google_incident",
        ok: false,
        observed: '"Cloud SQL: connections time out in us-central1"',
        expected: "no Google incident",
        explanation: expect.stringMatching(
          /^It affects Google Cloud SQL in us-central1 since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(20 min( \d+ s)?\)\. https:\/\/console\.cloud\.google\.com\/servicehealth\/incidents\?project=netra-staging\. Google has verified that it affects this project\. Symptoms: New connections time out\.$/,
        ),
        resource: "abc123",
        severity: "warning",
      },
    ]);
  });

  it("reads all pages, and counts only incidents that affect the region and the products", async () => {
    const elsewhere = [{ product: { productName: "Google Cloud SQL" }, location: { locationName: "asia-east1" } }];
    const { port } = await startFake(
      { body: { events: [event("one"), event("two", { eventImpacts: elsewhere })], nextPageToken: "1" } },
      { body: { events: [event("three", { detailedState: "EMERGING", startTime: undefined })] } },
    );
    const result = await probe(port);
    expect(measured(result, "service_health_incidents")).toBe(2);
    expect(result.findings?.map(({ resource }) => resource)).toEqual(["one", "three"]);
    expect(result.findings?.[1]?.explanation).toMatch(
      /^It affects Google Cloud SQL in us-central1, not confirmed yet\. /,
    );
  });

  it("shortens Google's texts and removes control characters", async () => {
    const { port } = await startFake({ body: { events: [event("long", { title: `x\u001b[31m${"y".repeat(500)}` })] } });
    const [finding] = (await probe(port)).findings ?? [];
    expect(finding?.observed.length).toBeLessThan(100);
    expect(finding?.observed).not.toContain("\u001b");
    expect(finding?.explanation.length).toBeLessThanOrEqual(300);
  });

  it("fails with the command that enables a disabled API", async () => {
    const { port } = await startFake(disabled);
    expect((await probe(port)).failure).toEqual({
      kind: "unavailable",
      phase: "google_api",
      message:
        "Service Health is not enabled in the project netra-staging: run gcloud services enable servicehealth.googleapis.com --project netra-staging",
    });
  });

  it("only reports a disabled API if not_enabled is ignore", async () => {
    const { port } = await startFake(disabled);
    const result = await probe(port, { not_enabled: "ignore" });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "service_health_incidents")).toBeUndefined();
    expect(result.unchecked).toEqual([
      {
        checks: ["google_incident"],
        resource: "Service Health",
        explanation:
          "It is not enabled in the project netra-staging: run gcloud services enable servicehealth.googleapis.com --project netra-staging",
      },
    ]);
  });

  it("does not mistake a missing permission for a disabled API", async () => {
    const refused = { error: { code: 403, status: "PERMISSION_DENIED", message: "denied" } };
    const { port } = await startFake({ status: 403, body: refused });
    expect((await probe(port, { not_enabled: "ignore" })).failure).toMatchObject({
      kind: "auth",
      message: expect.stringContaining(
        "grant the probe's identity servicehealth.events.list, for example with roles/servicehealth.viewer",
      ),
    });
  });
});
