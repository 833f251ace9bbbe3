import { describe, expect, it } from "vitest";
import { decodePush, type PushedMessage } from "../../../shared/messages/push.ts";
import type { Subscription } from "../../../shared/topology.ts";
import { Broker, type BrokerOptions } from "./broker.ts";
import type { PushOutcome } from "./push-sender.ts";
import { VirtualTime } from "./time.ts";

const start = Date.parse("2025-09-16T12:00:00Z");

const ticks: Subscription = {
  name: "evaluate-ticks",
  topic: "ticks",
  target: "evaluate",
  path: "/ticks",
  ackDeadlineSeconds: 60,
  minimumBackoffSeconds: 1,
  maximumBackoffSeconds: 10,
  maxDeliveryAttempts: 100,
};
const deadLetters: Subscription = {
  ...ticks,
  name: "notify-dead-letters",
  topic: "dead-letters",
  path: "/dead-letters",
};

/** One push on the virtual clock. */
interface Attempt {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly path: string;
  readonly message: PushedMessage;
}

interface World {
  readonly broker: Broker;
  readonly time: VirtualTime;
  readonly attempts: readonly Attempt[];
}

type Respond = (attempt: Attempt) => boolean | Promise<boolean>;

/** Creates a broker on virtual time. `respond` decides whether a push is acknowledged; without a response, the deadline passes. */
async function open(respond: Respond, options: BrokerOptions = {}): Promise<World> {
  const time = new VirtualTime(start);
  const attempts: Attempt[] = [];
  const broker = await Broker.open({
    time,
    send: async (endpoint, body, signal): Promise<PushOutcome> => {
      const attempt = { at: time.now() - start, path: endpoint.pathname, message: decodePush(JSON.parse(body)) };
      attempts.push(attempt);
      const late = new Promise<false>((resolve) => signal.addEventListener("abort", () => resolve(false)));
      const acknowledged = await Promise.race([respond(attempt), late]);
      return acknowledged ? { acknowledged } : { acknowledged, because: "told so" };
    },
    ...options,
  });
  return { broker, time, attempts };
}

const url = "http://127.0.0.1:1";
const minute = 60_000;

describe("a message that fails", () => {
  // The gaps are 1, 2, 4, 8 and then 10 seconds, and up to a quarter more by chance, which is the same in every run.
  it.each<[string, Respond, string]>([
    ["never", () => true, "0"],
    ["twice", ({ at }) => at > 2000, "0 1.1 3.4"],
    ["always", () => false, "0 1.1 3.4 8.4 18.3 28.3 38.3 48.3 58.3"],
    ["by silence until the deadline of 60 s", ({ at }) => (at > 0 ? true : new Promise(() => {})), "0 61.1"],
  ])("%s", async (_name, respond, expected) => {
    const { broker, time, attempts } = await open(respond);
    broker.subscribe(ticks, url);
    await broker.publish("ticks", [{ data: 1 }]);
    await time.advance(61_500);
    expect(attempts.map(({ at }) => String(Math.floor(at / 100) / 10)).join(" ")).toBe(expected);
    await broker.close();
  });

  it("does not delay other messages", async () => {
    const { broker, time, attempts } = await open(({ message }) => message.data !== "poison");
    broker.subscribe(ticks, url);
    await broker.publish("ticks", [{ data: "poison" }, { data: "next" }]);
    await time.advance(1000);
    expect(attempts.map(({ at, message }) => [at, message.data])).toEqual([
      [0, "poison"],
      [0, "next"],
    ]);
    await broker.close();
  });

  it("is sent to the dead-letter topic, with its origin, after the maximum number of attempts", async () => {
    const { broker, time, attempts } = await open(({ path }) => path === "/dead-letters");
    broker.subscribe({ ...ticks, maxDeliveryAttempts: 5 }, url);
    broker.subscribe(deadLetters, url);
    await broker.publish("ticks", [{ data: { v: 1 }, attributes: { a: "b" } }]);
    await time.advance(minute);
    const [letter] = attempts.filter(({ path }) => path === "/dead-letters");
    expect(attempts.map(({ path, message }) => `${path} ${message.deliveryAttempt ?? "-"}`)).toEqual([
      "/ticks 1",
      "/ticks 2",
      "/ticks 3",
      "/ticks 4",
      "/ticks 5",
      "/dead-letters -",
    ]);
    expect(letter?.message).toMatchObject({
      data: { v: 1 },
      attributes: {
        a: "b",
        CloudPubSubDeadLetterSourceDeliveryCount: "5",
        CloudPubSubDeadLetterSourceSubscription: "evaluate-ticks",
        CloudPubSubDeadLetterSourceSubscriptionProject: "local",
        CloudPubSubDeadLetterSourceTopicPublishTime: "2025-09-16T12:00:00.000+00:00",
      },
      subscription: "projects/local/subscriptions/notify-dead-letters",
      publishedAt: start + (letter?.at ?? 0),
    });
    expect(letter?.message.messageId).not.toBe(attempts[0]?.message.messageId);
    expect(broker.stats()).toEqual({
      published: 1,
      delivered: 1,
      retried: 4,
      deadLettered: 1,
      backlog: 0,
      subscriptions: {
        "evaluate-ticks": { backlog: 0, delivered: 0, retried: 4, deadLettered: 1 },
        "notify-dead-letters": { backlog: 0, delivered: 1, retried: 0, deadLettered: 0 },
      },
    });
    await broker.close();
  });

  it("is retried for seven days as a dead letter, and then dropped", async () => {
    const { broker, time, attempts } = await open(() => false);
    broker.subscribe({ ...deadLetters, minimumBackoffSeconds: 600, maximumBackoffSeconds: 600 }, url);
    await broker.publish("dead-letters", [{ data: 1 }]);
    await time.advance(8 * 24 * 60 * minute);
    expect(attempts.at(-1)?.at).toBe((7 * 24 * 60 + 10) * minute);
    expect(broker.stats()).toMatchObject({ backlog: 0, deadLettered: 1 });
    await broker.close();
  });
});

