/** Requirements of the projects: APIs, the log metrics that probes read, the metrics scope, a connector, a budget. */

import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, type Requirement, such, type Test } from "../../../shared/deployment/need.ts";
import { matchesLog } from "../log-filter.ts";
import { between, oneOf } from "../need.ts";
import { recipients } from "./recipients.ts";

/** APIs that the monitor runs on. https://cloud.google.com/functions/docs/create-deploy-gcloud */
const ownApis = [
  "artifactregistry",
  "cloudbuild",
  "cloudfunctions",
  "cloudresourcemanager",
  "cloudscheduler",
  "firestore",
  "iam",
  "logging",
  "monitoring",
  "pubsub",
  "run",
  "secretmanager",
  "serviceusage",
  "storage",
];

/** Returns the needs of projects. */
export function projectNeeds(names: Names): Need[] {
  return [...apis(names), ...logMetrics(names), ...scope(names), ...connector(names), ...budget(names)];
}

function apis({ deployment, inputs, project }: Names): Need[] {
  const watched = inputs.watched_project_id;
  const here = [
    ...ownApis,
    ...(deployment.vantages.includes("inside") ? ["vpcaccess"] : []),
    ...(inputs.budget === null ? [] : ["billingbudgets"]),
  ].map((api) => `${api}.googleapis.com`);
  const wanted = new Set([
    ...here.map((api) => `${project}/${api}`),
    ...deployment.apis.map((api) => `${watched}/${api}`),
  ]);
  return [...wanted].map((one) => {
    const [where = "", service = ""] = one.split("/");
    return {
      type: "google_project_service",
      key: { project: where, service },
      why: `to enable calls to ${service}`,
      values: {
        disable_on_destroy: {
          is: false,
          usual: false,
          why: "other software may use the API by then",
          source:
            "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_service",
        },
      },
    };
  });
}

/**
 * Log entries of Cloud Run for an instance that starts or ends, and whether each is a failed start.
 * https://cloud.google.com/run/docs/troubleshooting
 */
const starts: readonly (readonly [text: string, isFailed: boolean])[] = [
  [
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable",
    true,
  ],
  ["The container could not start successfully and stopped", true],
  ["Revision 'shop-00001' is not ready: The instance failed the readiness check", true],
  ['Default STARTUP TCP probe failed 1 time consecutively for container "app" on port 8080.', true],
  ["STARTUP HTTP probe failed 3 times consecutively", true],
  ["Container called exit(1).", true],
  ["Container called exit(0).", false],
  ["Default STARTUP TCP probe succeeded after 1 attempt", false],
];

function logMetrics({ deployment, inputs }: Names): Need[] {
  if (!inputs.create_log_metrics) return [];
  const entry = (textPayload: string, type: string = "cloud_run_revision") => ({
    "resource.type": type,
    textPayload,
    severity: "ERROR",
  });
  return deployment.log_metrics.map((name) => ({
    type: "google_logging_metric",
    key: { project: inputs.watched_project_id, name },
    why: "to let probes read failed starts",
    values: {
      filter: {
        is: such("a filter on failed starts of Cloud Run instances, without exit(0)", (value) =>
          starts.every(
            ([text, isFailed]) =>
              matches(value, entry(text)) === isFailed && !matches(value, entry(text, "k8s_container")),
          ),
        ),
        why: "the probe counts what the filter matches",
        source: "https://cloud.google.com/run/docs/troubleshooting",
      },
      "metric_descriptor.0.metric_kind": {
        is: "DELTA",
        why: "counters of log entries are of this kind",
        source: "https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics",
      },
      "metric_descriptor.0.value_type": { is: "INT64", why: "counters of log entries are of this type" },
    },
  }));
}

/** Returns true if a filter matches an entry. An invalid filter matches nothing. */
export function matches(filter: unknown, entry: Readonly<Record<string, string>>): boolean {
  try {
    return matchesLog(String(filter), entry);
  } catch {
    return false;
  }
}

