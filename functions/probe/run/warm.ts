/** Warms up a new instance: loads what a first probe would otherwise load, and measure as latency of its target. */
import { type AddressInfo, createServer } from "node:net";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { loadRoots } from "../net/trust.ts";
import { type AttemptPorts, runProbe } from "./attempt.ts";

/** Number of complete warm-up rounds of a probe, after which the engine has compiled the hot code. */
const rounds = 20;

/**
 * Probes a server of its own, in the same process, over HTTP and over TLS: this compiles code, starts the resolver, reads the trusted
 * authorities, and loads the code for PostgreSQL, WebSocket and cookies. No target is contacted, so that its own cold start is measured as
 * it is.
 */
export async function warmUp(): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}"));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    loadRoots(Date.now());
    await Promise.all([import("pg"), import("ws"), import("tough-cookie")]);
    await runProbe(probeOf("tls", { host: "localhost", port, ip_version: 4 }), ports);
    const plain = probeOf("http", { url: `http://localhost:${port}/`, ip_version: 4, expect: { status: 200 } });
    for (let round = 0; round < rounds; round++) await runProbe(plain, ports);
  } finally {
    server.close();
  }
}

const nothing = (): Promise<never> => Promise.reject(new Error("a warm-up must not use the world"));

const ports: AttemptPorts = {
  secrets: { read: nothing },
  google: { request: nothing, accessToken: nothing, idToken: nothing },
  clock: { now: () => Date.now() },
};

function probeOf(kind: string, settings: Record<string, unknown>): ConfiguredProbe {
  return {
    name: "warm-up",
    kind,
    component: "pathkeeper",
    vantage: "outside",
    schedule: "every 1m",
    group: "warm-up",
    timeoutMs: 1_000,
    recheck: false,
    alert: false,
    settings,
  };
}
