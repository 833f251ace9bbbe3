import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { listening } from "../../functions/probe/fixtures.ts";
import { guardRequests, newToken, pathAt, withToken } from "./request-guard.ts";

/** A server that records the requests it gets, behind the guard. */
async function serve(token?: string) {
  const entered: string[] = [];
  const server = createServer((incoming, response) => {
    entered.push(`${incoming.method} ${incoming.url}`);
    incoming.resume();
    response.writeHead(204).end();
  });
  await listening(guardRequests(server, token));
  const { port } = server.address() as AddressInfo;
  /** `fetch` would not let the test choose the Host. */
  const ask = (path: string, headers: IncomingHttpHeaders = {}, method = "POST") =>
    new Promise<readonly [status: number, text: string]>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, method, headers: { host: `127.0.0.1:${port}`, ...headers } })
        .on("error", reject)
        .on("response", async (response) => {
          resolve([response.statusCode ?? 0, Buffer.concat(await response.toArray()).toString("utf8")]);
        })
        .end("x");
    });
  return { ask, entered, url: `http://127.0.0.1:${port}` };
}

describe("guardRequests", () => {
  const token = newToken();

  it.each(["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:1", "LocalHost:80"])(
    "accepts the host %s with the token",
    async (host) => {
      const { ask, entered } = await serve(token);
      expect(await ask(`/ticks?token=${token}`, { host })).toEqual([204, ""]);
      expect(entered).toEqual([`POST /ticks?token=${token}`]);
    },
  );

  it.each([
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
    "evil.example/127.0.0.1",
    "127.0.0.1@evil.example",
    "192.0.2.1",
    "0.0.0.0",
  ])("refuses the host %j, even with the token", async (host) => {
    const { ask, entered } = await serve(token);
    const [status, text] = await ask(`/?token=${token}`, { host });
    expect([status, JSON.parse(text)]).toEqual([
      403,
      {
        error: {
          code: 403,
          status: "PERMISSION_DENIED",
          message: "wrong host: send the request to 127.0.0.1",
        },
      },
    ]);
    expect(entered).toEqual([]);
  });

  it.each([
    ["/", "POST"],
    ["/", "GET"],
    ["/?token=", "POST"],
    ["/?token=guess", "POST"],
    [`/?token=${token.slice(1)}`, "POST"],
    [`/?token=${token}x`, "POST"],
    [`/?token=guess&token=${token}`, "POST"],
    [`/token=${token}`, "GET"],
    [`/#?token=${token}`, "GET"],
    ["//", "GET"],
    ["/synthetic/golden-path", "GET"],
  ])("refuses %s by %s, which lacks the token", async (path, method) => {
    const { ask, entered } = await serve(token);
    const [status, text] = await ask(path, {}, method);
    expect([status, JSON.parse(text)]).toEqual([
      401,
      { error: { code: 401, status: "UNAUTHENTICATED", message: "the query has no valid token of this run" } },
    ]);
    expect(entered).toEqual([]);
  });

  it("checks only the host if no token is configured", async () => {
    const { ask } = await serve();
    expect(await ask("/")).toEqual([204, ""]);
    expect((await ask("/", { host: "evil.example" }))[0]).toBe(403);
  });
});

describe("the token", () => {
  it("differs in every run and is kept in every URL", async () => {
    expect(newToken()).not.toBe(newToken());
    const token = newToken();
    const { ask, url } = await serve(token);
    const address = pathAt(withToken(url, token), "/rounds/outside-every-15s");
    expect(address.origin).toBe(url);
    expect(await ask(`${address.pathname}${address.search}`)).toEqual([204, ""]);
    expect(pathAt("http://127.0.0.1:8080", "/ticks").href).toBe("http://127.0.0.1:8080/ticks");
  });
});
