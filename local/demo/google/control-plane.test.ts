import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { listening, measured, probeOnce } from "../../../functions/probe/fixtures.ts";
import { gcpConfiguration } from "../../../functions/probe/probers/gcp_configuration.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { allWell, type DemoFaults } from "../faults.ts";
import { controlPlane } from "./control-plane.ts";

const settings = parse(`project: pathkeeper-demo
region: us-central1
vpc_connector: { name: demo-connector, component: vpc-connector, connections: 50 }
cloud_sql: { instance: demo-postgres, component: cloud-sql, max_connections: 40 }
services:
  - name: backend
    component: backend
    startup: 240s
    request_timeout: 300s
    websocket: 1h
    memory: 512Mi
    env: [DATABASE_URL, AGENTS_KEY]
    vpc_access: connector
    egress: private-ranges-only
    roles: [roles/cloudsql.client]
    database: { way: private, pool: { size: 10 } }
  - name: auth
    component: auth
    startup: 240s
    memory: 512Mi
    callers: { services: [backend] }
    env: [DATABASE_URL]
    vpc_access: connector
    egress: private-ranges-only
    roles: [roles/cloudsql.client]
    database: { way: private, pool: { size: 3 } }
load_balancer:
  component: backend
  url_map: demo-lb
  forwarding_rule: demo-https
  dns: { zone: demo-zone }
  backends:
    - { name: demo-backend, service: backend, hosts: [api.demo.localhost] }
    - { name: demo-auth, service: auth, hosts: [auth.demo.localhost] }
certificates: { component: certificates, certificate_manager: [demo], domains: [www.demo.localhost, api.demo.localhost, auth.demo.localhost] }
network: { name: default, component: vpc-connector }
nat: { name: demo-nat, router: demo-router, component: configuration }
quotas: { component: configuration }
`);

/** Returns the result of a probe of the demo while these faults are played. */
async function configuration(faults: Partial<DemoFaults>): Promise<ProbeResult> {
  const apis = controlPlane(() => ({ ...allWell, ...faults }));
  const port = await listening(
    createServer((request, response) => {
      const [, host = "", path = ""] = /^\/([^/]+)([^?]*)/.exec(request.url ?? "") ?? [];
      const { status, body } = apis[host]?.({ path }) ?? { status: 404, body: {} };
      response.writeHead(status).end(JSON.stringify(body));
    }),
  );
  return probeOnce(gcpConfiguration, settings, { timeoutMs: 10_000, googleApis: `http://127.0.0.1:${port}` });
}

const wrong = ({ findings = [] }: ProbeResult): unknown[] =>
  findings
    .filter(({ ok }) => !ok)
    .map(({ check, resource, component, severity, observed }) => [check, resource, component, severity, observed]);

const expectedFinding = ["cloud_sql_ssl_mode", "demo-postgres", "cloud-sql", "info", "ALLOW_UNENCRYPTED_AND_ENCRYPTED"];

describe("the demo's control plane", () => {
  it("reports a correct configuration, except that the database does not require encryption", async () => {
    const result = await configuration({});
    expect([result.failure, result.unchecked, wrong(result)]).toEqual([undefined, [], [expectedFinding]]);
    expect(result.findings?.length).toBeGreaterThan(60);
  });

  it.each([
    ["loses every connection", { lost: 1 }],
    ["refuses every connection", { refuse: true }],
  ])("reports a connector as broken that %s", async (_, faults) => {
    const result = await configuration({ connector: { ...allWell.connector, ...faults } });
    expect(wrong(result)).toEqual([
      ["vpc_connector_state", "demo-connector", "vpc-connector", "critical", "ERROR"],
      expectedFinding,
    ]);
    expect(measured(result, "configuration_ok", "vpc_connector_state")).toBe(0);
  });

  it("does not report a slow connector as broken", async () => {
    const result = await configuration({
      connector: { ...allWell.connector, lost: 0.5, latencyMs: 800, neighbours: 0.9 },
    });
    expect(wrong(result)).toEqual([expectedFinding]);
  });

  it("reports that an expired certificate was not renewed, and why", async () => {
    const result = await configuration({ certificate: "expired" });
    expect(wrong(result)).toEqual([
      ["certificate_status", "demo", "certificates", "critical", "FAILED (AUTHORIZATION_ISSUE)"],
      [
        "certificate_domains",
        "demo",
        "certificates",
        "critical",
        "api.demo.localhost FAILED (CONFIG), auth.demo.localhost FAILED (CONFIG), www.demo.localhost FAILED (CONFIG)",
      ],
      ["certificate_expiry", "demo", "certificates", "warning", expect.stringMatching(/^expired/)],
      expectedFinding,
    ]);
  });

  it("reports the variable that is missing in the revision of a broken deploy", async () => {
    const result = await configuration({ deploy: "broken" });
    expect(wrong(result)).toEqual([
      ["cloud_run_env", "backend", "backend", "critical", "not set: AGENTS_KEY"],
      expectedFinding,
    ]);
    expect(
      result.findings?.find(({ check, resource }) => check === "cloud_run_revision" && resource === "backend")
        ?.observed,
    ).toBe("backend-00008-xlt");
  });
});
