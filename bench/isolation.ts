/**
 * What targets that hang cost the others: a thousand probes, first of good targets alone, then with fifty among them that hang, one in each way.
 * See README.md.
 */
import { createServer, type Socket } from "node:net";
import { runProbes } from "../functions/probe/run/run.ts";
import { warmUp } from "../functions/probe/run/warm.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../shared/config/model.ts";
import { startTarget } from "./target-process.ts";

const [all, hanging] = [1_000, 50];
const timeoutMs = 20_000;

const target = await startTarget();
const silent = createServer((socket: Socket) => void socket.on("error", () => {}));
await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
const address = silent.address();
const port = typeof address === "object" && address ? address.port : 0;

/** Ways to hang: a handshake of TLS, an answer of HTTP, an upgrade, a login. */
const ways: readonly (readonly [string, Record<string, unknown>])[] = [
  ["tls", { host: "127.0.0.1", port }],
  ["http", { url: `http://127.0.0.1:${port}/` }],
  ["websocket", { url: `ws://127.0.0.1:${port}/` }],
  ["postgres", { connection: { host: "127.0.0.1", port, user: "someone" } }],
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
const hangs = Array.from({ length: hanging }, (_, number) => {
  const [kind, settings] = ways[number % ways.length] ?? ["http", {}];
  return probe(`hangs-${number}`, kind, settings);
});

interface Seen {
  /** Milliseconds until the last good target was reported. */
  readonly lastMs: number;
  /** Milliseconds that good targets were reported to take, ascending. */
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
  console.log("| targets | reported | p50 (ms) | p99 (ms) | last one after (ms) |\n|---|---|---|---|---|");
  console.log(row("good ones alone", await run(good)));
  console.log(row(`and ${hanging} that hang, first`, await run([...hangs, ...good])));
} finally {
  target.stop();
  silent.close();
}
