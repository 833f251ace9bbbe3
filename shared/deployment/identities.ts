/** Grants that the code needs. Any other grant is an error. */
import { examinationPermissions } from "../doctor/permissions.ts";
import { publications } from "../topology.ts";
import { labelled } from "./labels.ts";
import type { FunctionName, Names } from "./names.ts";
import type { Key, Need, Reference } from "./need.ts";
import { such } from "./need.ts";

/** The needs of accounts and their grants. */
export function identityNeeds(names: Names): Need[] {
  return [
    ...accounts(names),
    ...topicGrants(names),
    ...callers(names),
    ...projectGrants(names),
    ...secretGrants(names),
    ...buckets(names),
  ];
}

const iamSource = "https://cloud.google.com/iam/docs/using-iam-securely";

function grant(type: string, key: Key, why: string, values: Need["values"] = {}): Need {
  return { type, key, why, values };
}

function accounts({ project, name, functions }: Names): Need[] {
  return [...functions, "push", "build"].map((account) => ({
    type: "google_service_account",
    key: { project, account_id: name(account) },
    why:
      account === "push"
        ? "as the identity of pushes"
        : account === "build"
          ? "as the identity of builds"
          : `as the identity of the function ${account}`,
    values: {
      account_id: {
        is: such("at most 30 characters", (value) => /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(String(value))),
        why: "IAM accepts no other id",
        source: "https://cloud.google.com/iam/docs/service-accounts-create",
      },
    },
  }));
}

function topicGrants({ deployment, inputs, project, name, member, pushed, pubsubAgent, target }: Names): Need[] {
  const publish = (topic: string, who: string, why: string): Need =>
    grant(
      "google_pubsub_topic_iam_member",
      { project, topic: name(topic), role: "roles/pubsub.publisher", member: who },
      why,
    );
  return [
    ...pushed.flatMap((each) =>
      (deployment.publishes[target(each)] ?? publications[target(each)]).map((topic) =>
        publish(topic, member(each), `so that ${each} can publish to ${topic}`),
      ),
    ),
    publish("dead-letters", pubsubAgent, "so that Pub/Sub can move unprocessed messages to the dead letters"),
    ...inputs.heartbeat_publishers.map((who) => publish("heartbeats", who, "so that this job can report")),
    ...(inputs.change_publishers ?? []).map((who) => publish("changes", who, "so that this pipeline can report")),
    ...deployment.subscriptions
      .filter(({ topic }) => topic !== "dead-letters")
      .map((each) =>
        grant(
          "google_pubsub_subscription_iam_member",
          { project, subscription: name(each.name), role: "roles/pubsub.subscriber", member: pubsubAgent },
          "so that Pub/Sub can remove dead letters from the subscription",
        ),
      ),
  ];
}

function callers({ inputs, project, region, name, member, email, pushed, functions, pubsubAgent }: Names): Need[] {
  const account: Reference = {
    type: "google_service_account",
    key: { project, account_id: name("push") },
    attribute: "name",
  };
  const invoke = (each: FunctionName, who: string, why: string): Need =>
    grant(
      "google_cloud_run_v2_service_iam_member",
      { project, name: name(each), role: "roles/run.invoker", member: who },
      why,
      {
        location: { is: region, why: "the service is in the region of the functions" },
      },
    );
  return [
    ...pushed.map((each) => invoke(each, member("push"), `so that Pub/Sub may call ${each}`)),
    ...(functions.includes("synthetic")
      ? [
          invoke(
            "synthetic",
            `serviceAccount:service-${inputs.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com`,
            "so that Cloud Monitoring may call the synthetic monitor",
          ),
        ]
      : []),
    ...(inputs.answers.enabled
      ? [
          inputs.answers.iap
            ? invoke(
                "answers",
                `serviceAccount:service-${inputs.project_number}@gcp-sa-iap.iam.gserviceaccount.com`,
                "so that Identity-Aware Proxy can forward requests from users who have logged in",
              )
            : invoke("answers", "allUsers", "so that people and services can call it: every request is signed"),
        ]
      : []),
    grant(
      "google_service_account_iam_member",
      { role: "roles/iam.serviceAccountTokenCreator", member: pubsubAgent },
      "so that Pub/Sub can create tokens for the push account",
      {
        service_account_id: {
          is: `projects/${project}/serviceAccounts/${email("push")}`,
          why: "the tokens are for the push account",
          from: account,
        },
      },
    ),
  ];
}

