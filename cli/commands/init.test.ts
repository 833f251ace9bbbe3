import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { parse } from "yaml";
import { issue, listening } from "../../functions/probe/fixtures.ts";
import { fileOf, run } from "../local-probes.fixtures.ts";
import { container, fakeGoogle, project, service, shop, withVariable } from "./init/project.fixtures.ts";

const place = `projects/${project}/locations/us-central1`;
const services = `run.googleapis.com/v2/${place}/services`;

/** Returns a path in a new folder, at which there is no file. */
function newFile(): string {
  return join(dirname(fileOf("")), "written.yaml");
}

async function written(file: string): Promise<{ text: string; [section: string]: unknown }> {
  const text = await readFile(file, "utf8");
  return { text, ...(parse(text) as object) };
}

/** Starts a service with a health check in JSON, metrics and a WebSocket. @returns its address */
async function site(): Promise<string> {
  const answers: Record<string, object> = {
    "/health": { status: "ok", version: "1.2.3" },
    "/health/infrastructure": { vpc_connector_utilization: 0.2, cloud_sql_pool_utilization: 35, other: 1 },
  };
  const server = createServer(({ url = "" }, response) => {
    const answer = new Map(Object.entries(answers)).get(url);
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { error: "not found" }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/ws") sockets.handleUpgrade(request, socket, head, (client) => client.on("error", () => {}));
    else socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
  });
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

describe("init, with addresses", () => {
  it("finds the health check, its JSON, its metrics and its WebSocket, and measures baselines", async () => {
    const [url, file] = [await site(), newFile()];
    const { code, out, err } = await run("init", url, "--config", file);
    expect([code, err]).toEqual([0, []]);
    const { probes, baselines, recovery, text } = await written(file);
    expect(probes).toMatchObject({
      "host-127-0-0-1": { kind: "http", url: `${url}/health`, expect: { json: { "$.status": "ok" } } },
      "host-127-0-0-1-figures": {
        url: `${url}/health/infrastructure`,
        alert: "off",
        extract: [
          { metric: "vpc_connector_utilization", path: "$.vpc_connector_utilization", required: false },
          { metric: "cloud_sql_pool_utilization", path: "$.cloud_sql_pool_utilization", unit: "%", required: false },
        ],
      },
      "host-127-0-0-1-websocket": { kind: "websocket", url: `${url.replace("http", "ws")}/ws` },
    });
    expect(baselines).toMatchObject({
      http_response_time: expect.stringMatching(/^<\d/),
      websocket_handshake_time: expect.stringMatching(/^<\d/),
      websocket_connection_success: "100%",
    });
    expect(recovery).toMatchObject({ stages: [{ name: "basic health" }, { name: "websocket" }] });
    expect(text).toMatch(/^#channels:\n(?:#.*\n)+#routes:/m);
    const shown = out.join("\n");
    expect(shown).toMatch(/host-127-0-0-1 +ok/);
    expect(shown).toContain("there are no routes");
    expect(shown.slice(shown.indexOf("Next:"))).toMatch(/pathkeeper validate .*\n.*npm start -- --config /);
    expect((await run("validate", file)).code).toBe(0);
  });

  it("keeps the given path, and the address of a WebSocket", async () => {
    const [url, file] = [await site(), newFile()];
    const socket = `${url.replace("http", "ws")}/ws`;
    expect((await run("init", `${url}/health/infrastructure`, socket, "--config", file)).code).toBe(0);
    const { components, probes } = await written(file);
    expect(Object.keys(components as object)).toEqual(["host-127-0-0-1", "host-127-0-0-1-websocket"]);
    expect(probes).toMatchObject({
      "host-127-0-0-1": { url: `${url}/health/infrastructure`, extract: [{}, {}] },
      "host-127-0-0-1-websocket": { url: socket },
    });
  });

  it("disables alerts of failing probes, and says why", async () => {
    const [url, file] = [await site(), newFile()];
    const { out } = await run("init", url, "http://127.0.0.1:1/health", "--config", file);
    const { text, probes } = await written(file);
    expect(out.join("\n")).toMatch(/host-127-0-0-1-1 +failed/);
    expect(probes).toMatchObject({ "host-127-0-0-1-1": { url: "http://127.0.0.1:1/health", alert: "off" } });
    expect(text.replaceAll(/\n +# /g, " ")).toMatch(
      /It failed when this file was written \(connect: [^)]+\(?.*Delete alert: off/,
    );
  });

  it("verifies a certificate of an unknown authority only with --ca", async () => {
    const authority = await issue({ name: "Our authority" });
    const { cert, key } = await issue({ name: "localhost", issuer: authority, hosts: ["localhost"] });
    const server = createTlsServer({ cert, key }, (_request, response) => response.end("ok"));
    const url = `https://localhost:${await listening(server)}`;
    const [unknown, known] = [newFile(), newFile()];
    await run("init", url, "--config", unknown);
    expect((await written(unknown))["probes"]).toMatchObject({
      localhost: { kind: "http", tls: { insecure: true } },
      "localhost-certificate": { kind: "tls", alert: "off" },
    });
    withVariable("PATHKEEPER_SECRET_OUR_CA", authority.cert);
    await run("init", url, "--ca", "our-ca", "--config", known);
    const { probes } = await written(known);
    expect(probes).toMatchObject({
      localhost: { tls: { ca: { secret: "our-ca" } } },
      "localhost-certificate": { tls: { ca: { secret: "our-ca" } } },
    });
    expect(JSON.stringify(probes)).not.toContain('"off"');
  });

  it("reads the URL of a database from a variable, and prints no password", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      // It offers no TLS, and refuses every login.
      socket.on("data", (data) => socket.write(data.length === 8 ? "N" : refusedLogin));
    });
    const file = newFile();
    const port = await listening(server);
    withVariable("SHOP_DATABASE_URL", `postgres://shop:hunter2-c4n4ry@127.0.0.1:${port}/shop`);
    const { code, out, err } = await run("init", "--url-from", "SHOP_DATABASE_URL", "--config", file);
    expect(code).toBe(0);
    const { text, probes } = await written(file);
    expect(probes).toMatchObject({
      database: {
        kind: "postgres",
        vantage: "inside",
        connection: { url: { secret: "shop-database-url" } },
        tls: "disable",
      },
    });
    expect(out.join("\n")).toContain("the secret shop-database-url is the value of SHOP_DATABASE_URL");
    expect(`${text}${out.join("\n")}${err.join("\n")}`).not.toContain("hunter2");
  });

  it("stores only the password of Redis as a secret", async () => {
    const file = newFile();
    withVariable("CACHE_URL", "rediss://:hunter2-c4n4ry@10.9.0.3:6380");
    await run("init", "--url-from", "CACHE_URL", "--no-probe", "--config", file);
    expect((await written(file))["probes"]).toMatchObject({
      cache: { kind: "redis", host: "10.9.0.3", port: 6380, tls: true, password: { secret: "cache-url-password" } },
    });
  });

  it("never overwrites a file, and says so before any question", async () => {
    const file = fileOf("environment: mine\n");
    const { code, err } = await run("init", "http://127.0.0.1:1/", "--config", file);
    expect([code, err]).toEqual([2, [expect.stringContaining("exists and is never overwritten")]]);
    expect(await readFile(file, "utf8")).toBe("environment: mine\n");
  });

  it.each([
    [["postgres://shop:hunter2@db/shop"], "--url-from NAME"],
    [["https://shop:hunter2@shop.example"], "must not contain credentials"],
    [["ftp://shop.example"], "invalid address"],
    [["https://shop-.example"], "invalid host"],
    [["--url-from", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE is not set"],
    [["--project", "Shop"], "invalid project id"],
    [["--project", "shop-staging", "--region", "us-central1-a"], "invalid region"],
    [[], "no input: specify"],
  ])("refuses %j", async (args, says) => {
    const { code, err } = await run("init", ...args, "--config", newFile());
    expect([code, err]).toEqual([2, [expect.stringContaining(says)]]);
    expect(err.join("")).not.toContain("hunter2");
  });

  it.each([
    ["hunter2-c4n4ry", "must contain a database URL"],
    ["redis://:hunter2-c4n4ry@shop_cache:6379", "invalid host in the URL in"],
  ])("refuses a variable without such a URL, without printing it: %j", async (value, says) => {
    withVariable("SHOP_DATABASE_URL", value);
    const { code, err } = await run("init", "--url-from", "SHOP_DATABASE_URL", "--config", newFile());
    expect([code, err]).toEqual([2, [expect.stringContaining(says)]]);
    expect(err.join("")).not.toContain("hunter2");
  });
});

describe("init, with a project", () => {
  it("reads the project, without contacting targets with --no-probe", async () => {
    const file = newFile();
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle(shop()));
    const { code, out, err } = await run("init", "--project", project, "--no-probe", "--config", file);
    expect([code, err]).toEqual([0, []]);
    expect(out.join("\n")).toMatch(/wrote .*: 10 components, \d+ probes, \d+ rules/);
    expect(out.join("\n")).toContain("a month after the free tiers");
    expect((await written(file))["google_cloud"]).toEqual({ project, region: "us-central1" });
  });

  it("uses the given URL for the database of the project", async () => {
    const file = newFile();
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle(shop()));
    withVariable("DATABASE_URL", "postgres://shop:hunter2-c4n4ry@10.9.0.2/orders");
    await run("init", "--project", project, "--url-from", "DATABASE_URL", "--no-probe", "--config", file);
    const { components, probes } = await written(file);
    expect(Object.keys(components as object)).not.toContain("database");
    expect(probes).toMatchObject({
      orders: { kind: "postgres", component: "orders", vantage: "inside", burst: { connections: 5 } },
    });
  });

  it("writes no file if there is nothing to monitor", async () => {
    const file = newFile();
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle({ ...shop(), ...empty() }));
    const { code, err } = await run("init", "--project", project, "--config", file);
    expect([code, err[0]]).toEqual([1, "found nothing to monitor; no file was written"]);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("reports in one line that nothing can be read", async () => {
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle({}));
    const { code, err } = await run("init", "--project", project, "--config", newFile());
    expect([code, err]).toEqual([2, [expect.stringContaining(`cannot read any resource of the project ${project}`)]]);
  });
});

describe("init --update", () => {
  async function writtenFile(): Promise<string> {
    const file = newFile();
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle(shop()));
    await run("init", "--project", project, "--no-probe", "--config", file);
    return file;
  }

  it("finds no difference if nothing has changed", async () => {
    const file = await writtenFile();
    const { code, out } = await run("init", "--update", "--config", file);
    expect([code, out.at(-1)]).toEqual([0, expect.stringContaining("matches the resources of shop-staging")]);
  });

  it("lists new resources, and removed ones with their lines, and writes nothing", async () => {
    const file = await writtenFile();
    const before = await readFile(file, "utf8");
    const answers = shop();
    const [web] = (answers[services] as { services: object[] }).services;
    answers[services] = { services: [web, service("billing", { containers: [container({ MODE: "live" })] })] };
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle(answers));
    const { code, out } = await run("init", "--update", "--config", file);
    const shown = out.join("\n");
    expect(code).toBe(1);
    expect(shown).toMatch(
      /\+ service billing, host billing-abc123-uc\.a\.run\.app: new\n {2}components:\n\+ {3}billing:/,
    );
    expect(shown).toMatch(/\+ {3}billing-requests:[\s\S]*\+ {5}service: billing/);
    expect(shown).toMatch(/probes: configuration: services:\n\+ +.*name: billing/);
    expect(shown).toMatch(/- service api: gone[\s\S]*- {3}api:[\s\S]*- {3}api-requests:[\s\S]*- {4,}- name: api/);
    expect(shown).not.toMatch(/service web/);
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("does not report unreadable resources as removed", async () => {
    const file = await writtenFile();
    withVariable("PATHKEEPER_GOOGLE_API", await fakeGoogle({ ...shop(), [services]: 403 }));
    const { out } = await run("init", "--update", "--config", file);
    expect(out.join("\n")).not.toContain("service api: gone");
    expect(out.join("\n")).toContain("not seen: Cloud Run services: you lack run.services.list");
  });

  it("recognizes renamed components", async () => {
    const file = await writtenFile();
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text
        .replaceAll(/\bapi-requests\b/g, "calls-of-the-api")
        .replaceAll("  api:", "  interface:")
        .replaceAll("component: api\n", "component: interface\n")
        .replaceAll(/depends_on: \[api/g, "depends_on: [interface"),
    );
    const { code, out } = await run("init", "--update", "--config", file);
    expect([code, out.at(-1)]).toEqual([0, expect.stringContaining("matches the resources of shop-staging")]);
  });
});

/** Returns the answers of an empty project. */
function empty(): Record<string, object> {
  return Object.fromEntries(Object.keys(shop()).map((path) => [path, {}]));
}

/** The refusal of a login, as PostgreSQL sends it. */
const refusedLogin = ((): Buffer => {
  const fields = Buffer.from("SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0");
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
})();
