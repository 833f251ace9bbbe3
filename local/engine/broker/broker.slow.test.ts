import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BrokerPublisher } from "../../../shared/adapters/broker.ts";
import { type Subscription, subscriptions } from "../../../shared/topology.ts";
import { Broker, type BrokerOptions } from "./broker.ts";
import { Journal } from "./journal.ts";
import { type Answer, openReceiver, type Receiver } from "./receiver.ts";
import { VirtualTime } from "./time.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await Broker.open(options);
  cleanups.push(() => broker.close());
  return broker;
}

async function receiver(answer?: Answer): Promise<Receiver> {
  const opened = await openReceiver(answer);
  cleanups.push(() => opened.close());
  return opened;
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-broker-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  return join(folder, "broker.sqlite");
}

function named(name: string): Subscription {
  const found = subscriptions.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no subscription ${name}`);
  return found;
}

const ticks: Subscription = { ...named("evaluate-ticks"), minimumBackoffSeconds: 0, maximumBackoffSeconds: 0 };

describe("a push", () => {
  it("has the format of the cloud, and starts at once", async () => {
    const [broker, target] = [await open(), await receiver()];
    broker.subscribe(ticks, target.url);
    await broker.publish("ticks", [{ data: "warm up" }]);
    await broker.idle();
    const began = performance.now();
    const [id] = await broker.publish("ticks", [{ data: { v: 1 }, attributes: { a: "b" } }]);
    await broker.idle();
    expect(performance.now() - began).toBeLessThan(250);
    expect(target.pushes[1]?.path).toBe("/ticks");
    expect(target.pushes[1]?.body).toEqual({
      message: {
        data: Buffer.from('{"v":1}').toString("base64"),
        attributes: { a: "b" },
        messageId: id,
        message_id: id,
        publishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        publish_time: expect.any(String),
      },
      subscription: "projects/local/subscriptions/evaluate-ticks",
      deliveryAttempt: 1,
    });
  });

  it.each<[string, Answer]>([
    ["500", () => 500],
    ["a redirect", () => 302],
    ["a reset", (_push, _response, request) => void request.socket.resetAndDestroy()],
  ])("is redelivered after %s", async (_name, failure) => {
    const broker = await open();
    const target = await receiver((push, response, request) =>
      push.message.deliveryAttempt === 3 ? 204 : failure(push, response, request),
    );
    broker.subscribe(ticks, target.url);
    const [id] = await broker.publish("ticks", [{ data: 1 }]);
    await broker.idle();
    expect(target.pushes.map(({ message }) => [message.messageId, message.deliveryAttempt])).toEqual([
      [id, 1],
      [id, 2],
      [id, 3],
    ]);
    expect(new Set(target.pushes.map(({ message }) => message.publishedAt)).size).toBe(1);
  });

  it("is repeated when the deadline passes without a response", async () => {
    const time = new VirtualTime(Date.now());
    const broker = await open({ time });
    const target = await receiver((push) => (push.message.deliveryAttempt === 1 ? undefined : 204));
    broker.subscribe(ticks, target.url);
    await broker.publish("ticks", [{ data: 1 }]);
    await vi.waitUntil(() => target.pushes.length === 1);
    await time.advance(59_999);
    expect(broker.stats().retried).toBe(0);
    await time.advance(1);
    await broker.idle();
    expect(broker.stats()).toMatchObject({ retried: 1, delivered: 1 });
    expect(target.pushes.length).toBe(2);
  });

  it("waits for a function that has not started yet", async () => {
    const gone = await receiver();
    await gone.close();
    const [broker, target] = [await open(), await receiver()];
    const patient = { ...ticks, minimumBackoffSeconds: 0.05, maximumBackoffSeconds: 0.05, maxDeliveryAttempts: 100 };
    broker.subscribe(patient, gone.url);
    await broker.publish("ticks", [{ data: 1 }]);
    await vi.waitUntil(() => broker.stats().retried > 0);
    broker.subscribe(patient, target.url);
    await broker.idle();
    expect(target.pushes.length).toBe(1);
  });

  it("never exceeds the concurrency limit", async () => {
    const broker = await open({ maxInFlight: 3 });
    const target = await receiver(async () => {
      await vi.waitUntil(() => target.pushes.length >= 3);
      return 204;
    });
    broker.subscribe(ticks, target.url);
    await broker.publish(
      "ticks",
      Array.from({ length: 30 }, (_, data) => ({ data })),
    );
    await broker.idle();
    expect(target.pushes.length).toBe(30);
    expect(Math.max(...target.pushes.map(({ underWay }) => underWay))).toBe(3);
  });
});

describe("subscriptions", () => {
  it("receive messages by topic and filter", async () => {
    const [broker, target] = [await open(), await receiver()];
    for (const one of subscriptions) broker.subscribe({ ...one, path: `/${one.name}` }, target.url);
    await broker.publish("probe-requests", [
      { data: 1, attributes: { vantage: "inside", trigger: "schedule" } },
      { data: 2, attributes: { vantage: "outside", trigger: "validation" } },
      { data: 3 },
    ]);
    await broker.publish("measurements", [{ data: 4 }]);
    await broker.idle();
    expect(target.pushes.map(({ path, message }) => `${path} ${message.data}`).toSorted()).toEqual([
      "/evaluate-measurements 4",
      "/probe-inside 1",
      "/probe-outside-asked 2",
    ]);
    expect(broker.stats()).toMatchObject({ published: 4, delivered: 3, backlog: 0 });
  });

  it.each<[string, Partial<Subscription>, string, string]>([
    [
      "a bad filter",
      { filter: "vantage = inside" },
      "http://127.0.0.1:1",
      "subscription evaluate-ticks: filter vantage = inside: expected",
    ],
    ["no URL", {}, "127.0.0.1:1", 'cannot push to "127.0.0.1:1": write a URL like http://127.0.0.1:8080'],
    ["TLS", {}, "https://127.0.0.1:1", 'cannot push to "https://127.0.0.1:1"'],
  ])("%s is refused", async (_name, change, url, reason) => {
    const broker = await open();
    expect(() => broker.subscribe({ ...ticks, ...change }, url)).toThrow(reason);
    expect(broker.stats().subscriptions).toEqual({});
  });

  it("refuse a missing topic, in process and over HTTP", async () => {
    const broker = await open();
    const publisher = new BrokerPublisher(await broker.listen());
    for (const door of [broker, publisher]) {
      await expect(door.publish("tocks", [{ data: 1 }])).rejects.toMatchObject({
        name: "PublishError",
        retryable: false,
        message: expect.stringContaining('cannot publish to "tocks": the topics are probe-requests, measurements'),
      });
    }
  });
});

describe("closing", () => {
  it("is quick with pushes in progress and publishers connected, can be repeated, and stops publishing", async () => {
    const [broker, target] = [await open(), await receiver(() => undefined)];
    const publisher = new BrokerPublisher(await broker.listen());
    broker.subscribe(ticks, target.url);
    await publisher.publish("ticks", [{ data: 1 }]);
    await vi.waitUntil(() => target.pushes.length === 1);
    const began = performance.now();
    await broker.close();
    await broker.close();
    expect(performance.now() - began).toBeLessThan(2000);
    await expect(broker.publish("ticks", [{ data: 1 }])).rejects.toMatchObject({
      name: "PublishError",
      retryable: true,
    });
    await expect(publisher.publish("ticks", [{ data: 1 }])).rejects.toMatchObject({ retryable: true });
  });
});

describe("a broker with a file", () => {
  it("pushes only unacknowledged messages again after it is reopened", async () => {
    const file = newFile();
    const before = await receiver(({ message }) => (message.data === "done" ? 204 : undefined));
    const first = await Broker.open({ file });
    first.subscribe(ticks, before.url);
    await first.publish("ticks", [{ data: "done" }, { data: "under way", attributes: { a: "b" } }]);
    await vi.waitUntil(() => before.pushes.length === 2 && first.stats().delivered === 1);
    await first.close();

    const [second, after] = [await open({ file }), await receiver()];
    second.subscribe(ticks, after.url);
    await second.idle();
    expect(after.pushes.map(({ message }) => message)).toEqual(
      before.pushes.filter(({ message }) => message.data === "under way").map(({ message }) => message),
    );
  });

  it("keeps its subscriptions, so that they miss nothing before they are recreated", async () => {
    const file = newFile();
    const first = await Broker.open({ file });
    first.subscribe(ticks, "http://127.0.0.1:1");
    await first.close();

    const [second, after] = [await open({ file }), await receiver()];
    await second.publish("ticks", [{ data: "early" }]);
    second.subscribe(ticks, after.url);
    await second.publish("ticks", [{ data: "late" }]);
    await second.idle();
    expect(after.pushes.map(({ message }) => message.data)).toEqual(["early", "late"]);
  });

  it("keeps attempts and delays across restarts", async () => {
    const file = newFile();
    const time = new VirtualTime(Date.now());
    const slow = { ...ticks, minimumBackoffSeconds: 10, maximumBackoffSeconds: 10 };
    const target = await receiver(({ message }) => (message.deliveryAttempt === 2 ? 204 : 500));
    const first = await Broker.open({ file, time });
    first.subscribe(slow, target.url);
    await first.publish("ticks", [{ data: 1 }]);
    await vi.waitUntil(() => first.stats().retried === 1);
    await first.close();

    await time.advance(5000);
    const second = await open({ file, time });
    second.subscribe(slow, target.url);
    await time.advance(4999);
    expect(target.pushes.length).toBe(1);
    await time.advance(1);
    await second.idle();
    expect(target.pushes.map(({ message }) => message.deliveryAttempt)).toEqual([1, 2]);
  });

  it("drops messages that are unacknowledged for seven days", async () => {
    const file = newFile();
    const time = new VirtualTime(Date.now());
    const first = await Broker.open({ file, time });
    first.subscribe(ticks, "http://127.0.0.1:1");
    await first.publish("ticks", [{ data: "old" }]);
    await first.close();
    await time.advance(7 * 86_400_000);
    const second = await Broker.open({ file, time });
    await second.publish("ticks", [{ data: "new" }]);
    await second.close();
    await time.advance(1);
    const [third, target] = [await open({ file, time }), await receiver()];
    third.subscribe(ticks, target.url);
    await third.idle();
    expect(target.pushes.map(({ message }) => message.data)).toEqual(["new"]);
  });

  it("never reuses an ID, even when the clock goes back", async () => {
    const file = newFile();
    const ids: string[] = [];
    for (const now of [2_000_000, 1_000_000]) {
      const broker = await Broker.open({ file, time: new VirtualTime(now) });
      ids.push(...(await broker.publish("ticks", [{ data: 1 }, { data: 2 }])));
      await broker.close();
    }
    expect(ids).toEqual(["2000000000", "2000000001", "2000000002", "2000000003"]);
  });

  it("locks its file against other brokers", async () => {
    const file = newFile();
    await open({ file });
    await expect(Broker.open({ file })).rejects.toThrow(`the broker's file ${file} is in use: stop the other process`);
    await expect(Broker.open({ file: "/no/such/folder/x" })).rejects.toThrow("cannot use its file /no/such/folder/x");
  });
});

