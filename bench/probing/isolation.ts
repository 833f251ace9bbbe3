/**
 * Cost of hanging targets for the others: a thousand probes, first with healthy targets alone, then with fifty hanging ones among them, for
 * each way of hanging. See README.md.
 */
import { createSocket } from "node:dgram";
import dns from "node:dns";
import { createServer, type Server, type Socket } from "node:net";
import { runProbes } from "../../functions/probe/run/run.ts";
import { warmUp } from "../../functions/probe/run/warm.ts";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import { startTarget } from "../target-process.ts";

const [all, hanging] = [1_000, 50];
const timeoutMs = 6_000;

const target = await startTarget();
const servers: Server[] = [];
async function serve(talk: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => talk(socket.on("error", () => {})));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

const silent = await serve(() => {});
const answering = (answer: string) => serve((socket) => void socket.once("data", () => socket.write(answer)));
const head = await answering("HTTP/1.1 200 OK\r\nx-part: 1\r\n");
const body = await answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning");
const events = await answering("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: wait\n\n");
const text = `${"a".repeat(5_000)}!`;
const long = await answering(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
// A DNS server that answers nothing.
const resolver = createSocket("udp4");
await new Promise<void>((resolve) => resolver.bind(0, "127.0.0.1", resolve));
dns.setServers([`127.0.0.1:${resolver.address().port}`]);

/** Ways to hang, each with the kind and the settings of its probes. */
const ways: readonly (readonly [string, string, (number: number) => Record<string, unknown>])[] = [
  ["names", "http", (number) => ({ url: `http://name-${number}.dead.test/` })],
  ["handshakes of TLS", "tls", () => ({ host: "127.0.0.1", port: silent })],
  ["answers", "http", () => ({ url: `http://127.0.0.1:${silent}/` })],
  ["headers", "http", () => ({ url: `http://127.0.0.1:${head}/` })],
  ["bodies", "http", () => ({ url: `http://127.0.0.1:${body}/` })],
  ["patterns", "http", () => ({ url: `http://127.0.0.1:${long}/`, expect: { body_matches: "^(\\w+\\s?)+ok$" } })],
  ["upgrades", "websocket", () => ({ url: `ws://127.0.0.1:${silent}/` })],
  ["logins", "postgres", () => ({ connection: { host: "127.0.0.1", port: silent, user: "someone" } })],
  ["calls of gRPC", "grpc", () => ({ host: "127.0.0.1", port: silent })],
  [
    "streams",
    "sse",
    () => ({ url: `http://127.0.0.1:${events}/`, script: [{ expect: [{ event: "done" }], within: "1m" }] }),
  ],
];

const probe = (name: string, kind: string, settings: Record<string, unknown>): ConfiguredProbe => ({
  name,
  kind,
  component: "target",
  vantage: "outside",
  schedule: "every 1m",
  group: "outside-1m",
  timeoutMs,
  recheck: false,
  alert: false,
  settings,
});

const good = Array.from({ length: all - hanging }, (_, number) =>
  probe(`good-${number}`, "http", { url: `http://127.0.0.1:${target.ports.slow}/` }),
);
interface Seen {
  /** Milliseconds until the last healthy target was reported. */
  readonly lastMs: number;
  /** Reported durations of healthy targets in milliseconds, ascending. */
  readonly reported: readonly number[];
}

async function run(probes: readonly ConfiguredProbe[]): Promise<Seen> {
  const started = performance.now();
  const reported: number[] = [];
  let lastMs = 0;
  await runProbes({
    environment: "bench",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    reportId: "bench",
    probes,
    secrets: { read: async () => "" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.now() },
    onResult: ({ probe: name, measurements }) => {
      if (!name.startsWith("good")) return;
      lastMs = performance.now() - started;
      reported.push((measurements.find(({ metric }) => metric === "probe_duration")?.value ?? 0) * 1000);
    },
  });
  return { lastMs, reported: reported.sort((left, right) => left - right) };
}

const share = ({ reported }: Seen, part: number): string =>
  (reported[Math.floor(reported.length * part)] ?? 0).toFixed(1);
const row = (name: string, seen: Seen): string =>
  `| ${name} | ${seen.reported.length} | ${share(seen, 0.5)} | ${share(seen, 0.99)} | ${seen.lastMs.toFixed(0)} |`;

try {
  await warmUp();
  await run(good);
  console.log(
    "| what hangs, in 50 of 1,000 | reported | p50 (ms) | p99 (ms) | last one after (ms) |\n|---|---|---|---|---|",
  );
  console.log(row("nothing", await run(good)));
  for (const [way, kind, settings] of ways) {
    const hangs = Array.from({ length: hanging }, (_, number) => probe(`hangs-${number}`, kind, settings(number)));
    console.log(row(way, await run([...hangs, ...good])));
  }
} finally {
  target.stop();
  resolver.close();
  for (const server of servers) server.close();
}
