import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { combinationChecks } from "./combinations.ts";

const socket = all(
  settingOf("services.0.database.way", "socket"),
  of("backend", "template.volumes", [
    { name: "cloudsql", cloudSqlInstance: { instances: ["shop-staging:us-central1:shop-postgres"] } },
  ]),
  of("backend", "template.containers.0.volumeMounts", [{ name: "cloudsql", mountPath: "/cloudsql" }]),
);

describe("configuration checks: combinations", () => {
  checkTable(combinationChecks, [
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
  ]);
});
