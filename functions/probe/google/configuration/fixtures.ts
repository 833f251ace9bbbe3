/** A well-configured environment, as reported by Google's control plane. Tests change the part that they cover. */
import type { RequestListener } from "node:http";
import { type GoogleApi, GoogleApiError } from "../../../../shared/ports.ts";
import type { Assessment, ProbeWorld } from "../../prober.ts";
import { gcpConfiguration } from "../../probers/gcp_configuration.ts";

/** Any value that a test may set anywhere in an answer. */
export type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };

/** Answers by URL without `https://`; an error in place of an answer is a refusal. */
export interface Answers {
  [url: string]: Json | GoogleApiError;
}

/** Settings as written in the file. */
export type Written = Record<string, Json>;

const project = "shop-staging";
const place = `projects/${project}/locations/us-central1`;
const compute = `compute.googleapis.com/compute/v1/projects/${project}`;

/** Names of the URLs, by the resource that they read. */
export type UrlName =
  | "connector"
  | "sql"
  | "backend"
  | "auth"
  | "policy"
  | "urlMap"
  | "backendService"
  | "group"
  | "certificate"
  | "managed"
  | "network"
  | "firewall"
  | "policies"
  | "worker"
  | "invokers"
  | "subscription"
  | "job"
  | "session"
  | "mail"
  | "subnet"
  | "router"
  | "routerStatus"
  | "armor"
  | "forwarding"
  | "zone"
  | "redis"
  | "region"
  | "instances"
  | "natDrops"
  | "redisMemory"
  | "exceeded";

/** URL of the time series of a metric; the rest of such a URL is the interval and the aggregation. */
const figures = (metric: string): string => `monitoring.googleapis.com/v3/projects/${project}/timeSeries ${metric}`;
const secrets = `secretmanager.googleapis.com/v1/projects/${project}/secrets`;

/** The URLs of the answers. */
export const urls: Readonly<Record<UrlName, string>> = {
  connector: `vpcaccess.googleapis.com/v1/${place}/connectors/shop-connector`,
  sql: `sqladmin.googleapis.com/v1/projects/${project}/instances/shop-postgres`,
  backend: `run.googleapis.com/v2/${place}/services/backend`,
  auth: `run.googleapis.com/v2/${place}/services/auth`,
  policy: `cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`,
  urlMap: `${compute}/global/urlMaps/shop`,
  backendService: `${compute}/global/backendServices/shop-backend`,
  group: `${compute}/regions/us-central1/networkEndpointGroups/shop-backend-neg`,
  certificate: `${compute}/global/sslCertificates/shop-cert`,
  managed: `certificatemanager.googleapis.com/v1/projects/${project}/locations/global/certificates/shop-managed`,
  network: `${compute}/global/networks/default`,
  firewall: `${compute}/global/firewalls?maxResults=500`,
  policies: `${compute}/global/networks/default/getEffectiveFirewalls`,
  worker: `run.googleapis.com/v2/${place}/services/worker`,
  invokers: `run.googleapis.com/v2/${place}/services/worker:getIamPolicy?options.requestedPolicyVersion=3`,
  subscription: `pubsub.googleapis.com/v1/projects/${project}/subscriptions/orders-to-worker`,
  job: `cloudscheduler.googleapis.com/v1/${place}/jobs/nightly`,
  session: `${secrets}/session-key/versions/latest`,
  mail: `${secrets}/mail-password/versions/3`,
  subnet: `${compute}/regions/us-central1/subnetworks/shop-subnet?views=WITH_UTILIZATION`,
  router: `${compute}/regions/us-central1/routers/shop-router`,
  routerStatus: `${compute}/regions/us-central1/routers/shop-router/getRouterStatus`,
  armor: `${compute}/global/securityPolicies/shop-edge`,
  forwarding: `${compute}/global/forwardingRules/shop-https`,
  zone: `dns.googleapis.com/dns/v1/projects/${project}/managedZones/shop-zone/rrsets?maxResults=500`,
  redis: `redis.googleapis.com/v1/${place}/instances/shop-cache`,
  region: `${compute}/regions/us-central1`,
  instances: figures("run.googleapis.com/container/instance_count"),
  natDrops: figures("router.googleapis.com/nat/dropped_sent_packets_count"),
  redisMemory: figures("redis.googleapis.com/stats/memory/usage_ratio"),
  exceeded: figures("serviceruntime.googleapis.com/quota/exceeded"),
};

/** The key of a request among the answers. */
export function keyOf(url: string): string {
  const { host, pathname, search, searchParams } = new URL(url);
  const metric = /metric\.type = "([^"]+)"/.exec(searchParams.get("filter") ?? "")?.[1];
  return `${host}${pathname}${metric === undefined ? search : ` ${metric}`}`;
}

