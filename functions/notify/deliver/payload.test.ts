import { describe, expect, it } from "vitest";
import { secretsOf, webInbox } from "../fixtures.ts";
import { readPayload } from "./payload.ts";
import { sender } from "./send.ts";

/** Stored by the versions before placeholders. */
const common = { transport: "http", method: "POST", headers: {}, body: '{"a":1}', allowPrivate: true };

describe("a request planned by an older version", () => {
  it("is sent unchanged, without filling in placeholders in its texts", async () => {
    await using inbox = await webInbox();
    const stored = {
      ...common,
      url: { secret: "url" },
      query: { wait: "true", requestId: "a:b" },
      headers: { "x-key": { secret: "key" }, "x-plain": "${secret:key}" },
      body: '{"said":"${secret:key} $${x}"}',
      secretFields: { routing_key: { secret: "routing" } },
      authorization: { scheme: "GenieKey", secret: { secret: "key" } },
      signature: { id: "one", keys: [{ secret: "signing" }] },
    };
    const outgoing = readPayload(JSON.stringify(stored));
    if (outgoing === undefined) throw new Error("it cannot be read");
    const send = sender(
      secretsOf({
        url: `${inbox.url}/hook?token=t`,
        key: "k-1",
        routing: "r-1",
        signing: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      }),
    );
    expect(await send(outgoing, 0)).toMatchObject({ status: 200 });
    const [received] = inbox.received;
    expect(received?.url).toBe("/hook?token=t&wait=true&requestId=a%3Ab");
    expect(received?.headers).toMatchObject({
      authorization: "GenieKey k-1",
      "x-key": "k-1",
      "x-plain": "${secret:key}",
      "webhook-signature": expect.stringMatching(/^v1,/),
    });
    expect(JSON.parse(received?.body ?? "")).toEqual({ said: "${secret:key} $${x}", routing_key: "r-1" });
  });

  it.each([
    [
      { ...common, url: "https://a.example/x" },
      { url: "https://a.example/x", body: '{"a":1}', v: 2 },
    ],
    [
      { transport: "smtp", server: { url: { secret: "smtp" } } },
      { server: { url: "${secret:smtp}" }, v: 2 },
    ],
    [
      { transport: "page", channel: "status" },
      { transport: "page", channel: "status" },
    ],
  ])("%j is parsed", (stored, expected) => {
    expect(readPayload(JSON.stringify(stored))).toMatchObject(expected);
  });
});

it("parses payloads of this version unchanged", () => {
  const stored = { ...common, v: 2, url: "${secret:url}?a=b", body: '{"said":"$${x}"}' };
  expect(readPayload(JSON.stringify(stored))).toEqual(stored);
});

it.each([undefined, "", "{", "null"])("parses %j as undefined", (payload) => {
  expect(readPayload(payload)).toBeUndefined();
});
