/** Reads Cloud Run services. Values of environment variables are skipped, and never leave this file. */
import { excerpt, Redactor } from "../../../../shared/text/redact.ts";
import { at, flagAt, listAt, nameIn, numberAt, secondsAt, textAt, textsAt } from "../configuration/json.ts";
import { parseCores, parseMemory } from "../configuration/quantities.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings, ServiceSettings } from "../configuration/settings.ts";

/** A service, with the fields that are checked. Source: Cloud Run Admin API v2, `projects.locations.services`. */
export interface RunService {
  /** CONDITION_SUCCEEDED, CONDITION_PENDING, CONDITION_RECONCILING, CONDITION_FAILED. */
  readonly state: string | undefined;
  /** Google's reason and message for why it is not ready. */
  readonly reason: string | undefined;
  readonly latestReady: string | undefined;
  readonly latestCreated: string | undefined;
  readonly traffic: readonly { readonly latest: boolean; readonly revision: string; readonly percent: number }[];
  /** INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY, INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER. */
  readonly ingress: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly requestTimeoutSeconds: number | undefined;
  readonly maxInstances: number | undefined;
  readonly concurrency: number | undefined;
  readonly generation1: boolean;
  /** Name of the connector. */
  readonly connector: string | undefined;
  /** Region of the connector, if its full name is given. */
  readonly connectorRegion: string | undefined;
  readonly directVpc: boolean;
  /** Whether all traffic goes through the VPC; otherwise only private ranges do. */
  readonly allTraffic: boolean;
  readonly cores: number | undefined;
  /** Bytes. */
  readonly memory: number | undefined;
  /** Whether CPU is allocated only during requests. */
  readonly cpuIdle: boolean;
  /** Seconds that the startup may take before the instance is killed. */
  readonly startupSeconds: number;
  /** Whether its startup probe only opens a TCP connection, as the default probe does. */
  readonly startsByTcp: boolean;
  /** Names of the environment variables that have a value or a source of one. */
  readonly env: ReadonlySet<string>;
  /** Connection names of the instances in a volume mounted under /cloudsql. */
  readonly sqlVolumes: readonly string[];
  /** Secrets of variables and volumes: the name of the secret or its whole path, and the version. */
  readonly secrets: readonly SecretUse[];
  /** The subnet of Direct VPC egress, by name or by its whole path. */
  readonly subnet: string | undefined;
  /** Whether callers need the invoker role. */
  readonly invokersChecked: boolean;
}

/** A version of a secret that a service uses. Its value is never read. */
export interface SecretUse {
  readonly secret: string;
  readonly version: string;
}

/** The highest recent number of concurrently active instances, by region and name of the service, as in `us-central1/backend`. */
export type Peaks = ReadonlyMap<string, number>;

/** Lookback for the maximum number of instances, in milliseconds. */
export const peakWindow = 900_000;

/** Maximum startup time that Cloud Run allows an instance, in seconds: 240 s of initial delay, and 240 s of probing. */
export const longestStartup = 480;
/** The default startup probe: a TCP connection to the port, for up to 240 s. */
const defaultStartup = 240;

