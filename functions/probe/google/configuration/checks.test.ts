import { describe, expect, it } from "vitest";
import { readingPhase } from "../../../../shared/messages/report.ts";
import { checks } from "./checks.ts";
import { type Answers, answers, assessed, type Json, refusal, set, urls, type Written, written } from "./fixtures.ts";

describe("an environment with a valid configuration", () => {
  it("passes every check that applies to it", async () => {
    const { failure, findings = [], unchecked, measurements } = await assessed(answers());
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect([failure, unchecked]).toEqual([undefined, []]);
    const made = new Set(findings.map(({ check }) => check));
    const notMade = checks.map(({ name }) => name).filter((name) => !made.has(name));
    // No service in this environment uses the socket.
    expect(notMade).toEqual([
      "connections_of_one_instance",
      "private_database_without_vpc_access",
      "socket_without_volume",
      "socket_on_private_instance",
      "socket_with_new_certificates",
    ]);
    expect(measurements).toHaveLength(findings.length + 1);
    expect(measurements.at(-1)).toEqual({ metric: "configuration_unchecked", value: 0 });
  });
});

/** Changes of one answer or of the settings, and the resulting answer of a check: ok, not ok with the observed state, or none (`undefined`). */
type Row = readonly [
  check: string,
  what: string,
  change: (table: Answers, settings: Written) => void,
  expected: "ok" | "unchecked" | "none" | RegExp,
  resource?: string,
];

const of =
  (url: keyof typeof urls, path: string, value: Json) =>
  (table: Answers): void =>
    set(table[urls[url]], path, value);
const settingOf =
  (path: string, value: Json) =>
  (_: Answers, settings: Written): void =>
    set(settings, path, value);
const all =
  (...changes: ((table: Answers, settings: Written) => void)[]) =>
  (table: Answers, settings: Written): void => {
    for (const change of changes) change(table, settings);
  };
const socket = all(
  settingOf("services.0.database.way", "socket"),
  of("backend", "template.volumes", [
    { name: "cloudsql", cloudSqlInstance: { instances: ["shop-staging:us-central1:shop-postgres"] } },
  ]),
  of("backend", "template.containers.0.volumeMounts", [{ name: "cloudsql", mountPath: "/cloudsql" }]),
);
const rule = (more: { [key: string]: Json }): Json => ({
  name: "a-rule",
  network: "https://www.googleapis.com/compute/v1/projects/shop-staging/global/networks/default",
  direction: "EGRESS",
  priority: 900,
  denied: [{ IPProtocol: "all" }],
  ...more,
});
const firewall = (...rules: Json[]) => of("firewall", "items", rules);
/** A rule of a firewall policy. */
const policyRule = (more: { [key: string]: Json }, match: { [key: string]: Json } = {}): Json => ({
  priority: 1000,
  direction: "EGRESS",
  action: "deny",
  match: { destIpRanges: ["10.0.0.0/8"], layer4Configs: [{ ipProtocol: "tcp", ports: ["5432"] }], ...match },
  ...more,
});
const policy = (type: string, ...rules: Json[]): Json => ({ name: "1", displayName: "shop-policy", type, rules });
const policies = (...all: Json[]) => of("policies", "firewallPolicys", all);
const machines = all(
  of(
    "backendService",
    "backends.0.group",
    "https://www.googleapis.com/compute/v1/projects/shop-staging/zones/us-central1-a/instanceGroups/machines",
  ),
  of("backendService", "healthChecks", [
    "https://www.googleapis.com/compute/v1/projects/shop-staging/global/healthChecks/alive",
  ]),
  (table) => {
    table["compute.googleapis.com/compute/v1/projects/shop-staging/global/healthChecks/alive"] = {
      checkIntervalSec: 60,
      unhealthyThreshold: 4,
    };
  },
);

/** The rules of the Cloud Armor policy, in order. */
const armor = (...rules: Json[]) => of("armor", "rules", rules);
const byAddress = (priority: number, action: string, ...srcIpRanges: string[]): Json => ({
  priority,
  action,
  match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges } },
});
const byExpression = (priority: number, action: string, expression: string): Json => ({
  priority,
  action,
  match: { expr: { expression } },
});
const denyAll = byAddress(2_147_483_647, "deny(403)", "*");
const allClients = settingOf("load_balancer.sources", []);
const records = (...rrsets: Json[]) =>
  of("zone", "rrsets", [{ name: "shop.example.", type: "SOA", rrdatas: ["ns. x 1 2 3 4 5"] }, ...rrsets]);
const record = (name: string, type: string, ...rrdatas: string[]): Json => ({
  name: `${name}.`,
  type,
  ttl: 300,
  rrdatas,
});
const figure = (url: keyof typeof urls, value: Json) => of(url, "timeSeries.0.points.0.value", value);
const drops = (count: string) =>
  of("natDrops", "timeSeries", [
    {
      metric: { labels: { reason: "OUT_OF_RESOURCES" } },
      resource: { labels: { gateway_name: "shop-nat" } },
      points: [{ interval: { endTime: "2025-09-16T11:55:00Z" }, value: { int64Value: count } }],
    },
  ]);

