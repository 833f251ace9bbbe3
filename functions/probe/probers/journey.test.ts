import { describe, expect, it } from "vitest";
import { closedPort, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { type ChatOptions, chatJourney, givenToken, startChat } from "../journey.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { say, serveWebSocket, socketMisbehaviours } from "../websocket.fixtures.ts";
import { journey } from "./journey.ts";

const json = { "content-type": "application/json" };

/** A minimal journey of one request. */
const one = (url: string, more: object = {}) => ({
  steps: [{ name: "ask", http: { url, headers: { authorization: { secret: "canary" } } }, ...more }],
});

proberContract({
  prober: journey,
  settings: (port) => one(`http://127.0.0.1:${port}/`),
  healthy: async () => (await startChat({ answer: (_request, response) => !!response.end("hello") })).port,
  echo: (text) =>
    `HTTP/1.1 503 ${text}\r\ncontent-type: text/plain\r\nx-echo: ${text}\r\nconnection: close\r\n\r\n${text}`,
});

proberContract({
  prober: journey,
  settings: (port) => ({
    steps: [
      {
        name: "open socket",
        websocket: { url: `ws://127.0.0.1:${port}/ws`, headers: { authorization: { secret: "canary" } } },
      },
      { name: "hello", expect: [{ json: { "$.type": "health" } }] },
    ],
  }),
  healthy: () => serveWebSocket((socket) => say(socket, { type: "health" })),
  echo: (text) => `HTTP/1.1 500 ${text}\r\ncontent-type: text/plain\r\n\r\n${text}`,
  misbehaviours: socketMisbehaviours,
});

async function walk(options: ChatOptions = {}, change: (steps: ReturnType<typeof chatJourney>) => object = (it) => it) {
  const chat = await startChat(options);
  const result = await probeOnce(journey, change(chatJourney(chat.port)) as Record<string, unknown>);
  expect(JSON.stringify(result)).not.toContain("c4n4ry");
  return { result, heard: chat.heard, port: chat.port };
}

const stepsOf = (result: Awaited<ReturnType<typeof probeOnce>>) =>
  result.measurements.filter(({ metric }) => metric === "golden_path_step_time").map(({ labels }) => labels["step"]);

describe("journey", () => {
  it("is not retried after it has sent anything: it would log in, send and pay twice", async () => {
    const chat = await startChat({ agents: (socket) => socket.terminate() });
    const result = await probeOnce(journey, chatJourney(chat.port), { recheck: true });
    expect(result.failure).toMatchObject({ kind: "reset" });
    expect(measured(result, "probe_attempts")).toBe(1);
    expect(chat.heard.filter((line) => line === "POST /login")).toHaveLength(1);
  });

  it("is retried once if its first step could not connect", async () => {
    const result = await probeOnce(journey, one(`http://127.0.0.1:${await closedPort()}/`), { recheck: true });
    expect(result.failure).toMatchObject({ kind: "refused", phase: "connect" });
    expect(measured(result, "probe_attempts")).toBe(2);
  });

  it("completes over one WebSocket, uses captured values, and cleans up", async () => {
    const { result, heard } = await walk();
    expect(result.failure).toBeUndefined();
    expect(heard).toEqual([
      "POST /login",
      "UPGRADE /ws/u%201%2F2?u=17",
      'MESSAGE {"thread_id":41,"text":"Hi \\"you\\"","by":{"id":17,"roles":["user"]},"as":"no 17"}',
      "DELETE /threads/41",
    ]);
    expect(stepsOf(result)).toEqual(["log in", "open socket", "welcome", "send message", "agent events", "reply"]);
    expect(measured(result, "golden_path_success")).toBe(1);
    expect(measured(result, "golden_path_cleanup_success")).toBe(1);
    const e2e = measured(result, "golden_path_e2e_time") ?? 0;
    const sum = result.measurements
      .filter(({ metric }) => metric === "golden_path_step_time")
      .map(({ value }) => value);
    expect(e2e).toBeGreaterThanOrEqual(sum.reduce((total, value) => total + value, 0));
    expect(e2e).toBeLessThanOrEqual(measured(result, "probe_duration") ?? 0);
  });

  it.each<[string, ChatOptions, string, object, string[]]>([
    [
      "a login that is refused",
      {
        answer: (_, response) =>
          !!response.writeHead(401, json).end('{"error":"no such user","hint_token":"c4n4ry-other"}'),
      },
      "log in",
      {
        kind: "http_status",
        phase: "response",
        message: '401 Unauthorized: {"error":"no such user","hint_token":"***"}',
      },
      ["POST /login"],
    ],
    [
      "an answer without the token",
      { answer: (_, response) => !!response.writeHead(200, json).end('{"user":{"id":1}}') },
      "log in",
      {
        kind: "body",
        phase: "body",
        message: '$.token is missing, so ${token} cannot be captured; the body is: {"user":{"id":1}}',
      },
      ["POST /login"],
    ],
    [
      "a WebSocket that is refused",
      { refuses: 503 },
      "open socket",
      { kind: "http_status", phase: "upgrade", message: "the upgrade was answered with 503 No" },
      ["POST /login", "UPGRADE /ws/u%201%2F2?u=17"],
    ],
    [
      "agents that begin and do not end",
      { agents: (socket) => say(socket, { type: "agent_started" }, { type: "agent_thinking" }) },
      "agent events",
      {
        kind: "sequence",
        phase: "expect",
        message:
          'within 100ms no message with $.type "agent_completed" arrived (1 of 2 arrived: $.type "agent_started"); 1 other arrived, the last: {"type":"agent_thinking"}',
      },
      ["POST /login", "UPGRADE /ws/u%201%2F2?u=17", "MESSAGE", "DELETE /threads/41"],
    ],
    [
      "a server that closes on the message",
      { agents: (socket) => socket.close(1011, "the model is gone") },
      "agent events",
      {
        kind: "unavailable",
        phase: "expect",
        message: expect.stringMatching(
          /^127\.0\.0\.1:\d+ closed the connection with 1011 \(internal error\): the model is gone; no message/,
        ),
      },
      ["POST /login", "UPGRADE /ws/u%201%2F2?u=17", "MESSAGE", "DELETE /threads/41"],
    ],
  ])(
    "names the step of %s, runs none after it, and still cleans up",
    async (_what, options, step, failure, requests) => {
      const { result, heard } = await walk(options, ({ steps, ...rest }) => ({
        ...rest,
        steps: steps.map((one) => (one["name"] === "agent events" ? { ...one, within: "100ms" } : one)),
      }));
      const { message } = failure as { message: unknown };
      const own = result.failure?.message.replace(`step \`${step}\`: `, "");
      expect(result.failure?.message).toContain(`step \`${step}\`: `);
      expect({ ...result.failure, message: own }).toMatchObject({ ...failure, message });
      expect(heard.map((line) => (line.startsWith("MESSAGE") ? "MESSAGE" : line))).toEqual(requests);
      expect(stepsOf(result)).not.toContain(step);
      expect(measured(result, "golden_path_success")).toBe(0);
      expect(measured(result, "golden_path_e2e_time")).toBeUndefined();
      expect(result.findings).toBeUndefined();
    },
  );

  it("applies a separate timeout to each step", async () => {
    const port = await tcpServer(() => {});
    const result = await probeOnce(journey, one(`http://127.0.0.1:${port}/`, { within: "100ms" }));
    expect(result.failure).toEqual({
      kind: "timeout",
      phase: "first_byte",
      message: `step \`ask\`: the step timed out after 100ms while waiting for the first byte from 127.0.0.1:${port}`,
      step: "ask",
    });
  });

  it("reserves time for the cleanup if the steps take too long", async () => {
    const chat = await startChat();
    const silent = await tcpServer(() => {});
    const result = await probeOnce(
      journey,
      {
        steps: [{ name: "wait", http: { url: `http://127.0.0.1:${silent}/` } }],
        cleanup: [{ name: "log out", http: { url: `http://127.0.0.1:${chat.port}/logout`, expect: { status: 403 } } }],
        cleanup_within: "10s",
      },
      { timeoutMs: 1_000 },
    );
    expect(result.failure).toMatchObject({
      kind: "timeout",
      phase: "first_byte",
      message: expect.stringMatching(/^step `wait`: the steps timed out after \d+ms while waiting/),
    });
    expect(chat.heard).toEqual(["GET /logout"]);
    expect(measured(result, "golden_path_cleanup_success")).toBe(1);
  });

  it("reports every failed cleanup step, and does not fail the journey because of it", async () => {
    const { result, heard } = await walk({}, ({ cleanup, ...rest }) => ({
      ...rest,
      cleanup: [
        { name: "forget", http: { url: `http://127.0.0.1:1/` } },
        ...cleanup,
        { name: "again", check: { id: "> 99" } },
      ],
    }));
    expect(result.success).toBe(true);
    expect(heard.at(-1)).toBe("DELETE /threads/41");
    expect(measured(result, "golden_path_cleanup_success")).toBe(0);
    expect(result.findings?.map(({ check, ok, observed }) => [check, ok, observed])).toEqual([
      ["cleanup step forget", false, expect.stringMatching(/^it failed in connect: 127\.0\.0\.1:1 refused/)],
      ["cleanup step again", false, "it failed in check: id is 17, expected > 99"],
    ]);
  });

  it("checks captured values, with their type if the text is a single variable", async () => {
    const { result } = await walk({}, ({ steps, ...rest }) => ({
      ...rest,
      steps: [
        ...steps.slice(0, 3),
        { name: "compare", check: { id: "> 3", name: "/^u/", thread: 41, token: "${token}" } },
        { name: "compare again", check: { token: "/^other/" } },
      ],
    }));
    expect(result.failure).toEqual({
      kind: "body",
      phase: "check",
      message: 'step `compare again`: token is "***", expected /^other/',
      step: "compare again",
    });
  });

  it("replaces the first WebSocket by a second, closes it, and captures a cookie with a pattern", async () => {
    const { result, heard } = await walk({}, ({ steps: [login, open, welcome], ...rest }) => ({
      ...rest,
      cleanup: [],
      steps: [
        {
          ...login,
          capture: { token: "$.token", id: "$.user.id", name: { header: "set-cookie", matches: "/session=([^;]+)/" } },
        },
        open,
        { ...open, name: "open again" },
        welcome,
        { name: "ping", ping: true },
        { name: "leave", close: 1000 },
      ],
    }));
    expect(result.failure).toBeUndefined();
    expect(heard).toEqual(["POST /login", "UPGRADE /ws/s-77?u=17", "UPGRADE /ws/s-77?u=17"]);
  });

  it("keeps a captured secret out of the whole report", async () => {
    const { result } = await walk(
      {
        agents: (socket) => say(socket, { type: "echo", text: givenToken }, { access_token: "c4n4ry-new", type: "x" }),
      },
      ({ steps, ...rest }) => ({ ...rest, steps: steps.map((one) => ({ ...one, within: "500ms" })) }),
    );
    expect(result.failure?.message).toContain('2 others arrived, the last: {"access_token":"***","type":"x"}');
  });

  it("does not send a header with a captured value to another origin", async () => {
    const seen: (string | undefined)[] = [];
    const other = await startChat({
      answer: (request, response) => {
        seen.push(request.headers["x-thread"]?.toString());
        return !!response.end("{}");
      },
    });
    await walk(
      {
        answer: (request, response) =>
          request.url === "/away" && !!response.writeHead(302, { location: `http://127.0.0.1:${other.port}/` }).end(),
      },
      ({ steps, ...rest }) => ({
        ...rest,
        cleanup: [],
        steps: [
          steps[0],
          { name: "away", http: { url: `http://127.0.0.1:${port(steps)}/away`, headers: { "x-thread": "${id}" } } },
        ],
      }),
    );
    expect(seen).toEqual([undefined]);
  });

  it("reports a value that is invalid in a header", async () => {
    const { result } = await walk({}, ({ steps, ...rest }) => ({
      ...rest,
      variables: { ...rest.variables, odd: "a\r\nx: y" },
      steps: [{ name: "odd", http: { url: `http://127.0.0.1:${port(steps)}/`, headers: { "x-odd": "${odd}" } } }],
      cleanup: [],
    }));
    expect(result.failure).toEqual({
      kind: "body",
      phase: "request",
      message: "step `odd`: the value for ${odd} contains characters that are invalid in a header",
      step: "odd",
    });
  });

  it.each([
    ["user-a.(c", undefined],
    ["user-abc", 'step `look`: $.user is "user-abc", expected /^user-a\\.\\(c$/'],
  ])("matches a captured text inside a pattern literally: %s", async (user, message) => {
    const port = await tcpServer((socket) =>
      socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ id: "a.(c", user })}`)),
    );
    const url = `http://127.0.0.1:${port}/`;
    const result = await probeOnce(journey, {
      steps: [
        { name: "begin", http: { url }, capture: { id: "$.id" } },
        { name: "look", http: { url, expect: { json: { "$.user": "/^user-${id}$/" } } } },
      ],
    });
    expect(result.failure?.message).toBe(message);
  });

  it("reports connection failures like any other probe", async () => {
    const nobody = await closedPort();
    const result = await probeOnce(journey, {
      steps: [{ name: "open", websocket: { url: `ws://127.0.0.1:${nobody}/` } }],
    });
    expect(result.failure).toMatchObject({
      kind: "refused",
      phase: "connect",
      message: `step \`open\`: 127.0.0.1:${nobody} refused the connection: nothing listens there`,
    });
  });
});

/** The port that the steps connect to. */
function port(steps: readonly Record<string, unknown>[]): string {
  return /127\.0\.0\.1:(\d+)/.exec(JSON.stringify(steps))?.[1] ?? "";
}
