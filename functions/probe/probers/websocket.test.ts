import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import {
  canaries,
  closedPort,
  issue,
  listening,
  measured,
  type ProbeOnceOptions,
  probeOnce,
  tcpServer,
} from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { accepting, answering, say, serveWebSocket, socketMisbehaviours } from "../websocket.fixtures.ts";
import { websocket } from "./websocket.ts";

const health = { expect: [{ json: { "$.type": "health" } }] };

proberContract({
  prober: websocket,
  settings: (port) => ({
    url: `ws://127.0.0.1:${port}/ws?token={token}`,
    token: { secret: "canary" },
    script: [{ send: "hello {token}" }, health],
  }),
  healthy: () => serveWebSocket((socket) => say(socket, { type: "health" })),
  echo: (text) => `HTTP/1.1 500 ${text}\r\ncontent-type: text/plain\r\n\r\n${text}`,
  misbehaviours: socketMisbehaviours,
});

const probe = (port: number, settings: Record<string, unknown> = {}, timeoutMs = 5_000) =>
  probeOnce(websocket, { url: `ws://127.0.0.1:${port}/ws`, ...settings }, { timeoutMs });

describe("websocket", () => {
  it.each([
    ["once if its script has sent something", [{ send: "hello" }, health], 1],
    ["twice if it has only received", [health], 2],
  ])("is probed %s", async (_what, script, attempts) => {
    let opened = 0;
    const port = await serveWebSocket((socket) => {
      opened += 1;
      socket.terminate();
    });
    const result = await probeOnce(websocket, { url: `ws://127.0.0.1:${port}/ws`, script }, { recheck: true });
    expect(result.failure).toMatchObject({ kind: "reset" });
    expect(opened).toBe(attempts);
  });

  it("times a handshake without a script, and closes the connection", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const result = await probe(await serveWebSocket((socket) => socket.on("close", resolve)));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "websocket_connection_success")).toBe(1);
    expect(measured(result, "http_status")).toBe(101);
    const stages = ["connect", "upgrade"].map((stage) => measured(result, "websocket_stage_time", stage) ?? 0);
    for (const seconds of stages) expect(seconds).toBeGreaterThan(0);
    expect(measured(result, "websocket_handshake_time")).toBeGreaterThanOrEqual(stages.reduce((a, b) => a + b) * 0.9);
    expect(measured(result, "websocket_stage_time", "dns")).toBeUndefined();
    expect(await promise).toBe(1000);
  });

  it("runs a conversation, with each step as a stage", async () => {
    const port = await serveWebSocket((socket) => {
      say(socket, { type: "welcome" });
      socket.on("message", (data) => {
        const { text } = JSON.parse(String(data));
        say(socket, { type: "agent_started" }, { type: "agent_thinking" }, { type: "done", reply: `you said ${text}` });
      });
    });
    const result = await probe(port, {
      script: [
        { name: "welcome", expect: [{ contains: "welcome" }] },
        { send: { type: "user_message", text: "hello" } },
        { name: "agent events", expect: [{ json: { "$.type": "agent_started" } }, { matches: "/SAID hello/i" }] },
        { ping: true, within: "2s" },
        { close: 1000 },
      ],
    });
    expect(result.failure).toBeUndefined();
    const stages = result.measurements.flatMap(({ labels }) => labels["stage"] ?? []);
    expect(stages).toEqual(["connect", "upgrade", "welcome", "send-2", "agent events", "ping-4", "close-5"]);
  });

  it.each([
    ["a bearer", "", {}, ["Bearer", undefined, undefined]],
    ["a query parameter", "?key={token}", {}, [undefined, "query", undefined]],
    ["a header", "", { headers: { "x-key": "Key {token}" } }, [undefined, undefined, "Key"]],
  ])("sends the token as %s", async (_what, query, settings, expected) => {
    const token = canaries["canary"] ?? "";
    const port = await serveWebSocket((socket, { url = "", headers }) => {
      const key = headers["x-key"];
      const seen = [
        headers.authorization?.replace(` ${token}`, ""),
        url.includes(encodeURIComponent(token)) ? "query" : undefined,
        typeof key === "string" ? key.replace(` ${token}`, "") : undefined,
      ];
      socket.send(JSON.stringify(seen));
    });
    const result = await probe(port, {
      ...settings,
      url: `ws://127.0.0.1:${port}/ws${query}`,
      token: { secret: "canary" },
      script: [{ expect: [{ contains: JSON.stringify(expected) }] }],
    });
    expect(result.failure).toBeUndefined();
  });

  it("sends the token in a message, as text and inside JSON", async () => {
    const port = await serveWebSocket((socket) => socket.on("message", (data) => socket.send(String(data).length)));
    const length = canaries["canary"]?.length ?? 0;
    const result = await probe(port, {
      token: { secret: "canary" },
      script: [
        { send: "{token}" },
        { send: { token: "{token}" } },
        { expect: [{ contains: `${length}` }, { contains: `${length + '{"token":""}'.length}` }] },
      ],
    });
    expect(result.failure).toBeUndefined();
  });

  it("offers subprotocols, of which the server must choose one", async () => {
    const port = await serveWebSocket((socket) => socket.send(socket.protocol));
    const chosen = await probe(port, { subprotocols: ["chat"], script: [{ expect: [{ contains: "chat" }] }] });
    expect(chosen.failure).toBeUndefined();
    const none = await probe(await tcpServer(accepting(() => {})), { subprotocols: ["chat"] });
    expect(none.failure).toMatchObject({ kind: "protocol", phase: "upgrade" });
    expect(none.failure?.message).toContain("it chose none of the subprotocols that were offered");
  });
});

