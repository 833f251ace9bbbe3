/** Requirements of messaging: jobs, topics, subscriptions, and dead letters. */
import type { DeployedSubscription } from "../../../shared/deployment/deployment.ts";
import { labelled } from "../../../shared/deployment/labels.ts";
import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, type Reference, such } from "../../../shared/deployment/need.ts";

/** Returns the needs of messages. */
export function messagingNeeds(names: Names): Need[] {
  return [
    ...topics(names),
    ...jobs(names),
    ...names.deployment.subscriptions.map((each) => push(each, names)),
    kept(names),
  ];
}

function topics(names: Names): Need[] {
  const { deployment, inputs, project, region, name } = names;
  return deployment.topics.map((topic) => ({
    type: "google_pubsub_topic",
    key: { project, name: name(topic) },
    why: `to carry ${topic}`,
    values: {
      "message_storage_policy.0.allowed_persistence_regions": {
        is: [region],
        why: "no message leaves the region of the functions",
      },
      ...(inputs.organization.kms_key_name === null
        ? {}
        : {
            kms_key_name: {
              is: inputs.organization.kms_key_name,
              why: "the organization encrypts with its own key",
            },
          }),
      ...labelled("labels", names),
    },
    free: ["labels"],
  }));
}

function jobs(names: Names): Need[] {
  const { deployment, project, region, name, topicId } = names;
  return deployment.schedules.map((schedule) => ({
    type: "google_cloud_scheduler_job",
    key: { project, name: name(schedule.name) },
    why:
      schedule.name === "tick"
        ? "to send the evaluator its ticks"
        : `so that the probes of the group ${schedule.name} run`,
    values: {
      region: { is: region, why: "the job publishes from the region of the functions" },
      schedule: { is: schedule.cron, why: "monitor.yaml sets this schedule" },
      time_zone: {
        is: "Etc/UTC",
        usual: "Etc/UTC",
        why: "in local time it would run twice, or not at all, when clocks change",
      },
      "pubsub_target.0.topic_name": {
        is: topicId(schedule.topic),
        why: `the message belongs to the topic ${schedule.topic}`,
        from: topicReference(names, schedule.topic),
      },
      "pubsub_target.0.data": {
        is: such(`the message ${JSON.stringify(schedule.message.data)} in Base64`, (value) =>
          isMessage(value, schedule.message.data),
        ),
        why: "the function refuses any other message, or runs other probes",
      },
      ...(schedule.message.attributes === undefined
        ? {}
        : {
            "pubsub_target.0.attributes": {
              is: schedule.message.attributes,
              why: "the filters of the subscriptions match these attributes",
            },
          }),
      "retry_config.0.retry_count": {
        is: such("from 1 to 5", (value) => Number(value) >= 1 && Number(value) <= 5),
        why: "a failed attempt would be a gap in the measurements",
        source: "https://cloud.google.com/scheduler/docs/configuring/retry-jobs",
      },
      "retry_config.0.min_backoff_duration": {
        is: such("from 1s to 5s", (value) => seconds(value) >= 1 && seconds(value) <= 5),
        why: "the first retry must come soon",
      },
      "retry_config.0.max_backoff_duration": {
        is: such("from 5s to 15s", (value) => seconds(value) >= 5 && seconds(value) <= 15),
        why: "the backoff grows, and retries must end before the next run",
      },
    },
  }));
}