describe("a broker that cannot write", () => {
  const full = (): never => {
    throw new Error("disk is full");
  };

  it("still delivers, and stores pending deliveries once it can", async () => {
    const file = newFile();
    const events: string[] = [];
    const failure = { begin: ({ message }: Error) => events.push(message), end: () => events.push("ended") };
    const time = new VirtualTime(Date.parse("2025-09-16T12:00:00Z"));
    const broker = await open({ file, time, failure });
    const target = await receiver(({ message }) => (message.data === "told" ? 204 : 500));
    broker.subscribe(named("evaluate-ticks"), target.url);
    const append = vi.spyOn(Journal.prototype, "append").mockImplementation(full);
    await broker.publish("ticks", [{ data: "told" }, { data: "owed" }]);
    await vi.waitUntil(() => broker.stats().delivered === 1 && broker.stats().retried === 1);
    expect(new Set(events)).toEqual(new Set(["disk is full"]));
    append.mockRestore();
    await time.advance(1_000);
    expect(events.at(-1)).toBe("ended");
    await broker.close();

    const again = await open({ file, time });
    const later = await receiver();
    again.subscribe(ticks, later.url);
    await again.idle();
    expect(later.pushes.map(({ message }) => message.data)).toEqual(["owed"]);
  });

  it("does not redeliver a message whose acknowledgement it could not store at first", async () => {
    const file = newFile();
    const time = new VirtualTime(Date.parse("2025-09-16T12:00:00Z"));
    const broker = await open({ file, time });
    const target = await receiver(({ message }) => (message.deliveryAttempt === 1 ? 500 : 204));
    broker.subscribe(named("evaluate-ticks"), target.url);
    const spies = [
      vi.spyOn(Journal.prototype, "postpone").mockImplementation(full),
      vi.spyOn(Journal.prototype, "settle").mockImplementation(full),
    ];
    await broker.publish("ticks", [{ data: 1 }]);
    await vi.waitUntil(() => broker.stats().retried === 1);
    await time.advance(2_000);
    await vi.waitUntil(() => broker.stats().delivered === 1);
    for (const spy of spies) spy.mockRestore();
    await broker.close();
    const again = await open({ file, time });
    const later = await receiver();
    again.subscribe(ticks, later.url);
    await again.idle();
    expect([target.pushes.length, later.pushes.length]).toEqual([2, 0]);
  });

  it("refuses messages when its memory is full too, with a retryable error", async () => {
    const broker = await open();
    const append = vi.spyOn(Journal.prototype, "append").mockImplementation(full);
    const large = "x".repeat(9_000_000);
    for (let n = 0; n < 4; n++) await broker.publish("ticks", [{ data: large }]);
    await expect(broker.publish("ticks", [{ data: 1 }])).rejects.toMatchObject({
      retryable: true,
      message: 'cannot publish to "ticks": the broker cannot write: too many messages wait to be written',
    });
    append.mockRestore();
  });
});

