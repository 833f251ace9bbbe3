/** Checks of the Cloud SQL instance. */
import type { Check } from "../configuration/check.ts";
import {
  type ExpectationCheck,
  expectation,
  judgementsOf,
  nonEmpty,
  unknownOutcome,
} from "../configuration/judgement.ts";

import type { CloudSqlSettings, ConfigurationSettings } from "../configuration/settings.ts";
import { connectionLimit, type SqlInstance } from "../resources/cloud-sql.ts";

/** The instance's own checks. */
export const cloudSqlChecks: readonly Check[] = [
  sqlCheck({
    name: "cloud_sql_state",
    severity: "critical",
    title: "the instance is RUNNABLE",
    why: "An instance in any other state accepts no connections.",
    remedy:
      "Check its operations: `gcloud sql operations list --instance=RESOURCE`. Wait for a running operation, or fix what failed.",
    judge: ({ state, suspensionReasons: [reason] }) => {
      if (state === undefined) return unknownOutcome("what state it is in");
      const because = reason === undefined ? "" : ` (${reason})`;
      return { ok: state === "RUNNABLE", observed: `${state}${because}`, expected: "RUNNABLE" };
    },
  }),
  sqlCheck({
    name: "cloud_sql_activation",
    severity: "critical",
    title: "the instance is not stopped by its owner",
    why: "A stopped instance is RUNNABLE too; only the activation policy shows whether it runs.",
    remedy: "Start the instance: `gcloud sql instances patch RESOURCE --activation-policy=ALWAYS`.",
    judge: ({ activationPolicy }) =>
      activationPolicy === undefined
        ? unknownOutcome("whether it was stopped")
        : { ok: activationPolicy === "ALWAYS", observed: `activation policy ${activationPolicy}`, expected: "ALWAYS" },
  }),
  sqlCheck({
    name: "cloud_sql_tier",
    severity: "warning",
    title: "its tier is `tier`, or if that is not set, not a shared-core machine",
    why: "The tier determines the CPU and memory of the database. Shared-core tiers are not covered by the SLA.",
    remedy: "Change the tier. This restarts the instance.",
    judge: ({ tier }, wanted) => {
      if (tier === undefined) return unknownOutcome("which tier it has");
      const shared = tier === "db-f1-micro" || tier === "db-g1-small";
      return wanted.tier === undefined
        ? { ok: !shared, observed: tier, expected: "a tier with dedicated CPUs" }
        : { ok: tier === wanted.tier, observed: tier, expected: wanted.tier };
    },
  }),
  sqlCheck({
    name: "cloud_sql_availability",
    severity: "warning",
    title: "it has a standby in another zone or not, as set in `availability`",
    why: "A regional instance has a standby in another zone and survives the loss of a zone; a zonal instance does not.",
    remedy: "Change the availability of the instance, or the expectation.",
    wants: ({ availability }) => availability?.toUpperCase(),
    judge: ({ availability }, expected) => {
      if (availability === undefined) return unknownOutcome("whether it has a standby");
      return { ok: availability === expected, observed: availability, expected };
    },
  }),
  sqlCheck({
    name: "cloud_sql_max_connections",
    severity: "warning",
    title: "it allows at least `max_connections`, by its flag or by default for its memory",
    why: "At the limit, every further connection is refused immediately.",
    remedy: "Set the flag max_connections, or choose a tier with more memory.",
    wants: ({ max_connections }) => max_connections,
    judge: (instance, max_connections) => {
      const known = connectionLimit(instance);
      if (known === undefined) return unknownOutcome("how many connections it allows: set the flag max_connections");
      const source = known.set ? "by its flag" : `by default for ${instance.tier}`;
      const expected = `${max_connections} or more`;
      return { ok: known.limit >= max_connections, observed: `${known.limit} connections ${source}`, expected };
    },
  }),
  sqlCheck({
    name: "cloud_sql_flags",
    severity: "warning",
    title: "the database flags have the values of `flags`",
    why: "A flag that is not set has its default value, which may differ.",
    remedy: "Set the flags of the instance. Some flags restart it.",
    wants: ({ flags }) => nonEmpty(Object.entries(flags)),
    judge: ({ flags }, expected) => {
      const wrong = expected.filter(([name, value]) => flags.get(name) !== value);
      const shown = wrong.map(([name]) => `${name} ${flags.has(name) ? `is ${flags.get(name)}` : "is not set"}`);
      return {
        ok: wrong.length === 0,
        observed: wrong.length === 0 ? "all as expected" : shown.join(", "),
        expected: expected.map(([name, value]) => `${name}=${value}`).join(", "),
      };
    },
  }),
  sqlCheck({
    name: "cloud_sql_private_network",
    severity: "critical",
    tells: ["no_path", "hits_some"],
    title: "it has a private address, if a service connects to it",
    why: "A service that connects to the private address needs an instance with one.",
    remedy:
      "Give the instance a private address in the VPC network of the services: `gcloud sql instances patch RESOURCE --network=NETWORK`.",
    wants: (_, settings) => nonEmpty(directIn(settings)),
    judge: ({ privateNetwork }) => ({
      ok: privateNetwork,
      observed: privateNetwork ? "a private network" : "no private network",
      expected: "a private network",
    }),
  }),
  sqlCheck({
    name: "cloud_sql_open_to_all",
    severity: "warning",
    title: "it is not open to every address on the internet",
    why: "An authorized network of /0 lets anyone on the internet try passwords.",
    remedy: "Remove that authorized network. The socket and the connector library need none.",
    judge: ({ openToAll, publicAddress }) =>
      openToAll && publicAddress !== false
        ? { ok: false, observed: "every address on the internet is authorized", expected: "none, or single addresses" }
        : { ok: true, observed: "not open to every address", expected: "none, or single addresses" },
  }),
  sqlCheck({
    name: "cloud_sql_ssl_mode",
    severity: "info",
    title: "connections without TLS are refused",
    why: "Without TLS, passwords and rows cross the network in plain text.",
    remedy: "Set the SSL mode of the instance to ENCRYPTED_ONLY once every client uses TLS.",
    judge: ({ sslMode, requireSsl }) => {
      if (sslMode === undefined && requireSsl === undefined)
        return unknownOutcome("whether connections must be encrypted");
      const ok = sslMode === undefined ? requireSsl === true : sslMode !== "ALLOW_UNENCRYPTED_AND_ENCRYPTED";
      const observed = sslMode ?? (requireSsl ? "TLS required" : "TLS not required");
      return { ok, observed, expected: "ENCRYPTED_ONLY, or client certificates" };
    },
  }),
  sqlCheck({
    name: "cloud_sql_disk_resize",
    severity: "warning",
    title: "automatic storage increase is on, and its disk has not reached the limit",
    why: "A database whose disk is full stops.",
    remedy:
      "Turn on automatic storage increase (`gcloud sql instances patch RESOURCE --storage-auto-increase`), and set its limit well above the storage in use.",
    judge: ({ diskResize, diskResizeLimit = 0, diskSize = 0 }) => {
      if (diskResize === undefined) return unknownOutcome("whether its disk grows automatically");
      const atLimit = diskResizeLimit > 0 && diskSize >= diskResizeLimit;
      const observed = diskResize
        ? atLimit
          ? `at its limit of ${diskResizeLimit} GB`
          : "grows automatically"
        : "fixed";
      return { ok: diskResize && !atLimit, observed, expected: "a disk that grows automatically" };
    },
  }),
  sqlCheck({
    name: "cloud_sql_maintenance_window",
    severity: "info",
    title: "it has a maintenance window",
    why: "Without a window, Google may restart the database at any time.",
    remedy: "Choose a day and an hour at which a short outage does the least harm.",
    judge: ({ maintenanceDay = 0 }) => ({
      ok: maintenanceDay > 0,
      observed: maintenanceDay > 0 ? `on ${weekdays[maintenanceDay] ?? `day ${maintenanceDay}`}` : "at any time",
      expected: "a day and an hour",
    }),
  }),
  sqlCheck({
    name: "cloud_sql_connector_enforcement",
    severity: "critical",
    title: "it does not enforce connectors while a service connects directly to its address",
    why: "An instance that enforces connectors refuses clients that connect to its address directly.",
    remedy:
      "Turn off the enforcement (`gcloud sql instances patch RESOURCE --connector-enforcement=NOT_REQUIRED`), or use Google's connector library in the services.",
    wants: (_, settings) => nonEmpty(directIn(settings)),
    judge: ({ connectorEnforcement = "NOT_REQUIRED" }, direct) => {
      const observed = `connectors ${connectorEnforcement}`;
      return { ok: connectorEnforcement !== "REQUIRED", observed, expected: `NOT_REQUIRED, for ${direct.join(", ")}` };
    },
  }),
];

const weekdays = ["", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/** Services that connect directly to the address of the instance. */
function directIn({ services }: ConfigurationSettings): readonly string[] {
  return services.filter(({ database }) => database?.way === "private").map(({ name }) => name);
}

function sqlCheck<Wanted = CloudSqlSettings>({
  wants,
  judge,
  ...description
}: ExpectationCheck<SqlInstance, CloudSqlSettings, Wanted>): Check {
  return {
    ...description,
    reads: ["cloud_sql"],
    judge: (settings, { cloudSql }) => {
      const { cloud_sql: own } = settings;
      const wanted = own && expectation(wants, own, settings);
      if (!own || wanted === undefined) return [];
      const subject = { resource: own.instance, component: own.component };
      return judgementsOf(subject, cloudSql, (instance) => judge(instance, wanted, settings));
    },
  };
}
