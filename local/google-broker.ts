/** The broker of `--engine google`: the topics and push subscriptions of the system, set up on Google's own emulator. */
import type { CreateSubscriptionOptions, PubSub } from "@google-cloud/pubsub";
import { type Subscription, subscriptions, topics } from "../shared/topology.ts";

/** Where to set up, and where to push. */
export interface GoogleBrokerOptions {
  /** Address of the emulator, `HOST:PORT`. */
  readonly host: string;
  readonly projectId: string;
  /** URL of each function, to which the path of a subscription is added. */
  readonly endpoints: Readonly<Record<Subscription["target"], string>>;
  /**
   * The official emulator accepts filters and ignores them. Of subscriptions that only their filters tell apart, the first is set up then, and
   * gets what is meant for all.
   * @default true
   */
  readonly filtersIgnored?: boolean;
}

/**
 * Creates what is missing of topics and subscriptions, and points the subscriptions that are there to the endpoints; so it can be called
 * again after a restart of either side.
 * @returns the subscriptions that were set up
 */
export async function setUpGoogleBroker(options: GoogleBrokerOptions): Promise<readonly Subscription[]> {
  const { PubSub: Client } = await import("@google-cloud/pubsub");
  const client = new Client({ projectId: options.projectId, apiEndpoint: options.host, emulatorMode: true });
  const chosen = options.filtersIgnored === false ? subscriptions : subscriptions.filter(isFirstOfItsKind);
  try {
    await Promise.all(Object.values(topics).map((topic) => existing(client.createTopic(topic))));
    await Promise.all(chosen.map((subscription) => subscribe(client, subscription, options)));
  } finally {
    await client.close();
  }
  return chosen;
}

const alreadyExists = 6;

async function subscribe(client: PubSub, subscription: Subscription, options: GoogleBrokerOptions): Promise<void> {
  const { name, topic, path, target } = subscription;
  const pushEndpoint = new URL(path, options.endpoints[target]).href;
  const created = await existing(client.createSubscription(topic, name, settings(client, subscription, pushEndpoint)));
  if (created === undefined) await client.subscription(name).modifyPushConfig({ pushEndpoint });
}

function settings(client: PubSub, subscription: Subscription, pushEndpoint: string): CreateSubscriptionOptions {
  const { topic, filter, ackDeadlineSeconds, minimumBackoffSeconds, maximumBackoffSeconds, maxDeliveryAttempts } =
    subscription;
  return {
    pushConfig: { pushEndpoint },
    ackDeadlineSeconds,
    retryPolicy: {
      minimumBackoff: { seconds: minimumBackoffSeconds },
      maximumBackoff: { seconds: maximumBackoffSeconds },
    },
    ...(filter === undefined ? {} : { filter }),
    ...(topic === topics.deadLetters
      ? {}
      : { deadLetterPolicy: { deadLetterTopic: client.topic(topics.deadLetters).name, maxDeliveryAttempts } }),
  };
}

/** What was created, or `undefined` where it is there already. */
async function existing<T>(creation: Promise<T>): Promise<T | undefined> {
  try {
    return await creation;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === alreadyExists) return undefined;
    throw error;
  }
}

function isFirstOfItsKind(subscription: Subscription, index: number, all: readonly Subscription[]): boolean {
  const kind = ({ topic, target, path }: Subscription): string => `${topic} ${target} ${path}`;
  return all.findIndex((other) => kind(other) === kind(subscription)) === index;
}
