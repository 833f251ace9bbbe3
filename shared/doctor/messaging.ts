/** Examines the subscriptions and jobs of a live deployment. */
import type { DeployedSubscription, Schedule } from "../deployment/deployment.ts";
import type { Names } from "../deployment/names.ts";
import { at } from "../runtime/entries.ts";
import { type Examination, type Gap, textAt } from "./examination.ts";
import { urlOf } from "./permissions.ts";

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
    request: { url: urlOf("pubsub", `v1/projects/${project}/subscriptions/${called}`) },
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
          at(answer, "expirationPolicy.ttl") === undefined && at(answer, "expirationPolicy") !== undefined,
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
    request: { url: urlOf("cloudscheduler", `v1/projects/${project}/locations/${region}/jobs/${called}`) },
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
