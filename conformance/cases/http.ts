/** HTTP responses as seen in the wild: successes, redirects, and errors. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Case } from "../case.ts";
import { goodLeaf, okText } from "../stand.ts";
import { answers, at, encoded, endless, head, json, protocol, redirects, status } from "../support/http.ts";

const healthy = '{"status":"healthy"}';
const utf16 = (text: string, bigEndian: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};

/** The cases. */
export const httpCases: readonly Case[] = [
  answers("answers as it should", okText, "up", { contains: "healthy" }),
  answers("answers without a length and closes", "HTTP/1.1 200 OK\r\n\r\nhealthy", "up", { contains: "healthy" }),
  answers("answers as HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhealthy", "up", { contains: "healthy" }),
  answers("answers 204 without a body", "HTTP/1.1 204 No Content\r\n\r\n", "up"),
  answers("answers without a reason", "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "up"),
  answers("first sends 100 Continue", `HTTP/1.1 100 Continue\r\n\r\n${okText}`, "up", { contains: "healthy" }),
  answers("first sends 103 Early Hints", `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${okText}`, "up"),
  answers("ends its lines with line feeds alone", "HTTP/1.1 200 OK\ncontent-length: 7\n\nhealthy", "up", {
    contains: "healthy",
  }),
  answers(
    "sends 24 KB of headers",
    head(`200 OK\r\nx-long: ${"x".repeat(24_576)}\r\ncontent-length: 7`, "healthy"),
    "up",
    { contains: "healthy" },
  ),
  answers(
    "sends 100 headers of 300 bytes",
    head(`200 OK\r\n${Array.from({ length: 100 }, (_, n) => `x-${n}: ${"y".repeat(300)}`).join("\r\n")}`, "healthy"),
    "up",
    { contains: "healthy" },
  ),
  answers("folds a header", head("200 OK\r\nx-folded: a\r\n b\r\n\tc\r\ncontent-length: 7", "healthy"), "up", {
    contains: "healthy",
  }),
  answers("puts a space before a colon", head("200 OK\r\ncontent-length : 7", "healthy"), "up", {
    contains: "healthy",
  }),
  answers(
    "sends bytes beyond ASCII in a header",
    head("200 OK\r\nx-name: caf\u00e9\r\ncontent-length: 7", "healthy"),
    "up",
  ),
  answers("sends its length twice, alike", head("200 OK\r\ncontent-length: 7\r\ncontent-length: 7", "healthy"), "up", {
    contains: "healthy",
  }),
  answers(
    "sends chunks with extensions and trailers",
    head("200 OK\r\ntransfer-encoding: chunked", "4;a=b\r\nheal\r\n3\r\nthy\r\n0\r\nx-sum: 1\r\n\r\n"),
    "up",
    { contains: "healthy" },
  ),
  answers("sends more than it announced", head("200 OK\r\ncontent-length: 7", "healthy and more"), "up", {
    contains: "healthy",
  }),
  encoded("gzip", "gzip", gzipSync("healthy")),
  encoded("x-gzip", "x-gzip", gzipSync("healthy")),
  encoded("deflate with a head of zlib", "deflate", deflateSync("healthy")),
  encoded("deflate without a head", "deflate", deflateRawSync("healthy")),
  encoded("br", "br", brotliCompressSync("healthy")),
  encoded("zstd", "zstd", zstdCompressSync("healthy")),
  encoded("GZIP in capitals", "GZIP", gzipSync("healthy")),
  encoded("identity", "identity", Buffer.from("healthy")),
  encoded("gzip in br", "gzip, br", brotliCompressSync(gzipSync("healthy"))),
  encoded("br in gzip", "br,gzip", gzipSync(brotliCompressSync("healthy"))),
  encoded("deflate in gzip, and identity", "deflate, gzip, identity", gzipSync(deflateRawSync("healthy"))),
  encoded("gzip twice", "gzip, gzip", gzipSync(gzipSync("healthy"))),
  json("sends JSON", healthy),
  json("sends a byte order mark before its JSON", `\ufeff${healthy}`),
  json("sends its JSON as UTF-16, little end first", utf16(healthy, false), "application/json; charset=utf-16"),
  json("sends its JSON as UTF-16, big end first", utf16(healthy, true)),
  json("sends white space around its JSON", `\n\t ${healthy}\r\n\n`),
  answers(
    "sends Latin-1 and says so",
    head("200 OK\r\ncontent-type: text/plain; charset=ISO-8859-1", Buffer.from("caf\u00e9", "latin1")),
    "up",
    { contains: "caf\u00e9" },
  ),
  answers(
    "sends a character set that there is not",
    head("200 OK\r\ncontent-type: text/plain; charset=klingon", "healthy"),
    "up",
    { contains: "healthy" },
  ),
  redirects("redirects to a path", "/next", "up"),
  redirects("redirects to a relative path with a query", "next?a=b#c", "up"),
  redirects("redirects to a path in UTF-8", "/caf\u00e9", "up"),
  redirects("redirects to a path in Latin-1", Buffer.from("/caf\u00e9", "latin1"), "up"),
  redirects("redirects to a path with %zz", "/%zz?q=%zz", "up"),
  redirects("redirects to a path with spaces", "/two words", "up"),
  redirects("redirects to no HTTP", "mailto:someone@example.com", {
    kind: "protocol",
    phase: ["body", "first_byte"],
    says: /redirected to an invalid HTTP URL: mailto:/,
  }),
  redirects("redirects to a port that there is not", "http://127.0.0.1:99999/", {
    kind: "protocol",
    phase: "body",
    says: /redirected to an invalid HTTP URL/,
  }),
  {
    name: "redirects without end",
    verdict: { kind: "protocol", phase: "body", says: /more than 5 redirects/ },
    serve: endless,
  },
  answers("redirects to nowhere", "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "response",
    status: 302,
    says: /302 Found/,
  }),
  {
    name: "redirects to where nothing listens",
    verdict: {
      kind: "refused",
      phase: "connect",
      says: /127\.0\.0\.1:\d+ refused the connection.*redirected to http:\/\/127\.0\.0\.1:\d+\/gone/,
    },
    serve: async (stand) => {
      const closed = await stand.closedPort();
      return at(await stand.says(head(`302 Found\r\nlocation: http://127.0.0.1:${closed}/gone\r\ncontent-length: 0`)));
    },
  },
  {
    name: "redirects to a host with a certificate of nobody known",
    verdict: {
      kind: "tls",
      phase: "tls",
      says: /not a trusted authority|not trusted|self-signed.*redirected to https:\/\/localhost/s,
    },
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      const secure = await stand.tls({ cert, key });
      return at(await stand.says(head(`302 Found\r\nlocation: https://localhost:${secure}/next\r\ncontent-length: 0`)));
    },
  },
  status(401, "Unauthorized", '{"error":"token expired"}', /401 Unauthorized: .*token expired/),
  status(403, "Forbidden", "no", /403 Forbidden: no/, "text/plain"),
  status(404, "Not Found", "<h1>gone</h1>", /404 Not Found/, "text/html"),
  status(429, "Too Many Requests", "Rate exceeded.", /429 Too Many Requests/, "text/plain"),
  status(500, "Internal Server Error", '{"detail":"pool exhausted"}', /500 Internal Server Error: .*pool exhausted/),
  status(502, "Bad Gateway", "<html>", /502 Bad Gateway/, "text/html"),
  status(503, "Service Unavailable", "", /503 Service Unavailable/),
  status(599, "Odd", "", /599 Odd/),
  answers("answers 503 and never ends", "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "response",
    status: 503,
    says: /503 Busy/,
  }),
  answers(
    "says that it is sick",
    head("200 OK\r\ncontent-type: application/json", '{"status":"degraded"}'),
    { kind: "body", phase: "body", status: 200, says: /\$\.status is "?degraded"?, expected healthy/ },
    { json: { "$.status": "healthy" } },
  ),
  answers(
    "sends HTML in place of JSON",
    head("200 OK\r\ncontent-type: text/html", "<html>login</html>"),
    { kind: "body", phase: "body", status: 200, says: /not JSON; the body is: <html>login/ },
    { json: { "$.status": "healthy" } },
  ),
  answers(
    "sends half of its JSON",
    head("200 OK\r\ncontent-type: application/json", '{"status":"heal'),
    { kind: "body", phase: "body", status: 200, says: /not JSON/ },
    { json: { "$.status": "healthy" } },
  ),
  answers(
    "sends nothing in place of JSON",
    head("200 OK\r\ncontent-length: 0"),
    { kind: "body", phase: "body", status: 200, says: /not JSON/ },
    { json: { "$.status": "healthy" } },
  ),
  answers(
    "says something else",
    head("200 OK", "maintenance"),
    { kind: "body", phase: "body", status: 200, says: /does not contain "healthy"; the body is: maintenance/ },
    { contains: "healthy" },
  ),
  answers(
    "encodes its body in a way that nobody asked for",
    head("200 OK\r\ncontent-encoding: compress", "\u001f\u009dhidden"),
    {
      kind: "body",
      phase: "body",
      says: /does not contain "healthy".*; its content encoding is compress, which was not requested/,
    },
    { contains: "healthy" },
  ),
  protocol("answers with a status below 100", head("099 What"), /its response begins with "HTTP\/1\.1 099 What"/),
  answers("claims gzip and sends plain text", head("200 OK\r\ncontent-encoding: gzip", "healthy"), {
    kind: "body",
    phase: "body",
    says: /compressed body cannot be decoded/,
  }),
  answers(
    "cuts its gzip off",
    head("200 OK\r\ncontent-encoding: gzip", gzipSync("healthy".repeat(99)).subarray(0, 20)),
    { kind: "body", phase: "body", says: /compressed body cannot be decoded/ },
  ),
];
