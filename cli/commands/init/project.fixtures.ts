/** Fixtures for the tests of `init`: a project, as responses of Google's APIs. */
import { createServer, type Server } from "node:http";
import { onTestFinished } from "vitest";
import { listening } from "../../../functions/probe/fixtures.ts";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import type { GoogleApi } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Found } from "./found.ts";
import { readProject } from "./read.ts";

/** Answers by host and path, without the query: a body, or the status of a refusal. What is missing is an API that is not enabled. */
export type Answers = Readonly<Record<string, unknown>>;

/** The project of every test. */
export const project = "shop-staging";
const place = `projects/${project}/locations/us-central1`;
const compute = `https://www.googleapis.com/compute/v1/projects/${project}`;

/** Returns a service in the shape of the API. @param more additional fields of its template */
export function service(name: string, more: object = {}, own: object = {}): object {
  return {
    name: `${place}/services/${name}`,
    uri: `https://${name}-abc123-uc.a.run.app`,
    ingress: "INGRESS_TRAFFIC_ALL",
    terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
    template: {
      serviceAccount: `${name}@${project}.iam.gserviceaccount.com`,
      timeout: "300s",
      containers: [{ ports: [{ containerPort: 8080 }], resources: { limits: { cpu: "1", memory: "512Mi" } } }],
      ...more,
    },
    ...own,
  };
}

/** The variables of a container, as the API has them. */
export function container(env: Readonly<Record<string, string>>, more: object = {}): object {
  return {
    ports: [{ containerPort: 8080 }],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: { limits: { cpu: "1", memory: "512Mi" } },
    ...more,
  };
}

