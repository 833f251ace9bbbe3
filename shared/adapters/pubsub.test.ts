import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { PubSubPublisher } from "./pubsub.ts";

// The contract of every publisher is tested against Google's emulator: `local/google-broker.test.ts`.
describe("publishing to Pub/Sub", () => {
  it("fails with a retryable error without a response", async () => {
    const publisher = new PubSubPublisher({ projectId: "p", host: await deadHost(), timeoutMs: 1000 });
    await expect(publisher.publish("ticks", [{ data: 1 }, { data: 2 }])).rejects.toMatchObject({
      name: "PublishError",
      retryable: true,
      message: expect.stringContaining('cannot publish to "ticks": '),
    });
    await publisher.close();
  });

  it("needs no connection to reject, or to close", async () => {
    const publisher = new PubSubPublisher({ projectId: "p" });
    await expect(publisher.publish("ticks", [{ data: undefined }])).rejects.toThrow("it has no data");
    await publisher.close();
    await publisher.close();
    await expect(publisher.publish("ticks", [{ data: 1 }])).rejects.toThrow("the publisher is closed");
  });
});

/** An address without a server. */
async function deadHost(): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
