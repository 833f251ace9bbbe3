import { createServer, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { BrokerPublisher } from "./broker.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

interface Seen {
  readonly url: string | undefined;
  readonly messages: readonly { data: string; attributes: Record<string, string> }[];
}

/** Starts a broker that gives the listed responses in order, and returns ids for later calls. */
async function broker(port: number, ...answers: ((response: ServerResponse) => void)[]): Promise<[string, Seen[]]> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { messages } = JSON.parse(text);
    seen.push({ url: request.url, messages });
    const answer = answers[seen.length - 1];
    if (answer !== undefined) answer(response);
    else
      response.end(
        JSON.stringify({ messageIds: messages.map((_: unknown, index: number) => `${seen.length}.${index}`) }),
      );
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  const address = server.address();
  return [`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, seen];
}

const error = (status: number, message: string) => (response: ServerResponse) =>
  response.writeHead(status).end(JSON.stringify({ error: { message } }));

describe("publishing to the embedded broker", () => {
  it("is Pub/Sub's own REST call", async () => {
    const [url, seen] = await broker(0);
    expect(await new BrokerPublisher(url).publish("ticks", [{ data: { v: 1 }, attributes: { a: "b" } }])).toEqual([
      "1.0",
    ]);
    expect(seen).toEqual([
      {
        url: "/v1/projects/local/topics/ticks:publish",
        messages: [{ data: Buffer.from('{"v":1}').toString("base64"), attributes: { a: "b" } }],
      },
    ]);
  });

  it("sends the token of the address", async () => {
    const [url, seen] = await broker(0);
    await new BrokerPublisher(`${url}/?token=of-this-run`).publish("ticks", [{ data: 1 }]);
    expect(seen[0]?.url).toBe("/v1/projects/local/topics/ticks:publish?token=of-this-run");
  });

  it("splits messages that are too large for one request", async () => {
    const [url, seen] = await broker(0);
    const small = Array.from({ length: 1001 }, () => ({ data: 1 }));
    const large = [{ data: "x".repeat(9_000_000) }, { data: "y".repeat(2_000_000) }];
    const ids = await new BrokerPublisher(url).publish("ticks", [...small, ...large]);
    expect(seen.map(({ messages }) => messages.length)).toEqual([1000, 2, 1]);
    expect(ids.length).toBe(1003);
    expect(ids.slice(-3)).toEqual(["2.0", "2.1", "3.0"]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["a reset", (response) => response.destroy()],
    ["503", error(503, "closing")],
    ["an answer that is no JSON", (response) => response.end("<html>")],
  ])("retries after %s", async (_name, trouble) => {
    const [url, seen] = await broker(0, trouble, trouble);
    expect(await new BrokerPublisher(url).publish("ticks", [{ data: 1 }])).toEqual(["3.0"]);
    expect(seen.length).toBe(3);
  });

  it("waits for a broker that is just starting", async () => {
    const [url] = await broker(0);
    const port = Number(new URL(url).port);
    const [first] = servers.splice(0);
    await new Promise((closed) => first?.close(closed));
    const call = new BrokerPublisher(url).publish("ticks", [{ data: 1 }]);
    await broker(port);
    expect(await call).toEqual(["1.0"]);
  });

  it("fails with a retryable error without a broker", async () => {
    // Tests never listen on privileged ports, so no other server answers here.
    await expect(new BrokerPublisher("http://127.0.0.1:2").publish("ticks", [{ data: 1 }])).rejects.toMatchObject({
      name: "PublishError",
      retryable: true,
      message: expect.stringMatching(/^cannot publish to "ticks" at http:\/\/127.0.0.1:\d+: connect ECONNREFUSED/),
    });
  });

  it("does not retry rejected messages", async () => {
    const [url, seen] = await broker(0, error(400, "no such topic"));
    await expect(new BrokerPublisher(url).publish("ticks", [{ data: 1 }])).rejects.toMatchObject({
      name: "PublishError",
      retryable: false,
      message: "no such topic",
    });
    expect(seen.length).toBe(1);
  });

  it("aborts a running call when it is closed", async () => {
    const publisher = new BrokerPublisher((await broker(0, () => publisher.close()))[0]);
    await expect(publisher.publish("ticks", [{ data: 1 }])).rejects.toThrow("the publisher is closed");
  });

  it("rejects an invalid URL", () => {
    expect(() => new BrokerPublisher("localhost")).toThrow('"localhost" is no URL of a broker');
  });
});
