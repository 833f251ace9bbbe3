import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { listening, probeOnce } from "../fixtures.ts";
import { http } from "../probers/http.ts";
import { journey } from "../probers/journey.ts";
import { Cookies } from "./cookies.ts";

const world = { conceal: () => {} };

/** Starts a server that answers by path, and records the cookies that it receives. */
async function site(pages: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>) {
  const shown: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    shown.push(request.headers.cookie);
    const page = pages[request.url ?? ""];
    if (page) page(request, response);
    else response.end("{}");
  });
  return { port: await listening(server), shown, server };
}

const login = (response: ServerResponse, cookies: string[], location: string): unknown =>
  response.writeHead(302, { location, "set-cookie": cookies }).end();

describe("cookies", () => {
  it("set by a redirect are sent to its target", async () => {
    const { port, shown } = await site({
      "/": (_request, response) => login(response, ["session=s3ss10n-of-the-monitor; HttpOnly", "theme=dark"], "/in"),
    });
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, headers: { cookie: "own=1" } });
    expect(result.failure).toBeUndefined();
    expect(shown).toEqual(["own=1", "own=1; session=s3ss10n-of-the-monitor; theme=dark"]);
  });

  it("are not sent to another host, to other paths, or after they have expired", async () => {
    const { port, shown } = await site({
      "/": (_request, response) =>
        login(
          response,
          ["a=1; Path=/elsewhere", "b=2; Max-Age=0", "d=4; Domain=example.com", "e=5", "no cookie"],
          "/next",
        ),
      "/next": (_request, response) => login(response, [], `http://localhost:${port}/last`),
    });
    await probeOnce(http, { url: `http://127.0.0.1:${port}/`, ip_version: 4 });
    expect(shown).toEqual([undefined, "e=5", undefined]);
  });

  it("are not kept from one run to the next", async () => {
    const { port, shown } = await site({ "/": (_request, response) => response.setHeader("set-cookie", "a=1").end() });
    const url = `http://127.0.0.1:${port}/`;
    await probeOnce(http, { url });
    await probeOnce(http, { url });
    expect(shown).toEqual([undefined, undefined]);
  });

  it("are shared in a journey by its requests, its WebSocket and its cleanup", async () => {
    const { port, shown, server } = await site({
      "/login": (_request, response) => response.setHeader("set-cookie", "session=abc; HttpOnly").end("{}"),
      "/logout": (_request, response) => response.setHeader("set-cookie", "session=; Max-Age=0").end("{}"),
    });
    new WebSocketServer({ server }).on("connection", (_socket, request) => shown.push(request.headers.cookie));
    const url = `http://127.0.0.1:${port}`;
    const step = (path: string) => ({ name: path.slice(1), http: { url: `${url}${path}` } });
    const steps = [step("/login"), step("/me"), { name: "socket", websocket: { url: `ws://127.0.0.1:${port}/` } }];
    const cleanup = [step("/logout"), step("/after")];
    expect((await probeOnce(journey, { steps, cleanup })).failure).toBeUndefined();
    expect(shown).toEqual([undefined, "session=abc", "session=abc", "session=abc", undefined]);
  });

  it("that look like sessions are kept out of the result", async () => {
    const value = "s3ss10n-of-the-monitor";
    const { port } = await site({
      "/": (_request, response) => login(response, [`session=${value}`, "lang=en"], "/in"),
      "/in": (_request, response) => response.writeHead(500, { "content-type": "text/plain" }).end(`${value} en`),
    });
    const settings = { url: `http://127.0.0.1:${port}/`, expect: { body_contains: "welcome", status: 500 } };
    const { failure } = await probeOnce(http, settings);
    expect(failure?.message).toContain("*** en");
  });

  it("are limited in number", async () => {
    const cookies = new Cookies();
    const url = new URL("http://shop.example.com/");
    await cookies.keep({ "set-cookie": Array.from({ length: 1_000 }, (_, at) => `c${at}=1`) }, url, world);
    await cookies.keep({ "set-cookie": ["late=1", `long=${"x".repeat(5_000)}`] }, url, world);
    expect(cookies.headerFor(url, undefined)?.split("; ")).toHaveLength(180);
  });

  it("for secure connections are not sent over insecure ones", async () => {
    const cookies = new Cookies();
    await cookies.keep({ "set-cookie": ["a=1; Secure"] }, new URL("https://shop.example.com/"), world);
    expect(cookies.headerFor(new URL("http://shop.example.com/"), undefined)).toBeUndefined();
    expect(cookies.headerFor(new URL("wss://shop.example.com/"), undefined)).toBe("a=1");
  });

  it("for a whole public suffix are rejected", async () => {
    const cookies = new Cookies();
    await cookies.keep({ "set-cookie": ["a=1; Domain=co.uk"] }, new URL("http://shop.co.uk/"), world);
    expect(cookies.headerFor(new URL("http://other.co.uk/"), undefined)).toBeUndefined();
  });
});

