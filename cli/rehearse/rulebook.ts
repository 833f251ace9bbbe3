/** How Google and Terraform behave when a plan is applied: what waits for what, what a replacement loses, and what a name may be. */
import type { Names } from "./names.ts";
import type { Finding } from "./need.ts";
import type { PlannedMonitor, Resource } from "./plan.ts";

/** A rule with its source. */
interface Rule {
  readonly source: string;
  check(resources: readonly Resource[], names: Names, monitor: PlannedMonitor): Omit<Finding, "source">[];
}

/** What must come before what. */
const order: readonly Rule[] = [
  {
    source: "https://cloud.google.com/pubsub/docs/create-push-subscription",
    check: (resources, names) => {
      const accounts = new Set(names.functions.map(names.member));
      const needed = resources.filter(
        ({ type, known }) => type.endsWith("_iam_member") && accounts.has(String(known["member"])),
      );
      const grants = new Set(needed.map(({ type, name }) => `${type}.${name}`));
      return [
        ...[
          "google_cloud_run_v2_service_iam_member",
          "google_service_account_iam_member",
          "google_pubsub_topic_iam_member.dead_letters",
        ].flatMap((to) =>
          mustWait(resources, "google_pubsub_subscription", to, "its first messages use up their attempts", isPush),
        ),
        ...mustWait(
          resources,
          "google_service_account_iam_member",
          "google_pubsub_topic",
          "the service agent of Pub/Sub does not exist before the first topic of a project",
        ),
        ...mustWait(
          resources,
          "google_cloud_scheduler_job",
          "google_pubsub_subscription",
          "a topic without subscriptions drops messages",
        ),
        ...[...grants].flatMap((to) =>
          mustWait(resources, "google_cloud_scheduler_job", to, "the first runs are refused"),
        ),
      ];
    },
  },
  {
    source: "https://cloud.google.com/iam/docs/access-change-propagation",
    check: (resources) => [
      ...mustWait(
        resources,
        "google_cloudfunctions2_function",
        "terraform_data.build_grants",
        "the first build starts before its grants are effective, and fails",
      ),
      ...mustWait(
        resources,
        "google_cloudfunctions2_function",
        "terraform_data.configuration",
        "it is deployed from bundles of another configuration",
      ),
      ...["google_project_iam_member.build", "google_project_iam_member.build_sources"].flatMap((to) =>
        mustWait(resources, "terraform_data", to, "it waits for nothing", ({ name }) => name === "build_grants"),
      ),
      ...waits(resources),
      ...(resources.some(({ type }) => type === "google_vpc_access_connector")
        ? mustWait(
            resources,
            "google_cloudfunctions2_function",
            "google_vpc_access_connector",
            "the connector that it goes through does not exist yet",
            ({ index }) => index === "probe-inside",
          )
        : []),
      ...(resources.some(({ type, name }) => `${type}.${name}` === "google_project_iam_member.connector")
        ? mustWait(
            resources,
            "google_cloudfunctions2_function",
            "google_project_iam_member.connector",
            "it cannot use the connector of another project",
          )
        : []),
    ],
  },
  {
    source: "https://cloud.google.com/monitoring/alerts/concepts-indepth#partial-metric-data",
    check: (resources) =>
      mustWait(
        resources,
        "google_monitoring_alert_policy",
        "google_cloud_scheduler_job",
        "it fires before anything could be measured",
        ({ name }) => /^(no_measurements|evaluator_silent)$/.test(name),
      ),
  },
  {
    source: "https://cloud.google.com/monitoring/uptime-checks/create-synthetic-monitors",
    check: (resources) =>
      mustWait(
        resources,
        "google_cloud_run_v2_service_iam_member",
        "google_monitoring_uptime_check_config",
        "the account of Cloud Monitoring does not exist before the first synthetic monitor of a project",
        ({ name }) => name === "synthetic",
      ),
  },
  {
    source: "https://cloud.google.com/service-usage/docs/enable-disable",
    check: (resources) =>
      resources
        .filter(
          ({ type }) =>
            type.startsWith("google_") &&
            type !== "google_project_service" &&
            resources.some((one) => one.type === "google_project_service"),
        )
        .filter((resource) => !follows(resource, "google_project_service", resources, new Set()))
        .map(({ address }) => ({
          level: "error",
          address,
          says: "may be created before the APIs are enabled, which fails in a new project",
          write: "depends_on = [google_project_service.main]",
        })),
  },
  {
    source: "https://developer.hashicorp.com/terraform/language/data-sources#depends_on",
    check: (_resources, _names, { deferred }) =>
      deferred.map((address) => ({
        level: "error",
        address,
        says: "has depends_on: with every change of those resources its values are unknown, and what names them is replaced",
        write: `# remove depends_on from ${address}`,
      })),
  },
  {
    source: "https://developer.hashicorp.com/terraform/language/modules/develop/providers",
    check: (_resources, _names, { providers, module }) =>
      providers.map((name) => ({
        level: "error",
        address: module,
        says: `configures the provider ${name} itself: it takes neither for_each nor depends_on nor providers`,
        write: `# move provider "${name}" to the root`,
      })),
  },
];

