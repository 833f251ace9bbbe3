/** The alarms that Google evaluates: their conditions, durations and recipients. */

import { labelled } from "../../../shared/deployment/labels.ts";
import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, type Requirement, such, type Test } from "../../../shared/deployment/need.ts";
import { policy, promql, threshold } from "./policy.ts";
import { matches } from "./projects.ts";
import { edge, journey } from "./second-opinion.ts";

/** Returns the needs of alarms, of Google's own checks, and of the recipients. */
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
    why: `to notify ${email} when the monitor fails`,
    values: {
      labels: { is: { email_address: email }, why: "alarms are sent to this address" },
      ...labelled("user_labels", names),
    },
    free: ["user_labels"],
  }));
}

function blind(names: Names): Need[] {
  const { deployment, project, name } = names;
  const alarm = deployment.alarms.no_measurements;
  if (alarm === null) return [];
  const why = `no group in monitor.yaml pauses for longer than ${alarm.silence}`;
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
        why: "to notify people when nothing is measured",
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
      why: "to notify people when a function does not keep up",
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
    why: "every dead letter needs attention",
  });
  return policy(
    { title: "dead letters", why: "to notify people of abandoned messages", severity: "ERROR", values },
    names,
  );
}

/** Log entries that test a filter, each with whether the filter must match it. */
function entries(
  of: Readonly<Record<string, string>>,
  cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[],
): Test {
  return such(
    "a filter that matches the errors of this monitor, but neither refused requests nor entries of other services",
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
    why: "requests with a 503 response, which are delivered again, have severity ERROR as well",
    source: "https://cloud.google.com/run/docs/logging",
  };
  return policy(
    {
      title: "a function fails",
      why: "to notify people of errors in the functions",
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
    why: "Cloud Scheduler reports failed attempts only in the log, and retries temporary failures",
    source: "https://cloud.google.com/scheduler/docs/viewing-logs",
  };
  return policy(
    {
      title: "a schedule fails",
      why: "to notify people when Cloud Scheduler cannot publish",
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
        why: "to notify people when no evaluator runs",
        severity: "CRITICAL",
        values,
      },
      names,
    ),
  ];
}