function scope({ inputs, project }: Names): Need[] {
  if (!inputs.create_metrics_scope || inputs.watched_project_id === project) return [];
  return [
    {
      type: "google_monitoring_monitored_project",
      key: { metrics_scope: project, name: inputs.watched_project_id },
      why: "to show Google's metrics of the watched project on dashboards",
      values: {},
    },
  ];
}

function connector({ deployment, inputs, project, region }: Names): Need[] {
  const asked = inputs.inside.connector;
  if (asked?.create === undefined || asked.create === null) return [];
  const { network, ip_cidr_range, machine_type, min_instances, max_instances } = asked.create;
  const source = "https://cloud.google.com/vpc/docs/configure-serverless-vpc-access";
  return [
    {
      type: "google_vpc_access_connector",
      key: { project, name: asked.name },
      why: deployment.vantages.includes("inside")
        ? "as the connection into the VPC"
        : "because inside.connector.create is set",
      values: {
        region: { is: region, why: "a function uses connectors of its own region", source },
        network: { is: network, why: "inside.connector.create sets it" },
        ip_cidr_range: { is: ip_cidr_range, why: "inside.connector.create sets it" },
        machine_type: {
          is: such(
            `${machine_type}, one of e2-micro, f1-micro and e2-standard-4`,
            (value) => value === machine_type && oneOf("e2-micro", "f1-micro", "e2-standard-4").holds(value),
          ),
          why: "inside.connector.create sets it, and there are no other types",
          source,
        },
        min_instances: { is: asAsked(min_instances, 2, 9), why: "inside.connector.create sets it", source },
        max_instances: { is: asAsked(max_instances, 3, 10), why: "inside.connector.create sets it", source },
      },
    },
  ];
}

/** Returns a test for the requested value, within the limits of the API. */
function asAsked(wanted: number, least: number, most: number): Test {
  return such(
    `${wanted}, from ${least} to ${most}`,
    (value) => Number(value) === wanted && between(least, most).holds(value),
  );
}

function budget(names: Names): Need[] {
  const { inputs, name, prefix, deployment } = names;
  if (inputs.budget === null) return [];
  const { billing_account, monthly_amount, thresholds } = inputs.budget;
  // A set: Terraform sorts it.
  const shares = thresholds.map((share, at): [string, Requirement] => [
    `threshold_rules.${at}.threshold_percent`,
    {
      is: such(
        `one of ${thresholds.join(", ")}`,
        (value) => between(0.01, 2).holds(value) && thresholds.some((one) => one === Number(value)),
      ),
      usual: share,
      why: "budget.thresholds sets it, and a threshold is a share of the amount: 0.9 is 90 %",
      source: "https://cloud.google.com/billing/docs/how-to/budgets",
    },
  ]);
  return [
    {
      type: "google_billing_budget",
      key: { billing_account },
      why: `to notify people when ${name("")} costs more than it should`.replace("- ", " "),
      values: {
        display_name: {
          is: such(
            "a title of at most 60 characters",
            (value) => String(value).length <= 60 && String(value).startsWith(prefix),
          ),
          why: `the API accepts no longer title (${prefix}: ${deployment.title})`,
          source: "https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets",
        },
        "budget_filter.0.projects": {
          is: [`projects/${inputs.project_number}`],
          why: "the budget covers the monitor's project, identified by its number",
        },
        "budget_filter.0.credit_types_treatment": {
          is: "INCLUDE_ALL_CREDITS",
          usual: "INCLUDE_ALL_CREDITS",
          why: "free tiers are billed as credits",
        },
        "amount.0.specified_amount.0.units": { is: monthly_amount, why: "budget.monthly_amount sets it" },
        ...Object.fromEntries(shares),
        "all_updates_rule.0.monitoring_notification_channels": { ...recipients(names), why: "they must be notified" },
      },
    },
  ];
}