describe("a form", () => {
  it("is sent encoded, with lists, secrets and the variables of a journey", async () => {
    const bodies: { type: string | undefined; body: string }[] = [];
    const port = await listening(
      createServer(async (request, response) => {
        const body = Buffer.concat(await request.toArray()).toString();
        bodies.push({ type: request.headers["content-type"], body });
        response.end("{}");
      }),
    );
    const url = `http://127.0.0.1:${port}/`;
    const form = { user: "a b&c", password: { secret: "canary" }, remember: true, tag: ["x", "é"], n: 1 };
    expect((await probeOnce(http, { url, method: "POST", form })).failure).toBeUndefined();
    const step = { name: "send", http: { url, method: "POST", form: { text: "${greeting}", id: ["${greeting}!"] } } };
    await probeOnce(journey, { variables: { greeting: "h=i" }, steps: [step] });
    const type = "application/x-www-form-urlencoded";
    expect(bodies).toEqual([
      { type, body: "user=a+b%26c&password=c4n4ry-S3cret%2Fvalue&remember=true&tag=x&tag=%C3%A9&n=1" },
      { type, body: "text=h%3Di&id=h%3Di%21" },
    ]);
  });

  it("excludes any other body", () => {
    const url = "https://a.example";
    for (const [name, value] of [["json", {}] as const, ["body", ""] as const]) {
      const { error } = http.settings.safeParse({ url, form: {}, [name]: value });
      expect(error?.issues[0]?.message).toBe(`set either ${name} or form, not both`);
    }
  });
});

describe("a secret URL", () => {
  const secretUrl = (port: number): string =>
    `http://monitor:p4ssw0rd%21x@127.0.0.1:${port}/hooks/T0KEN/in?key=k3y-of-hook`;

  it("is requested with its credentials, and shown without path and query", async () => {
    const seen: IncomingMessage[] = [];
    const port = await listening(
      createServer((request, response) => {
        seen.push(request);
        response
          .writeHead(500, { "content-type": "text/plain" })
          .end(`${request.url} ${request.headers.authorization}`);
      }),
    );
    const secrets = { hook: `${secretUrl(port)}\n` };
    const settings = { url: { secret: "hook" }, expect: { body_contains: "x", status: 500 } };
    const result = await probeOnce(http, { ...settings, expect: { status: 500, body_contains: "fine" } }, { secrets });
    expect(seen[0]?.url).toBe("/hooks/T0KEN/in?key=k3y-of-hook");
    const login = `Basic ${Buffer.from("monitor:p4ssw0rd!x").toString("base64")}`;
    expect(seen[0]?.headers.authorization).toBe(login);
    expect(JSON.stringify(result)).not.toMatch(/p4ssw0rd|T0KEN|k3y-of-hook|bW9uaXRvcjp/);
  });

  it("does not show its path among the hops of a redirect", async () => {
    const port = await listening(
      createServer((_request, response) => response.writeHead(302, { location: "/elsewhere" }).end()),
    );
    const result = await probeOnce(http, { url: { secret: "hook" } }, { secrets: { hook: secretUrl(port) } });
    expect(result.hops?.length).toBeGreaterThan(1);
    expect(JSON.stringify(result)).not.toMatch(/p4ssw0rd|T0KEN|k3y-of-hook/);
  });

  it("is not held against the target if it is invalid", async () => {
    const { failure } = await probeOnce(http, { url: { secret: "hook" } }, { secrets: { hook: "ftp://a.example" } });
    expect(failure).toMatchObject({
      kind: "internal",
      message: 'the secret "hook" must contain a URL that begins with http:// or https://',
    });
  });
});
