/** The alarms that Google evaluates: what they watch, for how long, and whom they tell. */

import { readFilter } from "../metric-filter.ts";
import type { Names } from "../names.ts";
import { between, type Need, oneOf, type Requirement, such, type Test } from "../need.ts";
import { labelled } from "./labels.ts";
import { matches } from "./projects.ts";

/** The needs of alarms, of the checks that Google runs, and of those who hear. */
export function alarmNeeds(names: Names): Need[] {
  return [
    ...channels(names),
    ...blind(names),
    backlog(names),
    deadLetters(names),
    errors(names),
    schedules(names),
    ...silent(names),
    ...edge(names),
    ...journey(names),
  ];
}

function channels(names: Names): Need[] {
  const { inputs, project } = names;
  return inputs.alarms.emails.map((email) => ({
    type: "google_monitoring_notification_channel",
    key: { project, type: "email", "labels.email_address": email },
    why: `so that ${email} hears that the monitor fails`,
    values: {
      labels: { is: { email_address: email }, why: "mail goes to this address" },
      ...labelled("user_labels", names),
    },
    free: ["user_labels"],
  }));
}

/** A filter on one metric of Google: its parts, exactly. */
function filterOf(parts: Readonly<Record<string, readonly string[]>>): Test {
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

interface Policy {
  readonly title: string;
  readonly why: string;
  readonly severity: "CRITICAL" | "ERROR" | "WARNING";
  readonly values: Record<string, Requirement>;
  readonly isLog?: true;
}

function policy({ title, why, severity, values, isLog }: Policy, names: Names): Need {
  const { inputs, project, prefix } = names;
  const { emails, channel_ids } = inputs.alarms;
  const recipients = emails.length + channel_ids.length;
  const ids = [
    ...channel_ids,
    ...emails.flatMap(
      (email) => names.given("google_monitoring_notification_channel", { "labels.email_address": email }, "id") ?? [],
    ),
  ];
  const period: Requirement = {
    is: such(
      "from 300s to 21600s",
      (value) =>
        /^\d+s$/.test(String(value)) &&
        Number.parseInt(String(value), 10) >= 300 &&
        Number.parseInt(String(value), 10) <= 21_600,
    ),
    why: "an alarm on the log tells of every entry otherwise, and stays open for a week",
    source: "https://cloud.google.com/logging/docs/alerting/log-based-alerts",
  };
  return {
    type: "google_monitoring_alert_policy",
    key: { project, display_name: `${prefix}: ${title}` },
    why,
    values: {
      combiner: { is: "OR", why: "each condition alone is reason enough" },
      enabled: { is: true, usual: true, why: "a policy that is off tells nobody" },
      severity: { is: severity, why: "it says how soon somebody must look" },
      notification_channels: {
        is: such(
          `all ${recipients} recipients of alarms`,
          (value) =>
            Array.isArray(value) &&
            new Set(value).size === recipients &&
            recipients > 0 &&
            ids.every((id) => value.includes(id)),
        ),
        ...(recipients === 0 ? { usual: [] } : {}),
        why:
          recipients === 0
            ? 'nobody hears of it: set alarms = { emails = ["ops@example.com"] }'
            : "an alarm without recipients tells nobody",
        size: recipients,
        write: "notification_channels = local.alarm_channels",
      },
      "documentation.0.content": {
        is: such("what to do", (value) => typeof value === "string" && value.length > 40 && value.length <= 8_192),
        why: "whoever is woken must read what to do",
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
      "documentation.0.links.0.url": {
        is: such("an address that begins with https://", (value) => /^https:\/\/\S+$/.test(String(value))),
        why: "whoever is woken needs the page that explains it",
      },
      ...(isLog
        ? { "alert_strategy.0.notification_rate_limit.0.period": period, "alert_strategy.0.auto_close": period }
        : {}),
      ...values,
      ...labelled("user_labels", names),
    },
    free: [
      "user_labels",
      "documentation.0.links",
      ...Array.from({ length: 4 }, (_, at) => `conditions.${at}.display_name`),
    ],
  };
}

interface Threshold {
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

function threshold({
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
      why: "it must watch this metric of these resources in this project, which may see the metrics of others",
      ...(from === undefined ? {} : { from }),
      source: "https://cloud.google.com/monitoring/api/metrics_gcp",
    },
    [`${condition}.comparison`]: { is: comparison, why },
    [`${condition}.threshold_value`]: { is: value, usual: 0, why },
    [`${condition}.duration`]: { is: duration, why: `it follows from the schedules: ${why}` },
    [`${aggregation}.alignment_period`]: { is: alignment, why: "points of the metric come so far apart" },
    [`${aggregation}.per_series_aligner`]: { is: aligner, why: "the metric is of the kind that this aligner takes" },
    ...(reducer === undefined
      ? {}
      : { [`${aggregation}.cross_series_reducer`]: { is: reducer, why: "several series are one number" } }),
    ...(by === undefined ? {} : { [`${aggregation}.group_by_fields`]: { is: by, why: "each is judged by itself" } }),
    ...(missing === undefined
      ? {}
      : {
          [`${condition}.evaluation_missing_data`]: {
            is: missing,
            why: "a monitor that never started has no data at all",
          },
        }),
    [`${condition}.trigger.0.count`]: { is: 1, usual: 1, why: "one series is enough" },
  };
}

function promql(query: string, seconds: number, why: string): Record<string, Requirement> {
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
      why: "it is asked about as often as points come",
    },
    [`${condition}.disable_metric_validation`]: {
      is: true,
      why: "the metric does not exist before the first tick, and the policy would be refused",
      source: "https://github.com/hashicorp/terraform-provider-google/issues/11102",
    },
  };
}

