/** Examines the activity of a live deployment: waiting messages, rejected pushes, errors in the log, and the last report of each group. */
import { readPartition, storedPartition } from "../../functions/evaluate/partition/document.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { longestGap } from "../../shared/config/schedule.ts";
import type { Names } from "../../shared/deployment/names.ts";
import { type Examination, type Gap, listAt, noAnswer, textAt } from "../../shared/doctor/examination.ts";
import { at } from "../../shared/runtime/entries.ts";
import { spokenDuration } from "../../shared/text/units.ts";

/** Questions about what happens. @param now milliseconds since the epoch */
export function activityExaminations(names: Names, configuration: Configuration, now: number): Examination[] {
  return [waiting(names, now), pushErrors(names, now), logErrors(names, now), ...groups(names, configuration, now)];
}

/** A question to Cloud Monitoring about the last hour. */
function series(project: string, filter: string, aggregation: string, now: number): Examination["request"] {
  const start = new Date(now - 3_600_000).toISOString();
  const end = new Date(now).toISOString();
  const parameters = new URLSearchParams({
    filter,
    "interval.startTime": start,
    "interval.endTime": end,
    view: "FULL",
  });
  return { url: `https://monitoring.googleapis.com/v3/projects/${project}/timeSeries?${parameters}${aggregation}` };
}

function newest(each: unknown): number {
  const value = at(listAt(each, "points")[0], "value");
  return Number(textAt(value, "int64Value") || textAt(value, "doubleValue") || "0");
}

/** Messages that wait. */
function waiting({ deployment, project, name }: Names, now: number): Examination {
  const filter =
    'metric.type = "pubsub.googleapis.com/subscription/oldest_unacked_message_age" AND resource.type = "pubsub_subscription"';
  const most = new Map(
    deployment.alarms.waiting.flatMap(({ age_seconds, subscriptions }) =>
      subscriptions.map((one) => [name(one), age_seconds] as const),
    ),
  );
  return {
    what: "backlog",
    request: series(project, filter, "&aggregation.alignmentPeriod=60s&aggregation.perSeriesAligner=ALIGN_MAX", now),
    missing: noAnswer,
    gaps: (answer) =>
      listAt(answer, "timeSeries").flatMap((each): Gap[] => {
        const id = textAt(each, "resource.labels.subscription_id");
        const age = newest(each);
        return age <= (most.get(id) ?? Number.POSITIVE_INFINITY)
          ? []
          : [
              {
                what: `subscription ${id}`,
                says: `has a message that has waited for ${spokenDuration(age * 1000)}`,
                fix: `gcloud pubsub subscriptions describe ${id} --project=${project}`,
              },
            ];
      }),
  };
}

/** Answers to pushes in the last hour that are errors. */
function pushErrors({ deployment, project, region, name }: Names, now: number): Examination {
  const filter =
    'metric.type = "pubsub.googleapis.com/subscription/push_request_count" AND resource.type = "pubsub_subscription" AND metric.labels.response_class != "ack"';
  const own = new Map(deployment.subscriptions.map((each) => [name(each.name), each.function]));
  const aggregation =
    "&aggregation.alignmentPeriod=3600s&aggregation.perSeriesAligner=ALIGN_DELTA&aggregation.crossSeriesReducer=REDUCE_SUM&aggregation.groupByFields=resource.label.subscription_id&aggregation.groupByFields=metric.label.response_code";
  return {
    what: "pushes",
    request: series(project, filter, aggregation, now),
    missing: noAnswer,
    gaps: (answer) =>
      listAt(answer, "timeSeries").flatMap((each): Gap[] => {
        const id = textAt(each, "resource.labels.subscription_id");
        const target = own.get(id);
        const code = textAt(each, "metric.labels.response_code");
        const count = newest(each);
        // 503 asks for the message once more.
        if (target === undefined || count === 0 || code === "503" || code === "unavailable") return [];
        const fix = ["401", "403", "permission_denied", "unauthenticated"].includes(code)
          ? `gcloud run services add-iam-policy-binding ${name(target)} --region=${region} --project=${project} --member=serviceAccount:${name("push")}@${project}.iam.gserviceaccount.com --role=roles/run.invoker`
          : `gcloud functions logs read ${name(target)} --gen2 --region=${region} --project=${project}`;
        return [
          {
            what: `subscription ${id}`,
            says: `received ${code || "an error"} ${count} times in the last hour`,
            fix,
          },
        ];
      }),
  };
}

function logErrors({ project, region, name, functions }: Names, now: number): Examination {
  const own = functions.map((each) => `"${name(each)}"`).join(" OR ");
  const since = new Date(now - 86_400_000).toISOString();
  const filter = `resource.type = "cloud_run_revision" AND resource.labels.service_name = (${own}) AND severity >= ERROR AND NOT log_id("run.googleapis.com/requests") AND timestamp >= "${since}"`;
  return {
    what: "logs",
    request: {
      method: "POST",
      url: "https://logging.googleapis.com/v2/entries:list",
      body: { resourceNames: [`projects/${project}`], filter, orderBy: "timestamp desc", pageSize: 100 },
    },
    missing: { says: "could not be read", fix: "gcloud services enable logging.googleapis.com" },
    gaps: (answer) =>
      [...Map.groupBy(listAt(answer, "entries"), (each) => textAt(each, "resource.labels.service_name"))].map(
        ([service, [last]]) => ({
          what: `function ${service}`,
          says: `logged an error at ${textAt(last, "timestamp")}: ${(textAt(last, "jsonPayload.message") || textAt(last, "textPayload")).split("\n")[0]?.slice(0, 200)}`,
          fix: `gcloud functions logs read ${service} --gen2 --region=${region} --project=${project}`,
        }),
      ),
  };
}

/** Allowed delay of a group's report after its schedule, in milliseconds. */
const patience = 300_000;

function groups(
  { project, database: name, region, name: called }: Names,
  { probes }: Configuration,
  now: number,
): Examination[] {
  return [...Map.groupBy(probes, ({ group }) => group)].map(([group, own]) => {
    const what = `group ${group}`;
    const fix = `gcloud scheduler jobs run ${called(group)} --location=${region} --project=${project}`;
    return {
      what,
      request: {
        url: `https://firestore.googleapis.com/v1/projects/${project}/databases/${name}/documents/state/${encodeURIComponent(group)}`,
      },
      missing: { says: "has never reported", fix },
      gaps: (answer) => {
        const lastReportAt = readPartition(
          storedPartition({
            data: textAt(answer, "fields.data.stringValue") || null,
            changes: listAt(answer, "fields.changes.arrayValue.values").map((each) => textAt(each, "stringValue")),
          }),
        ).heard?.at;
        const most = Math.max(0, ...own.map(({ schedule }) => longestGap(schedule))) + patience;
        if (lastReportAt === undefined) return [{ what, says: "has never reported", fix }];
        return now - lastReportAt <= most
          ? []
          : [
              {
                what,
                says: `last reported at ${new Date(lastReportAt).toISOString()}, expected every ${spokenDuration(most - patience)}`,
                fix,
              },
            ];
      },
    };
  });
}
