/** The suite that every Publisher passes. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type OutgoingMessage, PublishError, type Publisher } from "../ports.ts";

/** A message that reached the other side. */
export interface Received {
  readonly topic: string;
  readonly id: string;
  /** Decoded from JSON. */
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A publisher with the empty topics `measurements` and `ticks`, and access to the published messages. */
export interface PublisherUnderTest {
  readonly publisher: Publisher;
  /** Everything received so far, in any order, possibly more than once. */
  received(): readonly Received[];
  /** Closes all but the publisher. */
  close(): Promise<void>;
}

/** Declares the tests that hold for every publisher; `open` is called once. */
export function publisherContract(name: string, open: () => Promise<PublisherUnderTest>): void {
  describe(`the publisher of ${name}`, () => {
    let world: PublisherUnderTest;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(async () => {
      await world.publisher.close();
      await world.close();
    });

    const arrived = async (ids: readonly string[]): Promise<Received[]> => {
      const find = (): (Received | undefined)[] => ids.map((id) => world.received().find((one) => one.id === id));
      await vi.waitUntil(() => find().every((one) => one !== undefined), { timeout: 15_000 });
      return find().filter((one) => one !== undefined);
    };

    it("delivers data and attributes as they were given", async () => {
      const data = { v: 1, text: 'Ünï"cödé\n\u0000🚦', nested: [null, 1.5, -0.001, true, { deep: [] }] };
      const attributes = { vantage: "inside", "with/slash": "ünï", empty: "" };
      const ids = await world.publisher.publish("measurements", [{ data, attributes }]);
      expect(await arrived(ids)).toEqual([{ topic: "measurements", id: ids[0], data, attributes }]);
    });

    it("delivers a message without attributes, and one with null data", async () => {
      const ids = await world.publisher.publish("ticks", [{ data: { v: 1 } }, { data: null }]);
      expect(await arrived(ids)).toEqual([
        { topic: "ticks", id: ids[0], data: { v: 1 }, attributes: {} },
        { topic: "ticks", id: ids[1], data: null, attributes: {} },
      ]);
    });

    it("returns an id for each message, in the order given", async () => {
      const numbers = Array.from({ length: 250 }, (_, index) => index);
      const ids = await world.publisher.publish(
        "measurements",
        numbers.map((number) => ({ data: { number } })),
      );
      expect(new Set(ids).size).toBe(numbers.length);
      expect((await arrived(ids)).map((one) => one.data)).toEqual(numbers.map((number) => ({ number })));
    });

    it("keeps calls apart that run at the same time", async () => {
      const calls = ["one", "two", "three"].map((data) => world.publisher.publish("ticks", [{ data }]));
      const ids = (await Promise.all(calls)).flat();
      expect((await arrived(ids)).map((one) => one.data)).toEqual(["one", "two", "three"]);
    });

    it("carries the largest message", async () => {
      const data = "x".repeat(9_999_998);
      const [received] = await arrived(await world.publisher.publish("measurements", [{ data }]));
      expect(received?.data === data).toBe(true);
    });

    it("publishes nothing for an empty list", async () => {
      expect(await world.publisher.publish("ticks", [])).toEqual([]);
    });

    it.each<[string, string, OutgoingMessage, RegExp]>([
      ["a message that production refuses", "ticks", { data: 1, attributes: { google: "x" } }, /reserved "goog"/],
      ["data that is not JSON", "ticks", { data: undefined }, /it has no data/],
      ["a name that no topic has", "no topic", { data: 1 }, /a topic is named by/],
    ])("rejects %s, with the whole call", async (_name, topic, message, reason) => {
      const call = world.publisher.publish(topic, [{ data: "never" }, message]);
      await expect(call).rejects.toThrow(PublishError);
      await expect(call).rejects.toThrow(reason);
      await expect(call).rejects.toMatchObject({ retryable: false });
      await arrived(await world.publisher.publish("ticks", [{ data: "next" }]));
      expect(world.received().map(({ data }) => data)).not.toContain("never");
    });
  });
}