describe("websocket handshakes", () => {
  it.each([
    ["500 Internal Server Error\r\n\r\n", "http_status", "500 Internal Server Error"],
    ["503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "http_status", "503 Service Unavailable"],
    [
      'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"db":"is down"'.slice(
        9,
      ),
      "http_status",
      '503 Service Unavailable: {"db":"is down"',
    ],
    ["401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "auth", "401 Unauthorized"],
    ["403 Forbidden\r\ncontent-length: 0\r\n\r\n", "auth", "403 Forbidden"],
    ["302 Found\r\nlocation: https://example.com/\r\ncontent-length: 0\r\n\r\n", "http_status", "302 Found"],
    ["200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", "http_status", "200 OK"],
  ])("reports the refusal %j", async (head, kind, status) => {
    const port = await tcpServer((socket) => socket.once("data", () => socket.end(`HTTP/1.1 ${head}`)));
    const result = await probe(port);
    const message = `the upgrade was answered with ${status}`;
    expect(result.failure).toEqual({ kind, phase: "upgrade", message, status: Number(status.slice(0, 3)) });
    expect(measured(result, "http_status")).toBe(Number(status.slice(0, 3)));
    expect(measured(result, "websocket_connection_success")).toBe(0);
    expect(measured(result, "websocket_handshake_time")).toBeUndefined();
    expect(measured(result, "websocket_stage_time", "connect")).toBeGreaterThan(0);
    expect(measured(result, "websocket_stage_time", "upgrade")).toBeUndefined();
  });

  it("reports a status whose body does not arrive in time", async () => {
    const port = await tcpServer(answering("503 Busy\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n"));
    const message = "the upgrade was answered with 503 Busy";
    const late = { kind: "http_status", phase: "upgrade", message, status: 503 };
    expect((await probe(port, { deadlines: { upgrade: "50ms" } })).failure).toEqual(late);
    expect((await probe(port, {}, 100)).failure).toEqual(late);
  });

  it("counts the accepted ones of simultaneous handshakes", async () => {
    let arrived = 0;
    const server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    const waiting: (() => void)[] = [];
    server.on("upgrade", (request, socket, head) => {
      const turn = ++arrived;
      waiting.push(() => {
        if (turn % 2 === 0) socket.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
        else sockets.handleUpgrade(request, socket, head, (client) => client.on("error", () => {}));
      });
      // None is answered before all have arrived: they are open simultaneously.
      if (arrived === 5) for (const answer of waiting) answer();
    });
    const result = await probe(await listening(server), { handshakes: 5, script: [health] });
    expect(result.failure).toMatchObject({
      kind: "http_status",
      phase: "upgrade",
      message: "2 of 5 simultaneous handshakes failed: the upgrade was answered with 503 Service Unavailable",
    });
    expect(measured(result, "websocket_connection_success")).toBe(0.6);
    expect(measured(result, "http_status")).toBe(503);
    expect(measured(result, "websocket_handshake_time")).toBeGreaterThan(0);
  });

  it("runs the script on one of several connections", async () => {
    let messages = 0;
    const port = await serveWebSocket((socket) => {
      socket.send('{"type":"health"}');
      socket.on("message", () => messages++);
    });
    const result = await probe(port, { handshakes: 10, script: [health, { send: "hello" }, { ping: true }] });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "websocket_connection_success")).toBe(1);
    expect(messages).toBe(1);
  });

  it("distinguishes refused connections and unknown host names", async () => {
    const port = await closedPort();
    const refused = {
      kind: "refused",
      phase: "connect",
      message: `127.0.0.1:${port} refused the connection: nothing listens there`,
    };
    expect((await probe(port)).failure).toMatchObject(refused);
    const unknown = await probeOnce(websocket, { url: "ws://no-such-host.invalid/" });
    expect(unknown.failure).toMatchObject({ kind: "dns", phase: "dns" });
    expect(measured(unknown, "websocket_connection_success")).toBe(0);
  });

  it("applies a separate deadline to each stage", async () => {
    const port = await tcpServer(() => {});
    expect((await probe(port, { deadlines: { upgrade: "80ms" } })).failure).toEqual({
      kind: "timeout",
      phase: "upgrade",
      message: `waiting for the WebSocket upgrade from 127.0.0.1:${port} took longer than 80ms`,
    });
    const encrypted = { url: `wss://127.0.0.1:${port}/`, deadlines: { connect: "4s", tls: "80ms" } };
    expect((await probe(port, encrypted)).failure).toEqual({
      kind: "timeout",
      phase: "tls",
      message: `performing the TLS handshake with 127.0.0.1:${port} took longer than 80ms: it may be overloaded, or may not speak TLS on this port`,
    });
  });

  it("verifies certificates", async () => {
    const root = await issue({ name: "Test Root" });
    const { cert, key } = await issue({ name: "good", issuer: root, hosts: ["127.0.0.1"] });
    const port = await serveWebSocket((socket) => say(socket, { type: "health" }), createTlsServer({ cert, key }));
    const settings = { url: `wss://127.0.0.1:${port}/`, script: [health] };
    const secrets = { ca: root.cert };
    const trusted = await probeOnce(websocket, { ...settings, tls: { ca: { secret: "ca" } } }, { secrets });
    expect(trusted.failure).toBeUndefined();
    expect(measured(trusted, "websocket_stage_time", "tls")).toBeGreaterThan(0);
    const insecure = await probeOnce(websocket, { ...settings, tls: { insecure: true } });
    expect(insecure.failure).toBeUndefined();
    const untrusted = await probeOnce(websocket, settings);
    expect(untrusted.failure).toMatchObject({ kind: "tls", phase: "tls" });
    expect(untrusted.failure?.message).toContain("the chain is incomplete");
  });
});

