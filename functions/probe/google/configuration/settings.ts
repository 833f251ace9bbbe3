/** The settings of a `gcp_configuration` probe in `monitor.yaml`: the resources, and the expectations for them. */
import { z } from "zod";
import { duration, googleProject, googleRegion, googleResource } from "../../../../shared/config/fields.ts";
import { namedRecord } from "../../../../shared/runtime/named-record.ts";
import { isAddressRange } from "./addresses.ts";
import { cores, memory, ratio } from "./quantities.ts";

/** Paths of component names in the settings, to check that the components exist. */
export const componentSettings: readonly string[] = [
  "vpc_connector.component",
  "cloud_sql.component",
  "services[].component",
  "load_balancer.component",
  "certificates.component",
  "network.component",
  "load_balancer.dns.component",
  "direct_vpc.component",
  "nat.component",
  "redis[].component",
  "quotas.component",
];

/** Creates the schema of the settings. @param checkNames the names that `ignore` accepts */
export function configurationSettings(checkNames: readonly string[]) {
  const names = z.array(googleResource()).default([]);
  const count = z.int().min(1);
  const component = z
    .string()
    .min(1)
    .optional()
    .describe("The component that its findings refer to. Default: the component of the probe.");

  const vpcConnector = z.strictObject({
    name: googleResource().describe("Name of the connector."),
    component,
    machine_type: z
      .enum(["f1-micro", "e2-micro", "e2-standard-4"])
      .optional()
      .describe("The smallest sufficient machine type."),
    min_instances: count.optional().describe("The smallest sufficient minimum number of instances."),
    max_instances: count.max(10).optional().describe("The number of instances that it must be able to scale to."),
    connections: count.optional().describe("Simultaneous connections that it is known to sustain."),
    shared_with: names.describe("Other projects that may use the connector."),
  });

  const cloudSql = z.strictObject({
    instance: googleResource().describe("Name of the instance, without project and region."),
    component,
    tier: z.string().min(1).optional().describe("The required tier, such as db-custom-2-7680."),
    availability: z
      .enum(["zonal", "regional"])
      .optional()
      .describe("zonal, or regional for a standby in another zone."),
    max_connections: count.optional().describe("The smallest sufficient connection limit."),
    flags: namedRecord(z.string(), z.string()).default({}).describe("Required database flags and their values."),
  });

  const database = z.strictObject({
    way: z
      .enum(["socket", "private", "library"])
      .describe(
        "How it connects to the database: through the socket under /cloudsql, directly to the private address, or with Google's connector library.",
      ),
    iam_login: z.boolean().default(false).describe("Whether it logs in with IAM instead of a password."),
    pool: z
      .strictObject({
        size: count.describe("Connections that the pool of one instance keeps open."),
        overflow: z.int().min(0).default(0).describe("Connections that it may open beyond `size`."),
      })
      .optional()
      .describe("The connection pool of one instance."),
    timeout: duration().optional().describe("The maximum time that it waits for the database at startup."),
  });

  const callers = z.strictObject({
    accounts: z.array(z.email()).default([]).describe("Service accounts that call the service."),
    services: names.describe("Other services of this probe that call it, with their service accounts."),
    push_subscriptions: names.describe(
      "Pub/Sub subscriptions that push to it, with the service accounts of their tokens.",
    ),
    scheduler_jobs: names.describe("Cloud Scheduler jobs that call it, with the service accounts of their tokens."),
    everyone: z.boolean().default(false).describe("Whether unauthenticated calls are allowed."),
  });

  const service = z.strictObject({
    name: googleResource().describe("Name of the service."),
    component,
    region: googleRegion().optional().describe("Its region. Default: the region of the probe."),
    startup: duration().optional().describe("The startup time that must be allowed."),
    request_timeout: duration().optional().describe("The request duration that must be allowed."),
    websocket: duration().optional().describe("The time that a WebSocket must be able to stay open."),
    cpu: cores().optional().describe("Minimum CPU of an instance, such as 1 or 500m."),
    memory: memory().optional().describe("Minimum memory of an instance, such as 512Mi or 2Gi."),
    max_instances: count.optional().describe("The highest acceptable maximum number of instances."),
    concurrency: count.optional().describe("The highest acceptable number of concurrent requests per instance."),
    ingress: z
      .enum(["all", "internal", "internal-and-load-balancing"])
      .optional()
      .describe("The required ingress setting: where requests may come from."),
    service_account: z.email().optional().describe("The required service account."),
    roles: z
      .array(z.string().regex(/^(roles|projects\/[^/]+\/roles|organizations\/[^/]+\/roles)\//))
      .default([])
      .describe(
        "Roles that its service account must have in the project, in addition to those required by its database connection.",
      ),
    env: z
      .array(z.string().min(1))
      .default([])
      .describe("Names of environment variables that must be set. Their values are never read."),
    vpc_access: z
      .enum(["connector", "direct", "none"])
      .optional()
      .describe("How it reaches the VPC: through the connector, with Direct VPC egress, or not at all."),
    egress: z
      .enum(["all-traffic", "private-ranges-only"])
      .optional()
      .describe("The traffic that it must send through the VPC. The default of Cloud Run is private ranges only."),
    database: database.optional().describe("How the service uses the database."),
    callers: callers.optional().describe("The callers of the service. Each needs the invoker role."),
  });

  const loadBalancer = z.strictObject({
    component,
    url_map: googleResource().optional().describe("Name of the URL map, to check that hosts reach the right backend."),
    region: googleRegion().optional().describe("Region of a regional load balancer. Default: a global load balancer."),
    backends: z
      .array(
        z.strictObject({
          name: googleResource().describe("Name of the backend service."),
          service: googleResource().describe("The Cloud Run service that it must route to."),
          hosts: z.array(z.string().min(1)).default([]).describe("Hosts that the URL map must route to it."),
        }),
      )
      .default([])
      .describe("Backend services."),
    sources: z
      .array(z.string().refine(isAddressRange, { error: "must be an address or a range such as 203.0.113.0/24" }))
      .default([])
      .describe("Addresses or ranges of clients and probes that Cloud Armor must allow. Default: everyone."),
    address: z.union([z.ipv4(), z.ipv6()]).optional().describe("The address of the load balancer."),
    forwarding_rule: googleResource()
      .optional()
      .describe("Name of the forwarding rule that has the address, instead of `address`."),
    dns: z
      .strictObject({
        zone: googleResource().describe("Name of the Cloud DNS managed zone that contains the hosts."),
        project: googleProject().optional().describe("The project of the zone. Default: the project of the probe."),
        component,
      })
      .optional()
      .describe("The DNS zone of the hosts, to check that they resolve to the address of the load balancer."),
  });

  const certificates = z.strictObject({
    component,
    compute: names.describe("Names of the load balancer's SSL certificates (Compute Engine)."),
    certificate_manager: names.describe("Names of Certificate Manager certificates."),
    domains: z.array(z.string().min(1)).default([]).describe("Domains that the certificates must cover together."),
    min_validity: duration().prefault("14d").describe("The minimum remaining validity of each certificate."),
  });

  const network = z.strictObject({
    name: googleResource().describe("Name of the VPC network."),
    component,
    project: googleProject().optional().describe("The project of a shared network. Default: the project of the probe."),
    peering: googleResource()
      .default("servicenetworking-googleapis-com")
      .describe("The peering to the private addresses of Cloud SQL."),
  });

  const nat = z.strictObject({
    name: googleResource().describe("Name of the NAT gateway."),
    router: googleResource().describe("Name of its Cloud Router."),
    component,
    region: googleRegion().optional().describe("Its region. Default: the region of the probe."),
    min_ports: count.optional().describe("The number of ports that one instance must be able to get."),
  });

  const redis = z.strictObject({
    instance: googleResource().describe("Name of the instance."),
    component,
    region: googleRegion().optional().describe("Its region. Default: the region of the probe."),
    availability: z
      .enum(["basic", "standard"])
      .optional()
      .describe("The required tier: basic, or standard for a failover replica."),
    max_memory: ratio().prefault("90%").describe("The highest acceptable share of memory in use."),
  });

  const quotas = z.strictObject({
    component,
    near: ratio().prefault("90%").describe("The share of a quota's limit from which its usage is reported."),
    services: z
      .array(z.string().regex(/^[a-z][a-z0-9-]*\.googleapis\.com$/))
      .default([])
      .describe(
        "APIs to check for requests refused for lack of quota, such as run.googleapis.com. Default: every API.",
      ),
  });

  return z
    .strictObject({
      project: googleProject(),
      region: googleRegion(),
      vpc_connector: vpcConnector.optional().describe("The Serverless VPC Access connector."),
      cloud_sql: cloudSql.optional().describe("The Cloud SQL instance."),
      services: z.array(service).default([]).describe("Cloud Run services."),
      load_balancer: loadBalancer.optional().describe("The load balancer."),
      certificates: certificates.optional().describe("The certificates of the load balancer."),
      network: network.optional().describe("The network between the services and the database."),
      direct_vpc: z
        .strictObject({ component })
        .optional()
        .describe(
          "The component that findings about Direct VPC egress subnets refer to. The subnets are checked even if it is not set.",
        ),
      nat: nat.optional().describe("The Cloud NAT gateway through which services reach the internet."),
      redis: z.array(redis).default([]).describe("Memorystore for Redis instances."),
      quotas: quotas.optional().describe("Quotas of the project and region."),
      ignore: z.array(z.enum(checkNames)).default([]).describe("Names of checks to skip."),
    })
    .refine(
      ({ services, redis, vpc_connector, cloud_sql, load_balancer, certificates, network, nat, quotas }) =>
        services.length > 0 ||
        redis.length > 0 ||
        [vpc_connector, cloud_sql, load_balancer, certificates, network, nat, quotas].some((one) => one !== undefined),
      {
        message:
          "nothing to check: set at least one of vpc_connector, cloud_sql, services, load_balancer, certificates, network, nat, redis and quotas",
      },
    )
    .refine(
      ({ load_balancer: balancer }) => !balancer?.dns || (balancer.address ?? balancer.forwarding_rule) !== undefined,
      {
        path: ["load_balancer", "dns"],
        message: "the hosts must resolve to the address of the load balancer: set address or forwarding_rule",
      },
    );
}

/** Settings of a `gcp_configuration` probe. Durations in milliseconds, memory in bytes. */
export type ConfigurationSettings = z.output<ReturnType<typeof configurationSettings>>;

/** The VPC connector, and the expectations for it. */
export type VpcConnectorSettings = NonNullable<ConfigurationSettings["vpc_connector"]>;

/** The Cloud SQL instance, and the expectations for it. */
export type CloudSqlSettings = NonNullable<ConfigurationSettings["cloud_sql"]>;

/** A Cloud Run service, and the expectations for it. */
export type ServiceSettings = ConfigurationSettings["services"][number];

/** A service's way to connect to the database. */
export type DatabaseUse = NonNullable<ServiceSettings["database"]>;

/** The load balancer. */
export type LoadBalancerSettings = NonNullable<ConfigurationSettings["load_balancer"]>;

/** A backend service of the load balancer, and the service that it must route to. */
export type BackendSettings = LoadBalancerSettings["backends"][number];

/** Certificates of the load balancer. */
export type CertificateSettings = NonNullable<ConfigurationSettings["certificates"]>;

/** The network to the database. */
export type NetworkSettings = NonNullable<ConfigurationSettings["network"]>;

/** The callers of a service. Each of them needs the invoker role. */
export type CallerSettings = NonNullable<ServiceSettings["callers"]>;

/** A Cloud NAT gateway, and the expectations for it. */
export type NatSettings = NonNullable<ConfigurationSettings["nat"]>;

/** A Memorystore for Redis instance, and the expectations for it. `max_memory` is a ratio. */
export type RedisSettings = ConfigurationSettings["redis"][number];
