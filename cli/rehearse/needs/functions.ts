/** The functions: their code, how they are built, and how they run. */

import { labelled } from "../../../shared/deployment/labels.ts";
import type { FunctionName, Names } from "../../../shared/deployment/names.ts";
import { type Need, type Requirement, such } from "../../../shared/deployment/need.ts";
import { between, oneOf, same } from "../need.ts";

/** Node versions that Cloud Run functions build, and the bundles run on. https://cloud.google.com/functions/docs/runtime-support */
const runtimes = ["nodejs22", "nodejs24"];

/** Returns the needs of functions and of their builds. */
export function functionNeeds(names: Names): Need[] {
  return [...code(names), images(names), ...names.functions.map((each) => deployed(each, names))];
}

function bucketOf({ project, name }: Names): string {
  return `${project}-${name("code")}`;
}

function encrypted({ inputs }: Names, path: string): Record<string, Requirement> {
  const { kms_key_name } = inputs.organization;
  return kms_key_name === null
    ? {}
    : { [path]: { is: kms_key_name, why: "the organization encrypts with its own key" } };
}

function code(names: Names): Need[] {
  const { inputs, project, region } = names;
  return [
    {
      type: "google_storage_bucket",
      key: { project, name: bucketOf(names) },
      why: "for the code of the functions",
      values: {
        location: { is: region, why: "Cloud Functions reads code from its own region" },
        uniform_bucket_level_access: {
          is: true,
          why: "permissions on individual objects are easily overlooked",
          source: "https://cloud.google.com/storage/docs/uniform-bucket-level-access",
        },
        public_access_prevention: { is: "enforced", why: "the code must not be public" },
        force_destroy: {
          is: true,
          why: "a build can recreate its contents, and otherwise terraform destroy would fail",
        },
        "soft_delete_policy.0.retention_duration_seconds": {
          is: 0,
          why: "by default every replaced archive is kept for another week, at a cost",
          source: "https://cloud.google.com/storage/docs/soft-delete",
        },
        ...encrypted(names, "encryption.0.default_kms_key_name"),
        ...labelled("labels", names),
      },
      free: ["labels"],
    },
    ...Object.entries(inputs.archives).map(([target, md5]) => ({
      type: "google_storage_bucket_object",
      key: { name: `${target}-${md5}.zip` },
      why: `as the code of ${target}: a function is redeployed only when this name changes`,
      values: {
        bucket: { is: bucketOf(names), why: "the functions are built from this bucket" },
        source: {
          is: such(`the archive ${target}.zip`, (value) => String(value).endsWith(`/${target}.zip`)),
          why: "it contains the code of this function",
        },
        source_md5hash: { is: md5, usual: md5, why: "it is the hash of the archive" },
      },
    })),
  ];
}

function repositoryOf({ project, region, name }: Names): string {
  return `projects/${project}/locations/${region}/repositories/${name("images")}`;
}

function images(names: Names): Need {
  const { project, region, name } = names;
  const policies = "cleanup_policies";
  const source = "https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy";
  return {
    type: "google_artifact_registry_repository",
    key: { project, repository_id: name("images") },
    why: "for the images of the functions: the repository that Cloud Functions creates keeps every image forever",
    values: {
      location: { is: region, why: "Cloud Functions stores images in its own region" },
      format: { is: "DOCKER", why: "images are Docker images" },
      [`${policies}.0.action`]: { is: "DELETE", why: "images that no function runs would cost money", source },
      [`${policies}.0.condition.0.tag_state`]: { is: "ANY", why: "the images of functions are tagged", source },
      [`${policies}.0.condition.0.older_than`]: {
        is: between(3600, 7 * 86_400, "s"),
        why: "images that no function runs would cost money",
        source,
      },
      [`${policies}.1.action`]: { is: "KEEP", why: "the running image must be kept", source },
      [`${policies}.1.most_recent_versions.0.keep_count`]: {
        is: between(1, 5),
        why: "the running image must be kept, and the previous one for a rollback",
        source,
      },
      ...encrypted(names, "kms_key_name"),
      ...labelled("labels", names),
    },
    free: ["labels", `${policies}.0.id`, `${policies}.1.id`],
  };
}

