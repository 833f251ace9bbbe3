/**
 * Google's control plane as it would tell of the demo: connector, database, services, roles, secrets, load balancer, certificate, DNS and
 * network, in the shapes of the real APIs. What can be wrong with the demo shows in them; the rest stands still, as a configuration does.
 */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { DemoFaults } from "../faults.ts";
import { connectionLimit } from "../postgres.ts";

/** Answers what is asked of one API, by the path after its host; `undefined` for what it does not have. */
export type ApiHandler = (request: { readonly path: string }) => { status: number; body: unknown } | undefined;

/** The names that the demo's parts have at Google. */
const googleNames = {
  project: "pathkeeper-demo",
  region: "us-central1",
  connector: "demo-connector",
  instance: "demo-postgres",
  urlMap: "demo-lb",
  zone: "demo-zone",
  router: "demo-router",
  nat: "demo-nat",
  armor: "demo-edge",
} as const;

/** The address of the load balancer, as the records of its hosts have it. */
const address = "192.0.2.80";
/** The secrets that the services use. */
const secrets = ["demo-database-url", "demo-agents-key", "demo-token-key"] as const;

/** The demo's services. */
const services = ["backend", "auth"] as const;

/**
 * The APIs of the control plane, by their host names.
 * @param faults what is wrong at present
 */
