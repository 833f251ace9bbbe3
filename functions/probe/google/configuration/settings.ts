/** What a `gcp_configuration` probe reads of `monitor.yaml`: which resources, and what is expected of them. */
import { z } from "zod";
import { duration, googleProject, googleRegion, googleResource } from "../../../../shared/config/fields.ts";
import { namedRecord } from "../../../../shared/runtime/named-record.ts";
import { isAddressRange } from "./addresses.ts";
import { cores, memory, ratio } from "./quantities.ts";

/** Where in the settings the names of components stand, for the check that they exist. */
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

/**
 * Makes the schema of the settings.
 * @param checkNames the names that `ignore` accepts
 */
export function configurationSettings(checkNames: readonly string[]) {
  const names = z.array(googleResource()).default([]);
  const count = z.int().min(1);
  const component = z
    .string()
    .min(1)
    .optional()
    .describe("The component that its findings speak of. Default: that of the probe.");

  const vpcConnector = z.strictObject({
    name: googleResource().describe("Name of the connector."),
    component,
    machine_type: z
      .enum(["f1-micro", "e2-micro", "e2-standard-4"])
      .optional()
      .describe("The smallest machine type that is enough."),
    min_instances: count.optional().describe("The least number of instances that is enough."),
    max_instances: count.max(10).optional().describe("How many instances it must be able to grow to."),
    connections: count.optional().describe("Simultaneous connections that it is known to carry."),
    shared_with: names.describe("Other projects that may use it."),
  });

  const cloudSql = z.strictObject({
    instance: googleResource().describe("Name of the instance, without project and region."),
    component,
    tier: z.string().min(1).optional().describe("The tier that it must have, such as db-custom-2-7680."),
    availability: z
      .enum(["zonal", "regional"])
      .optional()
      .describe("zonal, or regional for a standby in another zone."),
    max_connections: count.optional().describe("Connections that it must allow at least."),
    flags: namedRecord(z.string(), z.string()).default({}).describe("Database flags that must have these values."),
  });

  const database = z.strictObject({
    way: z
      .enum(["socket", "private", "library"])
      .describe(
        "How it comes to the database: by the socket under /cloudsql, to the private address, or by Google's connector library.",
      ),
    iam_login: z.boolean().default(false).describe("Whether it logs in by IAM instead of a password."),
    pool: z
      .strictObject({
        size: count.describe("Connections that the pool of one instance keeps."),
        overflow: z.int().min(0).default(0).describe("Connections that it may open beyond."),
      })
      .optional()
      .describe("The pool of one instance."),
    timeout: duration().optional().describe("The longest that it waits for the database while it starts."),
  });

  const callers = z.strictObject({
    accounts: z.array(z.email()).default([]).describe("Service accounts that call it."),
    services: names.describe("Other services of this probe that call it, by their service accounts."),
    push_subscriptions: names.describe("Pub/Sub subscriptions that push to it, by the accounts of their tokens."),
    scheduler_jobs: names.describe("Cloud Scheduler jobs that call it, by the accounts of their tokens."),
    everyone: z.boolean().default(false).describe("Whether anyone may call it without a token."),
  });

  const service = z.strictObject({
    name: googleResource().describe("Name of the service."),
    component,
    region: googleRegion().optional().describe("Its region. Default: that of the probe."),
    startup: duration().optional().describe("How long it may take to start."),
    request_timeout: duration().optional().describe("How long a request may take at least before it is cut."),
    websocket: duration().optional().describe("How long a WebSocket must be able to live."),
    cpu: cores().optional().describe("CPU that an instance must have at least, such as 1 or 500m."),
    memory: memory().optional().describe("Memory that an instance must have at least, such as 512Mi or 2Gi."),
    max_instances: count.optional().describe("The most instances that it may grow to."),
    concurrency: count.optional().describe("The most requests that one instance may have at once."),
    ingress: z
      .enum(["all", "internal", "internal-and-load-balancing"])
      .optional()
      .describe("Where requests must be able to come from, and no wider."),
    service_account: z.email().optional().describe("The service account that it must run as."),
    roles: z
      .array(z.string().regex(/^(roles|projects\/[^/]+\/roles|organizations\/[^/]+\/roles)\//))
      .default([])
      .describe(
        "Roles that its service account must have in the project, besides those that its way to the database needs.",
      ),
    env: z
      .array(z.string().min(1))
      .default([])
      .describe("Names of environment variables that must be set. Their values are never looked at."),
    vpc_access: z
      .enum(["connector", "direct", "none"])
      .optional()
      .describe("How it reaches the VPC: through the connector, by Direct VPC egress, or not at all."),
    egress: z
      .enum(["all-traffic", "private-ranges-only"])
      .optional()
      .describe("What it sends through the VPC. A service that does not say sends private ranges only."),
    database: database.optional().describe("How it uses the database."),
    callers: callers.optional().describe("Who calls it, each of which needs the invoker role."),
  });

  const loadBalancer = z.strictObject({
    component,
    url_map: googleResource()
      .optional()
      .describe("Name of the URL map, for the check that hosts reach the right backend."),
    region: googleRegion().optional().describe("Region of a regional load balancer. Default: a global one."),
    backends: z
      .array(
        z.strictObject({
          name: googleResource().describe("Name of the backend service."),
          service: googleResource().describe("The Cloud Run service that it must lead to."),
          hosts: z.array(z.string().min(1)).default([]).describe("Hosts that the URL map must send to it."),
        }),
      )
      .default([])
      .describe("Backend services."),
    sources: z
      .array(z.string().refine(isAddressRange, { error: "must be an address or a range such as 203.0.113.0/24" }))
      .default([])
      .describe(
        "Addresses or ranges from which clients and probes come, that Cloud Armor must let through. Default: everyone.",
      ),
    address: z.union([z.ipv4(), z.ipv6()]).optional().describe("The address of the load balancer."),
    forwarding_rule: googleResource()
      .optional()
      .describe("Name of the forwarding rule that holds the address, in place of `address`."),
    dns: z
      .strictObject({
        zone: googleResource().describe("Name of the managed zone of Cloud DNS that holds the hosts."),
        project: googleProject().optional().describe("The project of the zone. Default: that of the probe."),
        component,
      })
      .optional()
      .describe("Where the hosts stand, for the check that they lead to the address of the load balancer."),
  });

  const certificates = z.strictObject({
    component,
    compute: names.describe("Names of SSL certificates of the load balancer (Compute Engine)."),
    certificate_manager: names.describe("Names of certificates of Certificate Manager."),
    domains: z.array(z.string().min(1)).default([]).describe("Domains that they must be for, together."),
    min_validity: duration().prefault("14d").describe("How long each must be valid still."),
  });

  const network = z.strictObject({
    name: googleResource().describe("Name of the VPC network."),
    component,
    project: googleProject().optional().describe("The project of a shared network. Default: that of the probe."),
    peering: googleResource()
      .default("servicenetworking-googleapis-com")
      .describe("The peering by which private addresses of Cloud SQL are reached."),
  });

  const nat = z.strictObject({
    name: googleResource().describe("Name of the NAT gateway."),
    router: googleResource().describe("Name of its Cloud Router."),
    component,
    region: googleRegion().optional().describe("Its region. Default: that of the probe."),
    min_ports: count.optional().describe("Ports that one instance must be able to have."),
  });

  const redis = z.strictObject({
    instance: googleResource().describe("Name of the instance."),
    component,
    region: googleRegion().optional().describe("Its region. Default: that of the probe."),
    availability: z
      .enum(["basic", "standard"])
      .optional()
      .describe("The tier that it must have: basic, or standard for a replica that takes over."),
    max_memory: ratio().prefault("90%").describe("The share of its memory that may be in use."),
  });

  const quotas = z.strictObject({
    component,
    near: ratio().prefault("90%").describe("The share of a quota at which it is near its limit."),
    services: z
      .array(z.string().regex(/^[a-z][a-z0-9-]*\.googleapis\.com$/))
      .default([])
      .describe("APIs whose refusals for want of quota count, such as run.googleapis.com. Default: every API."),
  });

  return z
    .strictObject({
      project: googleProject(),
      region: googleRegion(),
      vpc_connector: vpcConnector.optional().describe("The Serverless VPC Access connector."),
      cloud_sql: cloudSql.optional().describe("The Cloud SQL instance."),
      services: z.array(service).default([]).describe("Cloud Run services."),
      load_balancer: loadBalancer.optional().describe("The load balancer."),
      certificates: certificates.optional().describe("Certificates of the load balancer."),
      network: network.optional().describe("The network between the services and the database."),
      direct_vpc: z
        .strictObject({ component })
        .optional()
        .describe(
          "The component that findings about subnets of Direct VPC egress speak of. They are checked without it.",
        ),
      nat: nat.optional().describe("The Cloud NAT gateway by which services reach the internet."),
      redis: z.array(redis).default([]).describe("Memorystore for Redis instances."),
      quotas: quotas.optional().describe("Quotas of the project in the region."),
      ignore: z.array(z.enum(checkNames)).default([]).describe("Checks that are not made, by name."),
    })
    .refine(
      ({ services, redis, vpc_connector, cloud_sql, load_balancer, certificates, network, nat, quotas }) =>
        services.length > 0 ||
        redis.length > 0 ||
        [vpc_connector, cloud_sql, load_balancer, certificates, network, nat, quotas].some((one) => one !== undefined),
      {
        message:
          "there is nothing to check: write vpc_connector, cloud_sql, services, load_balancer, certificates, network, nat, redis or quotas",
      },
    )
    .refine(
      ({ load_balancer: balancer }) => !balancer?.dns || (balancer.address ?? balancer.forwarding_rule) !== undefined,
      {
        path: ["load_balancer", "dns"],
        message: "the hosts are compared with the address of the load balancer: write address or forwarding_rule",
      },
    );
}

/** What a `gcp_configuration` probe reads. Durations in milliseconds, memory in bytes. */
export type ConfigurationSettings = z.output<ReturnType<typeof configurationSettings>>;

/** The VPC connector, and what is expected of it. */
export type VpcConnectorSettings = NonNullable<ConfigurationSettings["vpc_connector"]>;

/** The Cloud SQL instance, and what is expected of it. */
export type CloudSqlSettings = NonNullable<ConfigurationSettings["cloud_sql"]>;

/** A Cloud Run service, and what is expected of it. */
export type ServiceSettings = ConfigurationSettings["services"][number];

/** How a service reaches the database. */
export type DatabaseUse = NonNullable<ServiceSettings["database"]>;

/** The load balancer. */
export type LoadBalancerSettings = NonNullable<ConfigurationSettings["load_balancer"]>;

/** A backend service of the load balancer, and where it must lead. */
export type BackendSettings = LoadBalancerSettings["backends"][number];

/** Certificates of the load balancer. */
export type CertificateSettings = NonNullable<ConfigurationSettings["certificates"]>;

/** The network through which the database is reached. */
export type NetworkSettings = NonNullable<ConfigurationSettings["network"]>;

/** Who calls a service, each of which needs the invoker role. */
export type CallerSettings = NonNullable<ServiceSettings["callers"]>;

/** A Cloud NAT gateway, and what is expected of it. */
export type NatSettings = NonNullable<ConfigurationSettings["nat"]>;

/** A Memorystore for Redis instance, and what is expected of it. `max_memory` is a ratio. */
export type RedisSettings = ConfigurationSettings["redis"][number];
