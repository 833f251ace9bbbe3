/**
 * Google's APIs as a healthy deployment of a small shop answers them, in their real shapes, over HTTP: each resource by its path. A test changes
 * or removes what it is about. Sources: the REST references of the APIs, each at cloud.google.com.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodePartition } from "../../functions/evaluate/partition/document.ts";
import { emptyPartition } from "../../functions/evaluate/partition/state.ts";
import { stateDifference } from "../../functions/evaluate/partition/state-difference.ts";
import { examinationPermissions } from "../../shared/doctor/permissions.ts";

/** An answer by `METHOD host/path`, without parameters. */
export type Answers = Map<string, unknown>;

const project = "shop-watch";
const region = "europe-west1";
const member = (account: string): string => `serviceAccount:pathkeeper-${account}@${project}.iam.gserviceaccount.com`;
const agent = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";

/** The configuration of the shop. */
export const shop = `environment: shop
components: { shop: { layer: application } }
probes:
  front: { kind: http, component: shop, url: "https://shop.example.com/" }
channels:
  hook: { kind: webhook, url: { secret: hook-url } }
routes:
  - { channels: [hook] }
`;

/** When everything is looked at. */
export const now: number = Date.parse("2026-11-20T12:00:00Z");

const subscriptions: readonly (readonly [
  name: string,
  topic: string,
  target: string,
  path: string,
  filter?: string,
])[] = [
  [
    "probe-outside",
    "probe-requests",
    "probe-outside",
    "/scheduled",
    'attributes.vantage = "outside" AND attributes.trigger = "schedule" AND NOT attributes:rounds',
  ],
  [
    "probe-outside-asked",
    "probe-requests",
    "probe-outside",
    "/asked",
    'attributes.vantage = "outside" AND NOT attributes.trigger = "schedule"',
  ],
  ["evaluate-measurements", "measurements", "evaluate", "/measurements"],
  ["evaluate-ticks", "ticks", "evaluate", "/ticks"],
  ["evaluate-heartbeats", "heartbeats", "evaluate", "/heartbeats"],
  ["evaluate-changes", "changes", "evaluate", "/changes"],
  ["notify-notifications", "notifications", "notify", "/notifications"],
  ["notify-retries", "retries", "notify", "/retries"],
  ["notify-pages", "pages", "notify", "/pages"],
  ["notify-dead-letters", "dead-letters", "notify", "/dead-letters"],
];

const publishers: Readonly<Record<string, readonly string[]>> = {
  measurements: [member("probe-outside"), member("notify")],
  "probe-requests": [member("probe-outside"), member("evaluate")],
  notifications: [member("evaluate")],
  pages: [member("evaluate")],
  retries: [member("notify")],
  "dead-letters": [member("probe-outside"), member("evaluate"), member("notify"), agent],
};

function policy(bindings: Readonly<Record<string, readonly string[]>>): object {
  return {
    version: 1,
    etag: "BwYAAA==",
    bindings: Object.entries(bindings).map(([role, members]) => ({ role, members })),
  };
}

