import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { canaries, closedPort, issue, listening, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { http } from "./http.ts";

proberContract({
  prober: http,
  settings: (port) => ({
    url: `http://127.0.0.1:${port}/health?token=in-the-query`,
    headers: { authorization: { secret: "canary" } },
  }),
  healthy: () => listening(createServer((_request, response) => response.end("fine"))),
  echo: (text) => `HTTP/1.1 500 ${text}\r\ncontent-type: text/plain\r\nx-echo: ${text}\r\n\r\n${text}`,
});

const serve = (handle: RequestListener): Promise<number> => listening(createServer(handle));

describe("http", () => {
  it("measures status, size and the phases of a plain request", async () => {
    const port = await serve((_request, response) => response.end("hello"));
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ success: true });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "http_status")).toBe(200);
    expect(measured(result, "http_body_size")).toBe(5);
    const phases = ["connect", "first_byte", "body"].map(
      (phase) => measured(result, "http_phase_time", phase) ?? Number.NaN,
    );
    expect(phases.every((seconds) => seconds >= 0 && seconds < 5)).toBe(true);
    expect(measured(result, "http_phase_time", "dns")).toBeUndefined();
    expect(measured(result, "http_response_time")).toBeGreaterThanOrEqual(
      phases.reduce((sum, one) => sum + one, 0) * 0.9,
    );
  });

  it("resolves names in a separate phase", async () => {
    const port = await serve((_request, response) => response.end());
    const result = await probeOnce(http, { url: `http://localhost:${port}/`, ip_version: 4 });
    expect(result.success).toBe(true);
    expect(measured(result, "http_phase_time", "dns")).toBeGreaterThan(0);
  });

  it("distinguishes the response of a cold instance from that of a warm one", async () => {
    let requests = 0;
    const port = await serve((_request, response) => {
      if (requests++ > 0) response.end();
      else setTimeout(() => response.end(), 3_000);
    });
    const settings = { url: `http://127.0.0.1:${port}/`, expect: { max_time: "2s" } };
    const result = await probeOnce(http, settings, { recheck: true });
    expect(result).toMatchObject({
      success: true,
      attempts: [{ failure: { kind: "timeout", phase: "response" } }, {}],
    });
    expect(measured(result, "http_cold_response_time")).toBeGreaterThanOrEqual(2.9);
    expect(measured(result, "http_response_time")).toBeLessThan(2);
    expect(measured(await probeOnce(http, settings), "http_cold_response_time")).toBeUndefined();
  });

  it("opens a new connection for each run and closes it", async () => {
    const ports = new Set<number | undefined>();
    const port = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end(request.headers.connection);
    });
    const settings = { url: `http://127.0.0.1:${port}/`, expect: { body_contains: "close" } };
    for (let run = 0; run < 3; run++) expect(await probeOnce(http, settings)).toMatchObject({ success: true });
    expect(ports.size).toBe(3);
  });

  it("sends method, headers and body", async () => {
    const port = await serve((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () =>
        response.end(
          JSON.stringify({
            method: request.method,
            type: request.headers["content-type"],
            token: request.headers["x-token"] === canaries["canary"],
            body,
          }),
        ),
      );
    });
    const result = await probeOnce(http, {
      url: `http://127.0.0.1:${port}/`,
      method: "POST",
      headers: { "X-Token": { secret: "canary" } },
      json: { message: "hällo" },
      expect: {
        json: { "$.method": "POST", "$.type": "application/json", "$.token": true, "$.body": '{"message":"hällo"}' },
      },
    });
    expect(result.failure).toBeUndefined();
  });

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["zstd", zstdCompressSync],
    ["br", brotliCompressSync],
  ] as const)("decodes %s", async (encoding, compress) => {
    const port = await serve((_request, response) => {
      response.setHeader("content-encoding", encoding).end(compress(Buffer.from("compressed".repeat(100))));
    });
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, expect: { body_contains: "compressed" } });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "http_body_size")).toBe(1000);
  });

  it("stops decoding at max_body", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const port = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip").end(bomb);
    });
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, max_body: 1000 });
    expect(result.failure).toMatchObject({
      kind: "body",
      phase: "body",
      message: "the body is longer than max_body, 1000 bytes",
    });
    expect(measured(result, "http_body_size")).toBe(1000);
  });

  it("accepts a body of exactly max_body", async () => {
    const port = await serve((_request, response) => response.end("12345"));
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, max_body: 5 });
    expect(result.failure).toBeUndefined();
  });

  it("reports a body with an invalid encoding", async () => {
    const port = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip").end("not gzip at all");
    });
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result.failure).toMatchObject({
      kind: "body",
      phase: "body",
      message: "the compressed body cannot be decoded",
    });
  });

  it("checks the response and keeps the measurements", async () => {
    const port = await serve((_request, response) => {
      response.writeHead(503, { "content-type": "application/json" }).end('{"status":"down","pool":0.93}');
    });
    const result = await probeOnce(http, {
      url: `http://127.0.0.1:${port}/`,
      extract: [{ metric: "cloud_sql_pool_utilization", path: "$.pool" }],
    });
    expect(result.failure).toMatchObject({
      kind: "http_status",
      phase: "response",
      message: '503 Service Unavailable: {"status":"down","pool":0.93}',
      status: 503,
    });
    expect(measured(result, "http_status")).toBe(503);
    expect(measured(result, "cloud_sql_pool_utilization")).toBe(0.93);
    expect(measured(result, "probe_success")).toBe(0);
  });

  it("fails if the connection is cut off inside the body", async () => {
    const port = await tcpServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    });
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result.failure).toMatchObject({
      kind: "reset",
      phase: "body",
      message: `127.0.0.1:${port} closed the connection while reading the body from 127.0.0.1:${port}`,
    });
    expect(measured(result, "http_phase_time", "first_byte")).toBeGreaterThanOrEqual(0);
  });

  it("distinguishes refused connections and unknown host names", async () => {
    const port = await closedPort();
    expect((await probeOnce(http, { url: `http://127.0.0.1:${port}/` })).failure).toMatchObject({
      kind: "refused",
      phase: "connect",
      message: `127.0.0.1:${port} refused the connection: nothing listens there`,
    });
    expect((await probeOnce(http, { url: "http://no-such-host.invalid/" })).failure).toMatchObject({
      kind: "dns",
      phase: "dns",
    });
    expect((await probeOnce(http, { url: "http://127.0.0.1/", ip_version: 6 })).failure).toMatchObject({ kind: "dns" });
  });
});

