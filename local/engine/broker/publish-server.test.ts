import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OutgoingMessage, PublishError } from "../../../shared/ports.ts";
import { createPublishServer } from "./publish-server.ts";

const published: [string, readonly OutgoingMessage[]][] = [];
const server = createPublishServer({
  publish: async (topic, messages) => {
    if (topic === "full") throw new PublishError("the disk is full", true);
    if (topic === "refused") throw new PublishError("no such topic", false);
    published.push([topic, messages]);
    return messages.map((_, index) => String(index + 1));
  },
});
let base = "";
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const encode = (text: string): string => Buffer.from(text).toString("base64");
const json = { "content-type": "application/json" };
const path = "/v1/projects/any/topics/ticks:publish";

async function post(url: string, body: string, headers: Record<string, string> = json): Promise<[number, unknown]> {
  const response = await fetch(new URL(url, base), { method: "POST", body, headers });
  return [response.status, await response.json()];
}

describe("publishing over HTTP", () => {
  it("is Pub/Sub's REST call", async () => {
    const body = { messages: [{ data: encode('{"v":1}'), attributes: { a: "b" } }, { data: encode("null") }] };
    expect(await post(path, JSON.stringify(body))).toEqual([200, { messageIds: ["1", "2"] }]);
    expect(published.splice(0)).toEqual([
      [
        "ticks",
        [
          { data: { v: 1 }, attributes: { a: "b" } },
          { data: null, attributes: {} },
        ],
      ],
    ]);
  });

  const message = JSON.stringify({ messages: [{ data: encode("1") }] });
  it.each<[string, string, string, Record<string, string>, number, string]>([
    ["another path", "/", message, json, 404, "only POST /v1/projects/PROJECT/topics/TOPIC:publish is supported"],
    ["a path that cannot be decoded", "/v1/projects/p/topics/%zz:publish", message, json, 404, "only POST"],
    ["what a web page may send", path, message, { "content-type": "text/plain" }, 415, "must be application/json"],
    ["no JSON", path, "{", json, 400, "the body is not JSON"],
    ["no messages", path, "{}", json, 400, "not a publish request: messages: an array of messages is required"],
    ["no data", path, '{"messages":[{}]}', json, 400, "not a publish request: messages.0.data: "],
    [
      "an attribute that is no text",
      path,
      '{"messages":[{"data":"MQ==","attributes":{"a":1}}]}',
      json,
      400,
      "attributes.a",
    ],
    [
      "data that is no JSON",
      path,
      '{"messages":[{"data":"MQ=="},{"data":"e3s="}]}',
      json,
      400,
      "the data of message 2 is not JSON",
    ],
    ["what the broker refuses", path.replace("ticks", "refused"), message, json, 400, "no such topic"],
    ["what the broker cannot do now", path.replace("ticks", "full"), message, json, 503, "the disk is full"],
    ["more than 16 MiB", path, "x".repeat(16 * 2 ** 20 + 1), json, 413, "send fewer messages in one"],
  ])("refuses %s", async (_name, url, body, headers, status, reason) => {
    const [answered, answer] = await post(url, body, headers);
    expect([answered, answer]).toEqual([
      status,
      { error: { code: status, status: expect.any(String), message: expect.stringContaining(reason) } },
    ]);
    expect(published).toEqual([]);
  });

  it("refuses other methods", async () => {
    expect((await fetch(new URL(path, base))).status).toBe(404);
  });

  it("survives a publisher that disconnects during its request", async () => {
    const half = request(new URL(path, base), { method: "POST", headers: { ...json, "content-length": 1000 } });
    const gone = new Promise<void>((resolve) => half.on("error", () => resolve()));
    const arrived = new Promise<void>((resolve) => server.once("request", () => resolve()));
    half.write("{");
    await arrived;
    half.destroy(new Error("gone"));
    await gone;
    expect(await post(path, message)).toEqual([200, { messageIds: ["1"] }]);
    expect(published.splice(0).length).toBe(1);
  });
});
