import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { cloudSqlChecks } from "./cloud-sql.ts";

describe("configuration checks: Cloud SQL", () => {
  checkTable(cloudSqlChecks, [
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
  ]);
});
