/** What the tests of probers stand on: worlds, servers on free ports, and certificates. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import * as x509 from "@peculiar/x509";
import { onTestFinished } from "vitest";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import type { AnyProber } from "./prober.ts";
import { runProbes } from "./run.ts";

/** The secrets of every test, by name. Their values may appear nowhere. */
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

/** How `probeOnce` runs. */
export interface ProbeOnceOptions {
  readonly timeoutMs?: number;
  /** Whether a failure is checked again at once. @default false */
  readonly recheck?: boolean;
  /** Besides the canaries. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** URL below which Google's APIs are found. @default where nothing listens */
  readonly googleStand?: string;
}

/** Runs one probe as the function does. */
export async function probeOnce(
  prober: AnyProber,
  settings: Record<string, unknown>,
  { timeoutMs = 5_000, recheck = false, secrets = {}, googleStand = "http://127.0.0.1:1" }: ProbeOnceOptions = {},
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
        if (value === undefined) throw new Error(`the secret "${name}" is not to be found`);
        return value;
      },
    },
    google: googleApi(googleStand),
    clock: { now: () => Date.now() },
    probers: { [prober.kind]: prober },
  });
  const [result] = report.results;
  if (!result) throw new Error("the report holds no result");
  return result;
}

/** The value of a metric in a result. @param label the value of its only label */
export function measured(result: ProbeResult, metric: string, label?: string): number | undefined {
  return result.measurements.find(
    (one) => one.metric === metric && (label === undefined || Object.values(one.labels).includes(label)),
  )?.value;
}

/** Listens on a free port of 127.0.0.1 until the test is over. @returns the port */
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

/** A server that does with each connection what it is told. @returns the port */
export function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  return listening(createServer({ allowHalfOpen: true }, onConnection));
}

/** A port at which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A certificate with its key, and the certificates that lead to it, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a certificate says. */
export interface CertificateOptions {
  readonly name: string;
  /** Without it the certificate is self-signed. */
  readonly issuer?: Issued;
  /** Names and addresses that it is for; a certificate without any is an authority. */
  readonly hosts?: readonly string[];
  /** Days from now. @default -1 */
  readonly from?: number;
  /** Days from now. @default 30 */
  readonly until?: number;
}

/** Issues a certificate. */
export async function issue({ name, issuer, hosts, from = -1, until = 30 }: CertificateOptions): Promise<Issued> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const day = 86_400_000;
  const names = hosts?.map((host) => ({
    type: /^[\d.]+$/.test(host) ? ("ip" as const) : ("dns" as const),
    value: host,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() + from * day),
    notAfter: new Date(Date.now() + until * day),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(names === undefined, undefined, true),
      ...(names ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    certificate,
    keys,
  };
}
