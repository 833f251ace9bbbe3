/** Required order of resources when a plan is applied, with sources. Pure. */
import type { Names } from "../../shared/deployment/names.ts";
import type { Finding } from "./need.ts";
import type { PlannedMonitor, Resource } from "./plan.ts";

/** A rule with its source. */
export interface Rule {
  readonly source: string;
  check(resources: readonly Resource[], names: Names, monitor: PlannedMonitor): Omit<Finding, "source">[];
}

/** Required order of two resources. */
export const order: readonly Rule[] = [
  {
    source: "https://cloud.google.com/pubsub/docs/create-push-subscription",
    check: (resources, names) => {
      // People call the function that handles answers; no schedule does.
      const accounts = new Set(names.functions.filter((each) => each !== "answers").map(names.member));
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
        mustWait(resources, "terraform_data", to, "it has no dependencies", ({ name }) => name === "build_grants"),
      ),
      ...waits(resources),
      ...(resources.some(({ type }) => type === "google_vpc_access_connector")
        ? mustWait(
            resources,
            "google_cloudfunctions2_function",
            "google_vpc_access_connector",
            "the connector that it uses does not exist yet",
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
        "it fires before the first measurement",
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
        says: "has depends_on: every change to those resources makes its values unknown, and resources that refer to it are replaced",
        write: `# remove depends_on from ${address}`,
      })),
  },
  {
    source: "https://developer.hashicorp.com/terraform/language/modules/develop/providers",
    check: (_resources, _names, { providers, module }) =>
      providers.map((name) => ({
        level: "error",
        address: module,
        says: `configures the provider ${name} itself, so the module accepts neither for_each nor depends_on nor providers`,
        write: `# move provider "${name}" to the root`,
      })),
  },
];

/** Checks the resource that waits until the builds' grants are effective: once, and not with every apply. */
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
            says: `waits for ${seconds} s, but grants take a minute to become effective: the first build fails`,
            write: 'provisioner "local-exec" {\n  command = "sleep 60"\n}',
          },
        ]),
    ...(isOnce
      ? []
      : [
          {
            level: "error" as const,
            address: own.address,
            says: "does not depend on the build account: it waits with every apply, or not again when the account changes",
            write: "triggers_replace = [google_service_account.build.email]",
          },
        ]),
  ];
}

function isPush({ leaves }: Resource): boolean {
  return [...leaves.keys()].some((path) => path.startsWith("push_config."));
}

/** Finds resources of one type that do not wait for those of another. @param to a type, or a resource by type and name */
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

/**
 * Returns true if a resource is applied after another, by its references and `depends_on`. Locals cannot be inspected, so a reference to a
 * local counts as satisfied.
 */
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
