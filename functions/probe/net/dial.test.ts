/** Every kind of probe resolves its target by name, and no probe waits for names that are not answered. */
import { execFile } from "node:child_process";
import { getServers, setServers } from "node:dns";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { dnsServer, type Zone } from "../../../shared/net/dns.fixtures.ts";
import { issue, listening, measured, probeOf, probeOnce, tcpServer } from "../fixtures.ts";
import { http } from "../probers/http.ts";
import { websocket } from "../probers/websocket.ts";
import { runProbes } from "../run/run.ts";
import { say, serveWebSocket } from "../websocket.fixtures.ts";

const zone: Zone = {
  "alive.test": ["127.0.0.1"],
  "six.test": ["::1"],
  "broken.test": "SERVFAIL",
  "refused.test": "REFUSED",
  "empty.test": [],
  ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`dead-${at}.test`, "silent" as const])),
};

/** Answers the DNS queries of this process until the test is over. */
async function named(): Promise<string> {
  const server = await dnsServer(zone);
  const before = getServers();
  setServers([server.address]);
  onTestFinished(async () => {
    setServers(before);
    await server.stop();
  });
  return server.address;
}

async function ran(probes: readonly ConfiguredProbe[], secrets: Readonly<Record<string, string>> = {}) {
  const ended: ProbeResult[] = [];
  await runProbes({
    environment: "test",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    reportId: "test/outside-1m/2025-09-16T12:04:00Z",
    probes,
    secrets: { read: async (name) => secrets[name] ?? "a-password" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.now() },
    onResult: (result) => ended.push(result),
  });
  return ended;
}

const site = (): Promise<number> => listening(createServer((_request, response) => response.end("alive")));

/** A probe of each connecting kind, all with the same host. */
function everyKind(host: string, ports: { http: number; tls: number; ws: number; db: number }): ConfiguredProbe[] {
  const url = `http://${host}:${ports.http}/`;
  const login = { host, port: ports.db, user: "probe", password: { secret: "password" } };
  const settings: Record<string, Record<string, unknown>> = {
    http: { url },
    tls: { host, port: ports.tls, tls: { ca: { secret: "ca" } } },
    websocket: { url: `ws://${host}:${ports.ws}/`, handshakes: 50 },
    postgres: { connection: login, tls: "disable" },
    journey: { steps: [{ name: "visit", http: { url } }] },
  };
  return Object.entries(settings).map(([kind, own]) => ({
    ...probeOf(kind, own, 6_000),
    name: `${kind} of ${host}`,
  }));
}

describe("names without a DNS response", () => {
  it("delay no other target, whatever its kind", async () => {
    await named();
    const root = await issue({ name: "Root" });
    const { cert, key } = await issue({ name: "alive", issuer: root, hosts: ["alive.test"] });
    const ports = {
      http: await site(),
      tls: await listening(createTlsServer({ cert, key }, (socket) => socket.end())),
      ws: await serveWebSocket((socket) => say(socket, "hello")),
      db: await tcpServer((socket) => socket.once("data", () => socket.end("E"))),
    };
    const hosts = [...Array.from({ length: 8 }, (_, at) => `dead-${at}.test`), "alive.test", "127.0.0.1"];
    const ended = await ran(
      hosts.flatMap((host) => everyKind(host, ports)),
      { ca: root.cert },
    );
    const [first, rest] = [ended.slice(0, 10), ended.slice(10)];
    expect(first.map(({ probe }) => probe).filter((probe) => probe.includes("dead"))).toEqual([]);
    const failed = first.filter(({ success }) => !success).map(({ probe, failure }) => [probe, failure?.phase]);
    // There is no database, and the certificate covers one of the names, so both were reached.
    expect(Object.fromEntries(failed)).toEqual({
      "postgres of alive.test": "authentication",
      "postgres of 127.0.0.1": "authentication",
      "tls of 127.0.0.1": "tls",
    });
    expect(rest).toHaveLength(40);
    for (const { failure } of rest)
      expect(failure?.message).toMatch(/the name of dead-\d\.test(:\d+)?.*: no DNS server answered$/);
  });
});

describe("host names", () => {
  it.each([
    ["no-such.test", "does not exist (NXDOMAIN)"],
    ["empty.test", "exists, and has no address"],
    ["broken.test", "could not be looked up: the DNS server failed (SERVFAIL)"],
    ["refused.test", "could not be looked up: the DNS server refused to answer (REFUSED)"],
  ])("report why %s is not found", async (host, why) => {
    await named();
    const { failure } = await probeOnce(http, { url: `http://${host}:81/` });
    expect(failure).toEqual({ kind: "dns", phase: "dns", message: `the name of ${host}:81 ${why}` });
  });

  it("are resolved only in the requested IP version", async () => {
    await named();
    const port = await site();
    const settings = { url: `http://alive.test:${port}/` };
    expect((await probeOnce(http, { ...settings, ip_version: 4 })).failure).toBeUndefined();
    expect((await probeOnce(http, { ...settings, ip_version: 6 })).failure).toEqual({
      kind: "dns",
      phase: "dns",
      message: `the name of alive.test:${port} exists, and has no IPv6 address`,
    });
  });

  it("are resolved in a timed phase with its own deadline", async () => {
    await named();
    const port = await site();
    const result = await probeOnce(http, { url: `http://alive.test:${port}/` });
    expect(measured(result, "http_phase_time", "dns")).toBeGreaterThan(0);
    const literal = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(measured(literal, "http_phase_time", "dns")).toBeUndefined();
    const { failure } = await probeOnce(websocket, { url: "ws://dead-1.test/", deadlines: { dns: "100ms" } });
    expect(failure).toEqual({
      kind: "timeout",
      phase: "dns",
      message: "looking up the name of dead-1.test took longer than 100ms: no DNS server answered",
    });
  });
});

describe("the command line", () => {
  it("reaches a target next to names without a DNS response, with the default number of threads", async () => {
    const address = await named();
    const port = await site();
    const folder = await mkdtemp(join(tmpdir(), "pk-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const probes = Array.from(
      { length: 12 },
      (_, at) =>
        `  dead-${at}: { kind: http, component: site, timeout: 2s, recheck: false, url: "http://dead-${at}.test/" }`,
    );
    await writeFile(
      join(folder, "monitor.yaml"),
      `environment: test
control: off
components: { site: { layer: application } }
probes:
${probes.join("\n")}
  alive: { kind: http, component: site, timeout: 2s, recheck: false, url: "http://alive.test:${port}/" }
  local: { kind: http, component: site, timeout: 2s, recheck: false, url: "http://localhost:${port}/", ip_version: 4 }
`,
    );
    await writeFile(
      join(folder, "dns.mjs"),
      `import { setServers } from "node:dns";\nsetServers([${JSON.stringify(address)}]);\n`,
    );
    const { UV_THREADPOOL_SIZE: _usual, ...environment } = process.env;
    const cli = new URL("../../../cli/pathkeeper.mjs", import.meta.url).pathname;
    const stdout = await new Promise<string>((resolve) =>
      execFile(
        process.execPath,
        ["--import", join(folder, "dns.mjs"), cli, "probe", "--config", join(folder, "monitor.yaml"), "--json"],
        { env: environment },
        (_ends1, out) => resolve(out),
      ),
    );
    const { results } = JSON.parse(stdout) as { results: ProbeResult[] };
    expect(results).toHaveLength(14);
    expect(results.filter(({ success }) => success).map(({ probe }) => probe)).toEqual(["alive", "local"]);
  });
});
