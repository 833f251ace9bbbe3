import { describe, expect, it } from "vitest";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ReportedChange } from "../../../shared/messages/report.ts";
import { probeOf, probeOnce, tcpServer } from "../fixtures.ts";
import { apiMisbehaviours, echoedError } from "../google/fake-monitoring.fixtures.ts";
import { audited, fakeLogging } from "../google/logging/fake-logging.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { auditLogs } from "./audit_logs.ts";
import { probers } from "./index.ts";

const settings = { project: "shop-1" };
const place = { project: "shop-1", region: "us-central1" };

/** The other probes of the environment, by which a change is attributed to a component. */
const others = (
  [
    ["cloud_run", "backend", { ...place, service: "backend" }],
    ["cloud_run", "accounts", { ...place, service: "accounts" }],
    ["cloud_sql", "database", { project: "shop-1", instance: "shop-postgres" }],
    ["gcp_configuration", "network", { ...place, network: { name: "default", component: "way" } }],
  ] as const
).map(([kind, component, own]): ConfiguredProbe => ({ ...probeOf(kind, own), component }));

const service = (account: string, secret: string): object => ({
  template: {
    serviceAccount: account,
    containers: [{ env: [{ name: "KEY", valueSource: { secretKeyRef: { secret, version: "latest" } } }] }],
  },
});
const services = {
  backend: service("backend@shop-1.iam.gserviceaccount.com", "database-url"),
  accounts: service("accounts@shop-1.iam.gserviceaccount.com", "accounts-key"),
};

const run = "run.googleapis.com";
const deployment = (name: string, minutesAgo: number, more: object = {}): object =>
  audited(minutesAgo, run, "google.cloud.run.v1.Services.ReplaceService", `namespaces/shop-1/services/${name}`, {
    entry: { insertId: `deploy-${name}`, resource: { type: "cloud_run_revision", labels: { service_name: name } } },
    payload: { request: { service: { spec: { traffic: [{ latestRevision: true, percent: 100 }] } } }, ...more },
  });
const policy = (member: string, action = "REMOVE"): object =>
  audited(5, "cloudresourcemanager.googleapis.com", "SetIamPolicy", "projects/shop-1", {
    payload: { serviceData: { policyDelta: { bindingDeltas: [{ action, role: "roles/cloudsql.client", member }] } } },
  });
const firewall = (network: string): object =>
  audited(3, "compute.googleapis.com", "v1.compute.firewalls.insert", "projects/shop-1/global/firewalls/lock", {
    payload: {
      request: {
        network: `https://compute.googleapis.com/compute/v1/projects/shop-1/global/networks/${network}`,
        direction: "EGRESS",
        denieds: [{ IPProtocol: "all" }],
      },
    },
  });
const destroyed = (secret: string): object =>
  audited(
    4,
    "secretmanager.googleapis.com",
    "google.cloud.secretmanager.v1.SecretManagerService.DestroySecretVersion",
    `projects/123/secrets/${secret}/versions/3`,
  );

async function found(entries: readonly object[], more: object = {}): Promise<readonly ReportedChange[]> {
  const { port } = await fakeLogging(() => entries, services);
  const options = { googleApis: `http://127.0.0.1:${port}`, all: others, probers };
  const result = await probeOnce(auditLogs, { ...settings, ...more }, options);
  expect(result.failure).toBeUndefined();
  return result.changes ?? [];
}

proberContract({
  prober: auditLogs,
  google: true,
  settings: () => settings,
  healthy: async () => (await fakeLogging(() => [])).port,
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
});

