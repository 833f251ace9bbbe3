/** Maps the logs of a project to components: a Cloud Logging filter for each resource, and a test for its entries. */
import { at, textAt } from "../configuration/json.ts";
import type { WatchedResource } from "../watched.ts";
import { type LogEntry, quoted } from "./entries.ts";

/** The log of one resource. */
export interface WatchedLog {
  readonly component: string;
  /** The title with the name, as in `Cloud Run service backend`, and the name alone. */
  readonly title: string;
  readonly name: string;
  readonly filter: string;
  /** Returns whether an entry belongs to this log. */
  has(entry: LogEntry): boolean;
}

/** How to find the logs of a kind of resource: its type in the entries, and the label that contains its name. */
const kinds: readonly {
  readonly api: string;
  readonly collection: string;
  readonly title: string;
  readonly types: readonly string[];
  readonly label: string;
  readonly value: (resource: WatchedResource, project: string) => string;
}[] = [
  {
    api: "run.googleapis.com",
    collection: "services",
    title: "Cloud Run service",
    types: ["cloud_run_revision"],
    label: "service_name",
    value: ({ name }) => name,
  },
  {
    api: "cloudsql.googleapis.com",
    collection: "instances",
    title: "Cloud SQL instance",
    types: ["cloudsql_database"],
    label: "database_id",
    value: ({ name, project: own }, project) => `${own ?? project}:${name}`,
  },
  {
    api: "compute.googleapis.com",
    collection: "urlMaps",
    title: "load balancer",
    types: ["http_load_balancer", "http_external_regional_lb_rule"],
    label: "url_map_name",
    value: ({ name }) => name,
  },
];

/** Maximum number of logs in one query: a filter is limited to 20,000 characters. */
const maxLogs = 40;

/** Returns the logs of the components that a diagnosis is about, each resource once for each of its components. */
export function logsOf(resources: readonly WatchedResource[], about: readonly string[], project: string): WatchedLog[] {
  const logs = resources.flatMap((resource): [string, WatchedLog][] => {
    const kind = kinds.find(({ api, collection }) => api === resource.api && collection === resource.collection);
    const { component, name } = resource;
    if (kind === undefined || !about.includes(component)) return [];
    const { title, types, label } = kind;
    const value = kind.value(resource, project);
    const type = types.map(quoted).join(" OR ");
    const log: WatchedLog = {
      ...{ component, name, title: `${title} ${name}` },
      filter: `(resource.type=(${type}) AND resource.labels.${label}=${quoted(value)})`,
      has: ({ json }) =>
        types.includes(textAt(json, "resource", "type") ?? "") && at(json, "resource", "labels", label) === value,
    };
    return [[`${component} ${log.filter}`, log]];
  });
  return [...new Map(logs).values()].slice(0, maxLogs);
}