function blind(names: Names): Need[] {
  const { deployment, project, name } = names;
  const alarm = deployment.alarms.no_measurements;
  if (alarm === null) return [];
  const why = `no group of monitor.yaml is quiet for longer than ${alarm.silence}`;
  const values =
    alarm.watched_by === "pubsub"
      ? threshold({
          filter: {
            "resource.type": ["pubsub_topic"],
            "resource.labels.project_id": [project],
            "resource.labels.topic_id": [name("measurements")],
            "metric.type": ["pubsub.googleapis.com/topic/send_message_operation_count"],
          },
          comparison: "COMPARISON_LT",
          value: 1,
          duration: `${alarm.duration_seconds}s`,
          alignment: `${alarm.alignment_seconds}s`,
          aligner: "ALIGN_DELTA",
          reducer: "REDUCE_SUM",
          missing: "EVALUATION_MISSING_DATA_ACTIVE",
          why,
        })
      : promql(
          `min(custom_googleapis_com:pathkeeper_report_age{project_id="${project}",node_id="${deployment.environment}"}) > ${alarm.age_seconds}`,
          60,
          why,
        );
  return [
    policy(
      {
        title: "no measurements",
        why: "so that somebody hears when nothing is measured",
        severity: "CRITICAL",
        values,
      },
      names,
    ),
  ];
}

function backlog(names: Names): Need {
  const { deployment, project, name } = names;
  const values = deployment.alarms.waiting.map(({ age_seconds, subscriptions }, at) =>
    threshold({
      at,
      filter: {
        "resource.type": ["pubsub_subscription"],
        "resource.labels.project_id": [project],
        "resource.labels.subscription_id": subscriptions.map(name),
        "metric.type": ["pubsub.googleapis.com/subscription/oldest_unacked_message_age"],
      },
      comparison: "COMPARISON_GT",
      value: age_seconds,
      duration: "300s",
      alignment: "60s",
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_MAX",
      by: ["resource.label.subscription_id"],
      why: `a message waits for at most ${age_seconds} s between two attempts`,
    }),
  );
  return policy(
    {
      title: "messages wait",
      why: "so that somebody hears when a function does not keep up",
      severity: "ERROR",
      values: Object.assign({}, ...values),
    },
    names,
  );
}

function deadLetters(names: Names): Need {
  const { project, name } = names;
  const values = threshold({
    filter: {
      "resource.type": ["pubsub_subscription"],
      "resource.labels.project_id": [project],
      "resource.labels.subscription_id": [name("dead-letters-kept")],
      "metric.type": ["pubsub.googleapis.com/subscription/num_undelivered_messages"],
    },
    comparison: "COMPARISON_GT",
    value: 0,
    duration: "0s",
    alignment: "60s",
    aligner: "ALIGN_MAX",
    why: "one dead letter is one too many",
  });
  return policy(
    { title: "dead letters", why: "so that somebody hears of messages that were given up", severity: "ERROR", values },
    names,
  );
}

/** Log entries by which a filter shows that it finds what it must, and nothing else. */
function entries(
  of: Readonly<Record<string, string>>,
  cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[],
): Test {
  return such(
    "a filter that finds the errors of this monitor, and neither refused requests nor others' entries",
    (value) => cases.every(([more, isFound]) => matches(value, { ...of, ...more }) === isFound),
  );
}