/** A healthy deployment. */
export function healthy(): Answers {
  const answers: Answers = new Map();
  const uri = (target: string): string => `https://pathkeeper-${target}-abcdefghij-ew.a.run.app`;
  answers.set(`GET cloudresourcemanager.googleapis.com/v3/projects/${project}`, {
    name: "projects/4711",
    projectId: project,
    state: "ACTIVE",
  });
  const bound = {
    role: "roles/datastore.user",
    members: [member("evaluate"), member("notify")],
    condition: {
      title: "pathkeeper database only",
      expression: `resource.name == "projects/${project}/databases/pathkeeper"`,
    },
  };
  answers.set(`POST cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`, {
    version: 3,
    bindings: [
      bound,
      { role: "roles/monitoring.metricWriter", members: [member("evaluate")] },
      ...["roles/artifactregistry.writer", "roles/logging.logWriter", "roles/storage.objectViewer"].map((role) => ({
        role,
        members: [member("build")],
      })),
      { role: "roles/owner", members: ["user:ann@example.com"] },
    ],
  });
  for (const [topic, members] of Object.entries(publishers))
    answers.set(
      `GET pubsub.googleapis.com/v1/projects/${project}/topics/pathkeeper-${topic}:getIamPolicy`,
      policy({ "roles/pubsub.publisher": members }),
    );
  for (const [name, topic, target, path, filter] of subscriptions) {
    const at = `pubsub.googleapis.com/v1/projects/${project}/subscriptions/pathkeeper-${name}`;
    answers.set(`GET ${at}`, {
      name: `projects/${project}/subscriptions/pathkeeper-${name}`,
      topic: `projects/${project}/topics/pathkeeper-${topic}`,
      pushConfig: {
        pushEndpoint: `${uri(target)}${path}`,
        oidcToken: { serviceAccountEmail: member("push").slice(15), audience: uri(target) },
      },
      ackDeadlineSeconds: 60,
      messageRetentionDuration: "604800s",
      // Never: a period without a time.
      expirationPolicy: {},
      ...(filter === undefined ? {} : { filter }),
      ...(topic === "dead-letters"
        ? {}
        : {
            deadLetterPolicy: {
              deadLetterTopic: `projects/${project}/topics/pathkeeper-dead-letters`,
              maxDeliveryAttempts: 5,
            },
          }),
      retryPolicy: { minimumBackoff: "1s", maximumBackoff: "60s" },
      state: "ACTIVE",
    });
    if (topic !== "dead-letters") answers.set(`GET ${at}:getIamPolicy`, policy({ "roles/pubsub.subscriber": [agent] }));
  }
  for (const target of ["probe-outside", "evaluate", "notify"]) {
    answers.set(
      `GET run.googleapis.com/v2/projects/${project}/locations/${region}/services/pathkeeper-${target}:getIamPolicy`,
      policy({ "roles/run.invoker": [member("push")] }),
    );
    answers.set(
      `GET cloudfunctions.googleapis.com/v2/projects/${project}/locations/${region}/functions/pathkeeper-${target}`,
      {
        name: `projects/${project}/locations/${region}/functions/pathkeeper-${target}`,
        state: "ACTIVE",
        environment: "GEN_2",
        serviceConfig: {
          uri: uri(target),
          revision: `pathkeeper-${target}-00007-xyz`,
          serviceAccountEmail: member(target).slice(15),
          ingressSettings: "ALLOW_INTERNAL_ONLY",
          availableCpu: "1",
        },
        updateTime: "2026-11-19T08:00:00Z",
      },
    );
  }
  answers.set(
    `POST iam.googleapis.com/v1/projects/${project}/serviceAccounts/${member("push").slice(15)}:getIamPolicy`,
    policy({ "roles/iam.serviceAccountTokenCreator": [agent] }),
  );
  answers.set(
    `GET secretmanager.googleapis.com/v1/projects/${project}/secrets/pathkeeper-hook-url:getIamPolicy`,
    policy({ "roles/secretmanager.secretAccessor": [member("notify")] }),
  );
  answers.set(`GET secretmanager.googleapis.com/v1/projects/${project}/secrets/pathkeeper-hook-url/versions/latest`, {
    name: "projects/4711/secrets/pathkeeper-hook-url/versions/3",
    state: "ENABLED",
    createTime: "2026-11-01T00:00:00Z",
  });
  for (const [name, topic] of [
    ["outside-1m", "probe-requests"],
    ["tick", "ticks"],
  ])
    answers.set(
      `GET cloudscheduler.googleapis.com/v1/projects/${project}/locations/${region}/jobs/pathkeeper-${name}`,
      {
        name: `projects/${project}/locations/${region}/jobs/pathkeeper-${name}`,
        pubsubTarget: { topicName: `projects/${project}/topics/pathkeeper-${topic}`, data: "e30=" },
        schedule: "* * * * *",
        timeZone: "Etc/UTC",
        state: "ENABLED",
        status: {},
        lastAttemptTime: "2026-11-20T11:59:00Z",
        scheduleTime: "2026-11-20T12:00:00Z",
      },
    );
  answers.set(`GET monitoring.googleapis.com/v3/projects/${project}/timeSeries`, {});
  answers.set("POST logging.googleapis.com/v2/entries:list", {});
  const database = `firestore.googleapis.com/v1/projects/${project}/databases/pathkeeper`;
  answers.set(`GET ${database}`, {
    name: `projects/${project}/databases/pathkeeper`,
    type: "FIRESTORE_NATIVE",
    deleteProtectionState: "DELETE_PROTECTION_ENABLED",
  });
  for (const collection of ["state", "deliveries", "availability"])
    answers.set(`GET ${database}/collectionGroups/${collection}/fields/expires_at`, {
      name: "…",
      indexConfig: {},
      ttlConfig: { state: "ACTIVE" },
    });
  answers.set(`GET ${database}/collectionGroups/-/indexes`, {
    indexes: ["status", "severity"].map((field) => ({
      name: `projects/${project}/databases/pathkeeper/collectionGroups/incidents/indexes/${field}`,
      queryScope: "COLLECTION",
      fields: [
        { fieldPath: field, order: "ASCENDING" },
        { fieldPath: "opened_at", order: "DESCENDING" },
        { fieldPath: "__name__", order: "DESCENDING" },
      ],
      state: "READY",
    })),
  });
  answers.set(`GET ${database}/documents/state/outside-1m`, groupDocument(now - 60_000));
  answers.set(`GET monitoring.googleapis.com/v3/projects/${project}/alertPolicies`, {
    alertPolicies: [
      "no measurements",
      "messages wait",
      "dead letters",
      "a function fails",
      "a schedule fails",
      "the evaluator is silent",
    ].map((title, at) => ({
      name: `projects/${project}/alertPolicies/${at}`,
      displayName: `pathkeeper: ${title}`,
      enabled: true,
      notificationChannels: [`projects/${project}/notificationChannels/7`],
    })),
  });
  answers.set(`GET monitoring.googleapis.com/v3/projects/${project}/notificationChannels`, {
    notificationChannels: [
      {
        name: `projects/${project}/notificationChannels/7`,
        type: "email",
        displayName: "ops",
        enabled: true,
        userLabels: { app: "pathkeeper" },
      },
    ],
  });
  return answers;
}

