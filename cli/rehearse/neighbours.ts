/** Several monitors in one plan: resources that two of them would create, although Google allows only one. Pure. */

import { at } from "../../shared/runtime/entries.ts";
import type { Finding } from "./need.ts";
import type { PlannedMonitor, Resource } from "./plan.ts";

/** Identity of resources by type: values that must be unique, in a project or globally. */
const identities: ReadonlyMap<string, readonly string[]> = new Map([
  ["google_artifact_registry_repository", ["project", "location", "repository_id"]],
  ["google_cloud_scheduler_job", ["project", "region", "name"]],
  ["google_cloudfunctions2_function", ["project", "location", "name"]],
  ["google_firestore_database", ["project", "name"]],
  ["google_logging_metric", ["project", "name"]],
  ["google_monitoring_monitored_project", ["metrics_scope", "name"]],
  ["google_project_iam_custom_role", ["project", "role_id"]],
  ["google_pubsub_subscription", ["project", "name"]],
  ["google_pubsub_topic", ["project", "name"]],
  ["google_secret_manager_secret", ["project", "secret_id"]],
  ["google_service_account", ["project", "account_id"]],
  ["google_storage_bucket", ["name"]],
  ["google_vpc_access_connector", ["project", "region", "name"]],
]);

/** Input to change, if it is not the prefix. */
const instead: ReadonlyMap<string, string> = new Map([
  ["google_logging_metric", "create_log_metrics = false # in one of the two"],
  ["google_monitoring_monitored_project", "create_metrics_scope = false # in one of the two"],
  ["google_storage_bucket", "# set another bucket in the channel of kind status_page"],
]);

/** Finds resources that another monitor of the plan creates as well. */
export function collisions(monitor: PlannedMonitor, all: readonly PlannedMonitor[]): Finding[] {
  const before = all.slice(0, all.indexOf(monitor));
  const taken = new Map(before.flatMap(({ resources }) => resources.flatMap((one) => keyed(one))));
  return monitor.resources.flatMap((one) =>
    keyed(one).flatMap(([key, { type, address }]): Finding[] => {
      const other = taken.get(key);
      if (other === undefined) return [];
      return [
        {
          level: "error",
          address,
          says: `is the same as ${other.address}: Google has it only once, and the apply stops there`,
          write: instead.get(type) ?? "name_prefix = … # a different one for each monitor of a project",
          source: "https://cloud.google.com/apis/design/errors#http_mapping",
        },
      ];
    }),
  );
}

function keyed(resource: Resource): [string, Resource][] {
  const paths = identities.get(resource.type);
  if (paths === undefined || !resource.actions.some((action) => action !== "delete")) return [];
  return [[[resource.type, ...paths.map((path) => String(at(resource.known, path)))].join(" "), resource]];
}
