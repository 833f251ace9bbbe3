/** Fixtures for the tests of probers: worlds, servers on free ports, and certificates. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { AwaitedReader, HeartbeatReader } from "../../shared/documents/heartbeats.ts";
import type { Failure, ProbeResult } from "../../shared/messages/report.ts";
import { Redactor } from "../../shared/text/redact.ts";
import { errorText, type SeenFailure } from "./net/faults.ts";
import type { AnyProber, Diagnosed } from "./prober.ts";
import { runProbes } from "./run/run.ts";
import { openText } from "./text/target-text.ts";

export { type CertificateOptions, type Issued, issue } from "./certificates.fixtures.ts";

/** Secrets of every test, by name. Their values must not appear anywhere. */
export const canaries: Readonly<Record<string, string>> = {
  canary: "c4n4ry-S3cret/value",
  "canary-url": "postgres://someone:c4n4ry-S3cret@127.0.0.1:1/nowhere",
};

/** A probe of the configuration. */
export function probeOf(kind: string, settings: Record<string, unknown>, timeoutMs = 5_000): ConfiguredProbe {
  return {
    name: `${kind}-probe`,
    kind,
    component: "backend",
    vantage: "outside",
    schedule: "every 1m",
    group: "outside-1m",
    timeoutMs,
    recheck: false,
    alert: false,
    settings,
  };
}

/** Options of `probeOnce`. */
export interface ProbeOnceOptions {
  readonly timeoutMs?: number;
  /** Whether to recheck a failure immediately. @default false */
  readonly recheck?: boolean;
  /** Secrets in addition to the canaries. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Base URL of Google's APIs. @default a port on which nothing listens */
  readonly googleApis?: string;
  /** Reads heartbeats. @default none can be read */
  readonly beats?: HeartbeatReader;
  /** Reads since when they are expected. @default always */
  readonly awaited?: AwaitedReader;
  /** The probes of the environment, for the resources that they watch. @default none */
  readonly all?: readonly ConfiguredProbe[];
  /** The diagnosis that the run belongs to. @default none */
  readonly diagnosis?: Diagnosed;
  /** All kinds of probes. @default that of the probe */
  readonly probers?: Readonly<Record<string, AnyProber>>;
}

/** Runs one probe as the function does. */
export async function probeOnce(
  prober: AnyProber,
  settings: Record<string, unknown>,
  {
    timeoutMs = 5_000,
    recheck = false,
    secrets = {},
    googleApis = "http://127.0.0.1:1",
    beats,
    awaited,
    all,
    diagnosis,
    probers = { [prober.kind]: prober },
  }: ProbeOnceOptions = {},
): Promise<ProbeResult> {
  const { recheck: _off, ...rechecked } = probeOf(prober.kind, settings, timeoutMs);
  const report = await runProbes({
    environment: "test",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    reportId: "test/outside-1m/2025-09-16T12:04:00Z",
    probes: [recheck ? rechecked : { ...rechecked, recheck: false }],
    secrets: {
      read: async (name) => {
        const value = { ...canaries, ...secrets }[name];
        if (value === undefined) throw new Error(`secret "${name}" not found`);
        return value;
      },
    },
    google: googleApi(googleApis),
    beats,
    awaited,
    clock: { now: () => Date.now() },
    all,
    diagnosis,
    probers,
  });
  const [result] = report.results;
  if (!result) throw new Error("the report holds no result");
  return result;
}

/** Returns the value of a metric in a result. @param label the value of its only label */
export function measured(result: ProbeResult, metric: string, label?: string): number | undefined {
  return result.measurements.find(
    (one) => one.metric === metric && (label === undefined || Object.values(one.labels).includes(label)),
  )?.value;
}

/** Returns a failure with its texts opened, for comparison. */
export function openFailure(failure: SeenFailure | undefined): Failure | undefined {
  return failure && { ...failure, message: openText(failure.message, new Redactor()) };
}

/** Returns the opened message of the error that a call throws. */
export function thrownText(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return openText(errorText(error), new Redactor());
  }
  return undefined;
}

/** Listens on a free port of 127.0.0.1 until the test ends. @returns the port */
export async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a TCP server that handles each connection with `onConnection`. @returns the port */
export function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  return listening(createServer({ allowHalfOpen: true }, onConnection));
}

/** Returns a port whose accept queue is full: a TCP handshake on it is neither answered nor refused. */
export async function fullServer(): Promise<number> {
  const code = `const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const waiting: Socket[] = [];
  onTestFinished(() => {
    for (const socket of waiting) socket.destroy();
    child.kill("SIGKILL");
  });
  const [line] = await once(child.stdout, "data");
  const port = Number(String(line));
  // No connection is accepted from the queue any more; these fill it.
  child.kill("SIGSTOP");
  for (let count = 0; count < 8; count++) waiting.push(connect(port, "127.0.0.1").on("error", () => {}));
  await once(waiting[0] ?? new Socket(), "connect");
  return port;
}

/** Returns a port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
