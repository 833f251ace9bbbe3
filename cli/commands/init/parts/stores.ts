/** Databases and caches, and the path to each. */
import { connectionLimit } from "../../../../functions/probe/google/resources/cloud-sql.ts";
import type { Address } from "../addresses/address.ts";
import type { FoundDatabase, FoundService } from "../found.ts";
import type { Relations } from "../relations.ts";
import { draftAddress } from "./addresses.ts";
import { type Context, cacheComponent, databaseComponent } from "./keys.ts";
import { connectionPath, elsewhere, ofLoad } from "./network.ts";

/** Adds databases and caches. @param addresses what was given besides, each for the store that it leads to */
export function draftStores(context: Context, relations: Relations, addresses: ReadonlyMap<string, Address>): void {
  for (const database of context.found.databases) draftDatabase(database, context, relations, addresses);
  for (const cache of context.found.caches) {
    const { found, draft } = context;
    const { name, region, host, port, needsPassword, needsTls } = cache;
    const component = cacheComponent(cache, draft);
    draft.addComponent(component, { title: `Redis ${name}`, layer: "platform", role: "cache" });
    const users = relations.caches.filter((use) => use.cache === cache).map(({ service }) => service);
    dependOnPath(component, users, context);
    const memory = { condition: "memorystore_memory_utilization > 85%", ...ofLoad };
    draft.addProbe(`${name}-load`, {
      kind: "memorystore",
      component,
      ...elsewhere(region, found),
      alert: "off",
      instance: name,
    });
    draft.addRule("Redis Memory Nearly Full", memory);
    draft.addRule("Redis Refuses Connections", { condition: "memorystore_rejected_connections > 0", ...ofLoad });
    const address = addresses.get(component);
    if (address !== undefined) draftAddress(address, component, draft);
    else if (host !== undefined) {
      const inside = { component, vantage: "inside", timeout: "5s", host, port };
      // With a password, or an authority of its own, only the connection can be tried without a secret.
      const settings = needsPassword || needsTls ? { kind: "tcp", ...inside } : { kind: "redis", ...inside };
      const advice = needsPassword
        ? [
            "Checks that it is reachable. With kind: redis and password: { secret: redis-password }, the probe also logs in.",
          ]
        : [];
      draft.proveBy("basic health", draft.addProbe(name, settings, advice));
    }
  }
}

function draftDatabase(
  database: FoundDatabase,
  context: Context,
  relations: Relations,
  addresses: ReadonlyMap<string, Address>,
): void {
  const { draft } = context;
  const { name, sql, version, privateAddress, connectionName } = database;
  const component = databaseComponent(database, draft);
  const isPostgres = version.startsWith("POSTGRES");
  draft.addComponent(component, { title: `Cloud SQL ${name}`, layer: "platform", role: "database" });
  const uses = relations.databases.filter((use) => use.database === database);
  const isPrivateOnly = privateAddress !== undefined && sql.publicAddress !== true;
  const inside = uses.filter(({ way }) => way === "private" || isPrivateOnly).map(({ service }) => service);
  const path = dependOnPath(component, inside, context);
  const limit = isPostgres ? connectionLimit(sql)?.limit : undefined;
  draft.addProbe(`${name}-load`, {
    kind: "cloud_sql",
    component,
    alert: "off",
    instance: name,
    ...(limit === undefined ? {} : { max_connections: limit }),
  });
  draft.addRule("Cloud SQL Is Down", { condition: "cloud_sql_up == 0", alert_duration: "2m", severity: "critical" });
  draft.addRule("Cloud SQL Busy", { condition: "cloud_sql_cpu_utilization > 90%", ...ofLoad, alert_duration: "10m" });
  draft.addRule("Cloud SQL Memory Nearly Full", {
    condition: "cloud_sql_memory_utilization > 90%",
    ...ofLoad,
    alert_duration: "10m",
  });
  draft.addRule("Cloud SQL Disk Nearly Full", {
    condition: "cloud_sql_disk_utilization > 85%",
    ...ofLoad,
    alert_duration: "10m",
  });
  if (limit !== undefined)
    draft.addRule("Cloud SQL Connections Nearly Used Up", {
      condition: "cloud_sql_connection_utilization > 85%",
      ...ofLoad,
    });
  const address = addresses.get(component);
  if (address !== undefined) {
    draftAddress(address, component, draft, { path });
    return;
  }
  const port = isPostgres ? 5432 : version.startsWith("MYSQL") ? 3306 : 1433;
  if (privateAddress !== undefined)
    draft.proveBy(
      "basic health",
      draft.addProbe(`${name}-address`, {
        kind: "tcp",
        component,
        vantage: "inside",
        timeout: "5s",
        host: privateAddress,
        port,
      }),
    );
  if (!isPostgres) return;
  const secrets = uses
    .flatMap(({ service }) => service.secretEnv.map((one) => ({ ...one, service: service.name })))
    .filter(({ variable }) => /(URL|URI|DSN|CONNECTION)/i.test(variable));
  const known = secrets.map(({ variable, secret, service }) => `${secret} (${variable} of ${service})`).join(", ");
  draft.addTemplate({
    wanted: name,
    says: [
      `A login to ${name} shows much more: how long a new connection takes, how many are in use, and whether new ones are lost. It requires a role, preferably with pg_monitor, whose postgres:// URL is in the secret database-url; ${known === "" ? "no secret that contains one was found" : `the application's own is in the secret ${known}`}. Or give it to init: --url-from DATABASE_URL.`,
    ],
    settings: {
      kind: "postgres",
      component,
      vantage: privateAddress === undefined ? "outside" : "inside",
      timeout: "10s",
      severity: "critical",
      connection: { url: { secret: "database-url" } },
    },
  });
  if (connectionName === undefined || sql.publicAddress !== true) return;
  draft.addTemplate({
    wanted: `${name}-login`,
    says: [
      `Without a password: with Google's connector, as the probe's own service account, which needs roles/cloudsql.client, roles/cloudsql.instanceUser and a user in the database.`,
    ],
    settings: {
      kind: "postgres",
      component,
      timeout: "10s",
      connection: { instance: connectionName, user: "pathkeeper", iam: true },
    },
  });
}

/**
 * A resource that is reached through a single connection path depends on that path. If services use several paths, each service depends on
 * its own.
 * @returns the path, if there is exactly one
 */
function dependOnPath(
  component: string,
  services: readonly FoundService[],
  { found, draft }: Context,
): string | undefined {
  const paths = new Set(services.flatMap((service) => connectionPath(service, found, draft) ?? []));
  const [path, ...others] = paths;
  if (path !== undefined && others.length === 0) draft.depend(component, path);
  return others.length === 0 ? path : undefined;
}