/** The instant of every test. */
export const now: number = Date.parse("2025-09-16T12:00:00Z");

/** A probe with one resource of every kind. */
export function written(): Written {
  const service = {
    startup: "240s",
    request_timeout: "300s",
    cpu: 1,
    memory: "512Mi",
    max_instances: 4,
    concurrency: 80,
    vpc_access: "connector",
    egress: "private-ranges-only",
  };
  return {
    project,
    region: "us-central1",
    vpc_connector: { name: "shop-connector", component: "vpc-connector", max_instances: 3, connections: 100 },
    cloud_sql: {
      instance: "shop-postgres",
      component: "cloud-sql",
      tier: "db-custom-2-7680",
      availability: "regional",
      max_connections: 100,
      flags: { "cloudsql.iam_authentication": "on" },
    },
    services: [
      {
        name: "backend",
        component: "backend",
        ...service,
        websocket: "1h",
        service_account: `backend@${project}.iam.gserviceaccount.com`,
        env: ["DATABASE_URL", "SESSION_KEY"],
        database: { way: "private", iam_login: true, pool: { size: 5, overflow: 5 }, timeout: "35s" },
      },
      { name: "auth", component: "auth", ...service, database: { way: "library", pool: { size: 2 } } },
      {
        name: "worker",
        component: "worker",
        vpc_access: "direct",
        callers: {
          accounts: [`ops@${project}.iam.gserviceaccount.com`],
          services: ["backend"],
          push_subscriptions: ["orders-to-worker"],
          scheduler_jobs: ["nightly"],
        },
      },
    ],
    load_balancer: {
      component: "load-balancer",
      url_map: "shop",
      backends: [{ name: "shop-backend", service: "backend", hosts: ["api.shop.example", "www.shop.example"] }],
      sources: ["198.51.100.7"],
      forwarding_rule: "shop-https",
      dns: { zone: "shop-zone", component: "dns" },
    },
    certificates: {
      component: "certificates",
      compute: ["shop-cert"],
      certificate_manager: ["shop-managed"],
      domains: ["api.shop.example", "shop.example"],
    },
    network: { name: "default" },
    direct_vpc: { component: "subnet" },
    nat: { name: "shop-nat", router: "shop-router", component: "nat", min_ports: 1024 },
    redis: [{ instance: "shop-cache", component: "cache", availability: "standard" }],
    quotas: { component: "quota", services: ["run.googleapis.com"] },
  };
}

/** One series of an answer of Cloud Monitoring. */
function series(labels: { metric?: { [key: string]: Json }; resource?: { [key: string]: Json } }, value: Json): Json {
  const interval = { startTime: "2025-09-16T11:40:00Z", endTime: "2025-09-16T11:55:00Z" };
  return {
    metric: { type: "any", labels: labels.metric ?? {} },
    resource: { type: "any", labels: { project_id: project, ...labels.resource } },
    points: [{ interval, value }],
  };
}

function serviceAnswer(name: string, ...env: Json[]): Json {
  return {
    name: `${place}/services/${name}`,
    terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
    latestReadyRevision: `${place}/services/${name}/revisions/${name}-00007-abc`,
    latestCreatedRevision: `${place}/services/${name}/revisions/${name}-00007-abc`,
    trafficStatuses: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
    ingress: "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    template: {
      scaling: { maxInstanceCount: 4 },
      maxInstanceRequestConcurrency: 80,
      timeout: "3600s",
      serviceAccount: `${name}@${project}.iam.gserviceaccount.com`,
      executionEnvironment: "EXECUTION_ENVIRONMENT_GEN2",
      vpcAccess: { connector: `${place}/connectors/shop-connector`, egress: "PRIVATE_RANGES_ONLY" },
      containers: [
        {
          image: "us-docker.pkg.dev/shop/app",
          ports: [{ containerPort: 8080 }],
          env,
          resources: { limits: { cpu: "1000m", memory: "1Gi" }, cpuIdle: false },
          startupProbe: { timeoutSeconds: 10, periodSeconds: 10, failureThreshold: 24, tcpSocket: { port: 8080 } },
        },
      ],
    },
  };
}

/** A service with Direct VPC egress, secrets and callers. */
function workerAnswer(): Json {
  const own = serviceAnswer("worker", {
    name: "SESSION_KEY",
    valueSource: { secretKeyRef: { secret: "session-key", version: "latest" } },
  });
  set(own, "template.vpcAccess", {
    networkInterfaces: [{ network: "default", subnetwork: "shop-subnet" }],
    egress: "ALL_TRAFFIC",
  });
  set(own, "template.volumes", [
    {
      name: "mail",
      secret: { secret: `projects/${project}/secrets/mail-password`, items: [{ path: "key", version: "3" }] },
    },
  ]);
  return own;
}