/** A shop: a front end behind a load balancer, which calls an API that uses a database, a cache and, on a schedule, a job. */
export function shop(): Record<string, unknown> {
  const connector = `${place}/connectors/shop-connector`;
  return {
    [`run.googleapis.com/v1/projects/${project}/locations`]: { locations: [{ locationId: "us-central1" }] },
    [`run.googleapis.com/v2/${place}/services`]: {
      services: [
        service(
          "web",
          { containers: [container({ API_URL: "https://api-abc123-uc.a.run.app/v1", MODE: "live" })] },
          { ingress: "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" },
        ),
        service("api", {
          vpcAccess: { connector, egress: "PRIVATE_RANGES_ONLY" },
          containers: [
            container(
              { REDIS_HOST: "10.9.0.3", DB_PASSWORD: "hunter2-c4n4ry" },
              { startupProbe: { httpGet: { path: "/ready" }, periodSeconds: 10, failureThreshold: 6 } },
            ),
          ],
          volumes: [{ name: "cloudsql", cloudSqlInstance: { instances: [`${project}:us-central1:orders`] } }],
        }),
      ],
    },
    [`run.googleapis.com/v2/${place}/services/web:getIamPolicy`]: {
      bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }],
    },
    [`run.googleapis.com/v2/${place}/services/api:getIamPolicy`]: {
      bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:web@${project}.iam.gserviceaccount.com`] }],
    },
    [`sqladmin.googleapis.com/v1/projects/${project}/instances`]: {
      items: [
        {
          name: "orders",
          region: "us-central1",
          databaseVersion: "POSTGRES_16",
          state: "RUNNABLE",
          ipAddresses: [{ type: "PRIVATE", ipAddress: "10.9.0.2" }],
          settings: {
            tier: "db-custom-2-7680",
            availabilityType: "REGIONAL",
            ipConfiguration: { ipv4Enabled: false, privateNetwork: `projects/${project}/global/networks/shop` },
          },
        },
      ],
    },
    [`vpcaccess.googleapis.com/v1/${place}/connectors`]: {
      connectors: [{ name: connector, state: "READY", machineType: "e2-micro", maxInstances: 5, network: "shop" }],
    },
    [`redis.googleapis.com/v1/projects/${project}/locations/-/instances`]: {
      instances: [
        { name: `${place}/instances/sessions`, host: "10.9.0.3", port: 6379, tier: "STANDARD_HA", state: "READY" },
      ],
    },
    ...aggregated("forwardingRules", [
      {
        name: "shop-https",
        IPAddress: "203.0.113.9",
        portRange: "443-443",
        loadBalancingScheme: "EXTERNAL_MANAGED",
        target: `${compute}/global/targetHttpsProxies/shop`,
      },
    ]),
    ...aggregated("targetHttpsProxies", [
      {
        name: "shop",
        urlMap: `${compute}/global/urlMaps/shop`,
        sslCertificates: [`${compute}/global/sslCertificates/shop-example`],
      },
    ]),
    ...aggregated("targetHttpProxies", []),
    ...aggregated("urlMaps", [{ name: "shop", defaultService: `${compute}/global/backendServices/web` }]),
    ...aggregated("backendServices", [
      { name: "web", backends: [{ group: `${compute}/regions/us-central1/networkEndpointGroups/web` }] },
    ]),
    ...aggregated(
      "networkEndpointGroups",
      [{ name: "web", region: `${compute}/regions/us-central1`, cloudRun: { service: "web" } }],
      "regions/us-central1",
    ),
    ...aggregated("sslCertificates", [
      {
        name: "shop-example",
        type: "MANAGED",
        managed: { domains: ["shop.example"], status: "ACTIVE", domainStatus: { "shop.example": "ACTIVE" } },
      },
    ]),
    ...aggregated("routers", []),
    [`certificatemanager.googleapis.com/v1/projects/${project}/locations/global/certificates`]: {},
    [`pubsub.googleapis.com/v1/projects/${project}/subscriptions`]: {
      subscriptions: [
        {
          name: `projects/${project}/subscriptions/orders-to-api`,
          pushConfig: { pushEndpoint: "https://api-abc123-uc.a.run.app/orders" },
        },
        { name: `projects/${project}/subscriptions/pulled` },
      ],
    },
    [`cloudscheduler.googleapis.com/v1/${place}/jobs`]: {
      jobs: [{ name: `${place}/jobs/nightly`, httpTarget: { uri: "https://api-abc123-uc.a.run.app/nightly" } }],
    },
    [`secretmanager.googleapis.com/v1/projects/${project}/secrets`]: {
      secrets: [{ name: "projects/1/secrets/orders-url" }],
    },
    [`dns.googleapis.com/dns/v1/projects/${project}/managedZones`]: { managedZones: [] },
    [`cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`]: {
      bindings: [{ role: "roles/cloudsql.client", members: [`serviceAccount:api@${project}.iam.gserviceaccount.com`] }],
    },
  };
}

/** An aggregated list of Compute Engine, as the API has it. */
export function aggregated(collection: string, items: readonly object[], scope = "global"): Record<string, unknown> {
  return {
    [`compute.googleapis.com/compute/v1/projects/${project}/aggregated/${collection}`]: {
      items: { [scope]: { [collection]: items } },
    },
  };
}

/** Serves these answers below `/HOST/PATH`, as Google would. @returns the URL below which they are found */
export async function fakeGoogle(answers: Answers): Promise<string> {
  const server: Server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").slice(1).split("?");
    const known = ownEntry(answers, path);
    const status = typeof known === "number" ? known : known === undefined ? 403 : 200;
    const reason = known === undefined ? "SERVICE_DISABLED" : "IAM_PERMISSION_DENIED";
    const refusal = { error: { code: status, message: "refused", status: "PERMISSION_DENIED", details: [{ reason }] } };
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(status === 200 ? known : refusal));
    request.resume();
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

/** Returns the resources found for these API responses. */
export async function foundOf(answers: Answers, region?: string): Promise<Found> {
  return await readProject({ project, region, google: googleApi(await fakeGoogle(answers)) });
}

/** Restores a variable of the environment when the test is over. */
export function withVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** Google's APIs that answer each request with this. */
export function answering(answer: (request: { readonly url: string }) => unknown): GoogleApi {
  return { ...googleApi("http://127.0.0.1:1"), request: async (request) => answer(request) };
}