const rows: readonly Row[] = [
  ["resource_exists", "a missing connector", (table) => void delete table[urls.connector], /^missing$/],
  [
    "resource_exists",
    "a missing endpoint group",
    (table) => void delete table[urls.group],
    /^shop-backend-neg, which it references, is missing$/,
  ],

  ["vpc_connector_state", "ERROR", of("connector", "state", "ERROR"), /^ERROR$/],
  ["vpc_connector_state", "a state of a later version", of("connector", "state", "RESTING"), /^RESTING$/],
  ["vpc_connector_state", "no state", of("connector", "state", undefined), "unchecked"],
  ["vpc_connector_state", "a state that is no text", of("connector", "state", 7), "unchecked"],
  ["vpc_connector_machine_type", "the smallest", of("connector", "machineType", "f1-micro"), /^f1-micro$/],
  [
    "vpc_connector_machine_type",
    "less than wanted",
    settingOf("vpc_connector.machine_type", "e2-standard-4"),
    /^e2-micro$/,
  ],
  ["vpc_connector_machine_type", "more than wanted", of("connector", "machineType", "e2-standard-4"), "ok"],
  ["vpc_connector_machine_type", "one of a later version", of("connector", "machineType", "e9-mega"), /^e9-mega$/],
  ["vpc_connector_machine_type", "none said", of("connector", "machineType", undefined), "unchecked"],
  ["vpc_connector_instances", "no room to grow", of("connector", "minInstances", 3), /^3 to 3 instances$/],
  [
    "vpc_connector_instances",
    "less room than wanted",
    settingOf("vpc_connector.max_instances", 10),
    /^2 to 3 instances$/,
  ],
  [
    "vpc_connector_instances",
    "sizes in Mbit/s, as of old",
    all(
      of("connector", "minInstances", undefined),
      of("connector", "maxInstances", undefined),
      of("connector", "minThroughput", 200),
      of("connector", "maxThroughput", 300),
    ),
    "ok",
  ],
  ["vpc_connector_instances", "no sizes", all(of("connector", "minInstances", undefined)), "unchecked"],
  [
    "vpc_connector_sharing",
    "another project",
    of("connector", "connectedProjects", ["shop-staging", "shop-dev"]),
    /^also used by shop-dev$/,
  ],
  [
    "vpc_connector_sharing",
    "another project that may",
    all(of("connector", "connectedProjects", ["shop-dev"]), settingOf("vpc_connector.shared_with", ["shop-dev"])),
    "ok",
  ],
  ["vpc_connector_sharing", "no list", of("connector", "connectedProjects", undefined), "ok"],

  [
    "cloud_sql_state",
    "suspended",
    all(of("sql", "state", "SUSPENDED"), of("sql", "suspensionReason", ["BILLING_ISSUE"])),
    /^SUSPENDED \(BILLING_ISSUE\)$/,
  ],
  ["cloud_sql_state", "no state", of("sql", "state", undefined), "unchecked"],
  ["cloud_sql_activation", "stopped by its owner", of("sql", "settings.activationPolicy", "NEVER"), /NEVER/],
  ["cloud_sql_activation", "no settings", of("sql", "settings", undefined), "unchecked"],
  ["cloud_sql_tier", "another", of("sql", "settings.tier", "db-g1-small"), /^db-g1-small$/],
  [
    "cloud_sql_tier",
    "a shared core, and nothing wanted",
    all(of("sql", "settings.tier", "db-f1-micro"), settingOf("cloud_sql.tier", undefined)),
    /^db-f1-micro$/,
  ],
  ["cloud_sql_availability", "zonal", of("sql", "settings.availabilityType", "ZONAL"), /^ZONAL$/],
  ["cloud_sql_availability", "nothing wanted", settingOf("cloud_sql.availability", undefined), "none"],
  [
    "cloud_sql_max_connections",
    "a flag below",
    of("sql", "settings.databaseFlags", [{ name: "max_connections", value: "50" }]),
    /^50 connections by its flag$/,
  ],
  [
    "cloud_sql_max_connections",
    "a default below",
    settingOf("cloud_sql.max_connections", 500),
    /^400 connections by default for db-custom-2-7680$/,
  ],
  [
    "cloud_sql_max_connections",
    "a tier that says no memory",
    of("sql", "settings.tier", "db-perf-optimized-N-8"),
    "unchecked",
  ],
  [
    "cloud_sql_flags",
    "one missing",
    of("sql", "settings.databaseFlags", []),
    /^cloudsql\.iam_authentication is not set$/,
  ],
  [
    "cloud_sql_flags",
    "one otherwise",
    of("sql", "settings.databaseFlags", [{ name: "cloudsql.iam_authentication", value: "off" }]),
    /is off$/,
  ],
  [
    "cloud_sql_private_network",
    "none",
    of("sql", "settings.ipConfiguration.privateNetwork", undefined),
    /^no private network$/,
  ],
  ["cloud_sql_private_network", "none needed", settingOf("services.0.database.way", "library"), "none"],
  [
    "cloud_sql_open_to_all",
    "the whole internet",
    of("sql", "settings.ipConfiguration.authorizedNetworks", [{ value: "0.0.0.0/0" }]),
    /every address/,
  ],
  [
    "cloud_sql_ssl_mode",
    "any",
    of("sql", "settings.ipConfiguration.sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED"),
    /^ALLOW_UNENC/,
  ],
  [
    "cloud_sql_ssl_mode",
    "the older field",
    all(
      of("sql", "settings.ipConfiguration.sslMode", undefined),
      of("sql", "settings.ipConfiguration.requireSsl", true),
    ),
    "ok",
  ],
  ["cloud_sql_ssl_mode", "neither", of("sql", "settings.ipConfiguration.sslMode", undefined), "unchecked"],
  ["cloud_sql_disk_resize", "off", of("sql", "settings.storageAutoResize", false), /^fixed$/],
  [
    "cloud_sql_disk_resize",
    "at its limit",
    of("sql", "settings.storageAutoResizeLimit", "20"),
    /^at its limit of 20 GB$/,
  ],
  ["cloud_sql_maintenance_window", "none", of("sql", "settings.maintenanceWindow", undefined), /^at any time$/],
  [
    "cloud_sql_connector_enforcement",
    "with a service that uses none",
    of("sql", "settings.connectorEnforcement", "REQUIRED"),
    /REQUIRED/,
  ],
  [
    "cloud_sql_connector_enforcement",
    "with services that do",
    all(of("sql", "settings.connectorEnforcement", "REQUIRED"), settingOf("services.0.database.way", "library")),
    "none",
  ],

  [
    "cloud_run_ready",
    "failed",
    of("backend", "terminalCondition", { state: "CONDITION_FAILED", reason: "REVISION_FAILED", message: "it exited" }),
    /^CONDITION_FAILED \(REVISION_FAILED: it exited\)$/,
  ],
  [
    "cloud_run_ready",
    "a message that quotes a value",
    of("backend", "terminalCondition", {
      state: "CONDITION_FAILED",
      message: "cannot reach postgres://app:hunter2-c4n4ry@10.77.0.3/shop",
    }),
    /^CONDITION_FAILED \(cannot reach \*\*\*\)$/,
  ],
  [
    "cloud_run_ready",
    "a message that quotes a long value, and one that another one begins with",
    all(
      of("backend", "template.containers.0.env", [
        { name: "DATABASE_URL", value: "abc" },
        { name: "SESSION_KEY", value: `abc-${"long".repeat(100)}` },
      ]),
      of("backend", "terminalCondition", {
        state: "CONDITION_FAILED",
        message: `not abc-${"long".repeat(100)}, and not abc`,
      }),
    ),
    /^CONDITION_FAILED \(not \*\*\*, and not \*\*\*\)$/,
  ],
  ["cloud_run_ready", "no condition", of("backend", "terminalCondition", undefined), "unchecked"],
  [
    "cloud_run_revision",
    "a newer one that is not ready",
    of("backend", "latestCreatedRevision", "x/revisions/backend-00008-def"),
    /^backend-00008-def is the newest, backend-00007-abc is ready$/,
  ],
  ["cloud_run_revision", "none ready", of("backend", "latestReadyRevision", undefined), /none is ready$/],
  [
    "cloud_run_traffic",
    "held at an older one",
    of("backend", "trafficStatuses", [
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "backend-00003-xyz", percent: 100 },
    ]),
    /^100 % to backend-00003-xyz$/,
  ],
  ["cloud_run_traffic", "no traffic said", of("backend", "trafficStatuses", []), "unchecked"],
  ["cloud_run_cpu", "less", of("backend", "template.containers.0.resources.limits.cpu", "500m"), /^0\.5 CPU$/],
  ["cloud_run_cpu", "not said", of("backend", "template.containers.0.resources", undefined), "unchecked"],
  ["cloud_run_memory", "less", of("backend", "template.containers.0.resources.limits.memory", "256Mi"), /^256 MiB$/],
  [
    "cloud_run_memory",
    "a size that is none",
    of("backend", "template.containers.0.resources.limits.memory", "plenty"),
    "unchecked",
  ],
  [
    "cloud_run_startup_probe",
    "impatient",
    of("backend", "template.containers.0.startupProbe.failureThreshold", 3),
    /^30 s to start$/,
  ],
  [
    "cloud_run_startup_probe",
    "none, so the default of 240 s",
    of("backend", "template.containers.0.startupProbe", undefined),
    "ok",
  ],
  [
    "cloud_run_startup_probe",
    "the defaults of a probe",
    of("backend", "template.containers.0.startupProbe", {}),
    /^30 s to start$/,
  ],
  [
    "cloud_run_startup_probe",
    "600 s wanted and the most configured",
    all(
      settingOf("services.0.startup", "600s"),
      of("backend", "template.containers.0.startupProbe.initialDelaySeconds", 240),
    ),
    "ok",
  ],
  ["cloud_run_startup_probe", "600 s wanted", settingOf("services.0.startup", "600s"), /^4 min to start$/],
  ["cloud_run_startup_ceiling", "600 s wanted", settingOf("services.0.startup", "600s"), /^10 min wanted$/],
  ["cloud_run_request_timeout", "less", of("backend", "template.timeout", "60s"), /^1 min for a request$/],
  ["cloud_run_request_timeout", "not said", of("backend", "template.timeout", undefined), "unchecked"],
  [
    "cloud_run_service_account",
    "another",
    of("backend", "template.serviceAccount", "x@shop-staging.iam.gserviceaccount.com"),
    /^x@/,
  ],
  [
    "cloud_run_service_account",
    "the default one",
    of("auth", "template.serviceAccount", "123-compute@developer.gserviceaccount.com"),
    /^123-compute/,
    "auth",
  ],
  [
    "cloud_run_env",
    "one missing",
    of("backend", "template.containers.0.env.1.name", "SESSION_KEYS"),
    /^not set: SESSION_KEY$/,
  ],
  [
    "cloud_run_env",
    "one without a value",
    of("backend", "template.containers.0.env.0.value", ""),
    /^not set: DATABASE_URL$/,
  ],
  [
    "cloud_run_env",
    "no list",
    of("backend", "template.containers.0.env", undefined),
    /^not set: DATABASE_URL, SESSION_KEY$/,
  ],
  [
    "cloud_run_ingress",
    "closed to the load balancer",
    of("backend", "ingress", "INGRESS_TRAFFIC_INTERNAL_ONLY"),
    /INTERNAL_ONLY/,
  ],
  [
    "cloud_run_ingress",
    "wider than meant",
    all(of("auth", "ingress", "INGRESS_TRAFFIC_ALL"), settingOf("services.1.ingress", "internal")),
    /ALL$/,
    "auth",
  ],
  ["cloud_run_vpc_access", "none", of("backend", "template.vpcAccess", undefined), /^no access to the VPC$/],
  [
    "cloud_run_vpc_access",
    "another connector",
    of("backend", "template.vpcAccess.connector", "other"),
    /^the connector other$/,
  ],
  [
    "cloud_run_vpc_access",
    "Direct VPC egress",
    of("backend", "template.vpcAccess", { networkInterfaces: [{ network: "default" }] }),
    /^Direct VPC egress$/,
  ],
  [
    "cloud_run_vpc_access",
    "none said, a private address, and a connector",
    all(settingOf("services.0.vpc_access", undefined), of("backend", "template.vpcAccess", {})),
    /^no access/,
  ],
  ["cloud_run_egress", "all traffic", of("backend", "template.vpcAccess.egress", "ALL_TRAFFIC"), /^all-traffic$/],
  [
    "cloud_run_egress",
    "not said, which is private ranges",
    of("backend", "template.vpcAccess.egress", undefined),
    "ok",
  ],
  [
    "cloud_run_egress",
    "no access to the VPC",
    of("backend", "template.vpcAccess", undefined),
    /^no access to the VPC$/,
  ],
  ["cloud_run_max_instances", "more", of("backend", "template.scaling.maxInstanceCount", 20), /^at most 20 instances$/],
  [
    "cloud_run_max_instances",
    "said of the whole service",
    all(of("backend", "template.scaling", undefined), of("backend", "scaling", { maxInstanceCount: 4 })),
    "ok",
  ],
  ["cloud_run_max_instances", "none", of("backend", "template.scaling", undefined), /^no maximum set$/],
  [
    "cloud_run_concurrency",
    "more",
    of("backend", "template.maxInstanceRequestConcurrency", 500),
    /^500 requests at once$/,
  ],
  ["cloud_run_roles", "one missing", of("policy", "bindings.2.members", []), /lacks roles\/cloudsql\.instanceUser$/],
  [
    "cloud_run_roles",
    "a wider one",
    all(of("policy", "bindings.1.role", "roles/cloudsql.admin"), settingOf("services.0.database.iam_login", false)),
    "ok",
    "auth",
  ],
  [
    "cloud_run_roles",
    "under a condition",
    of("policy", "bindings.2.condition", { title: "until Friday", expression: "request.time < x" }),
    "unchecked",
  ],
  ["cloud_run_roles", "a custom role", of("policy", "bindings.2.role", "projects/shop-staging/roles/app"), "unchecked"],
  ["cloud_run_roles", "no bindings", of("policy", "bindings", undefined), /lacks/, "backend"],
  ["cloud_run_roles", "the default account", all(of("backend", "template.serviceAccount", undefined)), "unchecked"],

  [
    "cloud_run_instance_cap",
    "all in use",
    figure("instances", { int64Value: "4" }),
    /^4 of 4 instances in use$/,
    "backend",
  ],
  [
    "cloud_run_instance_cap",
    "one instance, which is always in use",
    all(figure("instances", { int64Value: "1" }), of("backend", "template.scaling.maxInstanceCount", 1)),
    "none",
    "backend",
  ],
  ["cloud_run_instance_cap", "no traffic", of("instances", "timeSeries", undefined), "ok"],
  ["cloud_run_instance_cap", "figures that are none", figure("instances", { stringValue: "many" }), "unchecked"],

  [
    "cloud_run_invokers",
    "a role taken away",
    of("invokers", "bindings.0.members", ["serviceAccount:backend@shop-staging.iam.gserviceaccount.com"]),
    /^the subscription orders-to-worker \(pusher@.*\) may not call it, the job nightly \(scheduler@.*\) may not call it$/,
  ],
  [
    "cloud_run_invokers",
    "a push without a token",
    of("subscription", "pushConfig.oidcToken", undefined),
    /^the subscription orders-to-worker sends no token$/,
  ],
  [
    "cloud_run_invokers",
    "a push without a token, where everyone may call",
    all(
      of("subscription", "pushConfig.oidcToken", undefined),
      of("invokers", "bindings", [{ role: "roles/run.invoker", members: ["allUsers"] }]),
    ),
    "ok",
  ],
  [
    "cloud_run_invokers",
    "everyone with a token, and one who has none",
    all(
      of("job", "httpTarget.oidcToken", undefined),
      of("invokers", "bindings", [{ role: "roles/run.invoker", members: ["allAuthenticatedUsers"] }]),
    ),
    /^the job nightly sends no token$/,
  ],
  [
    "cloud_run_invokers",
    "everyone wanted, and nobody named",
    settingOf("services.2.callers.everyone", true),
    /^not everyone may call it$/,
  ],
  ["cloud_run_invokers", "a service that checks nobody", of("worker", "invokerIamDisabled", true), "ok"],
  [
    "cloud_run_invokers",
    "another service without the role",
    of(
      "invokers",
      "bindings.0.members",
      ["pusher", "scheduler"].map((name) => `serviceAccount:${name}@shop-staging.iam.gserviceaccount.com`),
    ),
    /^the service backend \(backend@.*\) may not call it$/,
  ],
  [
    "cloud_run_invokers",
    "the role under a condition",
    of("invokers", "bindings.0.condition", { expression: "x" }),
    "unchecked",
  ],
  [
    "cloud_run_invokers",
    "a role of one's own making",
    of("invokers", "bindings.0.role", "projects/shop-staging/roles/caller"),
    "unchecked",
  ],
  ["cloud_run_invokers", "no bindings", of("invokers", "bindings", undefined), /may not call it/],
  ["cloud_run_invokers", "no callers named", settingOf("services.2.callers", undefined), "none"],

  [
    "secret_versions",
    "disabled",
    of("session", "state", "DISABLED"),
    /^session-key version latest is DISABLED$/,
    "worker",
  ],
  ["secret_versions", "destroyed", of("mail", "state", "DESTROYED"), /^mail-password version 3 is DESTROYED$/],
  [
    "secret_versions",
    "missing",
    (table) => void delete table[urls.session],
    /^session-key version latest is missing$/,
    "worker",
  ],
  ["secret_versions", "a state that is not said", of("mail", "state", undefined), "unchecked"],
  [
    "secret_versions",
    "no secrets",
    all(
      of("worker", "template.volumes", undefined),
      of("worker", "template.containers.0.env", []),
      of("backend", "template.containers.0.env", []),
    ),
    "none",
  ],

  [
    "armor_denies",
    "everyone denied",
    all(allClients, armor(denyAll)),
    /^rule 2147483647 of shop-edge answers everyone with deny\(403\)$/,
  ],
  [
    "armor_denies",
    "the probes denied",
    armor(byAddress(10, "deny(404)", "198.51.100.0/24"), byAddress(20, "allow", "*")),
    /^rule 10 of shop-edge answers 198\.51\.100\.7 with deny\(404\)$/,
  ],
  [
    "armor_denies",
    "a rule in preview",
    armor({ ...(denyAll as object), preview: true, priority: 1 }, byAddress(2, "allow", "*")),
    "ok",
  ],
  [
    "armor_denies",
    "the probes on a list of those let through",
    armor(byAddress(10, "allow", "198.51.100.0/24"), denyAll),
    "ok",
  ],
  [
    "armor_denies",
    "the probes not on that list",
    armor(byAddress(10, "allow", "203.0.113.0/24"), denyAll),
    /^rule 2147483647/,
  ],
  [
    "armor_denies",
    "a list of those let through, and nobody named",
    all(allClients, armor(byAddress(10, "allow", "203.0.113.0/24"), denyAll)),
    "unchecked",
  ],
  [
    "armor_denies",
    "an expression that lets some through",
    armor(byExpression(10, "allow", "origin.region_code == 'DE'"), denyAll),
    "unchecked",
  ],
  [
    "armor_denies",
    "an expression that denies all",
    all(allClients, armor(byExpression(10, "deny(502)", "true"))),
    /^rule 10 .*deny\(502\)$/,
  ],
  ["armor_denies", "a limit of rates", armor(byAddress(10, "throttle", "*"), denyAll), "ok"],
  [
    "armor_denies",
    "an edge policy that denies",
    all(
      of("backendService", "securityPolicy", undefined),
      of(
        "backendService",
        "edgeSecurityPolicy",
        `https://www.googleapis.com/${urls.armor.replace("compute.googleapis.com/", "")}`,
      ),
      armor(denyAll),
    ),
    /deny\(403\)$/,
  ],
  ["armor_denies", "no policy", of("backendService", "securityPolicy", undefined), "none"],
  ["armor_denies", "no rules", of("armor", "rules", undefined), "ok"],

  [
    "dns_hosts",
    "another address",
    records(record("api.shop.example", "A", "192.0.2.99"), record("www.shop.example", "A", "192.0.2.10")),
    /^api\.shop\.example resolves to 192\.0\.2\.99$/,
  ],
  [
    "dns_hosts",
    "an old address beside the right one",
    records(record("*.shop.example", "A", "192.0.2.10", "192.0.2.4")),
    /resolves to 192\.0\.2\.4/,
  ],
  [
    "dns_hosts",
    "no record",
    records(record("api.shop.example", "A", "192.0.2.10")),
    /^www\.shop\.example has no record$/,
  ],
  ["dns_hosts", "a wildcard", records(record("*.shop.example", "A", "192.0.2.10")), "ok"],
  [
    "dns_hosts",
    "an alias to nothing in the zone",
    records(record("api.shop.example", "CNAME", "gone.shop.example."), record("www.shop.example", "A", "192.0.2.10")),
    /^api\.shop\.example has no record$/,
  ],
  [
    "dns_hosts",
    "an alias out of the zone",
    records(record("*.shop.example", "CNAME", "cdn.example.net.")),
    "unchecked",
  ],
  ["dns_hosts", "a ring of aliases", records(record("*.shop.example", "CNAME", "api.shop.example.")), /has no record/],
  [
    "dns_hosts",
    "a policy that chooses",
    records({ name: "*.shop.example.", type: "A", routingPolicy: { geo: {} } }),
    "unchecked",
  ],
  [
    "dns_hosts",
    "a stated address",
    all(settingOf("load_balancer.forwarding_rule", undefined), settingOf("load_balancer.address", "192.0.2.11")),
    /resolves to 192\.0\.2\.10/,
  ],
  ["dns_hosts", "no address said", of("forwarding", "IPAddress", undefined), "unchecked"],

  ["subnet_size", "too small", of("subnet", "ipCidrRange", "10.10.0.0/29"), /^4 addresses \(10\.10\.0\.0\/29\)$/],
  ["subnet_size", "no maximum of instances", of("worker", "template.scaling", undefined), /^60 addresses/],
  ["subnet_size", "smaller than Cloud Run accepts", of("subnet", "ipCidrRange", "10.10.0.0/27"), /^28 addresses/],
  [
    "direct_vpc_first_connection",
    "a start that gives up before the first connection",
    of("worker", "template.containers.0.startupProbe", { periodSeconds: 5, failureThreshold: 6, httpGet: {} }),
    /^30 s to start$/,
    "worker",
  ],
  [
    "direct_vpc_first_connection",
    "a patient start",
    of("worker", "template.containers.0.startupProbe", { periodSeconds: 10, failureThreshold: 12, httpGet: {} }),
    "ok",
  ],
  ["direct_vpc_first_connection", "no Direct VPC egress", of("worker", "template.vpcAccess", undefined), "none"],
  ["subnet_size", "no range", of("subnet", "ipCidrRange", undefined), "unchecked"],
  ["subnet_free", "nearly none", of("subnet", "utilizationDetails.ipv4Utilizations.1.totalFreeIp", "3"), /^3 free$/],
  ["subnet_free", "not said", of("subnet", "utilizationDetails", undefined), "unchecked"],
  ["subnet_free", "no Direct VPC egress", of("worker", "template.vpcAccess", undefined), "none"],

  ["nat_gateway", "another one", of("router", "nats.0.name", "old-nat"), /^no gateway shop-nat on shop-router$/],
  [
    "nat_addresses",
    "too few",
    of("routerStatus", "result.natStatus.0.minExtraNatIpsNeeded", 2),
    /^2 more addresses needed$/,
  ],
  ["nat_addresses", "given by Google", of("routerStatus", "result.natStatus.0.minExtraNatIpsNeeded", undefined), "ok"],
  [
    "nat_ports",
    "the default",
    all(of("router", "nats.0.enableDynamicPortAllocation", undefined), of("router", "nats.0.minPortsPerVm", undefined)),
    /^64 ports$/,
  ],
  ["nat_ports", "nothing wanted", settingOf("nat.min_ports", undefined), "none"],
  ["nat_drops", "some", drops("1200"), /^1200 packets dropped$/],
  ["nat_drops", "none counted", drops("0"), "ok"],

  ["redis_state", "failing over", of("redis", "state", "FAILING_OVER"), /^FAILING_OVER$/],
  ["redis_state", "not said", of("redis", "state", undefined), "unchecked"],
  [
    "redis_network",
    "another one",
    of("redis", "authorizedNetwork", "projects/p/global/networks/old"),
    /^the network old$/,
  ],
  ["redis_network", "no network named", settingOf("network", undefined), "none"],
  ["redis_availability", "no replica", of("redis", "tier", "BASIC"), /^BASIC$/],
  ["redis_failover", "elsewhere", of("redis", "currentLocationId", "us-central1-c"), /^primary in us-central1-c$/],
  ["redis_memory", "nearly full", figure("redisMemory", { doubleValue: 0.97 }), /^97%$/],
  ["redis_memory", "no point", of("redisMemory", "timeSeries", undefined), "unchecked"],

  ["quota_near_limit", "all addresses in use", of("region", "quotas.1.usage", 8), /^IN_USE_ADDRESSES 8 of 8$/],
  ["quota_near_limit", "far from it", settingOf("quotas.near", "99%"), "ok"],
  ["quota_near_limit", "none said", of("region", "quotas", undefined), "ok"],
  ["quota_exceeded", "one", figure("exceeded", { int64Value: "3" }), /^exceeded: run\.googleapis\.com\/read_requests$/],
  ["quota_exceeded", "nothing measured", of("exceeded", "timeSeries", undefined), "ok"],

  [
    "load_balancer_hosts",
    "a host elsewhere",
    of("urlMap", "pathMatchers.0.defaultService", "x/backendServices/old"),
    /^api\.shop\.example goes to old$/,
  ],
  [
    "load_balancer_hosts",
    "no rules",
    all(of("urlMap", "hostRules", undefined)),
    /^api\.shop\.example goes to other, www\.shop\.example goes to other$/,
  ],
  [
    "load_balancer_hosts",
    "nothing at all",
    all(of("urlMap", "hostRules", undefined), of("urlMap", "defaultService", undefined)),
    /goes to nothing/,
  ],
  [
    "load_balancer_route",
    "another service",
    of("group", "cloudRun.service", "auth"),
    /^the Cloud Run service auth in us-central1$/,
  ],
  ["load_balancer_route", "another region", of("group", "region", "x/regions/europe-west1"), /in europe-west1$/],
  ["load_balancer_route", "nothing", of("backendService", "backends", undefined), /^nothing behind it$/],
  ["load_balancer_route", "a mask", of("group", "cloudRun", { urlMask: "<service>.shop.example" }), "unchecked"],
  ["load_balancer_route", "machines", machines, /^the instance group machines$/],
  ["load_balancer_health_check", "serverless, and a patient start-up probe", () => {}, "ok"],
  [
    "load_balancer_health_check",
    "serverless, and an impatient one",
    of("backend", "template.containers.0.startupProbe.periodSeconds", 1),
    /^serverless: it has no health check; its startup probe allows 24 s to start$/,
  ],
  ["load_balancer_health_check", "machines that have time", machines, "ok"],
  [
    "load_balancer_health_check",
    "machines that have none",
    all(machines, settingOf("services.0.startup", "600s")),
    /^4 min until it is considered unhealthy$/,
  ],
  [
    "load_balancer_timeout",
    "serverless, and a short request timeout",
    of("backend", "template.timeout", "30s"),
    /^serverless: it has no timeout of its own; Cloud Run allows 30 s for a request$/,
  ],
  ["load_balancer_timeout", "machines with the default of 30 s", machines, /^30 s$/],
  ["load_balancer_timeout", "machines with an hour", all(machines, of("backendService", "timeoutSec", 3600)), "ok"],

  ["certificate_status", "a failed renewal", of("certificate", "managed.status", "RENEWAL_FAILED"), /^RENEWAL_FAILED$/],
  [
    "certificate_status",
    "not issued",
    of("managed", "managed", { state: "FAILED", provisioningIssue: { reason: "AUTHORIZATION_ISSUE" } }),
    /^FAILED \(AUTHORIZATION_ISSUE\)$/,
    "shop-managed",
  ],
  ["certificate_status", "one of its owner's", of("certificate", "managed", undefined), "unchecked"],
  [
    "certificate_status",
    "one of its owner's, which is said",
    all(of("certificate", "managed", undefined), of("certificate", "type", "SELF_MANAGED")),
    "none",
    "shop-cert",
  ],
  [
    "certificate_domains",
    "one not pointing here",
    of("certificate", "managed.domainStatus", { "api.shop.example": "FAILED_NOT_VISIBLE" }),
    /^api\.shop\.example FAILED_NOT_VISIBLE$/,
  ],
  [
    "certificate_domains",
    "one refused",
    of("managed", "managed.authorizationAttemptInfo", [
      { domain: "shop.example", state: "FAILED", failureReason: "CAA" },
    ]),
    /^shop\.example FAILED \(CAA\)$/,
    "shop-managed",
  ],
  ["certificate_expiry", "soon", of("certificate", "expireTime", "2025-09-18T12:00:00Z"), /^expires in 2 d$/],
  ["certificate_expiry", "already", of("certificate", "expireTime", "2025-09-15T12:00:00Z"), /^expired$/],
  ["certificate_expiry", "no date", of("certificate", "expireTime", "next year"), "unchecked"],
  [
    "certificate_names",
    "one not covered",
    settingOf("certificates.domains", ["a.b.shop.example"]),
    /^a\.b\.shop\.example not covered$/,
  ],

  [
    "vpc_peering",
    "inactive",
    of("network", "peerings.0.state", "INACTIVE"),
    /^servicenetworking-googleapis-com is INACTIVE$/,
  ],
  ["vpc_peering", "none", of("network", "peerings", undefined), /^no peering servicenetworking-googleapis-com$/],
  ["firewall_egress", "everything denied", firewall(rule({})), /^a-rule denies port 5432, a-rule denies port 3307$/],
  [
    "firewall_egress",
    "denied for its range",
    firewall(rule({ destinationRanges: ["10.77.0.0/16"], denied: [{ IPProtocol: "tcp", ports: ["5000-6000"] }] })),
    /^a-rule denies port 5432$/,
  ],
  ["firewall_egress", "denied elsewhere", firewall(rule({ destinationRanges: ["10.78.0.0/16"] })), "ok"],
  [
    "firewall_egress",
    "denied for other ports and protocols",
    firewall(rule({ denied: [{ IPProtocol: "tcp", ports: ["80"] }, { IPProtocol: "udp" }] })),
    "ok",
  ],
  [
    "firewall_egress",
    "allowed before it is denied",
    firewall(rule({}), rule({ denied: undefined, allowed: [{ IPProtocol: "6" }], priority: 899 })),
    "ok",
  ],
  [
    "firewall_egress",
    "denied where it is allowed with the same priority",
    firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "tcp" }] }), rule({})),
    /denies/,
  ],
  ["firewall_egress", "a disabled rule", firewall(rule({ disabled: true })), "ok"],
  ["firewall_egress", "a rule of another network", firewall(rule({ network: "x/networks/other" })), "ok"],
  [
    "firewall_egress",
    "a rule for other machines",
    firewall(rule({ targetTags: ["web"] }), rule({ targetServiceAccounts: ["a@b"] })),
    "ok",
  ],
  ["firewall_egress", "a rule for connectors", firewall(rule({ targetTags: ["vpc-connector"] })), /denies/],
  [
    "firewall_egress",
    "a range of IPv6, and none that is one",
    firewall(rule({ destinationRanges: ["::/0", "10.0.0.0/99", "x"] })),
    "ok",
  ],
  [
    "firewall_egress",
    "denied by a policy of the network",
    policies(policy("NETWORK", policyRule({ ruleName: "no-databases" }))),
    /^no-databases of the policy shop-policy denies port 5432$/,
  ],
  [
    "firewall_egress",
    "denied by a policy of the organization, whatever the network says",
    all(
      firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
      policies(policy("HIERARCHY", policyRule({}))),
    ),
    /^rule 1000 of the policy shop-policy denies port 5432$/,
  ],
  [
    "firewall_egress",
    "allowed by a firewall rule before the policy of the network is asked",
    all(
      firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
      policies(policy("NETWORK", policyRule({}))),
    ),
    "ok",
  ],
  [
    "firewall_egress",
    "denied by the policy of the network where that comes first",
    all(
      firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
      policies(policy("NETWORK", policyRule({}))),
      of("network", "networkFirewallPolicyEnforcementOrder", "BEFORE_CLASSIC_FIREWALL"),
    ),
    /denies port 5432/,
  ],
  [
    "firewall_egress",
    "allowed sooner in a policy",
    policies(policy("NETWORK", policyRule({ action: "allow", priority: 10 }), policyRule({}))),
    "ok",
  ],
  [
    "firewall_egress",
    "left to what comes next by a policy",
    policies(policy("HIERARCHY", policyRule({ action: "goto_next", priority: 10 }), policyRule({}))),
    "ok",
  ],
  [
    "firewall_egress",
    "denied by policies for other machines, networks, ports and directions",
    policies(
      policy(
        "NETWORK",
        policyRule({ targetSecureTags: [{ name: "tagValues/1" }] }),
        policyRule({ targetServiceAccounts: ["a@b"] }),
        policyRule({ targetResources: ["https://www.googleapis.com/compute/v1/projects/p/global/networks/other"] }),
        policyRule({ disabled: true }),
        policyRule({ direction: "INGRESS" }, { srcIpRanges: ["0.0.0.0/0"] }),
        policyRule({}, { layer4Configs: [{ ipProtocol: "udp" }, { ipProtocol: "tcp", ports: ["80"] }] }),
        policyRule({}, { destIpRanges: ["192.168.0.0/16"] }),
      ),
    ),
    "ok",
  ],
  [
    "firewall_egress",
    "policies that may not be read",
    (table) => {
      table[urls.policies] = refusal(403, "IAM_PERMISSION_DENIED");
    },
    "unchecked",
  ],
  [
    "firewall_egress",
    "policies that may not be read, where a firewall rule denies it anyway",
    all(firewall(rule({})), (table) => {
      table[urls.policies] = refusal(403, "IAM_PERMISSION_DENIED");
    }),
    /denies port 5432/,
  ],
  [
    "firewall_connector",
    "denied by a policy of the organization",
    policies(
      policy(
        "HIERARCHY",
        policyRule({ direction: "INGRESS" }, { srcIpRanges: ["0.0.0.0/0"], layer4Configs: [{ ipProtocol: "all" }] }),
      ),
    ),
    /^rule 1000 of the policy shop-policy denies it, with priority 1000$/,
  ],
  ["firewall_egress", "no private address", of("sql", "ipAddresses", undefined), "none"],
  [
    "firewall_connector",
    "shut out",
    firewall(rule({ direction: "INGRESS", priority: 50 })),
    /^a-rule denies it, with priority 50$/,
  ],
  ["firewall_connector", "denied behind its own rules", firewall(rule({ direction: "INGRESS", priority: 1000 })), "ok"],
  ["firewall_connector", "no rules", of("firewall", "items", undefined), "ok"],

  [
    "database_timeout_beyond_startup",
    "longer than the start",
    all(
      settingOf("services.0.database.timeout", "75s"),
      of("backend", "template.containers.0.startupProbe.failureThreshold", 6),
    ),
    /^1 min 15 s for the database, 1 min to start$/,
  ],
  ["websocket_cut", "the usual 300 s", of("backend", "template.timeout", "300s"), /^cut after 5 min$/],
  [
    "connections_of_one_instance",
    "beyond 100 through the socket",
    all(socket, settingOf("services.0.database.pool.size", 120)),
    /^125 connections$/,
  ],
  [
    "cpu_idle_with_connections",
    "CPU during requests only",
    of("backend", "template.containers.0.resources.cpuIdle", true),
    /^CPU during requests only$/,
  ],
  [
    "vpc_connector_region",
    "another region",
    of("backend", "template.vpcAccess.connector", "projects/p/locations/europe-west1/connectors/shop-connector"),
    /connector in europe-west1$/,
  ],
  [
    "private_database_without_vpc_access",
    "no access",
    all(of("sql", "settings.ipConfiguration.ipv4Enabled", false), of("backend", "template.vpcAccess", undefined)),
    /^no access to the VPC, and/,
  ],
  ["private_database_without_vpc_access", "a way in", of("sql", "settings.ipConfiguration.ipv4Enabled", false), "ok"],
  ["socket_without_volume", "mounted", socket, "ok"],
  [
    "socket_without_volume",
    "not mounted",
    all(socket, of("backend", "template.volumes", undefined)),
    /^nothing mounted$/,
  ],
  [
    "socket_without_volume",
    "another instance",
    all(socket, of("backend", "template.volumes.0.cloudSqlInstance.instances", ["a:b:c"])),
    /^mounted: a:b:c$/,
  ],
  [
    "socket_without_volume",
    "mounted elsewhere",
    all(socket, of("backend", "template.containers.0.volumeMounts.0.mountPath", "/sql")),
    /^nothing mounted$/,
  ],
  [
    "socket_on_private_instance",
    "no public address",
    all(socket, of("sql", "settings.ipConfiguration.ipv4Enabled", false)),
    /private address only$/,
  ],
  [
    "socket_on_private_instance",
    "not said",
    all(socket, of("sql", "settings.ipConfiguration.ipv4Enabled", undefined)),
    "unchecked",
  ],
  [
    "socket_with_connector_traffic",
    "everything through the connector",
    all(socket, of("backend", "template.vpcAccess.egress", "ALL_TRAFFIC")),
    /^all traffic goes through the VPC \(connector\)$/,
  ],
  ["socket_with_connector_traffic", "private ranges only", socket, "ok"],
  [
    "socket_with_new_certificates",
    "the first-generation execution environment",
    all(
      socket,
      of("backend", "template.executionEnvironment", "EXECUTION_ENVIRONMENT_GEN1"),
      of("sql", "settings.ipConfiguration.serverCaMode", "GOOGLE_MANAGED_CAS_CA"),
    ),
    /^first-generation execution environment/,
  ],
  [
    "socket_with_new_certificates",
    "the second",
    all(socket, of("sql", "settings.ipConfiguration.serverCaMode", "GOOGLE_MANAGED_CAS_CA")),
    "ok",
  ],
  ["iam_login_without_flag", "not set", of("sql", "settings.databaseFlags", []), /^the flag is not set$/],
  ["database_region", "another region", of("sql", "region", "europe-west1"), /database in europe-west1$/, "backend"],
  [
    "connections_above_limit",
    "more than the flag allows",
    of("sql", "settings.databaseFlags", [{ name: "max_connections", value: "50" }]),
    /^up to 48 connections: backend 4 x 10, auth 4 x 2$/,
  ],
  [
    "connections_above_limit",
    "no maximum of instances",
    of("backend", "template.scaling", undefined),
    /^up to 1008 connections: backend 100 x 10, auth 4 x 2$/,
  ],
  [
    "connections_above_limit",
    "a maximum of the service below that of its revision",
    all(
      of("backend", "scaling", { maxInstanceCount: 2 }),
      of("sql", "settings.databaseFlags", [{ name: "max_connections", value: "20" }]),
    ),
    /^up to 28 connections: backend 2 x 10, auth 4 x 2$/,
  ],
  [
    "connections_above_limit",
    "an unknown limit, and none wanted",
    all(of("sql", "settings.tier", "db-perf-optimized-N-8"), settingOf("cloud_sql.max_connections", undefined)),
    "unchecked",
  ],
  [
    "vpc_connector_burst",
    "more than it carries",
    settingOf("vpc_connector.connections", 30),
    /^up to 40 connections: backend 4 x 10$/,
  ],
  [
    "vpc_connector_burst",
    "more than it carries, and at its most instances",
    all(settingOf("vpc_connector.connections", 30), of("connector", "maxInstances", 10)),
    /and it cannot grow beyond its 10 instances$/,
  ],
  [
    "vpc_connector_burst",
    "all traffic of the other service as well",
    of("auth", "template.vpcAccess.egress", "ALL_TRAFFIC"),
    "ok",
  ],
  [
    "vpc_connector_burst",
    "nothing known of what it carries",
    settingOf("vpc_connector.connections", undefined),
    "none",
  ],
];

