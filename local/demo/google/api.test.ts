import { createServer } from "node:http";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listening, measured, probeOnce } from "../../../functions/probe/fixtures.ts";
import { probers } from "../../../functions/probe/probers/index.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { type GoogleIncident, monitoringApi, serviceHealthApi, startGoogleApi } from "./api.ts";
import { type DemoReadings, googleNames, recordDemo } from "./record.ts";

const { project, region } = googleNames;
const well: DemoReadings = {
  connector: { utilization: 0.3, sentBytes: 0, receivedBytes: 0 },
  database: {
    connections: { netra: 8, postgres: 1 },
    active: 2,
    sessions: 100,
    blocksRead: 50,
    bytesWritten: 8_192,
    bytesStored: 2 ** 30,
  },
};

/** Starts a stand with readings that a test can change, read every few milliseconds, and a service that counts its requests. */
async function stand() {
  const state: { readings: DemoReadings; incident: (GoogleIncident & { since: number }) | undefined; status: number } =
    {
      readings: well,
      incident: undefined,
      status: 200,
    };
  const backend = await listening(createServer((_, response) => response.writeHead(state.status).end("ok")));
  const record = await recordDemo({
    read: async () => state.readings,
    services: { [backend]: "backend" },
    everyMs: 20,
  });
  const google = await startGoogleApi({
    "monitoring.googleapis.com": monitoringApi(record.series, project),
    "servicehealth.googleapis.com": serviceHealthApi(() => state.incident, project, region),
  });
  onTestFinished(async () => {
    await record.stop();
    await google.stop();
  });
  const probe = (kind: string, settings: object): Promise<ProbeResult> => {
    const prober = probers[kind];
    if (!prober) throw new Error(`there is no prober ${kind}`);
    return probeOnce(prober, { project, ...settings }, { googleApis: google.url });
  };
  return { state, probe, visit: () => fetch(`http://127.0.0.1:${backend}/`).then((response) => response.text()) };
}

const patience = { timeout: 20_000 };

describe("the demo's Google APIs", () => {
  const connector = { region, connector: googleNames.connector };

  it("report the connector at once, and its load changes later", async () => {
    const { state, probe } = await stand();
    const result = await probe("vpc_connector", connector);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "vpc_connector_utilization")).toBeCloseTo(0.3, 1);
    expect(measured(result, "vpc_connector_instances")).toBe(2);
    expect(measured(result, "data_age")).toBeGreaterThanOrEqual(240);
    state.readings = { ...well, connector: { utilization: 0.95, sentBytes: 6_000, receivedBytes: 12_000 } };
    await vi.waitFor(async () => {
      const busy = await probe("vpc_connector", connector);
      expect(measured(busy, "vpc_connector_utilization")).toBeGreaterThan(0.9);
      expect(measured(busy, "vpc_connector_instances")).toBeGreaterThan(2);
    }, patience);
  });

  it("report the state and the load of the database", async () => {
    const { state, probe } = await stand();
    const instance = { instance: googleNames.instance, max_connections: 100 };
    const result = await probe("cloud_sql", instance);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "cloud_sql_up")).toBe(1);
    expect(measured(result, "cloud_sql_connections")).toBe(9);
    expect(measured(result, "cloud_sql_connection_utilization")).toBe(0.09);
    expect(measured(result, "cloud_sql_disk_utilization")).toBeCloseTo(0.1, 10);
    state.readings = { ...well, database: undefined };
    await vi.waitFor(async () => {
      expect((await probe("cloud_sql", instance)).failure?.message).toMatch(
        /^the server of demo-postgres is down: its state is still RUNNING/,
      );
    }, patience);
  });

  it("count requests at the services and at the load balancer", async () => {
    const { state, probe, visit } = await stand();
    const visiting = setInterval(() => visit().catch(() => {}), 5);
    onTestFinished(() => clearInterval(visiting));
    const service = { region, service: "backend", failed_startups: "failed-startups" };
    await vi.waitFor(async () => {
      const result = await probe("cloud_run", service);
      expect(measured(result, "cloud_run_error_rate")).toBe(0);
      expect(measured(result, "cloud_run_request_rate", "2xx")).toBeGreaterThan(0);
      expect(measured(result, "cloud_run_request_latency")).toBeGreaterThan(0);
      expect(measured(result, "cloud_run_instances", "active")).toBe(1);
      expect(measured(result, "failed_startups")).toBe(0);
    }, patience);
    state.status = 503;
    await vi.waitFor(async () => {
      const atService = await probe("cloud_run", service);
      const atBalancer = await probe("load_balancer", { url_map: googleNames.urlMap });
      expect(measured(atService, "cloud_run_error_rate")).toBe(1);
      expect(measured(atBalancer, "load_balancer_error_rate")).toBe(1);
    }, patience);
  });

  it("tell an incident of Google's while there is one", async () => {
    const { state, probe } = await stand();
    expect(measured(await probe("service_health", { region }), "service_health_incidents")).toBe(0);
    const incident = {
      title: "Connections are lost",
      symptom: "New connections time out.",
      product: "Serverless VPC Access",
    };
    state.incident = { ...incident, since: Date.now() };
    const result = await probe("service_health", { region, products: ["VPC"] });
    expect(measured(result, "service_health_incidents")).toBe(1);
    expect(result.findings).toMatchObject([
      { observed: '"Connections are lost"', explanation: expect.stringContaining("New connections time out.") },
    ]);
  });

  it("return Google's errors for disabled APIs and missing resources", async () => {
    const { probe } = await stand();
    const elsewhere = await probe("vpc_connector", { ...connector, project: "another-project" });
    expect(elsewhere.failure).toMatchObject({ phase: "google_api", message: expect.stringContaining("404") });
    await vi.waitFor(async () => {
      const { failure } = await probe("vpc_connector", { ...connector, connector: "another" });
      expect(failure?.message).toMatch(/: there is no connector another in us-central1, or it was just created$/);
    }, patience);
  });
});