describe("websocket settings", () => {
  const url = "wss://example.com/ws";
  it.each([
    [{ url: "https://example.com" }, "must be a URL that begins with ws:// or wss://, without user or fragment"],
    [{ url: "wss://user:pw@example.com" }, "must be a URL that begins with ws:// or wss://, without user or fragment"],
    [{ url: "wss://example.com/?token={token}" }, "{token} requires a secret: set token: { secret: NAME }"],
    [{ url, script: [{ send: "a", ping: true }] }, "this one has send and ping: split it into separate steps"],
    [{ url, script: [{}] }, "this one has none: write send, expect, ping or close"],
    [{ url, script: [{ expect: [{}] }] }, "set at least one of json, contains or matches"],
    [{ url, script: [{ expect: [{ matches: "done" }] }] }, "must be a pattern such as /done/ or /done/i"],
    [{ url, script: [{ expect: [{ json: { type: "a" } }] }] }, "must be a path such as $.status or $.checks[0].ok"],
    [{ url, script: [{ send: "a", name: "upgrade" }] }, 'duplicate stage "upgrade": choose another name'],
    [{ url, script: [{ ping: true, name: "send-2" }, { send: "a" }] }, 'duplicate stage "send-2": choose another name'],
    [{ url, script: [{ close: 1000 }, { ping: true }] }, "close must be the last step"],
    [{ url, script: [{ close: 1001 }] }, "must be 1000, or 3000 to 4999"],
    [{ url, script: [{ ping: true, within: "soon" }] }, 'invalid duration "soon": write 10s, 5m or 250ms'],
  ])("rejects %j", (settings, sentence) => {
    const parsed = websocket.settings.safeParse(settings);
    expect(parsed.error?.message).toContain(JSON.stringify(sentence).slice(1, -1));
  });
});

