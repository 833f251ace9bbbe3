import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import { listening, measured, probeOnce } from "../fixtures.ts";
import {
  type Answers,
  answers,
  assessed,
  fakeControlPlane,
  googleOf,
  type Json,
  set,
  urls,
  type Written,
  written,
} from "../google/configuration/fixtures.ts";
import { apiMisbehaviours, echoedError } from "../google/fake-monitoring.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { gcpConfiguration } from "./gcp_configuration.ts";

/** Starts a fake of Google's control plane. @returns its port */
function startFake(table: Answers): Promise<number> {
  return listening(createServer(fakeControlPlane(table)));
}

/** The clock of a real run: expiring certificates are not covered by these tests. */
function inTime(): Answers {
  const table = answers();
  const later = new Date(Date.now() + 90 * 86_400_000).toISOString();
  for (const url of [urls.certificate, urls.managed]) set(table[url], "expireTime", later);
  return table;
}

proberContract({
  prober: gcpConfiguration,
  settings: () => written(),
  healthy: () => startFake(inTime()),
  echo: echoedError,
  misbehaviours: apiMisbehaviours,
  google: true,
});

const probe = async (table: Answers) =>
  probeOnce(gcpConfiguration, written(), {
    timeoutMs: 10_000,
    googleApis: `http://127.0.0.1:${await startFake(table)}`,
  });

describe("gcp_configuration", () => {
  it("reads everything over the network, and measures each check of each resource", async () => {
    const result = await probe(inTime());
    expect([result.failure, result.unchecked]).toEqual([undefined, []]);
    expect(measured(result, "configuration_ok", "vpc_connector_state")).toBe(1);
    expect(result.measurements.filter(({ labels }) => labels["check"] === "cloud_run_ready")).toEqual([
      {
        metric: "configuration_ok",
        value: 1,
        labels: { check: "cloud_run_ready", resource: "backend", severity: "critical" },
      },
      {
        metric: "configuration_ok",
        value: 1,
        labels: { check: "cloud_run_ready", resource: "auth", severity: "critical" },
      },
      {
        metric: "configuration_ok",
        value: 1,
        labels: { check: "cloud_run_ready", resource: "worker", severity: "critical" },
      },
    ]);
    expect(result.findings).toContainEqual({
      check: "vpc_connector_state",
      ok: true,
      observed: "READY",
      expected: "READY",
      explanation: "Only a connector that is READY carries connections to private addresses.",
      resource: "shop-connector",
      component: "vpc-connector",
      severity: "critical",
    });
  });

  it("fails for critical findings, and lists them first", async () => {
    const table = inTime();
    set(table[urls.connector], "state", "ERROR");
    set(table[urls.sql], "settings.maintenanceWindow", undefined);
    set(table[urls.sql], "settings.activationPolicy", "NEVER");
    const result = await probe(table);
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "configuration",
      message: "vpc_connector_state of shop-connector: ERROR, expected READY; 1 more",
    });
    expect(measured(result, "configuration_ok", "vpc_connector_state")).toBe(0);
    expect(result.findings?.slice(0, 4).map(({ check, ok }) => [check, ok])).toEqual([
      ["vpc_connector_state", false],
      ["cloud_sql_activation", false],
      ["cloud_sql_maintenance_window", false],
      ["resource_exists", true],
    ]);
  });

  it("does not fail for warnings", async () => {
    const table = inTime();
    set(table[urls.sql], "settings.maintenanceWindow", undefined);
    set(table[urls.sql], "settings.storageAutoResize", false);
    const result = await probe(table);
    expect(result.success).toBe(true);
    expect(result.findings?.filter(({ ok }) => !ok).map(({ check }) => check)).toEqual([
      "cloud_sql_disk_resize",
      "cloud_sql_maintenance_window",
    ]);
  });

  it("reads each resource once, and all pages of the firewall rules", async () => {
    const table = answers();
    const deny = { network: "x/networks/default", direction: "EGRESS", priority: 1, denied: [{ IPProtocol: "all" }] };
    set(table[urls.firewall], "nextPageToken", "2/+");
    table[`${urls.firewall}&pageToken=2%2F%2B`] = { items: [{ name: "on-page-2", ...deny }] };
    const asked: string[] = [];
    const { findings = [] } = await assessed(table, written(), { google: googleOf(table, (url) => asked.push(url)) });
    expect(asked.toSorted()).toEqual(Object.keys(table).sort());
    expect(findings.find(({ check }) => check === "firewall_egress")?.observed).toContain("on-page-2 denies port 5432");
  });

  it("requires the permissions for its reads, and no others", async () => {
    const needed = (settings: Written): readonly string[] =>
      gcpConfiguration.requires?.(gcpConfiguration.settings.parse(settings)).reads ?? [];
    expect([...needed(written()), "regional_forwarding_rule"].sort()).toEqual(
      [...(gcpConfiguration.reads ?? []), "health_check"].filter((name, at, all) => all.indexOf(name) === at).sort(),
    );
    const { project = null, region = null } = written();
    expect(needed({ project, region, redis: [{ instance: "cache" }] })).toEqual(["redis", "time_series"]);
    expect(needed({ project, region, network: { name: "default" } })).toEqual([
      "network",
      "firewall_rules",
      "effective_firewalls",
    ]);
  });

  it("limits the number of pages of a list", async () => {
    const table = answers();
    const asked: string[] = [];
    const google = googleOf(table);
    let page = 0;
    await assessed(table, written(), {
      google: {
        ...google,
        async request(request) {
          if (!request.url.includes("/global/firewalls")) return google.request(request);
          asked.push(request.url);
          page += 1;
          return { items: [], nextPageToken: String(page) };
        },
      },
    });
    expect(asked).toHaveLength(20);
  });

  it("reports at its deadline the completed checks and the pending reads", async () => {
    const table = inTime();
    const answer = fakeControlPlane(table);
    const port = await listening(
      createServer((request, response) => {
        if (!request.url?.includes("/connectors/")) answer(request, response);
      }),
    );
    const result = await probeOnce(gcpConfiguration, written(), {
      timeoutMs: 1_000,
      googleApis: `http://127.0.0.1:${port}`,
    });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "configuration_ok", "cloud_sql_state")).toBe(1);
    expect(measured(result, "configuration_ok", "vpc_connector_state")).toBeUndefined();
    expect(measured(result, "configuration_unchecked")).toBe(1);
    expect(result.unchecked).toMatchObject([
      {
        resource: "shop-connector",
        component: "vpc-connector",
        checks: expect.arrayContaining(["vpc_connector_state", "vpc_connector_burst"]),
        explanation: "Google did not respond in time when the VPC connector shop-connector was read.",
      },
    ]);
  });
});

