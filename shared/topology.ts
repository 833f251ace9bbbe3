/**
 * Topics and push subscriptions: who hears what, by when, and what happens to what cannot be delivered. One machine and the cloud are
 * both built from this table.
 */
import type { Vantage } from "./messages/report.ts";

/** Names of the topics. */
export const topics = {
  probeRequests: "probe-requests",
  measurements: "measurements",
  ticks: "ticks",
  notifications: "notifications",
  /** Pending deliveries of a channel. */
  retries: "retries",
  deadLetters: "dead-letters",
  /** Jobs that report to us. */
  heartbeats: "heartbeats",
  /** Changes in the environment, as reported by pipelines and people. */
  changes: "changes",
  /** Status pages are due. */
  pages: "pages",
} as const;

/** Name of a topic. */
export type Topic = (typeof topics)[keyof typeof topics];

/** Which function publishes to which topics; all may bury what they cannot read. */
export const publications: Readonly<Record<"probe" | "evaluate" | "notify", readonly Topic[]>> = {
  // To its own topic go the shards of a large group.
  probe: [topics.measurements, topics.probeRequests, topics.deadLetters],
  evaluate: [topics.notifications, topics.pages, topics.probeRequests, topics.deadLetters],
  // Failures of the notifier are measurements of the monitor itself.
  notify: [topics.measurements, topics.retries, topics.deadLetters],
};

/** A push subscription. */
export interface PushSubscription {
  readonly name: string;
  readonly topic: Topic;
  /** Path of the request, so that one endpoint can tell its subscriptions apart. */
  readonly path: string;
  /** Pub/Sub filter on attributes. */
  readonly filter?: string;
  /** Acknowledgement deadline in seconds, after which the message is redelivered; Pub/Sub allows 10 to 600. */
  readonly ackDeadlineSeconds: number;
  readonly minimumBackoffSeconds: number;
  readonly maximumBackoffSeconds: number;
  /** After so many attempts the message goes to the dead-letter topic; Pub/Sub allows 5 to 100. */
  readonly maxDeliveryAttempts: number;
}

/** A push subscription of one of the functions. */
export interface Subscription extends PushSubscription {
  /** The function that it pushes to. */
  readonly target: "probe" | "evaluate" | "notify";
  /** The vantage point of the probe function that it pushes to; absent where the target has none. */
  readonly vantage?: Vantage;
}

/** Paths of the probe function: which requests a subscription brings. */
export const probePaths: { readonly scheduled: string; readonly asked: string; rounds(group: string): string } = {
  scheduled: "/scheduled",
  asked: "/asked",
  rounds: (group) => `/rounds/${group}`,
};

/** Attribute of the requests that are answered late, after rounds of a whole minute or a hold: their group, by which they go their own way. */
export const roundsAttribute = "rounds";

const probing = {
  topic: topics.probeRequests,
  target: "probe",
  ackDeadlineSeconds: 120,
  minimumBackoffSeconds: 1,
  maximumBackoffSeconds: 10,
  // A quarter of an hour. What has waited until it is stale is skipped, so many attempts cost nothing.
  maxDeliveryAttempts: 100,
} as const;

/**
 * Every subscription of a system.
 * @param groups of its probes whose requests go their own way
 */
export function subscriptionsWith(groups: Iterable<LateGroup>): Subscription[] {
  return [...subscriptions, ...Array.from(groups, subscriptionOf)];
}

/** A group whose requests are answered late. */
export interface LateGroup {
  readonly group: string;
  readonly vantage: Vantage;
  /** Milliseconds for which its probes hold a connection. */
  readonly holdMs?: number;
}

/** The longest that Pub/Sub waits for an answer, in seconds. */
export const longestAckDeadline = 600;

/**
 * A request that is answered for a whole minute, or after a connection was held for some, holds its push for so long, and a push subscription only widens its window with each
 * answer: behind a few of them others would wait until it is too late. So each has a subscription of its own.
 */