function errors(names: Names): Need {
  const { project, name, functions } = names;
  const log = (id: string) => ({
    logName: `projects/${project}/logs/${encodeURIComponent(`run.googleapis.com/${id}`)}`,
  });
  const cases = [
    ...functions.flatMap((each) => {
      const service = { "resource.labels.service_name": name(each) };
      return [
        [{ ...service, severity: "ERROR", ...log("stdout") }, true],
        [{ ...service, severity: "CRITICAL", ...log("stderr") }, true],
        [{ ...service, severity: "ERROR", ...log("varlog/system") }, true],
        [{ ...service, severity: "ERROR", ...log("requests") }, false],
        [{ ...service, severity: "WARNING", ...log("stdout") }, false],
        [{ ...service, severity: "INFO", ...log("stderr") }, false],
        [{ ...service, severity: "ERROR", ...log("stdout"), "resource.type": "cloud_function" }, false],
      ] as const;
    }),
    [{ "resource.labels.service_name": "another-service", severity: "ERROR", ...log("stdout") }, false],
    [{ "resource.labels.service_name": `${name("prod")}-evaluate`, severity: "ERROR", ...log("stdout") }, false],
  ] as const;
  const filter: Requirement = {
    is: entries({ "resource.type": "cloud_run_revision" }, cases),
    why: "requests that are answered 503 to be sent again have severity ERROR as well",
    source: "https://cloud.google.com/run/docs/logging",
  };
  return policy(
    {
      title: "a function fails",
      why: "so that somebody hears of errors of the functions",
      severity: "ERROR",
      isLog: true,
      values: { "conditions.0.condition_matched_log.0.filter": filter },
    },
    names,
  );
}

function schedules(names: Names): Need {
  const { deployment, name } = names;
  const jobs = deployment.schedules.map(({ name: each }) => name(each));
  const job = (id: string) => ({ "resource.labels.job_id": id });
  const cases = [
    ...jobs.flatMap(
      (id) =>
        [
          [{ ...job(id), severity: "ERROR", "jsonPayload.status": "NOT_FOUND" }, true],
          [{ ...job(id), severity: "ERROR", "jsonPayload.status": "PERMISSION_DENIED" }, true],
          [{ ...job(id), severity: "ERROR" }, true],
          [{ ...job(id), severity: "ERROR", "jsonPayload.status": "UNAVAILABLE" }, false],
          [{ ...job(id), severity: "INFO" }, false],
          [{ ...job(id), severity: "ERROR", "resource.type": "cloud_run_job" }, false],
        ] as const,
    ),
    ...[`${name("prod")}-tick`, `${name("outside")}-tick`, `my-${name("tick")}`, "ticketing"].map(
      (id) => [{ ...job(id), severity: "ERROR" }, false] as const,
    ),
  ] as const;
  const filter: Requirement = {
    is: entries({ "resource.type": "cloud_scheduler_job" }, cases),
    why: "Cloud Scheduler writes of failed attempts in the log alone, and repeats those that pass by themselves",
    source: "https://cloud.google.com/scheduler/docs/viewing-logs",
  };
  return policy(
    {
      title: "a schedule fails",
      why: "so that somebody hears when Cloud Scheduler cannot publish",
      severity: "ERROR",
      isLog: true,
      values: { "conditions.0.condition_matched_log.0.filter": filter },
    },
    names,
  );
}

function silent(names: Names): Need[] {
  const { deployment, project } = names;
  if (deployment.exports === null) return [];
  const { alignment_seconds, duration_seconds } = deployment.alarms.evaluator_silent;
  const values = promql(
    `absent_over_time(custom_googleapis_com:pathkeeper_reports{project_id="${project}",node_id="${deployment.environment}"}[${alignment_seconds}s])`,
    duration_seconds,
    "the evaluator exports with every tick",
  );
  return [
    policy(
      {
        title: "the evaluator is silent",
        why: "so that somebody hears when nobody evaluates",
        severity: "CRITICAL",
        values,
      },
      names,
    ),
  ];
}

const periods = oneOf("60s", "300s", "600s", "900s");
const periodSource = "https://cloud.google.com/monitoring/uptime-checks";

