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

/** Everything that is read of Google, by a name of our own. */
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
};

/** What the configuration checks read: resources, and no measurements or events. */
export const configurationReads: readonly GoogleReadName[] = (Object.keys(googleReads) as GoogleReadName[]).filter(
  (name) => name !== "time_series" && name !== "service_health_events",
);