function subscriptionOf({ group, vantage, holdMs }: LateGroup): Subscription {
  const filter = `attributes.vantage = "${vantage}" AND attributes.${roundsAttribute} = "${group}"`;
  const waits = holdMs === undefined ? {} : { ackDeadlineSeconds: longestAckDeadline };
  return { ...probing, ...waits, vantage, name: `probe-${group}`, path: probePaths.rounds(group), filter };
}

/** Acknowledgement deadline of the notifier in seconds, the maximum of Pub/Sub: a mail server may answer minutes after the end of a mail. */
const longestAckSeconds = 600;

/** The subscriptions of every system. */
export const subscriptions: readonly Subscription[] = [
  ...(["inside", "outside"] as const).flatMap((vantage): Subscription[] => [
    // Requests that somebody waits for, such as a diagnosis or a validation, do not queue behind scheduled ones.
    {
      ...probing,
      vantage,
      name: `probe-${vantage}`,
      path: probePaths.scheduled,
      filter: `attributes.vantage = "${vantage}" AND attributes.trigger = "schedule" AND NOT attributes:${roundsAttribute}`,
    },
    {
      ...probing,
      vantage,
      name: `probe-${vantage}-asked`,
      path: probePaths.asked,
      filter: `attributes.vantage = "${vantage}" AND NOT attributes.trigger = "schedule"`,
    },
  ]),
  {
    name: "evaluate-measurements",
    topic: topics.measurements,
    target: "evaluate",
    path: "/measurements",
    ackDeadlineSeconds: 60,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 60,
    maxDeliveryAttempts: 100,
  },
  {
    name: "evaluate-ticks",
    topic: topics.ticks,
    target: "evaluate",
    path: "/ticks",
    ackDeadlineSeconds: 60,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 60,
    // As long as reports, so that no outage of the store leaves dead letters of one and not of the other.
    maxDeliveryAttempts: 100,
  },
  {
    name: "evaluate-heartbeats",
    topic: topics.heartbeats,
    target: "evaluate",
    path: "/heartbeats",
    ackDeadlineSeconds: 60,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 60,
    maxDeliveryAttempts: 100,
  },
  {
    name: "evaluate-changes",
    topic: topics.changes,
    target: "evaluate",
    path: "/changes",
    ackDeadlineSeconds: 60,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 60,
    maxDeliveryAttempts: 100,
  },
  {
    // Pub/Sub slows a whole push subscription down when messages of it fail. So what a channel does not take goes another way, and the
    // first attempts at everything else are not delayed by it.
    name: "notify-notifications",
    topic: topics.notifications,
    target: "notify",
    path: "/notifications",
    ackDeadlineSeconds: longestAckSeconds,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 60,
    maxDeliveryAttempts: 100,
  },
  {
    name: "notify-retries",
    topic: topics.retries,
    target: "notify",
    path: "/retries",
    ackDeadlineSeconds: longestAckSeconds,
    minimumBackoffSeconds: 1,
    // A hundred attempts at ten minutes: a channel may be down for most of a day before its notice is given up.
    maximumBackoffSeconds: 600,
    maxDeliveryAttempts: 100,
  },
  {
    name: "notify-pages",
    topic: topics.pages,
    target: "notify",
    path: "/pages",
    ackDeadlineSeconds: longestAckSeconds,
    minimumBackoffSeconds: 5,
    maximumBackoffSeconds: 60,
    // About twenty minutes: longer than outages of a store last. The next message comes in five minutes; one that fails for so long is
    // broken, and becomes a reported dead letter.
    maxDeliveryAttempts: 25,
  },
  {
    name: "notify-dead-letters",
    topic: topics.deadLetters,
    target: "notify",
    path: "/dead-letters",
    ackDeadlineSeconds: longestAckSeconds,
    minimumBackoffSeconds: 1,
    maximumBackoffSeconds: 120,
    maxDeliveryAttempts: 100,
  },
];