describe("http redirects", () => {
  it("follows them, and sends no secrets to another origin", async () => {
    const seen: unknown[] = [];
    const last = await serve((request, response) => {
      seen.push([
        request.headers.host,
        request.headers.authorization,
        request.headers["x-key"],
        request.headers["x-plain"],
      ]);
      response.end("there");
    });
    const first = await serve((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/next" }).end();
      else response.writeHead(301, { location: `http://localhost:${last}/end` }).end();
      seen.push([request.url, request.headers["x-key"] === canaries["canary"]]);
    });
    const result = await probeOnce(http, {
      url: `http://127.0.0.1:${first}/`,
      ip_version: 4,
      headers: { authorization: "Basic abc", "x-key": { secret: "canary" }, "x-plain": "kept" },
      expect: { body_contains: "there" },
    });
    expect(result.failure).toBeUndefined();
    expect(result.hops).toEqual([
      { url: `http://127.0.0.1:${first}/`, status: 302, duration: expect.any(Number) },
      { url: `http://127.0.0.1:${first}/next`, status: 301, duration: expect.any(Number) },
      { url: `http://localhost:${last}/end`, status: 200, duration: expect.any(Number) },
    ]);
    expect(measured(result, "http_redirects")).toBe(2);
    expect(seen).toEqual([
      ["/", true],
      ["/next", true],
      [`localhost:${last}`, undefined, undefined, "kept"],
    ]);
  });

  it.each([
    [{ follow_redirects: 0, expect: { status: 302 } }, undefined],
    [{ follow_redirects: 0 }, { kind: "http_status", message: "302 Found" }],
    [
      { follow_redirects: 2 },
      { kind: "protocol", message: expect.stringMatching(/^more than 2 redirects; the next one is to http:\/\/127/) },
    ],
  ])("stops as set in %j", async (settings, failure) => {
    const port = await serve((_request, response) => response.writeHead(302, { location: "/again?secret=1" }).end());
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, ...settings });
    if (failure) expect(result.failure).toMatchObject(failure);
    else expect(result.failure).toBeUndefined();
    expect(JSON.stringify(result)).not.toContain("secret=1");
    if (settings.follow_redirects > 0) expect(result.hops?.map(({ status }) => status)).toEqual([302, 302, 302]);
  });

  it("reports the hops before a failing one", async () => {
    const nowhere = await closedPort();
    const port = await serve((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${nowhere}/` }).end(),
    );
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result.failure).toMatchObject({ kind: "refused", message: expect.stringContaining("(redirected to ") });
    expect(result.hops).toMatchObject([{ url: `http://127.0.0.1:${port}/`, status: 302 }]);
  });

  it("rejects a redirect to another scheme than HTTP", async () => {
    const port = await serve((_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end());
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result.failure).toMatchObject({
      kind: "protocol",
      message: "redirected to an invalid HTTP URL: file:///etc/passwd",
    });
  });
});

