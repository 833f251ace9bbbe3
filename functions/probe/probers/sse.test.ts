import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { listening, measured, type ProbeOnceOptions, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { journey } from "./journey.ts";
import { sse } from "./sse.ts";

const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const done = { name: "reply", expect: [{ event: "done" }] };

/** Streams texts, and leaves the stream open unless it `ends`. */
async function streaming(texts: readonly string[], ends = false) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const port = await listening(
    createServer(async (request, response) => {
      seen.push({ request, body: Buffer.concat(await request.toArray()).toString() });
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      for (const text of texts) {
        response.write(text);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (ends) response.end();
    }),
  );
  return { port, seen };
}

const probe = (port: number, settings: Record<string, unknown> = {}, options: ProbeOnceOptions = {}) =>
  probeOnce(sse, { url: `http://127.0.0.1:${port}/chat`, script: [done], ...settings }, options);
const answering = (answer: (response: ServerResponse) => unknown): Promise<number> =>
  listening(createServer((_request, response) => answer(response)));

proberContract({
  prober: sse,
  settings: (port) => ({
    url: `http://127.0.0.1:${port}/`,
    headers: { authorization: { secret: "canary" } },
    script: [{ expect: [{ event: "done" }], within: "10s" }],
  }),
  healthy: () => tcpServer((socket) => socket.on("data", () => socket.end(`${head}event: done\ndata: x\n\n`))),
  echo: (text) => `${head}event: error\ndata: ${text}\n\n`,
  misbehaviours: {
    "streams other events without end": (socket) =>
      socket.once("data", () => {
        socket.write(head);
        const drip = setInterval(() => socket.write("data: x\n\n"), 5);
        socket.once("close", () => clearInterval(drip));
      }),
    "begins an event that does not end": (socket) =>
      socket.once("data", () => {
        socket.write(head);
        const pour = (): void => {
          while (socket.writable && socket.write(`data: ${"x".repeat(65_536)}\n`));
        };
        socket.on("drain", pour);
        pour();
      }),
    "streams a chunk that is none": (socket) =>
      socket.once("data", () =>
        socket.write(head.replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\nnot a size\r\n")),
      ),
  },
});

describe("sse", () => {
  it("sends a request and receives events in order, in any fragmentation", async () => {
    const { port, seen } = await streaming([
      ": hello\n\nevent: tok",
      'en\ndata: {"text":"Hel"}\n\n',
      'event: token\r\ndata: {"text":\r\ndata: "lo"}\r\n\r\nda',
      "ta: plain\n\n",
      "event: done\ndata: é\n\n",
    ]);
    const script = [
      { name: "first token", expect: [{ event: "token", json: { "$.text": "/^Hel/" } }], within: "3s" },
      {
        name: "reply",
        expect: [
          { event: "message", contains: "plain" },
          { event: "done", matches: "/é/" },
        ],
      },
    ];
    const result = await probe(port, { method: "POST", json: { message: "Hello" }, script });
    expect(result.failure).toBeUndefined();
    expect(seen[0]?.body).toBe('{"message":"Hello"}');
    expect(seen[0]?.request.headers).toMatchObject({ accept: "text/event-stream", "accept-encoding": "identity" });
    expect(measured(result, "stream_first_event_time")).toBeGreaterThan(0);
    expect(measured(result, "stream_stage_time", "first token")).toBeGreaterThanOrEqual(0);
    expect(measured(result, "http_status")).toBe(200);
  });

  it("ends a wait immediately when a forbidden event arrives", async () => {
    const { port } = await streaming(['event: error\ndata: {"message":"no model"}\n\n']);
    const script = [{ ...done, fail_on: [{ event: "error" }], within: "10s" }];
    const result = await probe(port, { script }, { timeoutMs: 20_000 });
    expect(result.failure).toEqual({
      kind: "sequence",
      phase: "reply",
      message: 'a message with the event error arrived: {"message":"no model"}; no message with the event done arrived',
    });
    expect(measured(result, "probe_duration")).toBeLessThan(5);
  });

  it("names the missing events when time runs out or the stream ends", async () => {
    const { port } = await streaming(["data: one\n\n"]);
    expect((await probe(port, { script: [{ ...done, within: "100ms" }] })).failure).toEqual({
      kind: "sequence",
      phase: "reply",
      message: "within 100ms no message with the event done arrived; 1 other arrived, the last: one",
    });
    const ended = await streaming(["data: one\n\n"], true);
    expect((await probe(ended.port)).failure).toMatchObject({
      kind: "sequence",
      phase: "reply",
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ ended the stream; no message with the event done arrived/),
    });
  });

  it("reports events that arrive in the wrong order", async () => {
    const { port } = await streaming(["event: b\ndata: 1\n\nevent: a\ndata: 2\n\n"]);
    const script = [{ name: "both", expect: [{ event: "a" }, { event: "b" }], within: "100ms" }];
    expect((await probe(port, { script })).failure?.message).toContain(
      "(1 of 2 arrived: the event a): it arrived out of order",
    );
    expect((await probe(port, { script: [{ ...script[0], any_order: true }] })).failure).toBeUndefined();
  });

  it.each<[string, (response: ServerResponse) => unknown, object]>([
    ["503", (response) => response.writeHead(503).end(), { kind: "http_status", phase: "response", status: 503 }],
    [
      "401 with a reason",
      (response) => response.writeHead(401, { "content-type": "application/json" }).end('{"error":"expired"}'),
      { kind: "auth", status: 401, message: 'the stream was answered with 401 Unauthorized: {"error":"expired"}' },
    ],
    [
      "a page",
      (response) => response.setHeader("content-type", "text/html").end("<p>"),
      { kind: "protocol", status: 200, message: "the response is not an event stream: it came as text/html" },
    ],
  ])("distinguishes %s from a stream", async (_what, answer, failure) => {
    expect((await probe(await answering(answer))).failure).toMatchObject(failure);
  });

  it("does not retry a request that was answered", async () => {
    const { port, seen } = await streaming([], true);
    await probe(port, {}, { recheck: true });
    expect(seen).toHaveLength(1);
  });

  it("is part of a journey, with values captured before and after", async () => {
    const { port, seen } = await streaming([
      'event: started\ndata: {"thread":"t-1"}\n\n',
      'event: done\ndata: {"tools":[{"name":"x","state":"ready"},{"name":"y","state":"down"}]}\n\n',
    ]);
    const steps = [
      {
        name: "ask",
        stream: { url: `http://127.0.0.1:${port}/chat`, method: "POST", json: { text: "${greeting}" } },
      },
      { name: "started", expect: [{ event: "started" }], capture: { thread: "$.thread" }, within: "2s" },
      {
        name: "reply",
        expect: [{ event: "done", json: { '$.tools[?(@.name == "x")].state': "ready" } }],
        fail_on: [{ event: "error" }],
        within: "2s",
      },
      { name: "same thread", check: { thread: "t-1" } },
    ];
    const result = await probeOnce(journey, { variables: { greeting: "Hi" }, steps });
    expect(result.failure).toBeUndefined();
    expect(seen[0]?.body).toBe('{"text":"Hi"}');
    const wrong = { ...steps[2], expect: [{ json: { '$.tools[?(@.name == "y")].state': "ready" } }], within: "100ms" };
    const failed = await probeOnce(journey, { variables: { greeting: "Hi" }, steps: [steps[0], wrong] });
    expect(failed.failure).toMatchObject({ kind: "sequence", step: "reply" });
  });

  it.each([
    [{ script: [] }, "at least"],
    [{ script: [{ expect: [{}] }] }, "set at least one of event, json, contains or matches"],
    [{ script: [done, done] }, 'duplicate stage "reply": choose another name'],
    [{ script: [done], json: {}, body: "" }, "set either body or json"],
  ])("rejects %j", (settings, message) => {
    const parsed = sse.settings.safeParse({ url: "https://a.example", ...settings });
    expect(parsed.error?.issues[0]?.message).toMatch(new RegExp(`${message}|Too small`));
  });
});