function deployed(each: FunctionName, names: Names): Need {
  const { deployment, inputs, project, region, name, email, target, database, prefix, answersUrl } = names;
  const kind = target(each);
  const size = inputs.functions[each === "answers" ? each : kind];
  const own = deployment.subscriptions.filter((one) => one.function === each);
  const waits = own.map(({ ackDeadlineSeconds }) => ackDeadlineSeconds);
  // The probe function limits each request itself, so the longest deadline of its subscriptions applies: that of a held connection.
  const wait =
    each === "synthetic" ? 60 : each === "answers" ? 30 : kind === "probe" ? Math.max(...waits) : Math.min(...waits);
  // All groups of a vantage point may be requested in the same minute.
  const together =
    own.length + deployment.schedules.filter(({ name: group }) => `probe-${group.split("-")[0]}` === each).length;
  const vantage = each === "probe-inside" ? "inside" : "outside";
  const build = "build_config.0";
  const run = "service_config.0";
  return {
    type: "google_cloudfunctions2_function",
    key: { project, name: name(each) },
    why:
      kind === "probe"
        ? "so that probes run"
        : kind === "evaluate"
          ? "so that reports are evaluated"
          : each === "answers"
            ? "so that people can act on incidents"
            : "so that people are notified",
    values: {
      location: { is: region, why: "its subscriptions, code and images are in this region" },
      [`${build}.runtime`]: {
        is: oneOf(...runtimes),
        why: "Google has decommissioned older versions",
        source: "https://cloud.google.com/functions/docs/runtime-support",
      },
      [`${build}.entry_point`]: { is: kind, why: "the archive exports this function" },
      [`${build}.service_account`]: {
        is: `projects/${project}/serviceAccounts/${email("build")}`,
        why: "the default account lacks permission to build in new projects, and has too many permissions in old ones",
        from: { type: "google_service_account", key: { project, account_id: name("build") } },
        source: "https://cloud.google.com/functions/docs/securing/build-custom-sa",
      },
      [`${build}.docker_repository`]: { is: repositoryOf(names), why: "in any other repository images accumulate" },
      [`${build}.source.0.storage_source.0.bucket`]: { is: bucketOf(names), why: "the bucket contains the code" },
      [`${build}.source.0.storage_source.0.object`]: {
        is: `${kind}-${inputs.archives[kind]}.zip`,
        why: `it is the code of ${kind}`,
      },
      ...(inputs.organization.build_worker_pool === null
        ? {}
        : {
            [`${build}.worker_pool`]: {
              is: inputs.organization.build_worker_pool,
              why: "the organization builds in its own pool",
            },
          }),
      [`${run}.service_account_email`]: {
        is: email(each),
        why: "each function has its own account with only the permissions it needs",
        from: { type: "google_service_account", key: { project, account_id: name(each) }, attribute: "email" },
      },
      [`${run}.ingress_settings`]: {
        is: each !== "answers" ? "ALLOW_INTERNAL_ONLY" : inputs.answers.iap ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL",
        why:
          each !== "answers"
            ? "it is never called from the internet: Pub/Sub and Cloud Monitoring count as internal"
            : inputs.answers.iap
              ? "only the load balancer with Identity-Aware Proxy calls it"
              : "people and services call it from the internet",
        source: "https://cloud.google.com/run/docs/securing/ingress",
      },
      [`${run}.timeout_seconds`]: {
        is: wait,
        why: "a shorter timeout interrupts work such as a held connection; a longer one costs money after Pub/Sub has given up",
      },
      [`${run}.available_cpu`]: {
        is: "1",
        why: "with less, only one request runs at a time; more costs money and is not used",
        source: "https://cloud.google.com/run/docs/configuring/services/cpu",
      },
      [`${run}.available_memory`]: {
        is: such(`${size?.memory}, from 256Mi to 4Gi`, (value) => value === size?.memory && memoryFits(value)),
        why: "up to 150 MB are in use, and one CPU takes at most 4 GiB",
        source: "https://cloud.google.com/run/docs/configuring/services/memory-limits",
      },
      [`${run}.max_instance_request_concurrency`]: {
        is: such(
          `${size?.concurrency}, from 1 to 80`,
          (value) => same(value, size?.concurrency) && between(1, 80).holds(value),
        ),
        why: "above 80, requests wait for each other's processor time",
      },
      [`${run}.max_instance_count`]: {
        is: such(
          `${size?.max_instances}, from 1 to 100, with room for ${together} requests at once`,
          (value) =>
            same(value, size?.max_instances) &&
            between(1, 100).holds(value) &&
            Number(value) * Number(size?.concurrency) >= together,
        ),
        why: "each instance may open connections to the targets, and all requests that are due at once must fit",
      },
      [`${run}.min_instance_count`]: { is: 0, usual: 0, why: "an idle instance costs about $10 a month" },
      [`${run}.environment_variables`]: {
        is: {
          PATHKEEPER_PROJECT: project,
          PATHKEEPER_DATABASE: database,
          PATHKEEPER_TOPIC_PREFIX: `${prefix}-`,
          PATHKEEPER_SECRET_PREFIX: prefix,
          ...(kind === "probe"
            ? { PATHKEEPER_VANTAGE: vantage, UV_THREADPOOL_SIZE: "16" }
            : { NODE_OPTIONS: "--max-semi-space-size=8" }),
          ...(each === "evaluate" && inputs.drift_check?.enabled === true ? { PATHKEEPER_DRIFT_CHECK: region } : {}),
          ...(each === "evaluate" && typeof deployment.monthly_cost === "number"
            ? { PATHKEEPER_MONTHLY_COST: String(deployment.monthly_cost) }
            : {}),
          ...(kind === "notify" && answersUrl !== undefined ? { PATHKEEPER_ANSWERS_URL: answersUrl } : {}),
          ...(each === "answers" ? { PATHKEEPER_ANSWERS: "true" } : {}),
          ...(each === "synthetic" ? { PATHKEEPER_SYNTHETIC: inputs.second_opinion.journey } : {}),
        },
        why: "they tell the function its project, database, topics, secrets and task",
      },
      ...(each === "probe-inside" ? network(names) : {}),
      ...(inputs.organization.binary_authorization === null
        ? {}
        : {
            [`${run}.binary_authorization_policy`]: {
              is: inputs.organization.binary_authorization,
              why: "the organization runs only images that pass Binary Authorization",
            },
          }),
      ...encrypted(names, "kms_key_name"),
      ...labelled("labels", names),
    },
  };
}