function projectGrants(names: Names): Need[] {
  const { deployment, inputs, project, database, member, prefix } = names;
  const on = (where: string, role: string, who: string, why: string, values: Need["values"] = {}): Need =>
    grant("google_project_iam_member", { project: where, role, member: who }, why, values);
  const condition: Need["values"] = {
    "condition.0.expression": {
      is: `resource.name == "projects/${project}/databases/${database}"`,
      why: "without the condition, the account can access every database of the project",
      source: "https://cloud.google.com/firestore/docs/security/iam#iam_conditions",
    },
    "condition.0.title": {
      is: such("a title", (value) => typeof value === "string" && value.length > 0 && value.length <= 100),
      why: "IAM requires a title of at most 100 characters",
    },
    "condition.0.description": {
      is: such("a text of at most 256 characters", (value) => String(value ?? "").length <= 256),
      usual: "",
      why: "IAM accepts no longer text",
    },
  };
  const watched = inputs.watched_project_id;
  const connector = inputs.inside.connector;
  const connectorProject = connector?.project_id ?? project;
  return [
    ...deployment.stores.map((each) =>
      on(project, "roles/datastore.user", member(each), `so that ${each} can read and write documents`, condition),
    ),
    ...deployment.readers.map((each) =>
      on(project, "roles/datastore.viewer", member(each), `so that ${each} can read heartbeats`, condition),
    ),
    ...answerGrants(names, condition),
    ...driftGrants(names),
    ...(deployment.exports === null
      ? []
      : [on(project, "roles/monitoring.metricWriter", member("evaluate"), "so that the evaluator can export metrics")]),
    ...["roles/artifactregistry.writer", "roles/logging.logWriter", "roles/storage.objectViewer"].map((role) =>
      on(project, role, member("build"), "so that Cloud Build can build the functions"),
    ),
    ...deployment.vantages.flatMap((vantage): Need[] => {
      const permissions = deployment.permissions[`probe-${vantage}`];
      if (permissions.length === 0) return [];
      const role_id = `${prefix}_probe_${vantage}`.replaceAll("-", "_");
      return [
        {
          type: "google_project_iam_custom_role",
          key: { project: watched, role_id },
          why: `to let the probes of ${vantage} read their data`,
          values: {
            permissions: { is: permissions, why: "the probes need exactly these permissions", source: iamSource },
            stage: { is: "GA", usual: "GA", why: "a role at another stage may be disabled" },
          },
        },
        {
          type: "google_project_iam_member",
          key: { project: watched, member: member(`probe-${vantage}`), role: `projects/${watched}/roles/${role_id}` },
          why: `so that the probes of ${vantage} can read their data`,
          values: {
            role: {
              is: `projects/${watched}/roles/${role_id}`,
              why: "this role was created for these probes",
              from: { type: "google_project_iam_custom_role", key: { project: watched, role_id } },
            },
          },
        },
      ];
    }),
    ...deployment.cloud_sql.map((each) =>
      on(
        each.project ?? watched,
        each.role,
        member(each.function),
        `so that ${each.function} can connect to Cloud SQL`,
      ),
    ),
    ...(connector === null || connectorProject === project || !deployment.vantages.includes("inside")
      ? []
      : ["serverless-robot-prod", "gcf-admin-robot"].map((agent) =>
          on(
            connectorProject,
            "roles/vpcaccess.user",
            `serviceAccount:service-${inputs.project_number}@${agent}.iam.gserviceaccount.com`,
            "so that the function can use a connector of another project",
          ),
        )),
  ];
}

