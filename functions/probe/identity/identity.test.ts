import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { identityPhase, isConclusive } from "../../../shared/messages/report.ts";
import { closedPort, issue, listening, type ProbeOnceOptions, probeOnce, tcpServer } from "../fixtures.ts";
import { grpc } from "../probers/grpc.ts";
import { http } from "../probers/http.ts";
import { journey } from "../probers/journey.ts";
import { websocket } from "../probers/websocket.ts";

const clientSecret = "c1ient-S3cret/value+1";
const token = "t0ken-S3cret-of-the-endpoint";
const secrets = { "client-secret": clientSecret, "client-id": "monitor app" };
const options: ProbeOnceOptions = { secrets };
const local = (port: number, path = "/"): string => `http://127.0.0.1:${port}${path}`;
const oauth2 = (port: number, more = {}): Record<string, unknown> => ({
  token_url: local(port, "/oauth/token?x=1"),
  client_id: { secret: "client-id" },
  client_secret: { secret: "client-secret" },
  ...more,
});

interface Asked {
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

/** A token endpoint. */
async function tokenEndpoint(answer: object, status = 200): Promise<{ port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const port = await listening(
    createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      asked.push({ authorization: request.headers.authorization, form: new URLSearchParams(body) });
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }),
  );
  return { port, asked };
}

/** A target that records the headers of its requests. */
async function target(answer: RequestListener = (_request, response) => response.end("{}")) {
  const seen: IncomingMessage["headers"][] = [];
  const port = await listening(
    createServer((request, response) => {
      seen.push(request.headers);
      answer(request, response);
    }),
  );
  return { port, seen };
}