function edge(names: Names): Need[] {
  const { inputs, project, prefix } = names;
  const { uptime_url, uptime_period } = inputs.second_opinion;
  if (uptime_url === null) return [];
  const url = new URL(uptime_url);
  const title = `${prefix}: ${uptime_url}`;
  const check = {
    type: "google_monitoring_uptime_check_config",
    key: { project, display_name: title },
    attribute: "uptime_check_id",
  };
  const seconds = Math.max(300, Number.parseInt(uptime_period, 10));
  const filter = {
    "resource.type": ["uptime_url"],
    "metric.type": ["monitoring.googleapis.com/uptime_check/check_passed"],
  };
  return [
    {
      type: check.type,
      key: check.key,
      why: "as Google's own check of the edge",
      values: {
        period: {
          is: such(
            `${uptime_period}, one of 60s, 300s, 600s and 900s`,
            (value) => value === uptime_period && periods.holds(value),
          ),
          why: "second_opinion.uptime_period says so",
          source: periodSource,
        },
        timeout: {
          is: such("from 1s to 30s", (value) => /^\d+s$/.test(String(value)) && between(1, 30, "s").holds(value)),
          why: "an answer that takes longer is an outage",
          source: periodSource,
        },
        "http_check.0.path": { is: `${uptime_path(uptime_url)}`, usual: "/", why: "second_opinion.uptime_url says so" },
        "http_check.0.port": { is: url.port === "" ? 443 : Number(url.port), why: "second_opinion.uptime_url says so" },
        "http_check.0.use_ssl": { is: true, why: "the address begins with https://" },
        "http_check.0.validate_ssl": { is: true, why: "an expired certificate is an outage" },
        "monitored_resource.0.type": { is: "uptime_url", why: "an address is checked" },
        "monitored_resource.0.labels": {
          is: { project_id: project, host: url.hostname },
          why: "second_opinion.uptime_url says so",
        },
        ...labelled("user_labels", names),
      },
      free: ["user_labels"],
    },
    policy(
      {
        title: "Google cannot reach it either",
        why: "so that somebody hears when Google's own check fails",
        severity: "WARNING",
        values: checkPassed(
          filter,
          check,
          1,
          `${seconds}s`,
          "resource.label.host",
          "one region may fail by itself, and one check as well",
          names,
        ),
      },
      names,
    ),
  ];
}

function uptime_path(url: string): string {
  return /^https:\/\/[^/]+(\/.*)?$/.exec(url)?.[1] ?? "/";
}

function journey(names: Names): Need[] {
  const { inputs, project, region, prefix, name } = names;
  const { journey: probe, journey_period } = inputs.second_opinion;
  if (probe === null) return [];
  const title = `${prefix}: ${probe}`;
  const check = {
    type: "google_monitoring_uptime_check_config",
    key: { project, display_name: title },
    attribute: "uptime_check_id",
  };
  const filter = {
    "resource.type": ["cloud_run_revision"],
    "metric.type": ["monitoring.googleapis.com/uptime_check/check_passed"],
  };
  return [
    {
      type: check.type,
      key: check.key,
      why: `so that Google runs ${probe}`,
      values: {
        period: {
          is: such(
            `${journey_period}, one of 60s, 300s, 600s and 900s`,
            (value) => value === journey_period && periods.holds(value),
          ),
          why: "second_opinion.journey_period says so",
          source: periodSource,
        },
        timeout: {
          is: "60s",
          why: "Cloud Monitoring waits no longer, and the function runs for so long",
          source: periodSource,
        },
        "synthetic_monitor.0.cloud_function_v2.0.name": {
          is: `projects/${project}/locations/${region}/functions/${name("synthetic")}`,
          why: "it runs the function of the synthetic monitor",
          from: { type: "google_cloudfunctions2_function", key: { project, name: name("synthetic") } },
        },
        ...labelled("user_labels", names),
      },
      free: ["user_labels"],
    },
    policy(
      {
        title: `${probe} fails for Google as well`,
        why: "so that somebody hears when the synthetic monitor fails",
        severity: "WARNING",
        values: checkPassed(
          filter,
          check,
          0,
          "0s",
          "resource.label.service_name",
          "one failed run of a journey is reason enough",
          names,
        ),
      },
      names,
    ),
  ];
}

function checkPassed(
  filter: Readonly<Record<string, readonly string[]>>,
  check: NonNullable<Requirement["from"]>,
  value: number,
  duration: string,
  by: string,
  why: string,
  names: Names,
): Record<string, Requirement> {
  const id = names.given(check.type, check.key, "uptime_check_id");
  const made = threshold({
    filter,
    comparison: "COMPARISON_GT",
    value,
    duration,
    alignment: "1200s",
    aligner: "ALIGN_NEXT_OLDER",
    reducer: "REDUCE_COUNT_FALSE",
    by: [by],
    why,
  });
  const path = "conditions.0.condition_threshold.0.filter";
  const watched = such(`the metric check_passed of the check ${check.key["display_name"]}`, (text) => {
    const read = readFilter(text);
    return (
      read?.size === 3 &&
      Object.entries(filter).every(([key, values]) => read.get(key)?.join() === values.join()) &&
      (id === undefined || read.get("metric.labels.check_id")?.join() === id)
    );
  });
  return {
    ...made,
    [path]: { ...made[path], is: watched, why: "it watches this check alone", from: check } as Requirement,
  };
}