/** Permissions of the public function: read a document by its name, and update an existing one. */
function answerGrants({ inputs, project, prefix, member }: Names, condition: Need["values"]): Need[] {
  if (!inputs.answers.enabled) return [];
  const role_id = `${prefix}_answers`.replaceAll("-", "_");
  const role = `projects/${project}/roles/${role_id}`;
  return [
    {
      type: "google_project_iam_custom_role",
      key: { project, role_id },
      why: "to let answers update documents",
      values: {
        permissions: {
          is: ["datastore.databases.get", "datastore.entities.get", "datastore.entities.update"],
          why: "the function is public, so it must not create, delete or list documents",
          source: "https://cloud.google.com/firestore/docs/security/iam",
        },
      },
      free: ["stage"],
    },
    {
      type: "google_project_iam_member",
      key: { project, member: member("answers"), role },
      why: "so that answers can update the incident",
      values: {
        ...condition,
        role: {
          is: role,
          why: "this role was created for answers",
          from: { type: "google_project_iam_custom_role", key: { project, role_id } },
        },
      },
    },
  ];
}

/** Permissions of the evaluator for drift checks: it reads settings and policies, and neither secrets nor messages. */
function driftGrants({ deployment, inputs, project, prefix, member }: Names): Need[] {
  if (inputs.drift_check?.enabled !== true) return [];
  const role_id = `${prefix}_drift`.replaceAll("-", "_");
  const role = `projects/${project}/roles/${role_id}`;
  return [
    {
      type: "google_project_iam_custom_role",
      key: { project, role_id },
      why: "to let the check for drift read the deployment",
      values: {
        permissions: {
          is: examinationPermissions(deployment.status_pages.length > 0),
          why: "the check for drift needs exactly these permissions",
          source: iamSource,
        },
      },
      free: ["stage"],
    },
    {
      type: "google_project_iam_member",
      key: { project, member: member("evaluate"), role },
      why: "so that the evaluator can check for drift",
      values: {
        role: {
          is: role,
          why: "this role was created for the check",
          from: { type: "google_project_iam_custom_role", key: { project, role_id } },
        },
      },
    },
  ];
}

function secretGrants(names: Names): Need[] {
  const { project, name, member, functions, secretsOf, inputs, region } = names;
  const { kms_key_name: key, secret_locations } = inputs.organization;
  const locations = key === null ? secret_locations : [region];
  const all = [...new Set(functions.flatMap(secretsOf))];
  return [
    ...all.map(
      (secret): Need => ({
        type: "google_secret_manager_secret",
        key: { project, secret_id: name(secret) },
        why: `to keep the secret ${secret}`,
        values: {
          ...labelled("labels", names),
          ...(locations.length === 0
            ? { "replication.0.auto.0": { is: {}, why: "the secret must be stored somewhere" } }
            : Object.fromEntries(
                locations.flatMap((location, at) => [
                  [
                    `replication.0.user_managed.0.replicas.${at}.location`,
                    { is: location, why: "the organization stores secrets there" },
                  ],
                  ...(key === null
                    ? []
                    : [
                        [
                          `replication.0.user_managed.0.replicas.${at}.customer_managed_encryption.0.kms_key_name`,
                          { is: key, why: "the organization encrypts with its own key" },
                        ],
                      ]),
                ]) as [string, Need["values"][string]][],
              )),
        },
        free: ["labels"],
      }),
    ),
    ...functions.flatMap((each) =>
      secretsOf(each).map((secret) =>
        grant(
          "google_secret_manager_secret_iam_member",
          { project, secret_id: name(secret), role: "roles/secretmanager.secretAccessor", member: member(each) },
          `so that ${each} can read the secret ${secret}`,
        ),
      ),
    ),
  ];
}

function buckets({ deployment, inputs, member }: Names): Need[] {
  return deployment.status_pages.flatMap((bucket) => [
    grant(
      "google_storage_bucket_iam_member",
      { bucket, role: "roles/storage.objectUser", member: member("notify") },
      "so that the notifier can write the status page",
    ),
    ...inputs.status_page_readers.map((reader) =>
      grant(
        "google_storage_bucket_iam_member",
        { bucket, role: "roles/storage.objectViewer", member: reader },
        "so that this reader can see the status page",
      ),
    ),
  ]);
}
