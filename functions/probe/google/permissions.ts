/**
 * What the probers ask Google for, and what they must be allowed for it: the documentation, refusals and Terraform's roles follow from
 * this table. Sources: Google's reference of IAM roles and permissions. All of it is reading.
 */

/** One thing that is read of Google. */
export interface GoogleRead {
  /** What it is, as sentences speak of it: `the VPC connector`. */
  readonly what: string;
  /** Name of the API, as it is enabled in a project. */
  readonly api: string;
  readonly permission: string;
  /** The narrowest predefined role that has the permission. */
  readonly role: string;
  /** Kinds of probe that read it. */
  readonly probers: readonly string[];
}

/** Name of something that is read of Google. */
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
  | "time_series"
  | "service_health_events";

const compute = { api: "compute.googleapis.com", role: "roles/compute.networkViewer" } as const;
const configuration = { probers: ["gcp_configuration"] } as const;

/** Everything that is read of Google, by a name of our own. */
export const googleReads: Readonly<Record<GoogleReadName, GoogleRead>> = {
  vpc_connector: {
    what: "the VPC connector",
    api: "vpcaccess.googleapis.com",
    permission: "vpcaccess.connectors.get",
    role: "roles/vpcaccess.viewer",
    ...configuration,
  },
  cloud_sql: {
    what: "the Cloud SQL instance",
    api: "sqladmin.googleapis.com",
    permission: "cloudsql.instances.get",
    role: "roles/cloudsql.viewer",
    ...configuration,
  },
  cloud_run: {
    what: "the Cloud Run service",
    api: "run.googleapis.com",
    permission: "run.services.get",
    role: "roles/run.viewer",
    ...configuration,
  },
  iam_policy: {
    what: "the IAM policy of the project",
    api: "cloudresourcemanager.googleapis.com",
    permission: "resourcemanager.projects.getIamPolicy",
    role: "roles/browser",
    ...configuration,
  },
  url_map: { what: "the URL map", permission: "compute.urlMaps.get", ...compute, ...configuration },
  backend_service: {
    what: "the backend service",
    permission: "compute.backendServices.get",
    ...compute,
    ...configuration,
  },
  endpoint_group: {
    what: "the network endpoint group",
    permission: "compute.networkEndpointGroups.get",
    ...compute,
    ...configuration,
  },
  health_check: { what: "the health check", permission: "compute.healthChecks.get", ...compute, ...configuration },
  compute_certificate: {
    what: "the certificate",
    permission: "compute.sslCertificates.get",
    ...compute,
    ...configuration,
  },
  managed_certificate: {
    what: "the certificate of Certificate Manager",
    api: "certificatemanager.googleapis.com",
    permission: "certificatemanager.certs.get",
    role: "roles/certificatemanager.viewer",
    ...configuration,
  },
  network: { what: "the network", permission: "compute.networks.get", ...compute, ...configuration },
  firewall_rules: {
    what: "the firewall rules",
    permission: "compute.firewalls.list",
    ...compute,
    ...configuration,
  },
  time_series: {
    what: "the metrics of Cloud Monitoring",
    api: "monitoring.googleapis.com",
    permission: "monitoring.timeSeries.list",
    role: "roles/monitoring.viewer",
    probers: ["cloud_monitoring", "vpc_connector", "cloud_sql", "cloud_run", "load_balancer"],
  },
  service_health_events: {
    what: "the events of Personalized Service Health",
    api: "servicehealth.googleapis.com",
    permission: "servicehealth.events.list",
    role: "roles/servicehealth.viewer",
    probers: ["service_health"],
  },
};

/** The reads of a kind of probe. */
export function readsOf(kind: string): readonly GoogleRead[] {
  return Object.values(googleReads).filter(({ probers }) => probers.includes(kind));
}