/** What Google and Terraform do. */
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
          says: `takes ${providerVersion}: versions before 7.33 do not wait until service accounts exist everywhere, and the first apply stops`,
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
              says: "is on: storage of the database is paid for twice",
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
          says: `is deleted and created anew: ${ownEntryOf(lostByReplacement, type)}`,
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
                    says: `looks back ${together} s, and Cloud Monitoring at most 84600 s`,
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
              says: "is false: the log metrics that probes read must exist already, with filters that leave out exit(0)",
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

/** The resource that waits until the grants of the builds are effective, once and not with every apply. */
function waits(resources: readonly Resource[]): Omit<Finding, "source">[] {
  const own = resources.find(({ type, name }) => type === "terraform_data" && name === "build_grants");
  if (own === undefined) return [];
  const [, seconds = "0"] = /^sleep (\d+)$/.exec(own.provisioned.join()) ?? [];
  const isOnce =
    own.references.every((one) => /^google_service_account\.build\b/.test(one)) && own.references.length > 0;
  return [
    ...(Number(seconds) >= 60 && Number(seconds) <= 300
      ? []
      : [
          {
            level: "error" as const,
            address: own.address,
            says: `waits for ${seconds} s, and grants take a minute to be effective: the first build fails`,
            write: 'provisioner "local-exec" {\n  command = "sleep 60"\n}',
          },
        ]),
    ...(isOnce
      ? []
      : [
          {
            level: "error" as const,
            address: own.address,
            says: "does not follow from the account that builds: it waits with every apply, or not again when the account changes",
            write: "triggers_replace = [google_service_account.build.email]",
          },
        ]),
  ];
}

/** Lengths that Google takes, in characters. */
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

/** What is lost when a resource is replaced. */
const lostByReplacement: ReadonlyMap<string, string> = new Map([
  ["google_pubsub_subscription", "its waiting messages are lost"],
  ["google_pubsub_topic", "its subscriptions receive nothing more until they are replaced as well"],
  ["google_firestore_database", "all incidents are lost"],
  ["google_secret_manager_secret", "its versions are lost, and must be added again"],
  ["google_service_account", "all its grants are void, also those that were made by hand"],
  ["google_storage_bucket", "what it holds is lost"],
]);

function ownEntryOf(map: ReadonlyMap<string, string>, key: string): string | undefined {
  return map.get(key);
}

function isPush({ leaves }: Resource): boolean {
  return [...leaves.keys()].some((path) => path.startsWith("push_config."));
}

/** Resources of one type that do not wait for those of another. @param to a type, or a resource by type and name */
function mustWait(
  resources: readonly Resource[],
  type: string,
  to: string,
  otherwise: string,
  which: (resource: Resource) => boolean = () => true,
): Omit<Finding, "source">[] {
  const target = resources.filter((one) => one.type === to || `${one.type}.${one.name}` === to);
  const [first] = target;
  return resources
    .filter((one) => one.type === type && which(one) && !follows(one, to, resources, new Set()))
    .map(({ address }) => ({
      level: "error",
      address,
      says: `does not wait for ${to}: ${otherwise}`,
      write: `depends_on = [${first === undefined ? `${to}.NAME` : `${first.type}.${first.name}`}]`,
    }));
}

/** Whether a resource comes after another, by what it names or waits for. Locals cannot be looked into: what names one is given the benefit of the doubt. */
function follows(resource: Resource, to: string, resources: readonly Resource[], seen: Set<string>): boolean {
  const name = `${resource.type}.${resource.name}`;
  if (seen.has(name)) return false;
  seen.add(name);
  const next = [...resource.dependsOn, ...resource.references].flatMap(
    (one) => /^(?:google|terraform)_\w+\.\w+/.exec(one)?.[0] ?? [],
  );
  if (next.some((one) => one === to || one.startsWith(`${to}.`))) return true;
  return next.some((one) => {
    const found = resources.find(({ type, name: called }) => `${type}.${called}` === one);
    return found !== undefined && follows(found, to, resources, seen);
  });
}

function tooLong(resources: readonly Resource[]): Finding[] {
  return lengths.flatMap(([wanted, path, most, source]) =>
    resources.flatMap(({ type, address, leaves }): Finding[] => {
      const value = leaves.get(path);
      if (type !== wanted || typeof value !== "string" || value.length <= most) return [];
      return [
        { level: "error", address, says: `${path} has ${value.length} characters, and Google takes ${most}`, source },
      ];
    }),
  );
}

/** Applies every rule. */
export function byTheBook(resources: readonly Resource[], monitor: PlannedMonitor, names: Names): Finding[] {
  const isConfigured = resources.some(({ references }) => references.length > 0);
  // Without the configuration in the plan nothing is known of what waits for what.
  const used = isConfigured ? [...order, ...rulebook] : rulebook;
  return [
    ...used.flatMap(({ source, check }) => check(resources, names, monitor).map((finding) => ({ ...finding, source }))),
    ...tooLong(resources),
  ];
}
