/** The broker of `--engine google`: the topics and push subscriptions of the system, set up on Google's own emulator. */
import type { CreateSubscriptionOptions, PubSub } from "@google-cloud/pubsub";
import { type PushSubscription, topics } from "../../shared/topology.ts";
import { pathAt } from "./request-guard.ts";

/** Emulator to set up, and push endpoints. */
export interface GoogleBrokerOptions {
  /** Address of the emulator, `HOST:PORT`. */
  readonly host: string;
  readonly projectId: string;
  /** Subscriptions, each with the URL to which its path is added. */
  readonly endpoints: readonly { readonly subscription: PushSubscription; readonly url: string }[];
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
export async function setUpGoogleBroker(options: GoogleBrokerOptions): Promise<readonly PushSubscription[]> {
  const { PubSub: Client } = await import("@google-cloud/pubsub");
  const client = new Client({ projectId: options.projectId, apiEndpoint: options.host, emulatorMode: true });
  const { endpoints } = options;
  const chosen = options.filtersIgnored === false ? endpoints : endpoints.filter(isFirstOfItsKind);
  try {
    await Promise.all(Object.values(topics).map((topic) => existing(client.createTopic(topic))));
    await Promise.all(chosen.map((endpoint) => subscribe(client, endpoint)));
  } finally {
    await client.close();
  }
  return chosen.map(({ subscription }) => subscription);
}

const alreadyExists = 6;

async function subscribe(client: PubSub, { subscription, url }: Endpoint): Promise<void> {
  const { name, topic, path } = subscription;
  const pushEndpoint = pathAt(url, path).href;
  const created = await existing(client.createSubscription(topic, name, settings(client, subscription, pushEndpoint)));
  if (created === undefined) await client.subscription(name).modifyPushConfig({ pushEndpoint });
}

function settings(client: PubSub, subscription: PushSubscription, pushEndpoint: string): CreateSubscriptionOptions {
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

/** Returns the created resource, or `undefined` if it already exists. */
async function existing<T>(creation: Promise<T>): Promise<T | undefined> {
  try {
    return await creation;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === alreadyExists) return undefined;
    throw error;
  }
}

type Endpoint = GoogleBrokerOptions["endpoints"][number];

function isFirstOfItsKind({ subscription, url }: Endpoint, index: number, all: readonly Endpoint[]): boolean {
  const { topic, path } = subscription;
  const same = (other: Endpoint): boolean =>
    other.subscription.topic === topic && other.subscription.path === path && other.url === url;
  return all.findIndex(same) === index;
}