function push(each: DeployedSubscription, names: Names): Need {
  const { project, name, topicId, email } = names;
  const target: Reference = {
    type: "google_cloudfunctions2_function",
    key: { project, name: name(each.function) },
    by: "function",
    attribute: "service_config.0.uri",
  };
  const buries = each.topic !== "dead-letters";
  return {
    type: "google_pubsub_subscription",
    key: { project, name: name(each.name) },
    why: `so that ${each.function} gets its messages at ${each.path}`,
    values: {
      topic: {
        is: topicId(each.topic),
        why: `its messages are those of ${each.topic}`,
        from: topicReference(names, each.topic),
      },
      ...(each.filter === undefined
        ? {}
        : {
            filter: {
              is: each.filter,
              why: "otherwise it delivers messages for other subscriptions, or misses its own",
            },
          }),
      ack_deadline_seconds: { is: each.ackDeadlineSeconds, why: "Pub/Sub must wait this long for a response" },
      "push_config.0.push_endpoint": {
        is: `https://${name(each.function)}-….run.app${each.path}`,
        why: `the function ${each.function} handles these messages under ${each.path}`,
        from: { ...target, suffix: each.path, parts: ["path"] },
        write: `push_endpoint = "\${google_cloudfunctions2_function.main["${each.function}"].service_config[0].uri}${each.path}"`,
      },
      "push_config.0.oidc_token.0.service_account_email": {
        is: email("push"),
        why: "only this account may call the functions",
        from: { type: "google_service_account", key: { project, account_id: name("push") }, attribute: "email" },
      },
      "push_config.0.oidc_token.0.audience": {
        is: `https://${name(each.function)}-….run.app`,
        why: "Cloud Run accepts tokens for its bare address only",
        from: { ...target, parts: [] },
        source: "https://cloud.google.com/run/docs/configuring/custom-audiences",
        write: `audience = google_cloudfunctions2_function.main["${each.function}"].service_config[0].uri`,
      },
      "retry_policy.0.minimum_backoff": {
        is: `${each.minimumBackoffSeconds}s`,
        why: "without backoff, a failing message is redelivered immediately",
      },
      "retry_policy.0.maximum_backoff": {
        is: `${each.maximumBackoffSeconds}s`,
        why: "a longer backoff delays every message of the subscription",
      },
      ...(buries
        ? {
            "dead_letter_policy.0.dead_letter_topic": {
              is: topicId("dead-letters"),
              why: "a message that cannot be processed would be redelivered forever",
              from: topicReference(names, "dead-letters"),
            },
            "dead_letter_policy.0.max_delivery_attempts": {
              is: each.maxDeliveryAttempts,
              why: "this many attempts fit into the time for which a message matters",
            },
          }
        : {}),
      "expiration_policy.0.ttl": {
        is: "",
        why: "Pub/Sub deletes a subscription without messages after 31 days",
        source: "https://cloud.google.com/pubsub/docs/subscription-properties",
      },
      ...labelled("labels", names),
    },
    free: ["labels"],
  };
}

function kept(names: Names): Need {
  const { project, name, topicId } = names;
  return {
    type: "google_pubsub_subscription",
    key: { project, name: name("dead-letters-kept") },
    why: "to keep dead letters: a topic without a subscription drops them",
    values: {
      topic: { is: topicId("dead-letters"), why: "it keeps dead letters", from: topicReference(names, "dead-letters") },
      message_retention_duration: {
        is: such("from 1209600s to 2678400s", (value) => seconds(value) >= 1_209_600 && seconds(value) <= 2_678_400),
        why: "dead letters must be kept until somebody reads them, and the alarm's text promises two weeks",
        source: "https://cloud.google.com/pubsub/docs/subscription-message-retention",
      },
      ack_deadline_seconds: {
        is: such("from 10 to 600", (value) => Number(value) >= 10 && Number(value) <= 600),
        usual: 10,
        why: "Pub/Sub allows no other value",
        source: "https://cloud.google.com/pubsub/docs/lease-management",
      },
      "expiration_policy.0.ttl": {
        is: "",
        why: "Pub/Sub deletes a subscription without reads after 31 days",
        source: "https://cloud.google.com/pubsub/docs/subscription-properties",
      },
      ...labelled("labels", names),
    },
    free: ["labels"],
  };
}

function topicReference({ project, name }: Names, topic: string): Reference {
  return { type: "google_pubsub_topic", key: { project, name: name(topic) }, by: "topic" };
}

function seconds(value: unknown): number {
  return /^[\d.]+s$/.test(String(value)) ? Number.parseFloat(String(value)) : Number.NaN;
}

function isMessage(value: unknown, data: unknown): boolean {
  try {
    const bytes = Buffer.from(String(value), "base64");
    const sent: unknown = JSON.parse(bytes.toString());
    return bytes.toString("base64") === value && JSON.stringify(sorted(sent)) === JSON.stringify(sorted(data));
  } catch {
    return false;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
