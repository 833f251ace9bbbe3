/** Maximum text lengths of Google's APIs. Pure. */
import type { Finding } from "./need.ts";
import type { Resource } from "./plan.ts";

/** Maximum lengths that Google allows, in characters. */
const lengths: readonly (readonly [type: string, path: string, most: number, source: string])[] = [
  [
    "google_service_account",
    "display_name",
    100,
    "https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts",
  ],
  [
    "google_service_account",
    "description",
    256,
    "https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts",
  ],
  [
    "google_project_iam_custom_role",
    "title",
    100,
    "https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles",
  ],
  [
    "google_project_iam_custom_role",
    "description",
    300,
    "https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles",
  ],
  ["google_monitoring_alert_policy", "display_name", 512, "https://cloud.google.com/monitoring/quotas"],
  ["google_monitoring_uptime_check_config", "display_name", 512, "https://cloud.google.com/monitoring/quotas"],
  ["google_storage_bucket", "name", 63, "https://cloud.google.com/storage/docs/buckets#naming"],
  [
    "google_cloudfunctions2_function",
    "name",
    63,
    "https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions",
  ],
  [
    "google_cloud_scheduler_job",
    "name",
    500,
    "https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs",
  ],
  [
    "google_cloud_scheduler_job",
    "description",
    500,
    "https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs",
  ],
  [
    "google_secret_manager_secret",
    "secret_id",
    255,
    "https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets",
  ],
];

/** Finds texts that Google would refuse for their length. */
export function tooLong(resources: readonly Resource[]): Finding[] {
  return lengths.flatMap(([wanted, path, most, source]) =>
    resources.flatMap(({ type, address, leaves }): Finding[] => {
      const value = leaves.get(path);
      if (type !== wanted || typeof value !== "string" || value.length <= most) return [];
      return [
        {
          level: "error",
          address,
          says: `${path} has ${value.length} characters, but Google allows at most ${most}`,
          source,
        },
      ];
    }),
  );
}
