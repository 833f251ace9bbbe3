/** The Cloud SQL instance as the Admin API describes it. */
import { at, flagAt, listAt, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** An instance, with the fields that are checked. Source: Cloud SQL Admin API v1, `instances`. */
export interface SqlInstance {
  /** RUNNABLE (running, or stopped by its owner), SUSPENDED, PENDING_CREATE, MAINTENANCE, FAILED … */
  readonly state: string | undefined;
  readonly suspensionReasons: readonly string[];
  /** ALWAYS or NEVER: whether a RUNNABLE instance runs. */
  readonly activationPolicy: string | undefined;
  readonly region: string | undefined;
  /** `project:region:instance`. */
  readonly connectionName: string | undefined;
  readonly tier: string | undefined;
  readonly availability: string | undefined;
  /** Flags that were set; others have their defaults. */
  readonly flags: ReadonlyMap<string, string>;
  readonly publicAddress: boolean | undefined;
  readonly privateNetwork: boolean;
  readonly privateAddresses: readonly string[];
  /** Whether every address on the internet may connect. */
  readonly openToAll: boolean;
  readonly sslMode: string | undefined;
  readonly requireSsl: boolean | undefined;
  readonly serverCaMode: string | undefined;
  readonly connectorEnforcement: string | undefined;
  readonly diskResize: boolean | undefined;
  /** Gigabytes; 0 for no limit. */
  readonly diskResizeLimit: number | undefined;
  /** Gigabytes. */
  readonly diskSize: number | undefined;
  /** 1 for Monday to 7; 0 for any. */
  readonly maintenanceDay: number | undefined;
}

/** Reads the instance. */
export function readCloudSql(
  reader: Reader,
  { project, cloud_sql: wanted }: ConfigurationSettings,
): Promise<Read<SqlInstance>> | undefined {
  if (!wanted) return undefined;
  const url = `https://sqladmin.googleapis.com/v1/projects/${project}/instances/${wanted.instance}`;
  const about = { resource: wanted.instance, component: wanted.component, project, url };
  return reader.one({ read: "cloud_sql", ...about }, takeSqlInstance);
}

/** Extracts the relevant fields from the answer. */
export function takeSqlInstance(json: unknown): SqlInstance {
  const settings = at(json, "settings");
  const ip = at(settings, "ipConfiguration");
  return {
    state: textAt(json, "state"),
    suspensionReasons: textsAt(json, "suspensionReason"),
    activationPolicy: textAt(settings, "activationPolicy"),
    region: textAt(json, "region"),
    connectionName: textAt(json, "connectionName"),
    tier: textAt(settings, "tier"),
    availability: textAt(settings, "availabilityType"),
    flags: new Map(
      listAt(settings, "databaseFlags").flatMap((flag): [string, string][] => {
        const name = textAt(flag, "name");
        return name === undefined ? [] : [[name, textAt(flag, "value") ?? ""]];
      }),
    ),
    publicAddress: flagAt(ip, "ipv4Enabled"),
    privateNetwork: textAt(ip, "privateNetwork") !== undefined,
    privateAddresses: listAt(json, "ipAddresses").flatMap((address) =>
      textAt(address, "type") === "PRIVATE" ? (textAt(address, "ipAddress") ?? []) : [],
    ),
    openToAll: listAt(ip, "authorizedNetworks").some((network) => /\/0$/.test(textAt(network, "value") ?? "")),
    sslMode: textAt(ip, "sslMode"),
    requireSsl: flagAt(ip, "requireSsl"),
    serverCaMode: textAt(ip, "serverCaMode"),
    connectorEnforcement: textAt(settings, "connectorEnforcement"),
    diskResize: flagAt(settings, "storageAutoResize"),
    diskResizeLimit: numberAt(settings, "storageAutoResizeLimit"),
    diskSize: numberAt(settings, "dataDiskSizeGb"),
    maintenanceDay: numberAt(settings, "maintenanceWindow", "day"),
  };
}

/**
 * Returns the connection limit of an instance, and whether it was set explicitly. Source: Cloud SQL for PostgreSQL, default of
 * `max_connections` by memory.
 */
export function connectionLimit({ flags, tier }: SqlInstance): { limit: number; set: boolean } | undefined {
  const set = Number(flags.get("max_connections"));
  if (Number.isInteger(set) && set > 0) return { limit: set, set: true };
  const memory = memoryOf(tier);
  if (memory === undefined) return undefined;
  const limit = defaultLimits.find(([gigabytes]) => memory >= gigabytes)?.[1];
  return limit === undefined ? undefined : { limit, set: false };
}

/** Default connection limits, by the minimum memory in gigabytes. */
const defaultLimits: readonly (readonly [gigabytes: number, connections: number])[] = [
  [120, 1000],
  [60, 800],
  [30, 600],
  [15, 500],
  [7.5, 400],
  [6, 200],
  [3.75, 100],
  [1.7, 50],
  [0, 25],
];

/** Gigabytes of memory, for tiers whose name contains it. */
function memoryOf(tier: string | undefined): number | undefined {
  if (tier === "db-f1-micro") return 0.6;
  if (tier === "db-g1-small") return 1.7;
  const [, megabytes] = /^db-custom-\d+-(\d+)$/.exec(tier ?? "") ?? [];
  return megabytes === undefined ? undefined : Number(megabytes) / 1024;
}
