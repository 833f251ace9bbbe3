/** Messaging of a live deployment: subscriptions with their backlog and push responses, and jobs. */
import { spokenDuration } from "../../shared/text/units.ts";
import type { DeployedSubscription, Schedule } from "../deployment/deployment.ts";
import type { Names } from "../rehearse/names.ts";
import { type Examination, type Gap, listAt, part, textAt } from "./examination.ts";

const apply = "terraform apply";

/** A subscription: what it receives, whom it pushes to, and what becomes of its messages. */
export function subscription(
  { name: own, topic, path, filter, function: target, maxDeliveryAttempts }: DeployedSubscription,
  { project, region, name, topicId, email }: Names,
): Examination {
  const called = name(own);
  const what = `subscription ${called}`;
  const update = `gcloud pubsub subscriptions update ${called} --project=${project}`;
  const gap = (isRight: boolean, says: string, fix: string): Gap[] => (isRight ? [] : [{ what, says, fix }]);
  return {
    what,
    request: { url: `https://pubsub.googleapis.com/v1/projects/${project}/subscriptions/${called}` },
    missing: { says: "does not exist", fix: apply },
    gaps: (answer) => {
      const endpoint = textAt(answer, "pushConfig.pushEndpoint");
      const base = endpoint.replace(/^(https:\/\/[^/]+).*$/, "$1");
      const isOwn = base.startsWith(`https://${name(target)}-`) && endpoint === `${base}${path}`;
      const letters = textAt(answer, "deadLetterPolicy.deadLetterTopic");
      return [
        ...gap(
          textAt(answer, "topic") === topicId(topic),
          `receives from ${textAt(answer, "topic") || "no topic"}, and must from ${topicId(topic)}`,
          `gcloud pubsub subscriptions delete ${called} --project=${project} && ${apply}`,
        ),
        ...gap(
          (textAt(answer, "filter") || undefined) === filter,
          `has the filter ${textAt(answer, "filter") || "none"}, and needs ${filter ?? "none"}`,
          `gcloud pubsub subscriptions delete ${called} --project=${project} && ${apply}`,
        ),
        ...gap(
          isOwn,
          `pushes to ${endpoint || "nothing"}, and must to ${path} of ${name(target)}`,
          `${update} --push-endpoint="$(gcloud functions describe ${name(target)} --gen2 --region=${region} --project=${project} --format='value(serviceConfig.uri)')${path}"`,
        ),
        ...gap(
          textAt(answer, "pushConfig.oidcToken.serviceAccountEmail") === email("push"),
          "pushes without the identity that may call the function",
          `${update} --push-auth-service-account=${email("push")}`,
        ),
        ...gap(
          textAt(answer, "pushConfig.oidcToken.audience") === base,
          "has another audience than the address of the function",
          `${update} --push-auth-token-audience=${base}`,
        ),
        ...gap(
          part(answer, "expirationPolicy.ttl") === undefined && part(answer, "expirationPolicy") !== undefined,
          "is deleted when it is idle for a month",
          `${update} --expiration-period=never`,
        ),
        ...gap(
          topic === "dead-letters" || letters === topicId("dead-letters"),
          "has no dead letters",
          `${update} --dead-letter-topic=${topicId("dead-letters")} --max-delivery-attempts=${maxDeliveryAttempts}`,
        ),
        ...gap(
          ["ACTIVE", ""].includes(textAt(answer, "state")),
          `is ${textAt(answer, "state")}`,
          `gcloud pubsub subscriptions describe ${called} --project=${project}`,
        ),
      ];
    },
  };
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

/** Message for a project that Cloud Monitoring does not have. */
export const noAnswer = {
  says: "was not answered by Cloud Monitoring",
  fix: "gcloud services enable monitoring.googleapis.com",
};

function newest(each: unknown): number {
  const value = part(listAt(each, "points")[0], "value");
  return Number(textAt(value, "int64Value") || textAt(value, "doubleValue") || "0");
}

/** Messages that wait. */
export function waiting({ deployment, project, name }: Names, now: number): Examination {
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
export function pushErrors({ deployment, project, region, name }: Names, now: number): Examination {
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
            says: `was answered ${code || "with an error"} ${count} times in the last hour`,
            fix,
          },
        ];
      }),
  };
}

/** A job: its schedule, and its last attempt. */
export function job(
  { name: own, cron, topic }: Schedule,
  { inputs, project, region, name, topicId }: Names,
): Examination {
  const called = name(own);
  const what = `job ${called}`;
  const at = `--location=${region} --project=${project}`;
  const gap = (isRight: boolean, says: string, fix: string): Gap[] => (isRight ? [] : [{ what, says, fix }]);
  return {
    what,
    request: { url: `https://cloudscheduler.googleapis.com/v1/projects/${project}/locations/${region}/jobs/${called}` },
    missing: { says: "does not exist", fix: apply },
    gaps: (answer) => {
      const code = Number(textAt(answer, "status.code") || "0");
      return [
        ...gap(
          textAt(answer, "state") === "ENABLED",
          `is ${textAt(answer, "state") || "in no state"}`,
          `gcloud scheduler jobs resume ${called} ${at}`,
        ),
        ...gap(
          textAt(answer, "schedule") === cron,
          `runs ${textAt(answer, "schedule")}, and must run ${cron}`,
          `gcloud scheduler jobs update pubsub ${called} ${at} --schedule='${cron}'`,
        ),
        ...gap(
          textAt(answer, "timeZone") === "Etc/UTC",
          `runs in the time of ${textAt(answer, "timeZone")}`,
          `gcloud scheduler jobs update pubsub ${called} ${at} --time-zone=Etc/UTC`,
        ),
        ...gap(
          textAt(answer, "pubsubTarget.topicName") === topicId(topic),
          `publishes to ${textAt(answer, "pubsubTarget.topicName") || "nothing"}`,
          `gcloud scheduler jobs update pubsub ${called} ${at} --topic=${topicId(topic)}`,
        ),
        ...gap(
          code === 0,
          `failed with its last attempt, at ${textAt(answer, "lastAttemptTime")}: code ${code} ${textAt(answer, "status.message")}`.trimEnd(),
          code === 7
            ? `gcloud projects add-iam-policy-binding ${project} --member=serviceAccount:service-${inputs.project_number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com --role=roles/cloudscheduler.serviceAgent`
            : `gcloud scheduler jobs run ${called} ${at}`,
        ),
        ...gap(textAt(answer, "lastAttemptTime") !== "", "has never run", `gcloud scheduler jobs run ${called} ${at}`),
      ];
    },
  };
}