describe("audit_logs", () => {
  it("reports a deployment once, with its revision and the command to revert it", async () => {
    const ready = audited(
      6,
      run,
      "/InternalServices.ReplaceInternalService",
      "namespaces/shop-1/revisions/backend-00042-xlt",
      {
        system: true,
        entry: { resource: { type: "cloud_run_revision", labels: { service_name: "backend" } } },
      },
    );
    const [change, ...more] = await found([ready, deployment("backend", 7)]);
    expect(more).toEqual([]);
    expect(change).toMatchObject({
      id: "deploy-backend",
      kind: "deployment",
      what: "deployed revision backend-00042-xlt",
      resource: "Cloud Run service backend",
      components: ["backend"],
      revert: expect.stringContaining("gcloud run services update-traffic backend --to-revisions"),
      link: expect.stringMatching(/^https:\/\/console\.cloud\.google\.com\/logs\/query;query=insertId.*deploy-backend/),
    });
    expect(change?.by).toBeUndefined();
  });

  it("reports a revision that did not become ready", async () => {
    const broken = audited(
      6,
      run,
      "/InternalServices.ReplaceInternalService",
      "namespaces/shop-1/revisions/backend-00043-abc",
      {
        system: true,
        entry: { resource: { labels: { service_name: "backend" } } },
        payload: { status: { code: 3, message: "The user-provided container failed to start." } },
      },
    );
    expect(await found([broken, deployment("backend", 7)])).toMatchObject([
      { what: "deployed revision backend-00043-abc, which did not become ready" },
    ]);
  });

  it("distinguishes a change of traffic from a deployment", async () => {
    const pinned = deployment("backend", 2, {
      request: {
        service: {
          spec: {
            traffic: [
              { revisionName: "backend-00040", percent: 90 },
              { revisionName: "backend-00042", percent: 10 },
            ],
          },
        },
      },
    });
    expect(await found([pinned])).toMatchObject([
      { kind: "traffic", what: "sent traffic: 90% to backend-00040 and 10% to backend-00042" },
    ]);
  });

  it.each([
    [
      "a role that was taken away, of the service that runs as the account",
      policy("serviceAccount:backend@shop-1.iam.gserviceaccount.com"),
      { kind: "iam", what: "removed roles/cloudsql.client from backend@…", components: ["backend"] },
    ],
    [
      "a role of an account that none of the services runs as",
      policy("serviceAccount:reports@shop-1.iam.gserviceaccount.com"),
      { kind: "iam", components: [], elsewhere: true },
    ],
    [
      "a firewall rule, of the network that it is in",
      firewall("default"),
      { kind: "firewall", what: "created firewall rule lock, which denies egress", components: ["way"] },
    ],
    ["a firewall rule of another network", firewall("sandbox"), { components: [], elsewhere: true }],
    [
      "a destroyed secret, of the service that uses it",
      destroyed("database-url"),
      { kind: "secret", what: "destroyed a version of secret database-url (version 3)", components: ["backend"] },
    ],
    ["a secret that none of the services uses", destroyed("newsletter-key"), { components: [], elsewhere: true }],
    [
      "settings of the database, by their names",
      audited(9, "cloudsql.googleapis.com", "cloudsql.instances.update", "projects/shop-1/instances/shop-postgres", {
        payload: { request: { body: { settings: { tier: "db-f1-micro", settingsVersion: "7" } } } },
      }),
      { kind: "settings", what: "changed Cloud SQL instance shop-postgres: tier", components: ["database"] },
    ],
    [
      "maintenance that Google did by itself",
      audited(9, "cloudsql.googleapis.com", "cloudsql.instances.update", "projects/shop-1/instances/shop-postgres", {
        system: true,
      }),
      {
        kind: "maintenance",
        what: expect.stringContaining("maintenance by Google of Cloud SQL instance shop-postgres"),
        components: ["database"],
      },
    ],
    [
      "a failover",
      audited(9, "cloudsql.googleapis.com", "cloudsql.instances.failover", "projects/shop-1/instances/shop-postgres"),
      { kind: "failover", what: "failed over Cloud SQL instance shop-postgres", components: ["database"] },
    ],
    [
      "a service that the environment does not have",
      deployment("newsletter", 2),
      { kind: "deployment", components: [], elsewhere: true },
    ],
    [
      "a policy of the organization, of nobody in particular",
      audited(
        9,
        "orgpolicy.googleapis.com",
        "google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy",
        "projects/shop-1/policies/run.allowedIngress",
      ),
      { kind: "policy", what: "changed organization policy run.allowedIngress", components: [] },
    ],
  ])("reports %s", async (_what, entry, expected) => {
    expect(await found([entry])).toMatchObject([expected]);
  });

  it("names no people, neither as authors nor as subjects of a change, unless show_principals is set", async () => {
    const changes = await found([policy("user:jane@shop.example", "ADD")]);
    expect(changes).toMatchObject([{ what: "added roles/cloudsql.client to a user" }]);
    expect(JSON.stringify(changes)).not.toMatch(/jane|somebody/);
    expect(await found([deployment("backend", 1)], { show_principals: true })).toMatchObject([
      { by: "somebody@shop.example" },
    ]);
  });

  it("omits refused attempts and unknown entries", async () => {
    const refused = deployment("backend", 1, { status: { code: 7, message: "PERMISSION_DENIED" } });
    const strange = audited(1, "storage.googleapis.com", "storage.buckets.create", "projects/_/buckets/b");
    const empty = { insertId: "x", timestamp: "yesterday", logName: 7 };
    expect(await found([refused, strange, empty, {}])).toEqual([]);
  });

  it("reports a long-running operation once, by its request", async () => {
    const operation = (first: boolean, minutesAgo: number): object =>
      audited(
        minutesAgo,
        "compute.googleapis.com",
        "v1.compute.firewalls.insert",
        "projects/shop-1/global/firewalls/lock",
        {
          entry: { operation: { id: "operation-1", first, last: !first } },
          payload: first ? { request: { network: "global/networks/default", denieds: [{ IPProtocol: "tcp" }] } } : {},
        },
      );
    expect(await found([operation(false, 2), operation(true, 3)])).toMatchObject([
      { what: "created firewall rule lock, which denies ingress", components: ["way"] },
    ]);
  });

  it("reads one page, starting an hour before the first failure", async () => {
    const { port, asked } = await fakeLogging(() =>
      Array.from({ length: 300 }, (_, i) => deployment("backend", i / 10)),
    );
    const since = Date.parse("2025-09-16T12:00:00Z");
    const options = {
      googleApis: `http://127.0.0.1:${port}`,
      all: others,
      probers,
      diagnosis: { since, about: ["backend"] },
    };
    const result = await probeOnce(auditLogs, settings, options);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ orderBy: "timestamp desc", pageSize: 100, resourceNames: ["projects/shop-1"] });
    expect(asked[0]?.filter).toContain('timestamp>="2025-09-16T11:00:00.000Z"');
    expect(asked[0]?.filter).toContain("cloudaudit.googleapis.com%2Fsystem_event");
    expect(result.changes?.length).toBeLessThanOrEqual(30);
  });

  it("names the missing role, and does not fail because of it", async () => {
    const body = JSON.stringify({ error: { code: 403, status: "PERMISSION_DENIED", message: "denied" } });
    const port = await tcpServer((socket) =>
      socket.on("data", () =>
        socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
      ),
    );
    const result = await probeOnce(auditLogs, settings, { googleApis: `http://127.0.0.1:${port}` });
    expect(result).toMatchObject({ success: true, unchecked: [{ checks: ["changes"] }] });
    expect(result.changes).toBeUndefined();
    expect(result.unchecked?.[0]?.explanation).toContain(
      "grant the probe's identity logging.logEntries.list, for example with roles/logging.viewer",
    );
  });
});