describe("a broker with a token", () => {
  it("accepts messages only from publishers that send it", async () => {
    const broker = await open({ token: "of-this-run" });
    const url = await broker.listen();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=of-this-run$/);
    expect(await new BrokerPublisher(url).publish("ticks", [{ data: 1 }])).toHaveLength(1);
    for (const wrong of [new URL(url).origin, url.replace("of-this", "of-another")]) {
      await expect(new BrokerPublisher(wrong).publish("ticks", [{ data: 1 }])).rejects.toMatchObject({
        retryable: false,
        message: "the query has no valid token of this run",
      });
    }
    expect(broker.stats().published).toBe(1);
  });

  it("pushes to every path with the token of the endpoint", async () => {
    const [broker, target] = [await open(), await receiver()];
    broker.subscribe(ticks, `${target.url}/?token=of-the-function`);
    await broker.publish("ticks", [{ data: 1 }]);
    await broker.idle();
    expect(target.pushes.map(({ path }) => path)).toEqual(["/ticks?token=of-the-function"]);
  });
});

describe("a broker that is killed", () => {
  it("has stored every confirmed message, and pushes those not acknowledged", async () => {
    const file = newFile();
    const target = await receiver(() => undefined);
    const script = `
      import { Broker } from ${JSON.stringify(new URL("./broker.ts", import.meta.url).href)};
      const broker = await Broker.open({ file: ${JSON.stringify(file)} });
      broker.subscribe(${JSON.stringify(ticks)}, ${JSON.stringify(target.url)});
      console.log(await broker.listen());`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    cleanups.push(() => void child.kill("SIGKILL"));
    const url = await new Promise<string>((done) => {
      child.stdout.setEncoding("utf8").once("data", (text: string) => done(text.trim()));
    });

    const publisher = new BrokerPublisher(url);
    const confirmed: string[] = [];
    const publishing = (async () => {
      for (let data = 0; ; data += 1) confirmed.push(...(await publisher.publish("ticks", [{ data }])));
    })();
    await vi.waitUntil(() => confirmed.length >= 50, { timeout: 10_000 });
    child.kill("SIGKILL");
    await expect(publishing).rejects.toThrow("cannot publish");

    const [again, after] = [await open({ file }), await receiver()];
    again.subscribe(ticks, after.url);
    await again.idle();
    const pushed = new Set(after.pushes.map(({ message }) => message.messageId));
    expect(confirmed.filter((id) => !pushed.has(id))).toEqual([]);
  });
});