/** Returns Google's answers for a valid configuration. Each call creates new objects. */
export function answers(): Answers {
  return {
    [urls.connector]: {
      name: `${place}/connectors/shop-connector`,
      network: "default",
      ipCidrRange: "10.8.0.0/28",
      state: "READY",
      machineType: "e2-micro",
      minInstances: 2,
      maxInstances: 3,
      connectedProjects: [project],
    },
    [urls.sql]: {
      name: "shop-postgres",
      state: "RUNNABLE",
      region: "us-central1",
      connectionName: `${project}:us-central1:shop-postgres`,
      ipAddresses: [
        { type: "PRIMARY", ipAddress: "203.0.113.9" },
        { type: "PRIVATE", ipAddress: "10.77.0.3" },
      ],
      settings: {
        tier: "db-custom-2-7680",
        activationPolicy: "ALWAYS",
        availabilityType: "REGIONAL",
        databaseFlags: [{ name: "cloudsql.iam_authentication", value: "on" }],
        ipConfiguration: {
          ipv4Enabled: true,
          privateNetwork: `projects/${project}/global/networks/default`,
          sslMode: "ENCRYPTED_ONLY",
          serverCaMode: "GOOGLE_MANAGED_INTERNAL_CA",
          authorizedNetworks: [],
        },
        storageAutoResize: true,
        storageAutoResizeLimit: "0",
        dataDiskSizeGb: "20",
        connectorEnforcement: "NOT_REQUIRED",
        maintenanceWindow: { day: 7, hour: 4, updateTrack: "stable" },
      },
    },
    [urls.backend]: serviceAnswer(
      "backend",
      { name: "DATABASE_URL", value: "postgres://app:hunter2-c4n4ry@10.77.0.3/shop" },
      { name: "SESSION_KEY", valueSource: { secretKeyRef: { secret: "session-key", version: "latest" } } },
    ),
    [urls.auth]: serviceAnswer("auth"),
    [urls.worker]: workerAnswer(),
    [urls.invokers]: {
      version: 1,
      etag: "BwYinvokers=",
      bindings: [
        {
          role: "roles/run.invoker",
          members: ["pusher", "scheduler", "backend"].map(
            (name) => `serviceAccount:${name}@${project}.iam.gserviceaccount.com`,
          ),
        },
      ],
    },
    [urls.subscription]: {
      name: `projects/${project}/subscriptions/orders-to-worker`,
      topic: `projects/${project}/topics/orders`,
      pushConfig: {
        pushEndpoint: "https://worker-abc123-uc.a.run.app/orders",
        oidcToken: { serviceAccountEmail: `pusher@${project}.iam.gserviceaccount.com` },
      },
      ackDeadlineSeconds: 60,
      state: "ACTIVE",
    },
    [urls.job]: {
      name: `${place}/jobs/nightly`,
      state: "ENABLED",
      schedule: "0 3 * * *",
      httpTarget: {
        uri: "https://worker-abc123-uc.a.run.app/nightly",
        httpMethod: "POST",
        oidcToken: { serviceAccountEmail: `scheduler@${project}.iam.gserviceaccount.com`, audience: "worker" },
      },
    },
    [urls.session]: {
      name: `projects/123456789/secrets/session-key/versions/5`,
      createTime: "2025-08-01T09:00:00.123Z",
      state: "ENABLED",
      replicationStatus: { automatic: {} },
    },
    [urls.mail]: { name: `projects/123456789/secrets/mail-password/versions/3`, state: "ENABLED" },
    [urls.subnet]: {
      kind: "compute#subnetwork",
      name: "shop-subnet",
      ipCidrRange: "10.10.0.0/26",
      privateIpGoogleAccess: true,
      utilizationDetails: {
        ipv4Utilizations: [
          { rangeName: "pods", totalAllocatedIp: "256", totalFreeIp: "0" },
          { totalAllocatedIp: "20", totalFreeIp: "44" },
        ],
      },
    },
    [urls.router]: {
      kind: "compute#router",
      name: "shop-router",
      nats: [
        {
          name: "shop-nat",
          type: "PUBLIC",
          natIpAllocateOption: "MANUAL_ONLY",
          sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
          minPortsPerVm: 64,
          maxPortsPerVm: 4096,
          enableDynamicPortAllocation: true,
          natIps: [`https://${compute}/regions/us-central1/addresses/nat-1`],
        },
      ],
    },
    [urls.routerStatus]: {
      kind: "compute#routerStatusResponse",
      result: {
        network: `https://${compute}/global/networks/default`,
        natStatus: [{ name: "shop-nat", numVmEndpointsWithNatMappings: 6, minExtraNatIpsNeeded: 0 }],
      },
    },
    [urls.armor]: {
      kind: "compute#securityPolicy",
      name: "shop-edge",
      type: "CLOUD_ARMOR",
      rules: [
        {
          priority: 1000,
          action: "deny(403)",
          match: { expr: { expression: "evaluatePreconfiguredWaf('sqli-v33-stable')" } },
        },
        {
          priority: 2000,
          action: "deny(403)",
          match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["203.0.113.0/24"] } },
        },
        {
          priority: 2147483647,
          action: "allow",
          match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } },
        },
      ],
    },
    [urls.forwarding]: {
      kind: "compute#forwardingRule",
      name: "shop-https",
      IPAddress: "192.0.2.10",
      portRange: "443-443",
    },
    [urls.zone]: {
      rrsets: [
        { name: "shop.example.", type: "SOA", ttl: 21600, rrdatas: ["ns-cloud-a1.googledomains.com. x 1 2 3 4 5"] },
        { name: "api.shop.example.", type: "A", ttl: 300, rrdatas: ["192.0.2.10"] },
        { name: "www.shop.example.", type: "CNAME", ttl: 300, rrdatas: ["api.shop.example."] },
      ],
    },
    [urls.redis]: {
      name: `${place}/instances/shop-cache`,
      tier: "STANDARD_HA",
      memorySizeGb: 5,
      redisVersion: "REDIS_7_2",
      host: "10.20.0.3",
      port: 6379,
      state: "READY",
      locationId: "us-central1-a",
      alternativeLocationId: "us-central1-c",
      currentLocationId: "us-central1-a",
      authorizedNetwork: `projects/${project}/global/networks/default`,
      connectMode: "PRIVATE_SERVICE_ACCESS",
    },
    [urls.region]: {
      kind: "compute#region",
      name: "us-central1",
      status: "UP",
      quotas: [
        { metric: "CPUS", limit: 72, usage: 8 },
        { metric: "IN_USE_ADDRESSES", limit: 8, usage: 3 },
        { metric: "COMMITTED_CPUS", limit: 0, usage: 0 },
      ],
    },
    [urls.instances]: {
      timeSeries: ["backend", "worker"].map((name) =>
        series({ resource: { location: "us-central1", service_name: name } }, { int64Value: "2" }),
      ),
      unit: "1",
    },
    [urls.natDrops]: { unit: "{packet}" },
    [urls.redisMemory]: {
      timeSeries: [series({ resource: { instance_id: `${place}/instances/shop-cache` } }, { doubleValue: 0.42 })],
      unit: "10^2.%",
    },
    [urls.exceeded]: {
      timeSeries: [series({ metric: { quota_metric: "run.googleapis.com/read_requests" } }, { int64Value: "0" })],
    },
    [urls.policy]: {
      version: 3,
      etag: "BwXhqDVYq0M=",
      bindings: [
        { role: "roles/owner", members: ["user:somebody@shop.example"] },
        {
          role: "roles/cloudsql.client",
          members: ["backend", "auth"].map((name) => `serviceAccount:${name}@${project}.iam.gserviceaccount.com`),
        },
        {
          role: "roles/cloudsql.instanceUser",
          members: [`serviceAccount:backend@${project}.iam.gserviceaccount.com`],
        },
        { role: "roles/run.admin", members: [`serviceAccount:ops@${project}.iam.gserviceaccount.com`] },
      ],
    },
    [urls.urlMap]: {
      name: "shop",
      defaultService: `https://www.${compute}/global/backendServices/other`.replace("compute.googleapis", "googleapis"),
      hostRules: [
        { hosts: ["api.shop.example"], pathMatcher: "api" },
        { hosts: ["*.shop.example"], pathMatcher: "site" },
      ],
      pathMatchers: [
        { name: "api", defaultService: `https://${urls.backendService}` },
        {
          name: "site",
          defaultService: `https://${compute}/global/backendBuckets/pages`,
          pathRules: [{ paths: ["/api/*"], service: `https://${urls.backendService}` }],
        },
      ],
    },
    [urls.backendService]: {
      name: "shop-backend",
      protocol: "HTTPS",
      loadBalancingScheme: "EXTERNAL_MANAGED",
      securityPolicy: `https://www.googleapis.com/${urls.armor.replace("compute.googleapis.com/", "")}`,
      backends: [{ group: `https://www.googleapis.com/${urls.group.replace("compute.googleapis.com/", "")}` }],
    },
    [urls.group]: {
      name: "shop-backend-neg",
      networkEndpointType: "SERVERLESS",
      region: `https://www.googleapis.com/compute/v1/projects/${project}/regions/us-central1`,
      cloudRun: { service: "backend" },
    },
    [urls.certificate]: {
      name: "shop-cert",
      type: "MANAGED",
      managed: { status: "ACTIVE", domains: ["api.shop.example"], domainStatus: { "api.shop.example": "ACTIVE" } },
      subjectAlternativeNames: ["api.shop.example"],
      expireTime: "2025-11-20T12:00:00.000-08:00",
    },
    [urls.managed]: {
      name: "shop-managed",
      sanDnsnames: ["shop.example", "*.shop.example"],
      expireTime: "2025-11-20T12:00:00Z",
      managed: {
        state: "ACTIVE",
        domains: ["shop.example", "*.shop.example"],
        authorizationAttemptInfo: [{ domain: "shop.example", state: "AUTHORIZED" }],
      },
    },
    [urls.network]: {
      name: "default",
      peerings: [{ name: "servicenetworking-googleapis-com", state: "ACTIVE", stateDetails: "Connected." }],
    },
    [urls.policies]: {
      firewalls: [],
      firewallPolicys: [
        {
          name: "123456789",
          displayName: "organization",
          type: "HIERARCHY",
          rules: [
            {
              priority: 2_147_483_547,
              direction: "EGRESS",
              action: "goto_next",
              match: { destIpRanges: ["0.0.0.0/0"], layer4Configs: [{ ipProtocol: "all" }] },
            },
          ],
        },
      ],
    },
    [urls.firewall]: {
      items: [
        {
          name: "aet-uscentral1-shop--connector-egrfw",
          network: `https://www.googleapis.com/compute/v1/projects/${project}/global/networks/default`,
          direction: "EGRESS",
          priority: 100,
          destinationRanges: ["35.199.224.0/19"],
          denied: [{ IPProtocol: "tcp", ports: ["1-666", "668-65535"] }],
          targetTags: ["vpc-connector-us-central1-shop-connector"],
        },
      ],
    },
  };
}