function network({ inputs, project, region }: Names): Record<string, Requirement> {
  const { connector, direct, all_traffic } = inputs.inside;
  const run = "service_config.0";
  const why = all_traffic ? "all traffic must go through the VPC" : "public addresses are reached without the VPC";
  if (connector !== null) {
    const path = `projects/${connector.project_id ?? project}/locations/${region}/connectors/${connector.name}`;
    return {
      [`${run}.vpc_connector`]: {
        is: path,
        why: "its probes reach the VPC through this connector, and measure it",
      },
      [`${run}.vpc_connector_egress_settings`]: {
        is: all_traffic ? "ALL_TRAFFIC" : "PRIVATE_RANGES_ONLY",
        usual: "PRIVATE_RANGES_ONLY",
        why,
      },
    };
  }
  if (direct === null)
    return {
      [`${run}.vpc_connector`]: {
        is: such("a connector, or direct egress", () => false),
        why: "its probes watch from inside the VPC",
      },
    };
  return {
    [`${run}.direct_vpc_egress`]: {
      is: all_traffic ? "VPC_EGRESS_ALL_TRAFFIC" : "VPC_EGRESS_PRIVATE_RANGES_ONLY",
      usual: "VPC_EGRESS_PRIVATE_RANGES_ONLY",
      why,
    },
    [`${run}.direct_vpc_network_interface.0.network`]: {
      is: direct.network,
      why: "its probes watch from this network",
    },
    ...(direct.tags.length === 0
      ? {}
      : {
          [`${run}.direct_vpc_network_interface.0.tags`]: {
            is: direct.tags,
            why: "the network's firewall rules match these tags",
          },
        }),
    [`${run}.direct_vpc_network_interface.0.subnetwork`]: {
      is: direct.subnetwork,
      why: "its probes watch from this subnetwork",
    },
  };
}

function memoryFits(value: unknown): boolean {
  const [, amount = "", unit = ""] = /^(\d+)(Mi|Gi|M|G)$/.exec(String(value)) ?? [];
  const mebibytes = Number(amount) * (unit.startsWith("G") ? 1024 : 1);
  return mebibytes >= 256 && mebibytes <= 4096;
}