/** Reads the services, by name. */
export async function readServices(
  reader: Reader,
  { project, region, services }: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<RunService>>> {
  return new Map(
    await Promise.all(
      services.map(async (wanted): Promise<[string, Read<RunService>]> => {
        const place = `projects/${project}/locations/${wanted.region ?? region}`;
        const url = `https://run.googleapis.com/v2/${place}/services/${wanted.name}`;
        const about = { resource: wanted.name, component: wanted.component, project, url };
        return [wanted.name, await reader.one({ read: "cloud_run", ...about }, takeService)];
      }),
    ),
  );
}

/** Reads how many instances of the services were in use at most, all of them by one request. */
export async function readPeaks(
  reader: Reader,
  { project, services }: ConfigurationSettings,
): Promise<Read<Peaks> | undefined> {
  if (services.length === 0) return undefined;
  const names = [...new Set(services.map(({ name }) => JSON.stringify(name)))];
  const read = await reader.figures(
    { what: "the number of instances in", resource: project, project },
    {
      metricType: "run.googleapis.com/container/instance_count",
      resourceType: "cloud_run_revision",
      where: { "metric.labels.state": "active" },
      filter: `resource.labels.service_name = one_of(${names.join(",")})`,
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_SUM",
      groupBy: ["resource.labels.location", "resource.labels.service_name"],
      periodMs: peakWindow,
      delayMs: 180_000,
    },
  );
  if ("refusal" in read) return read;
  const place = (labels: Readonly<Record<string, string>>): string =>
    `${labels["resource.labels.location"]}/${labels["resource.labels.service_name"]}`;
  return { value: new Map(read.value.map(({ labels, value }) => [place(labels), value])) };
}

/** Extracts the relevant fields from the answer. */
export function takeService(json: unknown): RunService {
  const template = at(json, "template");
  const containers = listAt(template, "containers");
  // Of several containers, the one with a port receives the requests, and Cloud Run waits for its startup.
  const container = containers.find((one) => listAt(one, "ports").length > 0) ?? containers[0];
  const variables = containers.flatMap((one) => listAt(one, "env"));
  const condition = at(json, "terminalCondition");
  return {
    state: textAt(condition, "state"),
    reason: reasonOf(condition, variables),
    latestReady: named(textAt(json, "latestReadyRevision")),
    latestCreated: named(textAt(json, "latestCreatedRevision")),
    traffic: listAt(json, "trafficStatuses").map((share) => ({
      latest: textAt(share, "type") === "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
      revision: named(textAt(share, "revision")) ?? "the latest revision",
      percent: numberAt(share, "percent") ?? 0,
    })),
    ingress: textAt(json, "ingress"),
    serviceAccount: textAt(template, "serviceAccount"),
    requestTimeoutSeconds: secondsAt(template, "timeout"),
    maxInstances: least(
      numberAt(template, "scaling", "maxInstanceCount"),
      numberAt(json, "scaling", "maxInstanceCount"),
    ),
    concurrency: numberAt(template, "maxInstanceRequestConcurrency"),
    generation1: textAt(template, "executionEnvironment") === "EXECUTION_ENVIRONMENT_GEN1",
    connector: named(textAt(template, "vpcAccess", "connector")),
    connectorRegion: /\/locations\/([a-z0-9-]+)\//.exec(textAt(template, "vpcAccess", "connector") ?? "")?.[1],
    directVpc: listAt(template, "vpcAccess", "networkInterfaces").length > 0,
    allTraffic: textAt(template, "vpcAccess", "egress") === "ALL_TRAFFIC",
    cores: parseCores(textAt(container, "resources", "limits", "cpu") ?? ""),
    memory: parseMemory(textAt(container, "resources", "limits", "memory") ?? ""),
    cpuIdle: flagAt(container, "resources", "cpuIdle") === true,
    startupSeconds: startupOf(at(container, "startupProbe")),
    startsByTcp: ["httpGet", "grpc"].every((way) => at(container, "startupProbe", way) === undefined),
    env: new Set(
      variables.flatMap((variable) => {
        const isSet = textAt(variable, "value") !== undefined || at(variable, "valueSource") !== undefined;
        return isSet ? (textAt(variable, "name") ?? []) : [];
      }),
    ),
    sqlVolumes: sqlVolumesOf(template, containers),
    secrets: secretsOf(template, variables),
    subnet: subnetOf(listAt(template, "vpcAccess", "networkInterfaces")[0]),
    invokersChecked: flagAt(json, "invokerIamDisabled") !== true,
  };
}

/** Without a subnet of its own, Direct VPC egress uses the one with the name of the network. */
function subnetOf(networkInterface: unknown): string | undefined {
  const network = textAt(networkInterface, "network");
  return textAt(networkInterface, "subnetwork") ?? (network === undefined ? undefined : nameIn(network));
}

function secretsOf(template: unknown, variables: readonly unknown[]): readonly SecretUse[] {
  const used = (secret: string | undefined, version: string | undefined): SecretUse[] =>
    secret === undefined ? [] : [{ secret, version: version ?? "latest" }];
  const ofVariables = variables.flatMap((variable) => {
    const reference = at(variable, "valueSource", "secretKeyRef");
    return used(textAt(reference, "secret"), textAt(reference, "version"));
  });
  const ofVolumes = listAt(template, "volumes").flatMap((volume) => {
    const items = listAt(volume, "secret", "items");
    const versions = items.length === 0 ? [undefined] : items.map((item) => textAt(item, "version"));
    return versions.flatMap((version) => used(textAt(volume, "secret", "secret"), version));
  });
  return [...new Map([...ofVariables, ...ofVolumes].map((one) => [`${one.secret}@${one.version}`, one])).values()];
}

/** Returns the VPC access of a service. */
export function vpcAccessOf({ connector, directVpc }: RunService): "connector" | "direct" | "none" {
  if (connector !== undefined) return "connector";
  return directVpc ? "direct" : "none";
}

/** Returns the expected VPC access of a service; `undefined` if nothing specifies it. */
export function wantedAccess(
  { vpc_access, database }: ServiceSettings,
  { vpc_connector }: ConfigurationSettings,
): ServiceSettings["vpc_access"] {
  if (vpc_access !== undefined) return vpc_access;
  return vpc_connector !== undefined && database?.way === "private" ? "connector" : undefined;
}

/** Returns the roles that the service account of a service must have in the project. */
export function wantedRoles({ roles, database }: ServiceSettings): readonly string[] {
  const connects = database !== undefined && database.way !== "private";
  const implied = [
    ...(connects ? ["roles/cloudsql.client"] : []),
    ...(database?.iam_login ? ["roles/cloudsql.instanceUser"] : []),
  ];
  return [...new Set([...implied, ...roles])];
}

/** Returns why a service is not ready, without the values of its variables: no message is known to quote one, and none ever will. */
function reasonOf(condition: unknown, variables: readonly unknown[]): string | undefined {
  const message = at(condition, "message");
  const reasons = [textAt(condition, "reason") ?? textAt(condition, "revisionReason"), message];
  const why = reasons.filter((part) => typeof part === "string" && part !== "").join(": ");
  const values = variables.map((variable) => at(variable, "value")).filter((value) => typeof value === "string");
  const clean = excerpt(why, 120, new Redactor(values).redact);
  return clean === "" ? undefined : clean;
}

/** Returns the time allowed for the startup: the initial delay plus the period times the failure threshold. */
function startupOf(probe: unknown): number {
  if (typeof probe !== "object" || probe === null) return defaultStartup;
  const delay = numberAt(probe, "initialDelaySeconds") ?? 0;
  return delay + (numberAt(probe, "periodSeconds") ?? 10) * (numberAt(probe, "failureThreshold") ?? 3);
}

function sqlVolumesOf(template: unknown, containers: readonly unknown[]): readonly string[] {
  const mounted = new Set(
    containers
      .flatMap((container) => listAt(container, "volumeMounts"))
      .flatMap((mount) => (textAt(mount, "mountPath") === "/cloudsql" ? (textAt(mount, "name") ?? []) : [])),
  );
  return listAt(template, "volumes")
    .filter((volume) => mounted.has(textAt(volume, "name") ?? ""))
    .flatMap((volume) => textsAt(volume, "cloudSqlInstance", "instances"));
}

function named(path: string | undefined): string | undefined {
  return path === undefined ? undefined : nameIn(path);
}

/** Returns the smaller of two maxima: that of the service applies to all of its revisions together. Zero means none. */
function least(...maxima: readonly (number | undefined)[]): number | undefined {
  const set = maxima.filter((maximum) => maximum !== undefined && maximum > 0) as number[];
  return set.length === 0 ? undefined : Math.min(...set);
}
