/**
 * Google's control plane as it would tell of the demo: connector, database, services, roles, secrets, load balancer, certificate, DNS and
 * network, in the shapes of the real APIs. What can be wrong with the demo shows in them; the rest stands still, as a configuration does.
 */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { DemoFaults } from "../faults.ts";
import { connectionLimit } from "../postgres.ts";
import { computeResources } from "./compute.ts";
import { address, controlPlaneNames, demoHosts, services } from "./names.ts";

/** Answers what is asked of one API, by the path after its host; `undefined` for what it does not have. */
export type ApiHandler = (request: { readonly path: string }) => { status: number; body: unknown } | undefined;

/** The secrets that the services use. */
const secrets = ["demo-database-url", "demo-agents-key", "demo-token-key"] as const;

/**
 * The APIs of the control plane, by their host names.
 * @param faults what is wrong at present
 * @param port where the load balancer listens
 */
export function controlPlane(faults: () => DemoFaults, port = 443): Readonly<Record<string, ApiHandler>> {
  const { project, region } = controlPlaneNames;
  const place = `projects/${project}/locations/${region}`;
  const connector = `${place}/connectors/${controlPlaneNames.connector}`;
  const instance = `${project}:${region}:${controlPlaneNames.instance}`;
  const answering =
    (resources: Readonly<Record<string, () => unknown>>): ApiHandler =>
    ({ path }) => {
      const resource = ownEntry(resources, path);
      return resource && { status: 200, body: resource() };
    };
  /** A resource by its path, and among the others of its collection. */
  const listed = (collection: string, key: string, resources: Readonly<Record<string, () => unknown>>) => ({
    ...resources,
    [collection]: () => ({ [key]: Object.values(resources).map((resource) => resource()) }),
  });
  return {
    "vpcaccess.googleapis.com": answering(
      listed(`/v1/${place}/connectors`, "connectors", {
        [`/v1/${connector}`]: () => ({
          name: connector,
          network: "default",
          ipCidrRange: "10.8.0.0/28",
          // One that carries nothing at all has lost its machines.
          state: carriesNothing(faults()) ? "ERROR" : "READY",
          minThroughput: 200,
          maxThroughput: 1000,
          machineType: "e2-micro",
          minInstances: 2,
          maxInstances: 10,
          connectedProjects: [project],
        }),
      }),
    ),
    "sqladmin.googleapis.com": answering(
      listed(`/v1/projects/${project}/instances`, "items", {
        [`/v1/projects/${project}/instances/${controlPlaneNames.instance}`]: () =>
          databaseOf(project, region, instance),
      }),
    ),
    "run.googleapis.com": answering({
      [`/v1/projects/${project}/locations`]: () => ({
        locations: [{ name: `projects/${project}/locations/${region}`, locationId: region, displayName: "Iowa" }],
      }),
      ...listed(
        `/v2/${place}/services`,
        "services",
        Object.fromEntries(
          services.map((name) => [`/v2/${place}/services/${name}`, () => serviceOf(name, place, connector, faults())]),
        ),
      ),
      [`/v2/${place}/services/backend:getIamPolicy`]: () => ({
        version: 1,
        etag: "BwYback=",
        bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }],
      }),
      [`/v2/${place}/services/auth:getIamPolicy`]: () => ({
        version: 1,
        etag: "BwYauth=",
        bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:${accountOf("backend", project)}`] }],
      }),
    }),
    "secretmanager.googleapis.com": answering({
      [`/v1/projects/${project}/secrets`]: () => ({
        secrets: secrets.map((name) => ({
          name: `projects/123456789012/secrets/${name}`,
          replication: { automatic: {} },
          createTime: "2026-01-01T00:00:00Z",
        })),
        totalSize: secrets.length,
      }),
      ...Object.fromEntries(
        secrets.map((name) => [
          `/v1/projects/${project}/secrets/${name}/versions/latest`,
          () => ({
            name: `projects/123456789012/secrets/${name}/versions/2`,
            state: stateOf(name, faults()),
            etag: '"16"',
          }),
        ]),
      ),
    }),
    // Enabled, and unused.
    "redis.googleapis.com": answering({ [`/v1/projects/${project}/locations/-/instances`]: () => ({}) }),
    "pubsub.googleapis.com": answering({ [`/v1/projects/${project}/subscriptions`]: () => ({}) }),
    "cloudscheduler.googleapis.com": answering({ [`/v1/${place}/jobs`]: () => ({}) }),
    "dns.googleapis.com": answering({
      [`/dns/v1/projects/${project}/managedZones`]: () => ({
        kind: "dns#managedZonesListResponse",
        managedZones: [
          { kind: "dns#managedZone", name: controlPlaneNames.zone, dnsName: "demo.localhost.", visibility: "public" },
        ],
      }),
      [`/dns/v1/projects/${project}/managedZones/${controlPlaneNames.zone}/rrsets`]: () => ({
        rrsets: [
          {
            name: "demo.localhost.",
            type: "SOA",
            ttl: 21600,
            rrdatas: ["ns-cloud-a1.googledomains.com. demo. 1 2 3 4 5"],
          },
          { name: "*.demo.localhost.", type: "A", ttl: 300, rrdatas: [address] },
        ],
      }),
    }),
    "cloudresourcemanager.googleapis.com": answering({
      [`/v3/projects/${project}:getIamPolicy`]: () => ({
        version: 3,
        etag: "BwYdemo=",
        bindings: [
          { role: "roles/owner", members: ["user:somebody@demo.localhost"] },
          {
            role: "roles/cloudsql.client",
            members: services
              .filter((name) => name !== "backend" || faults().change !== "role")
              .map((name) => `serviceAccount:${accountOf(name, project)}`),
          },
        ],
      }),
    }),
    "compute.googleapis.com": answering(computeResources(project, region, port, faults)),
    "certificatemanager.googleapis.com": answering(
      listed(`/v1/projects/${project}/locations/global/certificates`, "certificates", {
        [`/v1/projects/${project}/locations/global/certificates/demo`]: () =>
          certificateOf(`projects/${project}/locations/global/certificates/demo`, faults()),
      }),
    ),
  };
}

function stateOf(secret: (typeof secrets)[number], { change }: DemoFaults): string {
  return secret === "demo-token-key" && change === "secret" ? "DESTROYED" : "ENABLED";
}

function carriesNothing({ connector, change }: DemoFaults): boolean {
  return change !== "firewall" && (connector.lost >= 1 || connector.refuse);
}

function accountOf(service: string, project: string): string {
  return `${service}@${project}.iam.gserviceaccount.com`;
}

/** One that has expired was not renewed, because its domain does not point to the load balancer any more. */
function certificateOf(name: string, { certificate }: DemoFaults): unknown {
  const hasExpired = certificate === "expired";
  const domains = Object.values(demoHosts);
  return {
    name,
    sanDnsnames: domains,
    expireTime: new Date(Date.now() + (hasExpired ? -1 : 60) * 86_400_000).toISOString(),
    managed: {
      domains,
      state: hasExpired ? "FAILED" : "ACTIVE",
      ...(hasExpired ? { provisioningIssue: { reason: "AUTHORIZATION_ISSUE" } } : {}),
      authorizationAttemptInfo: domains.map((domain) =>
        hasExpired ? { domain, state: "FAILED", failureReason: "CONFIG" } : { domain, state: "AUTHORIZED" },
      ),
    },
  };
}

/** The instance: in truth a server on this machine, whose limit of connections is its own. */
function databaseOf(project: string, region: string, connectionName: string): unknown {
  return {
    kind: "sql#instance",
    name: controlPlaneNames.instance,
    project,
    region,
    databaseVersion: "POSTGRES_18",
    state: "RUNNABLE",
    connectionName,
    ipAddresses: [{ type: "PRIVATE", ipAddress: "10.77.0.3" }],
    settings: {
      tier: "db-custom-1-3840",
      databaseFlags: [{ name: "max_connections", value: String(connectionLimit) }],
      edition: "ENTERPRISE",
      activationPolicy: "ALWAYS",
      availabilityType: "ZONAL",
      dataDiskSizeGb: "10",
      storageAutoResize: true,
      storageAutoResizeLimit: "0",
      connectorEnforcement: "NOT_REQUIRED",
      maintenanceWindow: { kind: "sql#maintenanceWindow", day: 7, hour: 4, updateTrack: "stable" },
      ipConfiguration: {
        ipv4Enabled: false,
        privateNetwork: `projects/${project}/global/networks/default`,
        sslMode: "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
        serverCaMode: "GOOGLE_MANAGED_INTERNAL_CA",
      },
    },
  };
}

/** A service. The revision of a broken deploy is there and ready, and was given one variable less than the one before. */
function serviceOf(name: string, place: string, connector: string, { deploy }: DemoFaults): unknown {
  const [, project = ""] = place.split("/");
  const isBroken = name === "backend" && deploy === "broken";
  const generation = isBroken ? "8" : "7";
  const revision = `${place}/services/${name}/revisions/${name}-0000${generation}-xlt`;
  const secret = (name: string): unknown => ({ secretKeyRef: { secret: name, version: "latest" } });
  return {
    name: `${place}/services/${name}`,
    generation,
    observedGeneration: generation,
    uri: `https://${name}-3xq7bk5s2a-uc.a.run.app`,
    ingress: "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    latestReadyRevision: revision,
    latestCreatedRevision: revision,
    trafficStatuses: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
    terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED", lastTransitionTime: "2026-01-01T00:00:00Z" },
    template: {
      scaling: { minInstanceCount: 1, maxInstanceCount: 1 },
      vpcAccess: { connector, egress: "PRIVATE_RANGES_ONLY" },
      timeout: "3600s",
      serviceAccount: accountOf(name, project),
      executionEnvironment: "EXECUTION_ENVIRONMENT_GEN2",
      maxInstanceRequestConcurrency: 80,
      containers: [
        {
          image: `us-docker.pkg.dev/${project}/demo/${name}`,
          ports: [{ name: "http1", containerPort: 8080 }],
          env: [
            { name: "DATABASE_URL", valueSource: secret("demo-database-url") },
            ...(isBroken || name !== "backend" ? [] : [{ name: "AGENTS_KEY", valueSource: secret("demo-agents-key") }]),
            ...(name === "auth" ? [{ name: "TOKEN_KEY", valueSource: secret("demo-token-key") }] : []),
            { name: "LOG_LEVEL", value: "info" },
          ],
          resources: { limits: { cpu: "1", memory: "512Mi" }, cpuIdle: false, startupCpuBoost: true },
          startupProbe: { timeoutSeconds: 240, periodSeconds: 240, failureThreshold: 1, tcpSocket: { port: 8080 } },
        },
      ],
    },
  };
}