/** A refusal in Google's words. */
export function refusal(status: number, reason: string, message = "refused"): GoogleApiError {
  return new GoogleApiError(message, status, reason);
}

/** Returns a fake of Google's APIs that answers from the table, and with 404 otherwise. @param asked is called with every URL */
export function googleOf(table: Answers, asked: (url: string) => void = () => {}): GoogleApi {
  return {
    accessToken: async () => "no-token",
    idToken: async () => "no-token",
    async request({ url }) {
      const key = keyOf(url);
      asked(key);
      const answer = table[key];
      if (answer instanceof GoogleApiError) throw answer;
      if (answer === undefined) throw refusal(404, "NOT_FOUND");
      return structuredClone(answer);
    },
  };
}

/** Returns the same as an HTTP request handler, for tests of the network requests. It keeps no connection open, so that tests can count the open ones. */
export function fakeControlPlane(table: Answers): RequestListener {
  return (request, response) => {
    const answer = table[keyOf(`https:/${request.url ?? ""}`)];
    request.resume();
    response.setHeader("connection", "close");
    if (answer === undefined || answer instanceof GoogleApiError) response.writeHead(404).end("{}");
    else response.end(JSON.stringify(answer));
  };
}

/** Observes and assesses, as in a run. */
export async function assessed(
  table: Answers,
  settings: Written = written(),
  world: Partial<ProbeWorld> = {},
): Promise<Assessment> {
  const known = gcpConfiguration.settings.parse(settings);
  const ground = {
    google: googleOf(table),
    signal: new AbortController().signal,
    now: () => now,
    conceal: () => {},
    ...world,
  };
  return gcpConfiguration.assess(known, await gcpConfiguration.observe(known, ground as ProbeWorld));
}

/** Sets the value at a path of an answer or of settings; `undefined` removes it. @param path keys, or a text of keys separated by dots */
export function set(json: unknown, path: string | readonly string[], value: Json): void {
  const keys = typeof path === "string" ? path.split(".") : [...path];
  const last = keys.pop() ?? "";
  const holder = keys.reduce<Record<string, unknown>>(
    (inner, key) => inner[key] as Record<string, unknown>,
    json as Record<string, unknown>,
  );
  if (value === undefined) delete holder[last];
  else holder[last] = value;
}