export function controlPlane(faults: () => DemoFaults): Readonly<Record<string, ApiHandler>> {
  const { project, region } = googleNames;
  const place = `projects/${project}/locations/${region}`;
  const connector = `${place}/connectors/${googleNames.connector}`;
  const instance = `${project}:${region}:${googleNames.instance}`;
  const compute = `https://www.googleapis.com/compute/v1/projects/${project}`;
  const answering =
    (resources: Readonly<Record<string, () => unknown>>): ApiHandler =>
    ({ path }) => {
      const resource = ownEntry(resources, path);
      return resource && { status: 200, body: resource() };
    };
  return {
    "vpcaccess.googleapis.com": answering({
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
    "sqladmin.googleapis.com": answering({
      [`/v1/projects/${project}/instances/${googleNames.instance}`]: () => databaseOf(project, region, instance),
    }),
    "run.googleapis.com": answering({
      ...Object.fromEntries(
        services.map((name) => [`/v2/${place}/services/${name}`, () => serviceOf(name, place, connector, faults())]),
      ),
      [`/v2/${place}/services/auth:getIamPolicy`]: () => ({
        version: 1,
        etag: "BwYauth=",
        bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:${accountOf("backend", project)}`] }],
      }),
    }),
    "secretmanager.googleapis.com": answering(
      Object.fromEntries(
        secrets.map((name) => [
          `/v1/projects/${project}/secrets/${name}/versions/latest`,
          () => ({
            name: `projects/123456789012/secrets/${name}/versions/2`,
            state: stateOf(name, faults()),
            etag: '"16"',
          }),
        ]),
      ),
    ),
    "dns.googleapis.com": answering({
      [`/dns/v1/projects/${project}/managedZones/${googleNames.zone}/rrsets`]: () => ({
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
    "compute.googleapis.com": answering({
      ...Object.fromEntries(services.flatMap((name) => balancing(name, project, region, compute))),
      [`/compute/v1/projects/${project}/global/urlMaps/${googleNames.urlMap}`]: () => ({
        kind: "compute#urlMap",
        name: googleNames.urlMap,
        defaultService: `${compute}/global/backendServices/demo-backend`,
        hostRules: [{ hosts: ["auth.demo.localhost"], pathMatcher: "auth" }],
        pathMatchers: [{ name: "auth", defaultService: `${compute}/global/backendServices/demo-auth` }],
      }),
      [`/compute/v1/projects/${project}/global/networks/default`]: () => ({
        kind: "compute#network",
        name: "default",
        peerings: [
          {
            name: "servicenetworking-googleapis-com",
            network: "https://www.googleapis.com/compute/v1/projects/speckle-tp/global/networks/servicenetworking",
            state: "ACTIVE",
            stateDetails: "[2026-01-01T00:00:00.000-07:00]: Connected.",
            exchangeSubnetRoutes: true,
          },
        ],
      }),
      [`/compute/v1/projects/${project}/global/networks/default/getEffectiveFirewalls`]: () => ({
        firewalls: [],
        firewallPolicys: [],
      }),
      [`/compute/v1/projects/${project}/global/firewalls`]: () => ({
        kind: "compute#firewallList",
        items: firewallRules(faults(), `${compute}/global/networks/default`),
      }),
      [`/compute/v1/projects/${project}/global/forwardingRules/demo-https`]: () => ({
        kind: "compute#forwardingRule",
        name: "demo-https",
        IPAddress: address,
        portRange: "443-443",
      }),
      [`/compute/v1/projects/${project}/global/securityPolicies/${googleNames.armor}`]: () => ({
        kind: "compute#securityPolicy",
        name: googleNames.armor,
        rules: [
          {
            priority: 2_147_483_647,
            action: "allow",
            match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } },
          },
        ],
      }),
      ...natOf(`/compute/v1/projects/${project}/regions/${region}`),
    }),
    "certificatemanager.googleapis.com": answering({
      [`/v1/projects/${project}/locations/global/certificates/demo`]: () =>
        certificateOf(`projects/${project}/locations/global/certificates/demo`, faults()),
    }),
  };
}

/** The router with the NAT gateway, its state, and the quotas of the region, by their paths. */
function natOf(region: string): Record<string, () => unknown> {
  const { nat: name, router } = googleNames;
  return {
    [`${region}/routers/${router}`]: () => ({
      kind: "compute#router",
      name: router,
      nats: [
        {
          name,
          natIpAllocateOption: "AUTO_ONLY",
          sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
          minPortsPerVm: 64,
        },
      ],
    }),
    [`${region}/routers/${router}/getRouterStatus`]: () => ({
      kind: "compute#routerStatusResponse",
      result: { natStatus: [{ name, numVmEndpointsWithNatMappings: 2, autoAllocatedNatIps: ["192.0.2.81"] }] },
    }),
    [region]: () => ({
      kind: "compute#region",
      status: "UP",
      quotas: [
        { metric: "IN_USE_ADDRESSES", limit: 8, usage: 2 },
        { metric: "CPUS", limit: 24, usage: 0 },
      ],
    }),
  };
}

function stateOf(secret: (typeof secrets)[number], { change }: DemoFaults): string {
  return secret === "demo-token-key" && change === "secret" ? "DESTROYED" : "ENABLED";
}

function carriesNothing({ connector, change }: DemoFaults): boolean {
  return change !== "firewall" && (connector.lost >= 1 || connector.refuse);
}

/** The firewall rules: none, or the one that was created in the connector's way. */
function firewallRules({ change }: DemoFaults, network: string): readonly object[] {
  if (change !== "firewall") return [];
  const ranges = { direction: "EGRESS", priority: 900, destinationRanges: ["10.77.0.0/16"] };
  return [
    {
      kind: "compute#firewall",
      name: "lock-down",
      network,
      ...ranges,
      denied: [{ IPProtocol: "all" }],
      disabled: false,
    },
  ];
}

function accountOf(service: string, project: string): string {
  return `${service}@${project}.iam.gserviceaccount.com`;
}

/** One that has expired was not renewed, because its domain does not point to the load balancer any more. */
function certificateOf(name: string, { certificate }: DemoFaults): unknown {
  const hasExpired = certificate === "expired";
  const domain = "*.demo.localhost";
  return {
    name,
    sanDnsnames: [domain],
    expireTime: new Date(Date.now() + (hasExpired ? -1 : 60) * 86_400_000).toISOString(),
    managed: {
      domains: [domain],
      state: hasExpired ? "FAILED" : "ACTIVE",
      ...(hasExpired ? { provisioningIssue: { reason: "AUTHORIZATION_ISSUE" } } : {}),
      authorizationAttemptInfo: [
        hasExpired ? { domain, state: "FAILED", failureReason: "CONFIG" } : { domain, state: "AUTHORIZED" },
      ],
    },
  };
}

/** The instance: in truth a server on this machine, whose limit of connections is its own. */
function databaseOf(project: string, region: string, connectionName: string): unknown {
  return {
    kind: "sql#instance",
    name: googleNames.instance,
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

/** A backend service and the endpoint group behind it, by their paths. */
function balancing(name: string, project: string, region: string, compute: string): [string, () => unknown][] {
  const group = `regions/${region}/networkEndpointGroups/demo-${name}`;
  return [
    [
      `/compute/v1/projects/${project}/global/backendServices/demo-${name}`,
      () => ({
        kind: "compute#backendService",
        name: `demo-${name}`,
        protocol: "HTTPS",
        loadBalancingScheme: "EXTERNAL_MANAGED",
        securityPolicy: `${compute}/global/securityPolicies/${googleNames.armor}`,
        backends: [{ group: `${compute}/${group}`, balancingMode: "UTILIZATION", capacityScaler: 1 }],
      }),
    ],
    [
      `/compute/v1/projects/${project}/${group}`,
      () => ({
        kind: "compute#networkEndpointGroup",
        name: `demo-${name}`,
        networkEndpointType: "SERVERLESS",
        region: `${compute}/regions/${region}`,
        cloudRun: { service: name },
      }),
    ],
  ];
}