describe("many messages", () => {
  it("are pushed concurrently, up to the limit", async () => {
    const held: (() => void)[] = [];
    const { broker, time, attempts } = await open(() => new Promise((done) => held.push(() => done(true))));
    broker.subscribe(ticks, url);
    await broker.publish(
      "ticks",
      Array.from({ length: 50 }, (_, data) => ({ data })),
    );
    expect(attempts.length).toBe(20);
    for (const answer of held.splice(0, 5)) answer();
    await time.advance(0);
    expect(attempts.length).toBe(25);
    expect(attempts.map(({ message }) => message.data)).toEqual(Array.from({ length: 25 }, (_, data) => data));
    expect(broker.stats().backlog).toBe(45);
    await broker.close();
  });

  it("arrive in order and once, unless disturbed", async () => {
    const order = async (options: BrokerOptions): Promise<unknown[]> => {
      const { broker, time, attempts } = await open(() => true, options);
      broker.subscribe(ticks, url);
      await broker.publish(
        "ticks",
        Array.from({ length: 6 }, (_, data) => ({ data })),
      );
      await time.advance(1000);
      await broker.idle();
      await broker.close();
      return attempts.map(({ message }) => message.data);
    };
    expect(await order({})).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await order({ duplicates: 1 })).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    const disordered = await order({ disorderMs: 500 });
    expect(disordered).not.toEqual([0, 1, 2, 3, 4, 5]);
    expect(disordered.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await order({ disorderMs: 500 })).toEqual(disordered);
    expect(await order({ disorderMs: 500, seed: 2 })).not.toEqual(disordered);
  });

  it("stay pending until the original is acknowledged, whatever the result of its duplicate", async () => {
    const seen = { first: true };
    const { broker, time, attempts } = await open(
      () => {
        const { first } = seen;
        seen.first = false;
        return !first;
      },
      { duplicates: 1 },
    );
    broker.subscribe(ticks, url);
    await broker.publish("ticks", [{ data: 1 }]);
    await time.advance(0);
    expect([attempts.length, broker.stats().backlog]).toEqual([2, 1]);
    await time.advance(2000);
    expect([attempts.length, broker.stats().backlog]).toEqual([3, 0]);
    await broker.close();
  });
});

describe("idle", () => {
  it("waits for retries", async () => {
    const { broker, time } = await open(({ at }) => at > 0);
    broker.subscribe(ticks, url);
    await broker.idle();
    await broker.publish("ticks", [{ data: 1 }]);
    let idle = false;
    const waiting = broker.idle().then(() => {
      idle = true;
    });
    await time.advance(1000);
    expect(idle).toBe(false);
    await time.advance(500);
    expect(idle).toBe(true);
    await waiting;
    await broker.close();
  });

  it("stops with the broker", async () => {
    const { broker } = await open(() => false);
    broker.subscribe(ticks, url);
    await broker.publish("ticks", [{ data: 1 }]);
    const waiting = broker.idle();
    await broker.close();
    expect(await waiting).toBeUndefined();
  });
});
