/** Requirements of the alarms that Google evaluates: recipients, texts, and conditions with their windows. */

import { labelled } from "../../../shared/deployment/labels.ts";
import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, type Requirement, such, type Test } from "../../../shared/deployment/need.ts";
import { readFilter } from "../metric-filter.ts";
import { recipients } from "./recipients.ts";

/** A filter on one metric of Google: its parts, exactly. */
export function filterOf(parts: Readonly<Record<string, readonly string[]>>): Test {
  const wanted = Object.entries(parts);
  return such(
    wanted
      .map(
        ([key, values]) =>
          `${key} = ${values.length === 1 ? `"${values[0]}"` : `one_of(${values.map((value) => `"${value}"`).join(", ")})`}`,
      )
      .join(" AND "),
    (value) => {
      const read = readFilter(value);
      return (
        read !== undefined &&
        read.size === wanted.length &&
        wanted.every(([key, values]) => [...(read.get(key) ?? [])].sort().join() === [...values].sort().join())
      );
    },
  );
}

/** An alarm: its title after the prefix, its purpose and its conditions. */
export interface Policy {
  readonly title: string;
  readonly why: string;
  readonly severity: "CRITICAL" | "ERROR" | "WARNING";
  readonly values: Record<string, Requirement>;
  readonly isLog?: true;
  /** The section of docs/alarms.md that explains it. @default the title */
  readonly section?: string;
}

/** Returns the need of an alarm. */
export function policy({ title, why, severity, values, isLog, section = title }: Policy, names: Names): Need {
  const { inputs, project, prefix } = names;
  const hasRecipients = inputs.alarms.emails.length + inputs.alarms.channel_ids.length > 0;
  const period: Requirement = {
    is: such(
      "from 300s to 21600s",
      (value) =>
        /^\d+s$/.test(String(value)) &&
        Number.parseInt(String(value), 10) >= 300 &&
        Number.parseInt(String(value), 10) <= 21_600,
    ),
    why: "otherwise an alarm on the log sends a notification for every entry, and stays open for a week",
    source: "https://cloud.google.com/logging/docs/alerting/log-based-alerts",
  };
  return {
    type: "google_monitoring_alert_policy",
    key: { project, display_name: `${prefix}: ${title}` },
    why,
    values: {
      combiner: { is: "OR", why: "each condition must raise the alarm by itself" },
      enabled: { is: true, usual: true, why: "a disabled policy notifies nobody" },
      severity: { is: severity, why: "it shows how soon somebody must respond" },
      notification_channels: {
        ...(hasRecipients ? recipients(names) : { is: such("somebody", () => false), usual: [] }),
        why: hasRecipients
          ? "an alarm without recipients notifies nobody"
          : 'nobody is notified: set alarms = { emails = ["ops@example.com"] }',
        write: "notification_channels = local.alarm_channels",
      },
      "documentation.0.content": {
        is: such(
          "what to do, with commands for this project, region and monitor",
          (value) =>
            typeof value === "string" && value.length > 40 && value.length <= 8_192 && speaksOfThis(value, names),
        ),
        why: "the person on call needs instructions",
        source: "https://cloud.google.com/monitoring/alerts/doc-variables",
      },
      "documentation.0.subject": {
        is: such(
          "a sentence of at most 255 characters",
          (value) => typeof value === "string" && value.length > 5 && value.length <= 255,
        ),
        why: "it is the subject of the mail",
        source: "https://cloud.google.com/monitoring/alerts/doc-variables",
      },
      "documentation.0.mime_type": { is: "text/markdown", usual: "text/markdown", why: "the text is Markdown" },
      ...links(section, names),
      ...(isLog
        ? { "alert_strategy.0.notification_rate_limit.0.period": period, "alert_strategy.0.auto_close": period }
        : {}),
      ...values,
      ...labelled("user_labels", names),
    },
    free: [
      "user_labels",
      "documentation.0.links.0.display_name",
      "documentation.0.links.1.display_name",
      ...Array.from({ length: 4 }, (_, at) => `conditions.${at}.display_name`),
    ],
  };
}

