import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { listening, probeOnce } from "../fixtures.ts";
import { http } from "../probers/http.ts";
import { sse } from "../probers/sse.ts";
import { websocket } from "../probers/websocket.ts";
import { googleAnswer } from "./google-answer.ts";

const page = (title: string, headline: string, sentence: string): string => `
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${headline}</h1>
<h2>${sentence}</h2>
<h2></h2>
</body></html>
`;

const forbidden = page(
  "403 Forbidden",
  "Forbidden",
  "Your client does not have permission to get URL <code>/</code> from this server.",
);
const robot = `<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 404 (Not Found)!!1</title>
<a href=//www.google.com/><span id=logo aria-label=Google></span></a><p><b>404.</b> <ins>That’s an error.</ins>`;
const armor = `<!doctype html><meta charset="utf-8"><meta name=viewport content="width=device-width, initial-scale=1"><title>403</title>403 Forbidden`;

describe("a response from Google itself", () => {
  it.each<[string, number, string, Record<string, string>, string]>([
    ["a caller who may not invoke", 403, forbidden, {}, "cloud-run"],
    ["no instance", 429, "Rate exceeded.", {}, "cloud-run"],
    [
      "an unknown service",
      404,
      page("404 Page not found", "Page not found", "The requested URL was not found on this server."),
      {},
      "cloud-run",
    ],
    [
      "instances that do not start",
      503,
      page(
        "503 Server Error",
        "Server Error",
        "The service you requested is not available yet.<p>Please try again in 30 seconds.",
      ),
      {},
      "cloud-run",
    ],
    ["no healthy backend", 503, "no healthy upstream", {}, "load-balancer"],
    ["a slow backend", 504, "upstream request timeout", {}, "load-balancer"],
    [
      "a lost backend",
      502,
      page(
        "502 Server Error",
        "Server Error",
        "The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.",
      ),
      {},
      "load-balancer",
    ],
    ["an unknown host", 404, robot, {}, "front-end"],
    ["a missing identity", 401, "Invalid IAP credentials: empty token", {}, "iap"],
    ["an identity without access", 403, "You don't have access", { "x-goog-iap-generated-response": "true" }, "iap"],
    ["a denied request", 403, armor, {}, "cloud-armor"],
  ])("is recognized from %s", (_what, status, body, headers, by) => {
    expect(googleAnswer(status, headers, body)?.by).toBe(by);
  });

  it.each<[string, number, string]>([
    ["by its number alone", 403, "forbidden"],
    ["of too many requests", 429, '{"error":"rate limit exceeded"}'],
    ["of too many requests, in a page", 429, "<h1>Rate exceeded.</h1><p>Ask sales for more"],
    ["of an application that is not found", 404, "<h1>Not found</h1> The requested URL was not found on this server."],
    ["with Google's headers, which Cloud Run sets on every answer", 500, "Internal Server Error"],
    ["that succeeded", 200, "Rate exceeded."],
    ["without a text", 503, ""],
  ])("is not recognized %s", (_what, status, body) => {
    expect(googleAnswer(status, { server: "Google Frontend", via: "1.1 google" }, body)).toBeUndefined();
  });

  it("is reported in the failures of http, websocket and sse probes", async () => {
    const port = await listening(
      createServer((_request, response) =>
        response.writeHead(429, { "content-type": "text/html" }).end("Rate exceeded."),
      ).on("upgrade", (_request, socket) =>
        socket.end("HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/html\r\n\r\nRate exceeded."),
      ),
    );
    const url = `http://127.0.0.1:${port}/`;
    const results = [
      await probeOnce(http, { url }),
      await probeOnce(sse, { url, script: [{ expect: [{ event: "x" }] }] }),
      await probeOnce(websocket, { url: `ws://127.0.0.1:${port}/` }),
    ];
    for (const { failure } of results)
      expect(failure).toMatchObject({
        kind: "http_status",
        status: 429,
        answered_by: "cloud-run",
        message: expect.stringContaining("answered by Cloud Run, not by the application: no instance was available"),
      });
  });
});