describe("configuration checks", () => {
  it.each(rows.map(([check, what, change, expected, resource]) => ({ check, what, change, expected, resource })))(
    "$check: $what",
    async ({ check, change, expected, resource }) => {
      const [table, settings] = [answers(), written()];
      change(table, settings);
      const { findings = [], unchecked = [] } = await assessed(table, settings);
      const found = findings.filter(
        (one) => one.check === check && (resource === undefined || one.resource === resource),
      );
      const left = unchecked.filter(({ checks }) => checks.includes(check));
      if (expected === "none") expect([found, left]).toEqual([[], []]);
      else if (expected === "unchecked") expect(left).not.toEqual([]);
      else if (expected === "ok")
        expect(found.map(({ ok }) => ok)).toEqual(found.length > 0 ? found.map(() => true) : ["a finding"]);
      else
        expect(found.filter(({ ok }) => !ok).map(({ observed }) => observed)).toEqual([
          expect.stringMatching(expected),
        ]);
    },
  );

  it("name the firewall rules that were not evaluated", async () => {
    const seen = async (table: Answers): Promise<unknown> =>
      (await assessed(table)).findings?.find(({ check }) => check === "firewall_egress")?.observed;
    expect(await seen(answers())).toBe("not denied; regional firewall policies were not checked");
    const table = answers();
    set(table[urls.policies], "firewallPolicys", [policy("NETWORK", policyRule({}, { destFqdns: ["example.com"] }))]);
    expect(await seen(table)).toBe(
      "not denied; not evaluated, because they match on more than addresses: rule 1000 of the policy shop-policy; regional firewall policies were not checked",
    );
    expect(await seen({ ...answers(), [urls.policies]: refusal(404, "NOT_FOUND") })).toBe(
      "not denied by the firewall rules of the VPC; firewall policies were not checked",
    );
  });

  it("each pass and fail in this table", () => {
    const bad = new Set(rows.filter(([, , , expected]) => expected instanceof RegExp).map(([check]) => check));
    expect(checks.map(({ name }) => name).filter((name) => !bad.has(name))).toEqual([]);
  });

  it("have stable names and whole sentences that fit a finding", async () => {
    for (const { name, title, why, remedy } of checks) {
      expect(name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)+$/);
      expect(title).not.toMatch(/^[A-Z].*\.$/);
      for (const sentence of [why, remedy]) expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(`${why} ${remedy}`.length, name).toBeLessThanOrEqual(300);
    }
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  });

  it("are skipped when they are ignored", async () => {
    const [table, settings] = [answers(), written()];
    set(table[urls.connector], "state", "ERROR");
    const { failure, findings = [] } = await assessed(table, { ...settings, ignore: ["vpc_connector_state"] });
    expect(failure).toBeUndefined();
    expect(findings.map(({ check }) => check)).not.toContain("vpc_connector_state");
  });
});