describe("http over TLS", async () => {
  const root = await issue({ name: "Test Root" });
  const middle = await issue({ name: "Test Middle", issuer: root });
  const good = await issue({ name: "good", issuer: middle, hosts: ["localhost", "127.0.0.1"] });
  const elsewhere = await issue({ name: "elsewhere", issuer: root, hosts: ["a.example.com", "b.example.com"] });
  const expired = await issue({ name: "expired", issuer: root, hosts: ["localhost"], from: -40, until: -10 });
  const early = await issue({ name: "early", issuer: root, hosts: ["localhost"], from: 10 });
  const alone = await issue({ name: "alone", hosts: ["localhost"] });
  const staleMiddle = await issue({ name: "Stale Middle", issuer: root, from: -40, until: -10 });
  const underStale = await issue({ name: "fresh", issuer: staleMiddle, hosts: ["localhost"] });
  // A long-expired authority that a newer one has cross-signed, and that servers still send.
  const oldRoot = await issue({ name: "Old Root", from: -400, until: -100 });
  const secrets = { ca: root.cert };

  const serveTls = (cert: string, key: string): Promise<number> =>
    listening(createTlsServer({ cert, key }, (_request, response) => response.end("safe")));
  const probe = async (port: number, tls: Record<string, unknown> = { ca: { secret: "ca" } }) =>
    probeOnce(http, { url: `https://localhost:${port}/`, ip_version: 4, tls }, { secrets });

  it("verifies the chain and measures its expiry", async () => {
    const result = await probe(await serveTls(good.cert + middle.cert, good.key));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "http_phase_time", "tls")).toBeGreaterThan(0);
    expect((measured(result, "tls_certificate_expiry") ?? 0) / 86_400).toBeCloseTo(30, 1);
  });

  it("ignores the expiry of unneeded certificates", async () => {
    const result = await probe(await serveTls(good.cert + middle.cert + oldRoot.cert, good.key));
    expect(result.failure).toBeUndefined();
    expect((measured(result, "tls_certificate_expiry") ?? 0) / 86_400).toBeCloseTo(30, 1);
  });

  it("verifies certificates for addresses too", async () => {
    const port = await serveTls(good.cert + middle.cert, good.key);
    const result = await probeOnce(
      http,
      { url: `https://127.0.0.1:${port}/`, tls: { ca: { secret: "ca" } } },
      { secrets },
    );
    expect(result.failure).toBeUndefined();
  });

  const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  it.each([
    ["of another host", elsewhere, "", "the certificate is for a.example.com, b.example.com, not for localhost"],
    ["expired", expired, "", `the certificate of expired expired on ${day(-10)}`],
    ["not yet valid", early, "", `the certificate of early is not valid before ${day(10)}`],
    ["self-signed", alone, "", "the certificate of alone is self-signed"],
    ["under an expired one", underStale, staleMiddle.cert, `the certificate of Stale Middle expired on ${day(-10)}`],
    [
      "with an incomplete chain",
      good,
      "",
      "the chain is incomplete: the server did not send the certificate of the issuer Test Middle, and it is not a trusted authority",
    ],
  ])("rejects a certificate %s", async (_what, { cert, key }, more, message) => {
    const port = await serveTls(cert + more, key);
    const result = await probe(port);
    expect(result.failure).toEqual({ kind: "tls", phase: "tls", message });
    expect(measured(result, "http_status")).toBeUndefined();
    expect(measured(result, "tls_certificate_expiry")).toBeDefined();
    expect(await probe(port, { insecure: true })).toMatchObject({ success: true });
  });

  it("follows no redirect to a URL that ca does not apply to", async () => {
    let visits = 0;
    const plain = await listening(
      createServer((_request, response) => {
        visits++;
        response.end("safe");
      }),
    );
    const port = await listening(
      createTlsServer({ cert: good.cert + middle.cert, key: good.key }, (_request, response) =>
        response.writeHead(302, { location: `http://127.0.0.1:${plain}/login?next=1` }).end(),
      ),
    );
    const result = await probe(port);
    expect(result.failure).toMatchObject({
      kind: "tls",
      message: expect.stringContaining(
        `redirected to http://127.0.0.1:${plain}/login, which does not use TLS, so ca has no effect`,
      ),
    });
    expect(visits).toBe(0);
  });

  it("rejects an authority that is not trusted", async () => {
    const result = await probe(await serveTls(good.cert + middle.cert + root.cert, good.key), {});
    expect(result.failure).toEqual({
      kind: "tls",
      phase: "tls",
      message: "the chain ends in an untrusted authority: Test Root",
    });
  });

  it("reports a handshake timeout for a server that sends nothing", async () => {
    const port = await tcpServer(() => {});
    const result = await probeOnce(http, { url: `https://127.0.0.1:${port}/` }, { timeoutMs: 200 });
    expect(result.failure).toEqual({
      kind: "timeout",
      phase: "tls",
      message: `the probe timed out while performing the TLS handshake with 127.0.0.1:${port}: it may be overloaded, or may not speak TLS on this port`,
    });
    expect(measured(result, "http_phase_time", "connect")).toBeGreaterThan(0);
  });

  it("reports a server that does not speak TLS", async () => {
    const port = await serve((_request, response) => response.end());
    expect((await probe(port)).failure).toMatchObject({
      kind: "tls",
      phase: "tls",
      message: `localhost:${port} (127.0.0.1) does not speak TLS: use its TLS port, or connect without TLS`,
    });
  });
});

