import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { publisherContract, type Received } from "../../shared/adapters/publisher.contract.ts";
import { PubSubPublisher } from "../../shared/adapters/pubsub.ts";
import { subscriptions } from "../../shared/topology.ts";
import { startedOnce } from "../../tests/support/started-once.ts";
import { openReceiver, type Receiver } from "./broker/receiver.ts";
import { missingEmulator } from "./emulators.ts";
import { setUpGoogleBroker } from "./google-broker.ts";

const missing = missingEmulator("pubsub");
if (missing !== undefined) {
  console.warn(`\n######## NOT TESTED: publishing to Google's Pub/Sub emulator ########\n# ${missing}\n`);
}

const setUp = (host: string, projectId: string, { url }: Receiver): ReturnType<typeof setUpGoogleBroker> =>
  setUpGoogleBroker({ host, projectId, endpoints: subscriptions.map((subscription) => ({ subscription, url })) });

describe.skipIf(missing !== undefined)("on Google's emulator", () => {
  publisherContract("Google's client", async () => {
    const host = await startedOnce("pubsub");
    const projectId = "contract";
    const receiver = await openReceiver();
    await setUp(host, projectId, receiver);
    return {
      publisher: new PubSubPublisher({ projectId, host }),
      received: (): Received[] =>
        receiver.pushes.map(({ path, message: { messageId, data, attributes } }) => ({
          topic: path.slice(1),
          id: messageId,
          data,
          attributes,
        })),
      close: () => receiver.close(),
    };
  });

  describe("the broker set up", () => {
    const projectId = "set-up";
    let host: string;
    let before: Receiver;
    let after: Receiver;
    let publisher: PubSubPublisher;
    beforeAll(async () => {
      host = await startedOnce("pubsub");
      [before, after] = [await openReceiver(), await openReceiver()];
      publisher = new PubSubPublisher({ projectId, host });
    });
    afterAll(async () => {
      await publisher.close();
      await before.close();
      await after.close();
    });

    it("has one subscription for two that differ only in an ignored filter", async () => {
      const names = (await setUp(host, projectId, before)).map(({ name }) => name);
      expect(names).toContain("probe-inside");
      expect(names).not.toContain("probe-outside");
      await publisher.publish("probe-requests", [{ data: "outside", attributes: { vantage: "outside" } }]);
      await vi.waitUntil(() =>
        before.pushes.some(({ path, message }) => path === "/scheduled" && message.data === "outside"),
      );
    });

    it("updates the push addresses when it is set up again", async () => {
      await setUp(host, projectId, after);
      await publisher.publish("ticks", [{ data: "to the new address" }]);
      await vi.waitUntil(() => after.pushes.some(({ message }) => message.data === "to the new address"), {
        timeout: 10_000,
      });
      expect(before.pushes.some(({ message }) => message.data === "to the new address")).toBe(false);
    });

    it("pushes with the token of the endpoint", async () => {
      const endpoints = subscriptions.map((subscription) => ({ subscription, url: `${after.url}/?token=of-this-run` }));
      await setUpGoogleBroker({ host, projectId, endpoints });
      await publisher.publish("ticks", [{ data: "with the token" }]);
      await vi.waitUntil(() => after.pushes.some(({ message }) => message.data === "with the token"), {
        timeout: 10_000,
      });
      const push = after.pushes.find(({ message }) => message.data === "with the token");
      expect([push?.path, push?.headers["content-type"]]).toEqual(["/ticks?token=of-this-run", "application/json"]);
    });

    it("refuses a missing topic, without retry", async () => {
      await expect(publisher.publish("no-such-topic", [{ data: 1 }])).rejects.toMatchObject({
        name: "PublishError",
        retryable: false,
        message: expect.stringContaining('cannot publish to "no-such-topic": 5 NOT_FOUND'),
      });
    });
  });
});
