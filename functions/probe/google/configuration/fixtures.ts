/** An environment in which everything is configured well, as Google's control plane tells of it; tests change what they are about. */
import type { RequestListener } from "node:http";
import { type GoogleApi, GoogleApiError } from "../../../../shared/ports.ts";
import type { Assessment, ProbeWorld } from "../../prober.ts";
import { gcpConfiguration } from "../../probers/gcp_configuration.ts";

/** What may be changed anywhere in an answer. */
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

/** What the URLs are of. */
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
  | "firewall";

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
};

/** The instant of every test. */
export const now: number = Date.parse("2025-09-16T12:00:00Z");

/** A probe that names one of everything. */
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
    ],
    load_balancer: {
      component: "load-balancer",
      url_map: "shop",
      backends: [{ name: "shop-backend", service: "backend", hosts: ["api.shop.example", "www.shop.example"] }],
    },
    certificates: {
      component: "certificates",
      compute: ["shop-cert"],
      certificate_manager: ["shop-managed"],
      domains: ["api.shop.example", "shop.example"],
    },
    network: { name: "default" },
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

/** What Google answers, everything in order. Every call makes it anew. */
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

/** Google's APIs that answer from the table; what stands not in it does not exist. @param asked is told every URL */
export function googleOf(table: Answers, asked: (url: string) => void = () => {}): GoogleApi {
  return {
    accessToken: async () => "no-token",
    async request({ url }) {
      const key = url.replace("https://", "");
      asked(key);
      const answer = table[key];
      if (answer instanceof GoogleApiError) throw answer;
      if (answer === undefined) throw refusal(404, "NOT_FOUND");
      return structuredClone(answer);
    },
  };
}

/** The same as a server, for what goes over the network. It keeps no connection open, so that tests can count those that are. */
export function standOf(table: Answers): RequestListener {
  return (request, response) => {
    const answer = table[(request.url ?? "").slice(1)];
    request.resume();
    response.setHeader("connection", "close");
    if (answer === undefined || answer instanceof GoogleApiError) response.writeHead(404).end("{}");
    else response.end(JSON.stringify(answer));
  };
}

/** Observes and assesses, as a run does. */
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

/**
 * Sets what stands at a path of an answer or of settings; `undefined` removes it.
 * @param path keys, or a text of them with dots between
 */
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