describe("http settings", () => {
  it.each([
    [{ url: "ftp://example.com" }, "must be a URL that begins with http:// or https://"],
    [
      { url: "https://user:pw@example.com" },
      "must not contain a password: set an Authorization header with { secret: NAME }",
    ],
    [{ url: "https://example.com", body: "a", json: {} }, "set either body or json, not both"],
    [
      { url: "https://example.com", expect: { status: "abc" } },
      "must be a status such as 200, a class such as 2xx, a range such as 200-299, or a list of these",
    ],
    [
      { url: "https://example.com", expect: { json: { status: 1 } } },
      "must be a path such as $.status or $.checks[0].ok",
    ],
    [
      { url: "https://example.com", extract: [{ metric: "http_status", path: "$.a" }] },
      "the probe itself measures http_status: extract another metric",
    ],
    [
      { url: "https://example.com", extract: [{ metric: "cloud_sql_pool_utilization", path: "$.a", unit: "ms" }] },
      "cloud_sql_pool_utilization is in ratio: write one of ratio, %",
    ],
    [
      { url: "https://example.com", extract: [{ metric: "smd_phase_duration", path: "$.a", each: "step" }] },
      'smd_phase_duration has no label "step": it has phase',
    ],
  ])("rejects %j", (settings, sentence) => {
    const parsed = http.settings.safeParse(settings);
    expect(parsed.error?.message).toContain(JSON.stringify(sentence).slice(1, -1));
  });
});