describe("a WebSocket that is held", () => {
  const hold = (port: number, settings: Record<string, unknown>, options: ProbeOnceOptions = {}) =>
    probeOnce(websocket, { url: `ws://127.0.0.1:${port}/ws`, ...settings }, options);

  it("stays open for the whole time, whatever messages arrive", async () => {
    const port = await serveWebSocket((socket) => {
      const chatter = setInterval(() => say(socket, "news"), 20);
      socket.on("close", () => clearInterval(chatter));
    });
    const result = await hold(port, { hold: "1s", script: [{ expect: [{ contains: "news" }] }] });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "websocket_hold_time")).toBeGreaterThanOrEqual(0.99);
    expect(measured(result, "websocket_stage_time", "hold")).toBeGreaterThanOrEqual(0.99);
  });

  it.each([
    [
      "closed",
      (socket: WebSocket) => socket.close(1001, "time is up"),
      {
        kind: "unavailable",
        code: "1001",
        message: expect.stringMatching(/closed the connection with 1001 .*time is up/),
      },
    ],
    ["cut off", (socket: WebSocket) => socket.terminate(), { kind: "reset" }],
  ])("is reported when it is %s too early, and is not reopened", async (_what, end, failure) => {
    let opened = 0;
    const port = await serveWebSocket((socket) => {
      opened++;
      setTimeout(() => end(socket), 100);
    });
    const result = await hold(port, { hold: "6m" }, { recheck: true, timeoutMs: 370_000 });
    expect(result.failure).toMatchObject({ ...failure, phase: "hold" });
    expect(result.failure?.message).toMatch(/^the connection ended after .*, expected it to stay open for 6m: /);
    expect(measured(result, "websocket_hold_time")).toBeLessThan(5);
    expect(opened).toBe(1);
  });

  it("sends pings at the configured interval, and nothing else", async () => {
    let pings = 0;
    const port = await serveWebSocket((socket) => void socket.on("ping", () => pings++));
    await hold(port, { hold: "1s" });
    // A single ping checks whether the server keeps an accepted connection open, held or not.
    const first = pings;
    expect((await hold(port, { hold: "2500ms", hold_ping: "1s" })).failure).toBeUndefined();
    expect(pings - 2 * first).toBe(2);
  });

  it("declares its hold time", () => {
    const url = "wss://a.example";
    expect(websocket.holds?.(websocket.settings.parse({ url, hold: "6m" }))).toBe(360_000);
    expect(websocket.holds?.(websocket.settings.parse({ url }))).toBeUndefined();
  });

  it.each([
    [{ hold: "20m" }, "must be from 1s to 8m"],
    [{ hold_ping: "20s" }, "hold_ping has no effect without hold"],
    [{ hold: "6m", script: [{ close: 1000 }] }, "a closed connection cannot be held"],
  ])("is rejected with %j", (settings, message) => {
    const parsed = websocket.settings.safeParse({ url: "wss://a.example", ...settings });
    expect(parsed.error?.issues[0]?.message).toContain(message);
  });
});