describe("oauth2", () => {
  const given = { access_token: token, token_type: "bearer", expires_in: 3600 };

  it("requests a token with HTTP Basic, and sends it", async () => {
    const endpoint = await tokenEndpoint(given);
    const { port, seen } = await target();
    const settings = { url: local(port), oauth2: oauth2(endpoint.port, { scope: "read write", audience: "api" }) };
    expect((await probeOnce(http, settings, options)).failure).toBeUndefined();
    expect(seen[0]?.authorization).toBe(`Bearer ${token}`);
    const [asked] = endpoint.asked;
    expect(asked?.authorization).toBe(
      `Basic ${Buffer.from("monitor+app:c1ient-S3cret%2Fvalue%2B1").toString("base64")}`,
    );
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      grant_type: "client_credentials",
      scope: "read write",
      audience: "api",
    });
  });

  it("requests a token with client ID and secret in the body", async () => {
    const endpoint = await tokenEndpoint(given);
    const { port } = await target();
    await probeOnce(http, { url: local(port), oauth2: oauth2(endpoint.port, { authenticate: "body" }) }, options);
    expect(endpoint.asked[0]?.authorization).toBeUndefined();
    expect(Object.fromEntries(endpoint.asked[0]?.form ?? [])).toMatchObject({
      client_id: "monitor app",
      client_secret: clientSecret,
    });
  });

  it("authenticates a WebSocket, a step of a journey and a gRPC call", async () => {
    const endpoint = await tokenEndpoint(given);
    const identity = { oauth2: oauth2(endpoint.port) };
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (_socket, request) => seen.push(request.headers.authorization));
    const port = await listening(server);
    const calls = createHttp2Server().on("stream", (stream, headers) => {
      seen.push(headers.authorization);
      stream.on("error", () => {}).respond({ ":status": 503 }, { endStream: true });
    });
    await probeOnce(websocket, { url: `ws://127.0.0.1:${port}/`, ...identity }, options);
    const steps = [
      { name: "ask", http: { url: local(port), ...identity } },
      { name: "open", websocket: { url: `ws://127.0.0.1:${port}/`, ...identity } },
    ];
    await probeOnce(journey, { steps }, options);
    await probeOnce(grpc, { host: "127.0.0.1", port: await listening(calls), ...identity }, options);
    expect(seen).toEqual(Array(4).fill(`Bearer ${token}`));
  });

  it.each<[string, object, number, object]>([
    ["refuses the client", { error: "invalid_client" }, 401, { kind: "auth", status: 401, code: "invalid_client" }],
    ["fails", {}, 500, { kind: "http_status", status: 500 }],
    ["gives no token", { token_type: "bearer" }, 200, { kind: "protocol" }],
    ["gives another sort of token", { ...given, token_type: "mac" }, 200, { kind: "protocol" }],
  ])("names the endpoint that %s, and asks the target for nothing", async (_what, answer, status, failure) => {
    const endpoint = await tokenEndpoint(answer, status);
    const { port, seen } = await target();
    const result = await probeOnce(http, { url: local(port), oauth2: oauth2(endpoint.port) }, options);
    expect(result.failure).toMatchObject({
      ...failure,
      phase: identityPhase,
      message: expect.stringMatching(/^the token endpoint http:\/\/127\.0\.0\.1:\d+\/oauth\/token (answered|issued) /),
    });
    expect(seen).toEqual([]);
    expect(isConclusive(result)).toBe(false);
  });

  it("names a token endpoint that is unreachable or does not answer", async () => {
    const { port } = await target();
    const closed = await closedPort();
    const refused = await probeOnce(http, { url: local(port), oauth2: oauth2(closed) }, options);
    expect(refused.failure).toMatchObject({
      kind: "refused",
      phase: identityPhase,
      message: expect.stringContaining("the token endpoint"),
    });
    const silent = await tcpServer(() => {});
    const waited = await probeOnce(http, { url: local(port), oauth2: oauth2(silent) }, { ...options, timeoutMs: 200 });
    expect(waited.failure).toMatchObject({
      kind: "timeout",
      phase: identityPhase,
      message: expect.stringContaining("while waiting for the token endpoint"),
    });
  });

  it("keeps the secret and the token out of the result, even if the target echoes them", async () => {
    const text = `${clientSecret} ${encodeURIComponent(clientSecret)}`;
    const endpoint = await tokenEndpoint({ error: text, error_description: text }, 400);
    const { port } = await target((request, response) => response.writeHead(403).end(request.headers.authorization));
    const refused = await probeOnce(http, { url: local(port), oauth2: oauth2(endpoint.port) }, options);
    const granting = await tokenEndpoint(given);
    const echoed = await probeOnce(http, { url: local(port), oauth2: oauth2(granting.port) }, options);
    expect([refused.failure?.kind, echoed.failure?.kind]).toEqual(["auth", "http_status"]);
    expect(JSON.stringify(refused)).not.toMatch(/c1ient-S3cret|value%2B1/);
    expect(JSON.stringify(echoed)).not.toContain(token);
  });

  it.each([
    [3600, 1],
    [30, 3],
    [undefined, 3],
  ])("caches a token that expires in %s s: three runs request %i", async (expires_in, times) => {
    const endpoint = await tokenEndpoint({ access_token: token, expires_in });
    const { port } = await target();
    const steps = Array.from({ length: 3 }, (_, at) => ({
      name: `ask ${at}`,
      http: { url: local(port), oauth2: oauth2(endpoint.port) },
    }));
    expect((await probeOnce(journey, { steps }, options)).failure).toBeUndefined();
    expect(endpoint.asked).toHaveLength(times);
  });

  it("requests another token after a target has refused the cached one", async () => {
    const endpoint = await tokenEndpoint(given);
    const { port } = await target((_request, response) => response.writeHead(401).end());
    const identity = { url: local(port), oauth2: oauth2(endpoint.port), expect: { status: 401 } };
    const steps = [
      { name: "one", http: identity },
      { name: "two", http: identity },
    ];
    await probeOnce(journey, { steps }, options);
    expect(endpoint.asked).toHaveLength(2);
  });

  it("does not follow a redirect to another origin with the token", async () => {
    const endpoint = await tokenEndpoint(given);
    const other = await target();
    const { port } = await target((_request, response) =>
      response.writeHead(302, { location: local(other.port) }).end(),
    );
    await probeOnce(http, { url: local(port), oauth2: oauth2(endpoint.port) }, options);
    expect(other.seen[0]).not.toHaveProperty("authorization");
  });
});