describe("the gcp_configuration prober leaks nothing", () => {
  const marker = "c4n4ry";
  const secret = fc.stringMatching(/^[A-Za-z0-9/+=_-]{4,40}$/).map((text) => `${marker}${text}`);
  /** Paths of every object in an answer, its own first: keys are data in the map of domains, and fields everywhere else. */
  const objects = (json: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof json !== "object" || json === null || path.at(-1) === "domainStatus"
      ? []
      : [
          ...(Array.isArray(json) ? [] : [path]),
          ...Object.entries(json).flatMap(([key, inner]) => objects(inner, [...path, key])),
        ];
  /** Paths of every field in an answer. */
  const fields = (json: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof json !== "object" || json === null
      ? []
      : Object.entries(json).flatMap(([key, inner]) => [[...path, key], ...fields(inner, [...path, key])]);

  it("of the value of an environment variable, or of a field that no check looks at", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(answers())),
        fc.nat(),
        fc.constantFrom("labels", "annotations", "rootPassword", "value", "note"),
        fc.oneof(secret, fc.record({ [marker]: secret }), fc.array(secret, { maxLength: 3 })),
        secret,
        async (url, where, field, planted, value) => {
          const table = answers();
          for (const service of [urls.backend, urls.auth])
            set(table[service], "template.containers.0.env", [{ name: "DATABASE_URL", value }]);
          set(table[urls.backend], "terminalCondition.message", `it said ${value}, twice: ${value}`);
          set(table[urls.backend], "terminalCondition.state", "CONDITION_FAILED");
          // Values of database flags are read if the settings name them; that of the variable is in the answer already.
          const places = objects(table[url]).filter((path) => !path.includes("databaseFlags") && !path.includes("env"));
          set(table[url], [...(places[where % places.length] ?? []), field], planted as Json);
          const assessment = JSON.stringify(await assessed(table));
          expect(assessment.includes(marker)).toBe(false);
          expect(assessment.includes("it said ***")).toBe(true);
        },
      ),
      { numRuns: repetitions(150) },
    );
  });

  it("and throws nothing, whatever replaces an answer or a part of it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(answers())),
        fc.nat(),
        fc.jsonValue(),
        async (url, where, odd) => {
          const table = answers();
          const places = fields(table[url]);
          const place = places[where % (places.length + 1)];
          if (place === undefined) table[url] = odd as Json;
          else set(table[url], place, odd as Json);
          const { findings = [], unchecked = [], measurements } = await assessed(table);
          expect(findings.length + unchecked.length).toBeGreaterThan(50);
          expect(measurements).toHaveLength(findings.length + 1);
        },
      ),
      { numRuns: repetitions(150) },
    );
  });
});
