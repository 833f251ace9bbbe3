/** Hanging targets of every kind, many at once, next to a thousand healthy ones: no probe waits for another. */
import dns from "node:dns";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { dnsServer } from "../../../shared/net/dns.fixtures.ts";
import { fullServer, listening, probeOf, tcpServer } from "../fixtures.ts";
import { accepting } from "../websocket.fixtures.ts";
import { runProbes } from "./run.ts";

/** Number of hanging probes, more than run concurrently, and of all probes. */
const [hanging, all] = [150, 1_000];
/** Maximum duration of a probe: hanging ones end sooner, except those whose SYN is never answered. */
const patienceMs = 50_000;
const synMs = 10_000;

it(`reports ${all - hanging} targets while ${hanging} of every sort hang`, { timeout: 60_000 }, async () => {
  const dead = Array.from({ length: hanging }, (_, number) => [`n${number}.dead.test`, "silent"] as const);
  const server = await dnsServer({ "good.test": ["127.0.0.1"], ...Object.fromEntries(dead) });
  const servers = dns.getServers();
  dns.setServers([server.address]);
  onTestFinished(async () => {
    dns.setServers(servers);
    await server.stop();
  });

  // Once every other target has been probed, the hanging ones may end.
  const everyOther = Promise.withResolvers<void>();
  const held = new Set<Socket>();
  let asked = 0;
  const good = await listening(
    createServer((_request, response) => {
      response.end("healthy");
      if (++asked === all - hanging) everyOther.resolve();
    }),
  );
  const holding = async (answer?: string): Promise<number> =>
    await tcpServer((socket) => {
      held.add(socket);
      if (answer !== undefined) socket.once("data", () => socket.write(answer));
    });
  const socketPort = await tcpServer((socket) => {
    held.add(socket);
    accepting(() => {})(socket);
  });
  const [silent, half, endless, full] = [
    await holding(),
    await holding("HTTP/1.1 200 OK\r\nx-a: b\r\n"),
    await holding("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhealthy"),
    await fullServer(),
  ];
  const login = { user: "someone", password: { secret: "canary" } };
  const sorts: readonly (readonly [kind: string, settings: Record<string, unknown>])[] = [
    ["http", { url: "http://NUMBER.dead.test/" }],
    ["websocket", { url: "ws://NUMBER.dead.test/", handshakes: 50 }],
    ["http", { url: `http://127.0.0.1:${full}/` }],
    ["tls", { host: "127.0.0.1", port: silent }],
    ["http", { url: `http://127.0.0.1:${silent}/` }],
    ["http", { url: `http://127.0.0.1:${half}/` }],
    ["http", { url: `http://127.0.0.1:${endless}/` }],
    ["websocket", { url: `ws://127.0.0.1:${silent}/` }],
    ["websocket", { url: `ws://127.0.0.1:${socketPort}/`, script: [{ expect: [{ contains: "x" }], within: "50s" }] }],
    ["postgres", { connection: { host: "127.0.0.1", port: silent, ...login } }],
  ];
  const hangs: ConfiguredProbe[] = Array.from({ length: hanging }, (_, number) => {
    const [kind, settings] = sorts[number % sorts.length] ?? ["http", {}];
    const own = JSON.parse(JSON.stringify(settings).replaceAll("NUMBER.dead", `n${number}.dead`)) as typeof settings;
    const timeoutMs = JSON.stringify(own).includes(`:${full}/`) ? synMs : patienceMs;
    return { ...probeOf(kind, own, timeoutMs), name: `hangs-${number}` };
  });
  const hosts = ["127.0.0.1", "localhost", "good.test"];
  // One of them has a pattern that would backtrack endlessly in another engine.
  const others: ConfiguredProbe[] = Array.from({ length: all - hanging }, (_, number) => ({
    ...probeOf(
      "http",
      {
        url: `http://${hosts[number % hosts.length]}:${good}/`,
        ip_version: 4,
        expect: { body_matches: "^(\\w+\\s?)+$" },
      },
      patienceMs,
    ),
    name: `good-${number}`,
  }));

  let ended = false;
  const running = runProbes({
    environment: "test",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    reportId: "isolation",
    // The hanging probes are first, so that all others start after them.
    probes: [...hangs, ...others],
    secrets: { read: async () => "c4n4ry-S3cret" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.now() },
  }).finally(() => {
    ended = true;
  });
  await Promise.race([everyOther.promise, running]);
  expect(asked).toBe(all - hanging);
  expect(ended).toBe(false);
  for (const socket of held) socket.destroy();
  const { results } = await running;
  const of = (prefix: string): ProbeResult[] => results.filter(({ probe }) => probe.startsWith(prefix));
  expect(of("good").flatMap(({ failure }) => failure ?? [])).toEqual([]);
  expect(of("hangs").filter(({ success }) => !success)).toHaveLength(hanging);
});
