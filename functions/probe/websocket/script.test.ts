import { describe, expect, it } from "vitest";
import { measured, probeOnce, tcpServer } from "../fixtures.ts";
import { websocket } from "../probers/websocket.ts";
import { accepting, say, serveWebSocket } from "../websocket.fixtures.ts";

const probe = (port: number, settings: Record<string, unknown> = {}, timeoutMs = 5_000) =>
  probeOnce(websocket, { url: `ws://127.0.0.1:${port}/ws`, ...settings }, { timeoutMs });

describe("websocket script", () => {
  const type = (name: string) => ({ json: { "$.type": name } });
  const [a, b, c] = [type("a"), type("b"), type("c")];
  const missing = "no message with $.type";

  it.each([
    ["in order", ["a", "b", "c"], {}, undefined],
    ["in order, with others between", ["x", "a", "x", "b", "b", "c"], {}, undefined],
    ["in any order", ["c", "x", "a", "b"], { any_order: true }, undefined],
    ["none", [], {}, `${missing} "a" arrived (0 of 3 arrived)`],
    ["the last missing", ["a", "b"], {}, `${missing} "c" arrived (2 of 3 arrived: $.type "a"; $.type "b")`],
    [
      "out of order",
      ["a", "c", "b"],
      {},
      `${missing} "c" arrived (2 of 3 arrived: $.type "a"; $.type "b"): it arrived out of order; 1 other arrived, the last: {"type":"c"}`,
    ],
    [
      "one missing in the middle",
      ["a", "x", "c"],
      {},
      `${missing} "b" arrived (1 of 3 arrived: $.type "a"): $.type "c" arrived first; 2 others arrived, the last: {"type":"c"}`,
    ],
    [
      "one missing of any order",
      ["c", "x", "a"],
      { any_order: true },
      `${missing} "b" arrived (2 of 3 arrived: $.type "c"; $.type "a"); 1 other arrived, the last: {"type":"x"}`,
    ],
    [
      "no JSON",
      ["a"],
      { expect: [{ json: { "$[0]": 1 } }] },
      `no message with $[0] 1 arrived; 1 other arrived, the last: {"type":"a"}`,
    ],
  ])("assesses events that arrive %s", async (_what, names, step, message) => {
    const port = await serveWebSocket((socket) => say(socket, ...names.map((name) => ({ type: name }))));
    const script = [{ name: "agent events", expect: [a, b, c], within: message ? "100ms" : "4s", ...step }];
    const result = await probe(port, { script });
    expect(result.failure).toEqual(
      message && { kind: "sequence", phase: "agent events", message: `within 100ms ${message}` },
    );
    expect(measured(result, "websocket_connection_success")).toBe(1);
  });

  it("ends a wait immediately when a forbidden message arrives", async () => {
    const port = await serveWebSocket((socket) => say(socket, { type: "a" }, { type: "error", code: 7 }));
    const failOn = [{ json: { "$.type": "error" } }];
    const script = [{ name: "agent events", expect: [a, b], fail_on: failOn, within: "20s" }];
    const result = await probe(port, { script });
    expect(result.failure).toEqual({
      kind: "sequence",
      phase: "agent events",
      message: `a message with $.type "error" arrived: {"type":"error","code":7}; ${missing} "b" arrived (1 of 2 arrived: $.type "a")`,
    });
    expect(measured(result, "probe_duration")).toBeLessThan(4);
    const ping = websocket.settings.safeParse({ url: "wss://a.example", script: [{ ping: true, fail_on: failOn }] });
    expect(ping.error?.issues[0]?.message).toContain("fail_on requires expect");
  });

  it.each([
    ['$.items[?(@.name == "x")].state', "ready", true],
    ['$.items[?(@.name == "y")].state', "ready", false],
    ['$.items[?(@.name == "z")].state', "ready", false],
    ["$.items[*].n", "> 0", true],
    ["$.items[*].n", "> 1", false],
  ])("selects by %s what must be %s", async (path, value, holds) => {
    const items = [
      { name: "x", state: "ready", n: 1 },
      { name: "y", state: "down", n: 2 },
    ];
    const port = await serveWebSocket((socket) => say(socket, { items }));
    const script = [{ expect: [{ json: { [path]: value } }], within: holds ? "4s" : "100ms" }];
    expect((await probe(port, { script })).success).toBe(holds);
  });

  it("names the missing message when the probe times out first", async () => {
    const port = await serveWebSocket((socket) => say(socket, "hello"));
    const result = await probe(port, { script: [{ expect: [a] }] }, 150);
    expect(result.failure).toEqual({
      kind: "timeout",
      phase: "expect-1",
      message: `the probe timed out while waiting for messages from 127.0.0.1:${port}; ${missing} "a" arrived; 1 other arrived, the last: hello`,
    });
  });

  it.each([
    [1000, "bye", "sequence", "1000 (normal closure): bye"],
    [1001, "", "unavailable", "1001 (going away)"],
    [1003, "", "protocol", "1003 (unsupported data)"],
    [1008, "not you", "sequence", "1008 (policy violation): not you"],
    [1011, "the database is down", "unavailable", "1011 (internal error): the database is down"],
    [1012, "", "unavailable", "1012 (service restart)"],
    [4401, "token c4n4ry-S3cret/value expired", "auth", "4401 (not logged in): token *** expired"],
    [4000, "", "sequence", "4000"],
  ])("reports the close code %i", async (code, reason, kind, told) => {
    const port = await serveWebSocket((socket) => socket.close(code, reason));
    const result = await probe(port, { token: { secret: "canary" }, script: [{ expect: [a] }] });
    const message = `127.0.0.1:${port} closed the connection with ${told}; ${missing} "a" arrived`;
    expect(result.failure).toEqual({ kind, phase: "expect-1", message, code: String(code) });
  });

  it.each([
    [4401, "who are you", "auth", "4401 (not logged in): who are you"],
    [1011, "", "unavailable", "1011 (internal error)"],
    [1000, "", "sequence", "1000 (normal closure)"],
  ])("reports the close code %i even if TCP stays open", async (code, reason, kind, told) => {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
    const port = await tcpServer(
      accepting((socket) => socket.write(Buffer.concat([Buffer.from([0x88, payload.length]), payload]))),
    );
    const result = await probe(port, { script: [{ expect: [a], within: "4s" }] });
    const message = `127.0.0.1:${port} closed the connection with ${told}; ${missing} "a" arrived`;
    expect(result.failure).toEqual({ kind, phase: "expect-1", message, code: String(code) });
  });

  it.each([
    [1011, "the model is gone", "unavailable", "1011 (internal error): the model is gone"],
    [4401, "", "auth", "4401 (not logged in)"],
    [1012, "", "unavailable", "1012 (service restart)"],
  ])("fails without a script if a server accepts and closes with %i", async (code, reason, kind, told) => {
    const port = await serveWebSocket((socket) => socket.close(code, reason));
    const result = await probe(port);
    const message = `127.0.0.1:${port} closed the connection with ${told}`;
    expect(result.failure).toEqual({ kind, phase: "upgrade", message, code: String(code) });
    expect(measured(result, "websocket_connection_success")).toBe(0);
  });

  it("succeeds without a script if a server accepts and sends nothing, or closes normally", async () => {
    const still = await tcpServer(accepting(() => {}));
    expect((await probe(still)).failure).toBeUndefined();
    const polite = await serveWebSocket((socket) => socket.close(1000));
    expect((await probe(polite)).failure).toBeUndefined();
  });

  it("distinguishes messages received before the close from missing ones", async () => {
    const port = await serveWebSocket((socket) => {
      say(socket, { type: "a" });
      socket.terminate();
    });
    expect((await probe(port, { script: [{ expect: [a] }] })).failure).toBeUndefined();
    expect((await probe(port, { script: [{ expect: [a, b] }] })).failure).toMatchObject({
      kind: "reset",
      phase: "expect-1",
      message: `127.0.0.1:${port} closed the connection with 1006 (abnormal closure); ${missing} "b" arrived (1 of 2 arrived: $.type "a")`,
    });
  });

  it("reports a server that violates the protocol", async () => {
    const port = await tcpServer(accepting((socket) => socket.write(Buffer.from([0x83, 0x00]))));
    const result = await probe(port, { script: [{ expect: [a] }] });
    expect(result.failure).toMatchObject({ kind: "protocol", phase: "expect-1" });
    expect(result.failure?.message).toContain(
      "violates the WebSocket protocol: it sent a frame of an unknown or misplaced type",
    );
  });

  it("does not read messages longer than max_message", async () => {
    const port = await serveWebSocket((socket) => say(socket, "x".repeat(1_001)));
    const result = await probe(port, { max_message: 1_000, script: [{ expect: [{ contains: "xxx" }] }] });
    expect(result.failure).toMatchObject({
      kind: "protocol",
      message: expect.stringContaining("it sent a message longer than max_message"),
    });
  });

  it("limits the buffer of unexpected messages", async () => {
    const port = await serveWebSocket((socket) => {
      for (let count = 0; count < 1_500; count++) socket.send("noise");
    });
    const result = await probe(port, { script: [{ ping: true }] });
    expect(result.failure).toMatchObject({
      kind: "protocol",
      phase: "ping-1",
      message: expect.stringContaining("sent 1001 messages that no step expected"),
    });
  });

  it("limits the wait for a pong or a close", async () => {
    const port = await tcpServer(accepting(() => {}));
    expect((await probe(port, { script: [{ ping: true, within: "80ms" }] })).failure).toEqual({
      kind: "timeout",
      phase: "ping-1",
      message: "within 80ms no pong arrived",
    });
    expect((await probe(port, { script: [{ close: 1000, within: "80ms" }] })).failure).toEqual({
      kind: "timeout",
      phase: "close-1",
      message: "within 80ms the server did not close the connection",
    });
  });

  it("does not mistake a dropped connection for the response to a close", async () => {
    const port = await tcpServer(accepting((socket) => socket.once("data", () => socket.end())));
    expect((await probe(port, { script: [{ close: 1000 }] })).failure).toMatchObject({
      kind: "reset",
      phase: "close-1",
    });
  });

  it("searches with any pattern in linear time", async () => {
    const port = await serveWebSocket((socket) => say(socket, `${"a".repeat(40)}!`, `${"a".repeat(50_000)}!`, "aaa"));
    const result = await probe(port, { script: [{ expect: [{ matches: "/^(a+)+$/" }] }] });
    expect(result.failure).toBeUndefined();
  });
});