/** The links of an alarm: a page of the console and, if `runbook_url` is set, the section of docs/alarms.md. */
function links(section: string, names: Names): Record<string, Requirement> {
  const { runbook_url } = names.inputs;
  const anchor = section.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const why = "the person on call needs the page that explains the alarm";
  const inConsole = such("a page of the console for this project", (value) => {
    const url = URL.parse(String(value));
    return (
      url?.protocol === "https:" &&
      url.host === "console.cloud.google.com" &&
      url.searchParams.get("project") === names.project
    );
  });
  const runbook = `${runbook_url}#${anchor}`;
  if (runbook_url === null) return { "documentation.0.links.0.url": { is: inConsole, why } };
  const either = such(
    `${runbook}, and a page of the console for this project`,
    (value) => value === runbook || inConsole.holds(value),
  );
  // Terraform sorts the links by their names.
  return {
    "documentation.0.links.0.url": { is: either, why },
    "documentation.0.links.1.url": { is: either, why },
  };
}

/** Returns true if the commands and addresses in a text refer to this project, region and monitor. */
function speaksOfThis(text: string, { project, region, prefix }: Names): boolean {
  const values = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, value = ""]) => value);
  return (
    values(/--project[ =]([^\s`]+)/g).every((one) => one === project) &&
    values(/[?&]project=([^\s`&)]+)/g).every((one) => one === project) &&
    values(/--(?:region|location)[ =]([^\s`]+)/g).every((one) => one === region) &&
    values(/(?:logs read|subscriptions pull|jobs run) ([^\s`]+)/g).every((one) => one.startsWith(`${prefix}-`))
  );
}

/** A condition on a metric of Google. */
export interface Threshold {
  readonly at?: number;
  readonly filter: Readonly<Record<string, readonly string[]>>;
  readonly comparison: "COMPARISON_GT" | "COMPARISON_LT";
  readonly value: number;
  readonly duration: Test | string;
  readonly alignment: Test | string;
  readonly aligner: string;
  readonly reducer?: string;
  readonly by?: readonly string[];
  readonly missing?: string;
  readonly why: string;
  readonly from?: Requirement["from"];
}

/** The requirements of a condition on a metric of Google. */
export function threshold({
  at = 0,
  filter,
  comparison,
  value,
  duration,
  alignment,
  aligner,
  reducer,
  by,
  missing,
  why,
  from,
}: Threshold): Record<string, Requirement> {
  const condition = `conditions.${at}.condition_threshold.0`;
  const aggregation = `${condition}.aggregations.0`;
  return {
    [`${condition}.filter`]: {
      is: filterOf(filter),
      why: "it must watch this metric of these resources in this project, because the project may also show metrics of others",
      ...(from === undefined ? {} : { from }),
      source: "https://cloud.google.com/monitoring/api/metrics_gcp",
    },
    [`${condition}.comparison`]: { is: comparison, why },
    [`${condition}.threshold_value`]: { is: value, usual: 0, why },
    [`${condition}.duration`]: { is: duration, why: `it follows from the schedules: ${why}` },
    [`${aggregation}.alignment_period`]: { is: alignment, why: "this is the interval between the metric's points" },
    [`${aggregation}.per_series_aligner`]: { is: aligner, why: "the metric's kind requires this aligner" },
    ...(reducer === undefined
      ? {}
      : {
          [`${aggregation}.cross_series_reducer`]: { is: reducer, why: "the series must be combined into one value" },
        }),
    ...(by === undefined
      ? {}
      : { [`${aggregation}.group_by_fields`]: { is: by, why: "each one must be evaluated separately" } }),
    ...(missing === undefined
      ? {}
      : {
          [`${condition}.evaluation_missing_data`]: {
            is: missing,
            why: "a monitor that never started has no data at all",
          },
        }),
    [`${condition}.trigger.0.count`]: { is: 1, usual: 1, why: "one series must be enough to raise the alarm" },
  };
}

/** The requirements of a condition in PromQL. */
export function promql(query: string, seconds: number, why: string): Record<string, Requirement> {
  const condition = "conditions.0.condition_prometheus_query_language.0";
  return {
    [`${condition}.query`]: { is: query, why },
    [`${condition}.duration`]: { is: `${seconds}s`, why: `it follows from the schedules: ${why}` },
    [`${condition}.evaluation_interval`]: {
      is: such(
        "from 30s to 300s",
        (value) =>
          /^\d+s$/.test(String(value)) &&
          Number.parseInt(String(value), 10) >= 30 &&
          Number.parseInt(String(value), 10) <= 300,
      ),
      usual: "60s",
      why: "the query must run about as often as points arrive",
    },
    [`${condition}.disable_metric_validation`]: {
      is: true,
      why: "the metric does not exist before the first tick, and the policy would be refused",
      source: "https://github.com/hashicorp/terraform-provider-google/issues/11102",
    },
  };
}
