/** Combinations of settings that are valid by themselves and are known to fail together. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import {
  allOf,
  both,
  type ExpectationCheck,
  expectation,
  judgementsOf,
  unknownOutcome,
} from "../configuration/judgement.ts";
import type { ServiceSettings } from "../configuration/settings.ts";
import { type RunService, vpcAccessOf } from "../resources/cloud-run.ts";
import { connectionLimit, type SqlInstance } from "../resources/cloud-sql.ts";
import { mostInstances } from "../resources/vpc-connector.ts";
import { serviceCheck, spoken, usualMaximum } from "./cloud-run.ts";

/** Maximum number of connections that Cloud Run allows one instance through the socket. */
const maxThroughSocket = 100;
/** Connections that PostgreSQL reserves for administrators: the default of `superuser_reserved_connections`. */
const reserved = 3;

/** The checks. */
export const combinationChecks: readonly Check[] = [
  serviceCheck({
    name: "database_timeout_beyond_startup",
    severity: "warning",
    tells: ["cuts_off", "hits_some"],
    title: "the database timeout at startup is shorter than the time allowed by the startup probe",
    why: "A service that waits for its database longer than its startup may take is killed before it can report the problem.",
    remedy:
      "Set the database timeout at startup below the time that the startup probe allows, or raise the failure threshold of the startup probe.",
    wants: ({ database }) => database?.timeout,
    judge: ({ startupSeconds }, timeout) => {
      const observed = `${spokenDuration(timeout)} for the database, ${spoken(startupSeconds)} to start`;
      return {
        ok: timeout / 1_000 < startupSeconds,
        observed,
        expected: "a shorter timeout for the database than for the startup",
      };
    },
  }),
  serviceCheck({
    name: "websocket_cut",
    severity: "warning",
    tells: ["cuts_off", "hits_some"],
    title: "the request timeout lets a WebSocket stay open for `websocket`",
    why: "To Cloud Run, a WebSocket is one request: it is cut at the request timeout, even while it is in use.",
    remedy: "Raise the request timeout (up to 60 minutes), and make clients reconnect automatically.",
    wants: ({ websocket }) => websocket,
    judge: ({ requestTimeoutSeconds }, websocket) => {
      if (requestTimeoutSeconds === undefined) return unknownOutcome("how long a request may take");
      const observed = `cut after ${spoken(requestTimeoutSeconds)}`;
      return {
        ok: requestTimeoutSeconds * 1_000 >= websocket,
        observed,
        expected: `${spokenDuration(websocket)} or more`,
      };
    },
  }),
  serviceCheck({
    name: "connections_of_one_instance",
    severity: "warning",
    tells: ["hits_some"],
    title: "the pool of one instance stays below the limit of 100 connections per instance through the socket",
    why: "Cloud Run allows one instance 100 connections through the socket under /cloudsql and refuses more.",
    remedy: "Reduce the pool size per instance.",
    wants: ({ database }) => (database?.way === "socket" ? database.pool : undefined),
    judge: (_, pool) => {
      const size = pool.size + pool.overflow;
      return {
        ok: size <= maxThroughSocket,
        observed: `${size} connections`,
        expected: `at most ${maxThroughSocket}`,
      };
    },
  }),
  serviceCheck({
    name: "cpu_idle_with_connections",
    severity: "info",
    title: "a service that keeps connections open has CPU allocated between requests",
    why: "Without CPU between requests, open connections and connector certificates expire unnoticed.",
    remedy:
      "Allocate CPU to the service at all times (--no-cpu-throttling), or expect its first query after a pause to fail.",
    wants: ({ database }) => database?.pool,
    judge: ({ cpuIdle }) => ({
      ok: !cpuIdle,
      observed: cpuIdle ? "CPU during requests only" : "CPU at all times",
      expected: "CPU at all times",
    }),
  }),
  serviceCheck({
    name: "vpc_connector_region",
    severity: "critical",
    tells: ["no_path", "serverless_connector"],
    title: "a service uses a connector in its own region",
    why: "A connector serves only its own region.",
    remedy: "Create a connector in the region of the service.",
    wants: ({ region }, settings) => region ?? settings.region,
    judge: ({ connectorRegion }, own) => {
      if (connectorRegion === undefined) return undefined;
      const observed = `service in ${own}, connector in ${connectorRegion}`;
      return { ok: own === connectorRegion, observed, expected: "the same region" };
    },
  }),
  pairCheck({
    name: "private_database_without_vpc_access",
    severity: "critical",
    tells: ["no_path"],
    title: "a service without VPC access does not depend on a database without a public address",
    why: "A database without a public address can be reached only from inside the VPC, so this service cannot reach it.",
    remedy:
      "Give the service a VPC connector or Direct VPC egress: `gcloud run services update RESOURCE --region=REGION`, with --vpc-connector, or --network and --subnet.",
    wants: ({ database }) => (database?.way === "socket" ? undefined : database),
    judge: ([service, { publicAddress }]) => {
      if (publicAddress !== false) return undefined;
      const ok = vpcAccessOf(service) !== "none";
      return {
        ok,
        observed: ok ? "access to the VPC" : "no access to the VPC, and the database has no public address",
        expected: "access to the VPC",
      };
    },
  }),
  pairCheck({
    name: "socket_without_volume",
    severity: "critical",
    title: "a service that uses the socket has the instance mounted under /cloudsql",
    why: "The socket under /cloudsql exists only if the instance was added to the service.",
    remedy:
      "Add the instance to the service: `gcloud run services update RESOURCE --region=REGION`, with --add-cloudsql-instances.",
    wants: bySocket,
    judge: ([{ sqlVolumes }, { connectionName }]) => {
      if (connectionName === undefined) return unknownOutcome("the connection name of the instance");
      const ok = sqlVolumes.includes(connectionName);
      const others = sqlVolumes.length === 0 ? "nothing mounted" : `mounted: ${sqlVolumes.slice(0, 3).join(", ")}`;
      return { ok, observed: ok ? "mounted" : others, expected: `${connectionName} under /cloudsql` };
    },
  }),
  pairCheck({
    name: "socket_on_private_instance",
    severity: "warning",
    title: "a service does not use the socket of an instance that has no public address",
    why: "The socket under /cloudsql uses the public address of the instance.",
    remedy: "Connect to the private address through the VPC, or give the instance a public address.",
    wants: bySocket,
    judge: ([, { publicAddress }]) => {
      if (publicAddress === undefined) return unknownOutcome("whether the instance has a public address");
      const observed = publicAddress ? "the instance has a public address" : "the instance has a private address only";
      return { ok: publicAddress, observed, expected: "a public address" };
    },
  }),
  serviceCheck({
    name: "socket_with_connector_traffic",
    severity: "warning",
    title: "a service that uses the socket or the connector library does not send all traffic through the VPC",
    why: "Both call the Cloud SQL Admin API on the internet. If all traffic goes through the VPC, that requires a route to the internet.",
    remedy:
      "Send only private ranges through the VPC, or connect to the private address, or give the subnet Cloud NAT or Private Google Access.",
    wants: ({ database }) => (database?.way === "private" ? undefined : database),
    judge: (service) => {
      const access = vpcAccessOf(service);
      const ok = access === "none" || !service.allTraffic;
      const observed = ok ? "the Admin API is called directly" : `all traffic goes through the VPC (${access})`;
      return { ok, observed, expected: "private ranges only through the VPC" };
    },
  }),
  pairCheck({
    name: "socket_with_new_certificates",
    severity: "critical",
    title:
      "a service in the first-generation execution environment does not use the socket of an instance whose CA is not Google's internal one",
    why: "The proxy of the first-generation execution environment trusts only certificates of Google's internal CA.",
    remedy: "Deploy the service with the second-generation execution environment.",
    wants: bySocket,
    judge: ([{ generation1 }, { serverCaMode }]) => {
      if (serverCaMode === undefined) return undefined;
      const ok = !generation1 || serverCaMode === "GOOGLE_MANAGED_INTERNAL_CA";
      const observed = `${generation1 ? "first" : "second"}-generation execution environment, ${serverCaMode}`;
      return {
        ok,
        observed,
        expected: "the second-generation execution environment, or the internal CA",
      };
    },
  }),
  pairCheck({
    name: "iam_login_without_flag",
    severity: "critical",
    title: "IAM authentication is on for the instance if a service logs in with IAM",
    why: "Logging in with IAM requires the flag cloudsql.iam_authentication on the instance.",
    remedy: "Set the flag cloudsql.iam_authentication to on.",
    wants: ({ database }) => (database?.iam_login ? database : undefined),
    judge: ([, { flags }]) => {
      const value = flags.get("cloudsql.iam_authentication") ?? "not set";
      return { ok: value === "on", observed: `the flag is ${value}`, expected: "on" };
    },
  }),
  pairCheck({
    name: "database_region",
    severity: "info",
    title: "the database is in the same region as its services",
    why: "Every query between two regions takes tens of milliseconds longer and depends on both regions.",
    remedy: "Move the service to the region of its database.",
    wants: ({ database, region }, settings) => database && (region ?? settings.region),
    judge: ([, sql], own) => {
      if (sql.region === undefined) return undefined;
      return {
        ok: sql.region === own,
        observed: `service in ${own}, database in ${sql.region}`,
        expected: "the same region",
      };
    },
  }),
  {
    name: "connections_above_limit",
    severity: "warning",
    title:
      "instances x (pool size + overflow), summed over all services, stays below the connection limit of the database",
    why: "When every service runs its maximum number of instances, the database must have enough connections for all pools.",
    remedy: "Lower the maximum number of instances or the pool sizes, or raise max_connections with a larger tier.",
    reads: ["cloud_run", "cloud_sql"],
    judge: (settings, seen) => {
      const { cloud_sql: wanted } = settings;
      const pooled = settings.services.filter(({ database }) => database?.pool !== undefined);
      if (!wanted || pooled.length === 0) return [];
      const subject = { resource: wanted.instance, component: wanted.component };
      const services = allOf(pooled.map(({ name }) => seen.services.get(name)));
      return judgementsOf(subject, both(seen.cloudSql, services), ([sql, runs]) => {
        const limit = connectionLimit(sql)?.limit ?? wanted.max_connections;
        if (limit === undefined) return unknownOutcome("how many connections it allows: set the flag max_connections");
        const parts = pooled.map((one, index) => demandOf(one, runs[index]));
        const total = parts.reduce((sum, { most }) => sum + most, 0);
        return {
          ok: total <= limit - reserved,
          observed: `up to ${total} connections: ${parts.map(({ text }) => text).join(", ")}`,
          expected: `at most ${limit - reserved}: ${limit} minus ${reserved} reserved`,
        };
      });
    },
  },
  {
    name: "vpc_connector_burst",
    severity: "warning",
    tells: ["serverless_connector"],
    title: "the pools of the services behind the connector fit within its `connections`",
    why: "When instances start together, they open all their pools at once, and an overloaded connector drops new connections first.",
    remedy:
      "Lower the pool sizes or the maximum number of instances, use a larger connector, or use Direct VPC egress.",
    reads: ["cloud_run", "vpc_connector"],
    judge: (settings, seen) => {
      const { vpc_connector: wanted } = settings;
      if (wanted?.connections === undefined) return [];
      const { connections, name, component } = wanted;
      const pooled = settings.services.filter(
        ({ database, vpc_access }) => database?.pool !== undefined && vpc_access !== "none" && vpc_access !== "direct",
      );
      if (pooled.length === 0) return [];
      const services = allOf(pooled.map((one) => seen.services.get(one.name)));
      return judgementsOf({ resource: name, component }, both(seen.vpcConnector, services), ([connector, runs]) => {
        const parts = pooled.flatMap((one, index) => {
          const run = runs[index];
          return run !== undefined && goesThrough(run, one) ? [demandOf(one, run)] : [];
        });
        const total = parts.reduce((sum, { most }) => sum + most, 0);
        const atMost = connector.maxInstances === mostInstances ? ", and it cannot grow beyond its 10 instances" : "";
        return {
          ok: total <= connections,
          observed:
            parts.length === 0
              ? "no pool uses it"
              : `up to ${total} connections: ${parts.map(({ text }) => text).join(", ")}${atMost}`,
          expected: `at most ${connections}`,
        };
      });
    },
  },
];

