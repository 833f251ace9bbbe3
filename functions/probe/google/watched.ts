/**
 * The resources in Google Cloud that the probes of an environment watch, and the components that they belong to, so that the logs of a
 * resource can be attributed to a component.
 */

/** A resource of Google Cloud, as named in its logs. */
export interface GoogleResource {
  /** The API in audit logs, such as `run.googleapis.com`; for Cloud SQL it is `cloudsql.googleapis.com`. */
  readonly api: string;
  /** The path segment before its name: `services` in `projects/p/locations/r/services/backend`. */
  readonly collection: string;
  readonly name: string;
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  /** The component that it belongs to. @default that of the probe */
  readonly component?: string | undefined;
}

/** A resource with its component. */
export type WatchedResource = GoogleResource & { readonly component: string };

/** A Cloud Run service. */
export function runService(name: string, project: string, location: string, component?: string): GoogleResource {
  return { api: "run.googleapis.com", collection: "services", name, project, location, component };
}

/** A Cloud SQL instance. @param instance its name, or its connection name `project:region:instance` */
export function sqlInstance(instance: string, project?: string, component?: string): GoogleResource {
  const parts = instance.split(":");
  const own = parts.length < 3 ? project : parts.slice(0, -2).join(":");
  return { api: "cloudsql.googleapis.com", collection: "instances", name: parts.at(-1) ?? "", project: own, component };
}

/** Returns a Compute Engine resource, such as a URL map; none if it has no name. */
export function computeResource(
  collection: string,
  name: string | undefined,
  project: string,
  component?: string,
): GoogleResource[] {
  return name === undefined ? [] : [{ api: "compute.googleapis.com", collection, name, project, component }];
}