describe("a read that is not permitted", () => {
  it.each(Object.entries(urls))("of %s skips the checks that need it, and no others", async (_, url) => {
    const whole = await assessed(answers());
    const {
      failure,
      findings = [],
      unchecked = [],
    } = await assessed({ ...answers(), [url]: refusal(403, "IAM_PERMISSION_DENIED") });
    expect(failure).toBeUndefined();
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    const [entry, ...others] = unchecked;
    expect(others).toEqual([]);
    expect(entry?.explanation).toMatch(
      /^The .* could not be read: grant the service account of the probe the permission [\w.]+ in the project shop-staging, for example with roles\/[\w.]+\.$/,
    );
    const made = new Set(findings.map(({ check, resource }) => `${check} ${resource}`));
    const lost = (whole.findings ?? []).filter(({ check, resource }) => !made.has(`${check} ${resource}`));
    // Only the answer determines whether these checks apply.
    const byAnswer = [
      "private_database_without_vpc_access",
      "vpc_connector_region",
      "secret_versions",
      "direct_vpc_first_connection",
    ];
    const waiting = entry?.checks.filter(
      (check) => !byAnswer.includes(check) || lost.some((finding) => finding.check === check),
    );
    expect([...new Set(lost.map(({ check }) => check))].sort()).toEqual(waiting?.toSorted());
    expect(lost.length).toBeGreaterThan(0);
  });

  it.each([
    [
      "PERMISSION_DENIED",
      refusal(403, "IAM_PERMISSION_DENIED"),
      /permission vpcaccess\.connectors\.get in the project shop-staging, for example with roles\/vpcaccess\.viewer\.$/,
    ],
    [
      "a disabled API",
      refusal(403, "SERVICE_DISABLED"),
      /gcloud services enable vpcaccess\.googleapis\.com --project shop-staging\.$/,
    ],
    [
      "a disabled API, said the old way",
      refusal(403, "HTTP_403", "X API has not been used in project 1 before or it is disabled."),
      /gcloud services enable/,
    ],
    ["no identity", refusal(0, "NO_IDENTITY"), /gcloud auth application-default login/],
    ["a token that is not accepted", refusal(401, "UNAUTHENTICATED"), /no identity that Google accepts/],
    ["trouble of Google's", refusal(503, "UNAVAILABLE"), /vpcaccess\.googleapis\.com answered 503 UNAVAILABLE\.$/],
    [
      "no network",
      refusal(0, "UNREACHABLE", "vpcaccess.googleapis.com gave no answer: connect ECONNREFUSED"),
      /gave no answer: connect ECONNREFUSED\.$/,
    ],
  ])("with %s names the remedy", async (_, error, sentence) => {
    const { unchecked = [] } = await assessed({ ...answers(), [urls.connector]: error });
    expect(unchecked).toMatchObject([
      { resource: "shop-connector", component: "vpc-connector", explanation: expect.stringMatching(sentence) },
    ]);
    expect(String(unchecked[0]?.explanation).length).toBeLessThanOrEqual(300);
  });

  it("fails the probe if it applies to all reads", async () => {
    const table = Object.fromEntries(Object.values(urls).map((url) => [url, refusal(403, "IAM_PERMISSION_DENIED")]));
    const { failure, findings } = await assessed(table);
    expect(findings).toEqual([]);
    expect(failure).toMatchObject({
      kind: "auth",
      phase: readingPhase,
      message: expect.stringContaining("roles/vpcaccess.viewer"),
    });
  });
});