describe("id_token", () => {
  // The fake API returns the same token for every audience.
  const cloudRun = "https://backend-abcdef-uc.a.run.app";
  const iap = "123-abc.apps.googleusercontent.com";

  it.each([
    [cloudRun, {}, { authorization: "Bearer no-token" }],
    [cloudRun, { authorization: "mine" }, { authorization: "mine", "x-serverless-authorization": "Bearer no-token" }],
    [iap, {}, { authorization: "Bearer no-token" }],
    [iap, { authorization: "mine" }, { authorization: "mine", "proxy-authorization": "Bearer no-token" }],
  ])("for %s with the headers %j is sent as %j", async (id_token, headers, expected) => {
    const { port, seen } = await target();
    await probeOnce(http, { url: local(port), id_token, headers }, options);
    expect(seen[0]).toMatchObject(expected);
  });

  it("is sent in addition to an OAuth token", async () => {
    const endpoint = await tokenEndpoint({ access_token: token });
    const { port, seen } = await target();
    await probeOnce(http, { url: local(port), id_token: cloudRun, oauth2: oauth2(endpoint.port) }, options);
    expect(seen[0]).toMatchObject({
      authorization: `Bearer ${token}`,
      "x-serverless-authorization": "Bearer no-token",
    });
  });

  it("is sent in addition to the token of a WebSocket", async () => {
    const server = createServer();
    const seen: IncomingMessage["headers"][] = [];
    new WebSocketServer({ server }).on("connection", (_socket, request) => seen.push(request.headers));
    const url = `ws://127.0.0.1:${await listening(server)}/`;
    await probeOnce(websocket, { url, id_token: cloudRun, token: { secret: "canary" } });
    expect(seen[0]).toMatchObject({
      authorization: "Bearer c4n4ry-S3cret/value",
      "x-serverless-authorization": "Bearer no-token",
    });
  });

  it.each([
    [{ url: "https://a.example", id_token: "backend" }, "must be an audience"],
    [{ url: "https://a.example", oauth2: { ...oauth2(1), token_url: "http://a.example" } }, "begins with https://"],
    [
      { url: "https://a.example", oauth2: oauth2(1), headers: { authorization: "x" } },
      "oauth2 sets the authorization header",
    ],
    [
      { url: "http://a.example", tls: { client_certificate: { cert: { secret: "c" }, key: { secret: "k" } } } },
      "client_certificate has no effect without TLS",
    ],
  ])("is rejected in %j", (settings, message) => {
    expect(http.settings.safeParse(settings).error?.issues[0]?.message).toContain(message);
  });
});

describe("client_certificate", async () => {
  const root = await issue({ name: "Test Root" });
  const good = await issue({ name: "good", issuer: root, hosts: ["127.0.0.1"] });
  const us = await issue({ name: "pathkeeper", issuer: root, hosts: ["pathkeeper.example.com"] });
  const asking = { cert: good.cert, key: good.key, ca: root.cert, requestCert: true };
  const pems = { secrets: { ca: root.cert, cert: us.cert, key: us.key } };
  const client_certificate = { cert: { secret: "cert" }, key: { secret: "key" } };
  const withPair = { tls: { ca: { secret: "ca" }, client_certificate } };
  const bare = { tls: { ca: { secret: "ca" } } };

  it("is presented by http and websocket probes and by the steps of a journey", async () => {
    const server = createHttpsServer(asking, (_request, response) => response.end("{}"));
    new WebSocketServer({ server });
    const port = await listening(server);
    const url = `https://127.0.0.1:${port}/`;
    const socket = `wss://127.0.0.1:${port}/`;
    expect((await probeOnce(http, { url, ...withPair }, pems)).failure).toBeUndefined();
    expect((await probeOnce(websocket, { url: socket, ...withPair }, pems)).failure).toBeUndefined();
    const steps = [
      { name: "ask", http: { url, ...withPair } },
      { name: "open", websocket: { url: socket, ...withPair } },
    ];
    expect((await probeOnce(journey, { steps }, pems)).failure).toBeUndefined();
    expect((await probeOnce(http, { url, ...bare }, pems)).failure).toMatchObject({
      kind: "tls",
      message: expect.stringContaining("requires a client certificate"),
    });
    expect((await probeOnce(websocket, { url: socket, ...bare }, pems)).failure?.kind).toBe("tls");
  });

  it("is not presented to another origin after a redirect", async () => {
    const other = await listening(
      createSecureServer({ ...asking, allowHTTP1: true }, (_request, response) => void response.end("{}")),
    );
    const first = createHttpsServer({ cert: good.cert, key: good.key }, (_request, response) =>
      response.writeHead(302, { location: `https://127.0.0.1:${other}/` }).end(),
    );
    const url = `https://127.0.0.1:${await listening(first)}/`;
    expect((await probeOnce(http, { url, ...withPair }, pems)).failure?.kind).toBe("tls");
  });
});
