/** Rules about how Google and Terraform apply a plan: ordering, data lost by replacements, and valid names. */

import type { Names } from "../../shared/deployment/names.ts";
import { tooLong } from "./lengths.ts";
import type { Finding } from "./need.ts";
import { order, type Rule } from "./order.ts";
import type { PlannedMonitor, Resource } from "./plan.ts";

/** Rules about Google and Terraform. */
const rulebook: readonly Rule[] = [
  {
    source: "https://github.com/hashicorp/terraform-provider-google/blob/main/CHANGELOG.md",
    check: (_resources, _names, { providerVersion }) => {
      const [, major = "0", minor = "0"] = />=\s*(\d+)(?:\.(\d+))?/.exec(providerVersion ?? "") ?? [];
      if (providerVersion === undefined || Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 33)) return [];
      return [
        {
          level: "error",
          address: "required_providers.google",
          says: `allows ${providerVersion}: versions before 7.33 do not wait until service accounts exist everywhere, and the first apply fails`,
          write: 'version = ">= 7.33.0, < 9.0.0"',
        },
      ];
    },
  },
  {
    source: "https://cloud.google.com/iam/docs/service-agents",
    check: (_resources, { inputs }, { projectRead }) =>
      projectRead === undefined || projectRead === inputs.project_id
        ? []
        : [
            {
              level: "error",
              address: "data.google_project.main",
              says: `reads the project ${projectRead}: the service agents of ${inputs.project_id} have its number in their names`,
              write: "project_id = var.project_id",
            },
          ],
  },
  {
    source: "https://developer.hashicorp.com/terraform/language/expressions/custom-conditions",
    check: (_resources, _names, { checked }) =>
      checked === undefined || checked.includes("terraform_data.configuration")
        ? []
        : [
            {
              level: "error",
              address: "terraform_data.configuration",
              says: "has no precondition: bundles that were built from another configuration would be deployed",
              write:
                'precondition {\n  condition     = local.deployment.config_sha256 == filesha256(var.config_file)\n  error_message = "…"\n}',
            },
          ],
  },
  {
    source: "https://cloud.google.com/firestore/docs/pitr",
    check: (_resources, { inputs }) =>
      inputs.database.create && inputs.database.point_in_time_recovery
        ? [
            {
              level: "warning",
              address: "database.point_in_time_recovery",
              says: "is on: storage of the database is billed twice",
            },
          ]
        : [],
  },
  {
    source: "https://developer.hashicorp.com/terraform/language/checks",
    check: (_resources, _names, { failedChecks }) =>
      failedChecks.map((message) => ({ level: "warning", address: "check", says: `fails: ${message}` })),
  },
  {
    source: "https://cloud.google.com/pubsub/docs/subscription-overview",
    check: (resources) =>
      resources
        .filter(
          ({ actions, type }) =>
            actions.includes("delete") &&
            actions.includes("create") &&
            ownEntryOf(lostByReplacement, type) !== undefined,
        )
        .map(({ address, type }) => ({
          level: "warning",
          address,
          says: `is deleted and recreated: ${ownEntryOf(lostByReplacement, type)}`,
        })),
  },
  {
    source: "https://cloud.google.com/monitoring/quotas#alerting_uptime_limits",
    check: (resources) =>
      resources
        .filter(({ type }) => type === "google_monitoring_alert_policy")
        .flatMap(({ address, leaves }) =>
          [0, 1, 2, 3].flatMap((index) => {
            const condition = `conditions.${index}.condition_threshold.0`;
            const seconds = [`${condition}.duration`, `${condition}.aggregations.0.alignment_period`].map((path) =>
              Number.parseInt(String(leaves.get(path) ?? "0"), 10),
            );
            const together = seconds.reduce((sum, each) => sum + each, 0);
            return together > 84_600
              ? [
                  {
                    level: "error" as const,
                    address,
                    says: `looks back ${together} s, but Cloud Monitoring looks back at most 84600 s`,
                  },
                ]
              : [];
          }),
        ),
  },
  {
    source: "https://cloud.google.com/pubsub/docs/subscription-message-filter",
    check: (resources) =>
      resources
        .filter(
          ({ type, leaves }) =>
            type === "google_pubsub_subscription" && Buffer.byteLength(String(leaves.get("filter") ?? "")) > 256,
        )
        .map(({ address }) => ({
          level: "error",
          address,
          says: "has a filter of more than 256 bytes, which Pub/Sub refuses",
        })),
  },
  {
    source: "https://cloud.google.com/logging/docs/logs-based-metrics",
    check: (_resources, { inputs }) =>
      inputs.create_log_metrics
        ? []
        : [
            {
              level: "warning",
              address: "create_log_metrics",
              says: "is false: the log metrics that probes read must exist already, with filters that exclude exit(0)",
            },
          ],
  },
  {
    source: "https://cloud.google.com/monitoring/settings",
    check: (_resources, { inputs, project }) =>
      inputs.create_metrics_scope || inputs.watched_project_id === project
        ? []
        : [
            {
              level: "warning",
              address: "create_metrics_scope",
              says: `is false: the metrics scope of ${project} must include ${inputs.watched_project_id} already`,
            },
          ],
  },
  {
    source: "https://cloud.google.com/functions/docs/networking/connecting-vpc",
    check: (_resources, { inputs }) =>
      inputs.inside.all_traffic
        ? [
            {
              level: "warning",
              address: "inside.all_traffic",
              says: "is true: the VPC needs Cloud NAT for public addresses, and Private Google Access for Google APIs",
            },
          ]
        : [],
  },
  {
    source: "https://cloud.google.com/monitoring/uptime-checks/introduction#pricing",
    check: (_resources, { inputs }) =>
      inputs.second_opinion.journey !== null && Number.parseInt(inputs.second_opinion.journey_period, 10) < 300
        ? [
            {
              level: "warning",
              address: "second_opinion.journey_period",
              says: `is ${inputs.second_opinion.journey_period}: ${Math.round((30 * 86_400) / Number.parseInt(inputs.second_opinion.journey_period, 10))} runs a month cost about $${Math.round(((30 * 86_400) / Number.parseInt(inputs.second_opinion.journey_period, 10)) * 0.0012)}`,
            },
          ]
        : [],
  },
];

/** Data that is lost when a resource is replaced. */
const lostByReplacement: ReadonlyMap<string, string> = new Map([
  ["google_pubsub_subscription", "its waiting messages are lost"],
  ["google_pubsub_topic", "its subscriptions receive no messages until they are replaced as well"],
  ["google_firestore_database", "all incidents are lost"],
  ["google_secret_manager_secret", "its versions are lost, and must be added again"],
  ["google_service_account", "all its grants are void, including those that were made by hand"],
  ["google_storage_bucket", "its contents are lost"],
]);

function ownEntryOf(map: ReadonlyMap<string, string>, key: string): string | undefined {
  return map.get(key);
}

/** Applies every rule. */
export function byTheBook(resources: readonly Resource[], monitor: PlannedMonitor, names: Names): Finding[] {
  const isConfigured = resources.some(({ references }) => references.length > 0);
  // Without the configuration in the plan, the dependencies between resources are unknown.
  const used = isConfigured ? [...order, ...rulebook] : rulebook;
  return [
    ...used.flatMap(({ source, check }) => check(resources, names, monitor).map((finding) => ({ ...finding, source }))),
    ...tooLong(resources),
  ];
}