/** Returns whether the connections of a pool go through the connector, to the private address or because all traffic does. */
function goesThrough(service: RunService, { database }: ServiceSettings): boolean {
  return vpcAccessOf(service) === "connector" && (database?.way === "private" || service.allTraffic);
}

/** Returns the number of connections that a service opens at its maximum number of instances. */
function demandOf({ name, database }: ServiceSettings, run: RunService | undefined): { most: number; text: string } {
  const instances = run?.maxInstances ?? usualMaximum;
  const pool = (database?.pool?.size ?? 0) + (database?.pool?.overflow ?? 0);
  return { most: instances * pool, text: `${name} ${instances} x ${pool}` };
}

function bySocket({ database }: ServiceSettings): ServiceSettings["database"] {
  return database?.way === "socket" ? database : undefined;
}

/** A check of a service together with its database. */
function pairCheck<Wanted>({
  wants,
  judge,
  ...description
}: ExpectationCheck<readonly [RunService, SqlInstance], ServiceSettings, Wanted>): Check {
  return {
    ...description,
    reads: ["cloud_run", "cloud_sql"],
    judge: (settings, { services, cloudSql }) =>
      settings.services.flatMap((own) => {
        const wanted = expectation(wants, own, settings);
        if (wanted === undefined) return [];
        const subject = { resource: own.name, component: own.component };
        return judgementsOf(subject, both(services.get(own.name), cloudSql), (pair) => judge(pair, wanted, settings));
      }),
  };
}