/** Lets the evaluator check for drift, with the role that it needs for it. */
export function checkingDrift(answers: Answers): void {
  const policies = `POST cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`;
  const { bindings, ...policy } = answers.get(policies) as { readonly bindings: readonly object[] };
  const role = `projects/${project}/roles/pathkeeper_drift`;
  answers.set(policies, { ...policy, bindings: [...bindings, { role, members: [member("evaluate")] }] });
  answers.set(`GET iam.googleapis.com/v1/${role}`, {
    name: role,
    stage: "GA",
    includedPermissions: examinationPermissions(false),
  });
  const evaluate = `GET cloudfunctions.googleapis.com/v2/projects/${project}/locations/${region}/functions/pathkeeper-evaluate`;
  const { serviceConfig, ...about } = answers.get(evaluate) as { readonly serviceConfig: object };
  const environmentVariables = { PATHKEEPER_DRIFT_CHECK: region };
  answers.set(evaluate, { ...about, serviceConfig: { ...serviceConfig, environmentVariables } });
}

/** The state of a group that has reported at these times, the last of which has changed what was written before, as Firestore's REST API gives it. */
export function groupDocument(...times: readonly number[]): object {
  const [whole = emptyPartition, ...later] = times.map((at) => {
    return { ...emptyPartition, heard: { at, delayMs: 100, arrivedAt: at + 100, count: 9, healthyAt: at } };
  });
  const changes = later.map((state, index) => ({
    stringValue: stateDifference([whole, ...later][index] ?? whole, state),
  }));
  const grown = changes.length === 0 ? {} : { changes: { arrayValue: { values: changes } } };
  return { name: "…", fields: { data: { stringValue: encodePartition(whole).text }, ...grown } };
}

/** Serves answers below `/HOST/PATH`; everything else is not found, as Google says it. */
export async function serve(answers: Answers): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").slice(1).split("?");
    const answer = answers.get(`${request.method} ${path}`);
    const isError = typeof answer === "number";
    const code = answer === undefined ? 404 : isError ? answer : 200;
    response.writeHead(code, { "content-type": "application/json" });
    response.end(
      JSON.stringify(
        code === 200
          ? answer
          : { error: { code, message: `refused ${path}`, status: code === 404 ? "NOT_FOUND" : "PERMISSION_DENIED" } },
      ),
    );
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
