/**
 * The reads that probers make from Google, and the permissions that these require. The documentation, refusals and Terraform's roles are
 * derived from this table. Source: Google's reference of IAM roles and permissions. All access is read-only.
 */

/** One read from Google. */
export interface GoogleRead {
  /** The name of the resource in sentences: `the VPC connector`. */
  readonly what: string;
  /** Name of the API, as it is enabled in a project. */
  readonly api: string;
  readonly permission: string;
  /** The narrowest predefined role that has the permission. */
  readonly role: string;
}

/** Name of a read. */
export type GoogleReadName =
  | "vpc_connector"
  | "cloud_sql"
  | "cloud_run"
  | "iam_policy"
  | "url_map"
  | "backend_service"
  | "endpoint_group"
  | "health_check"
  | "compute_certificate"
  | "managed_certificate"
  | "network"
  | "firewall_rules"
  | "effective_firewalls"
  | "run_policy"
  | "push_subscription"
  | "scheduler_job"
  | "secret_version"
  | "subnet"
  | "router"
  | "security_policy"
  | "forwarding_rule"
  | "regional_forwarding_rule"
  | "dns_records"
  | "region_quotas"
  | "redis"
  | "time_series"
  | "service_health_events"
  | "log_entries";

const compute = { api: "compute.googleapis.com", role: "roles/compute.networkViewer" } as const;

/** All reads from Google, by our own names. */
export const googleReads: Readonly<Record<GoogleReadName, GoogleRead>> = {
  vpc_connector: {
    what: "the VPC connector",
    api: "vpcaccess.googleapis.com",
    permission: "vpcaccess.connectors.get",
    role: "roles/vpcaccess.viewer",
  },
  cloud_sql: {
    what: "the Cloud SQL instance",
    api: "sqladmin.googleapis.com",
    permission: "cloudsql.instances.get",
    role: "roles/cloudsql.viewer",
  },
  cloud_run: {
    what: "the Cloud Run service",
    api: "run.googleapis.com",
    permission: "run.services.get",
    role: "roles/run.viewer",
  },
  iam_policy: {
    what: "the IAM policy of the project",
    api: "cloudresourcemanager.googleapis.com",
    permission: "resourcemanager.projects.getIamPolicy",
    role: "roles/browser",
  },
  url_map: { what: "the URL map", permission: "compute.urlMaps.get", ...compute },
  backend_service: {
    what: "the backend service",
    permission: "compute.backendServices.get",
    ...compute,
  },
  endpoint_group: {
    what: "the network endpoint group",
    permission: "compute.networkEndpointGroups.get",
    ...compute,
  },
  health_check: { what: "the health check", permission: "compute.healthChecks.get", ...compute },
  compute_certificate: {
    what: "the certificate",
    permission: "compute.sslCertificates.get",
    ...compute,
  },
  managed_certificate: {
    what: "the certificate of Certificate Manager",
    api: "certificatemanager.googleapis.com",
    permission: "certificatemanager.certs.get",
    role: "roles/certificatemanager.viewer",
  },
  network: { what: "the network", permission: "compute.networks.get", ...compute },
  firewall_rules: {
    what: "the firewall rules",
    permission: "compute.firewalls.list",
    ...compute,
  },
  effective_firewalls: {
    what: "the firewall policies of the network",
    permission: "compute.networks.getEffectiveFirewalls",
    ...compute,
  },
  run_policy: {
    what: "the IAM policy of the Cloud Run service",
    api: "run.googleapis.com",
    permission: "run.services.getIamPolicy",
    role: "roles/run.viewer",
  },
  push_subscription: {
    what: "the Pub/Sub subscription",
    api: "pubsub.googleapis.com",
    permission: "pubsub.subscriptions.get",
    role: "roles/pubsub.viewer",
  },
  scheduler_job: {
    what: "the Cloud Scheduler job",
    api: "cloudscheduler.googleapis.com",
    permission: "cloudscheduler.jobs.get",
    role: "roles/cloudscheduler.viewer",
  },
  secret_version: {
    what: "the secret",
    api: "secretmanager.googleapis.com",
    permission: "secretmanager.versions.get",
    role: "roles/secretmanager.viewer",
  },
  subnet: { what: "the subnet", permission: "compute.subnetworks.get", ...compute },
  router: { what: "the Cloud Router", permission: "compute.routers.get", ...compute },
  security_policy: {
    what: "the Cloud Armor policy",
    api: "compute.googleapis.com",
    permission: "compute.securityPolicies.get",
    role: "roles/compute.viewer",
  },
  forwarding_rule: { what: "the forwarding rule", permission: "compute.globalForwardingRules.get", ...compute },
  regional_forwarding_rule: { what: "the forwarding rule", permission: "compute.forwardingRules.get", ...compute },
  dns_records: {
    what: "the records of the DNS zone",
    api: "dns.googleapis.com",
    permission: "dns.resourceRecordSets.list",
    role: "roles/dns.reader",
  },
  region_quotas: { what: "the quotas of the region", permission: "compute.regions.get", ...compute },
  redis: {
    what: "the Redis instance",
    api: "redis.googleapis.com",
    permission: "redis.instances.get",
    role: "roles/redis.viewer",
  },
  time_series: {
    what: "the metrics of Cloud Monitoring",
    api: "monitoring.googleapis.com",
    permission: "monitoring.timeSeries.list",
    role: "roles/monitoring.viewer",
  },
  service_health_events: {
    what: "the events of Personalized Service Health",
    api: "servicehealth.googleapis.com",
    permission: "servicehealth.events.list",
    role: "roles/servicehealth.viewer",
  },
  log_entries: {
    what: "the entries of Cloud Logging",
    api: "logging.googleapis.com",
    permission: "logging.logEntries.list",
    role: "roles/logging.viewer",
  },
};

/** The reads of the configuration checks: resources and their usage, but neither events nor logs. */
export const configurationReads: readonly GoogleReadName[] = (Object.keys(googleReads) as GoogleReadName[]).filter(
  (name) => name !== "service_health_events" && name !== "log_entries",
);
