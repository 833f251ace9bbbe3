/** A fresh PostgreSQL session, in the phases dns, connect, tls and authentication. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type pg from "pg";
import type { FailureKind } from "../../../shared/messages/report.ts";
import { forgetAccess, type InstanceAccess } from "../net/cloud-sql.ts";
import { dial } from "../net/dial.ts";
import { failureOf, hostAndPort, ProbeFault, type SeenFailure } from "../net/faults.ts";
import type { Stopwatch } from "../net/stopwatch.ts";
import { secure } from "../net/tls.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { begins, PostgresStream } from "./stream.ts";

/** The extent of TLS, in the terms of PostgreSQL's own `sslmode`. */
export const tlsModes = ["disable", "require", "verify-ca", "verify-full"] as const;

/** The server and the credentials of a login; secrets resolved. */
export interface Login {
  /** A host name, an address, or the directory of a socket such as `/cloudsql/project:region:instance`. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: (typeof tlsModes)[number];
  readonly ca: string | undefined;
  /** Google's connector, instead of PostgreSQL's own connection. */
  readonly instance?: InstanceAccess | undefined;
}

/** The host as named in messages. */
export function peerOf({ host, port }: Pick<Login, "host" | "port">): string {
  return isSocketFolder(host) ? socketOf(host, port) : hostAndPort(host, port);
}

/**
 * Opens a session that can be queried.
 * @throws ProbeFault, or the error of the connection
 */
export async function openSession(login: Login, world: ProbeWorld, watch: Stopwatch): Promise<pg.Client> {
  const { Client } = await import("pg");
  const socket = await connected(login, world, watch);
  watch.enter("authentication");
  const client = new Client({
    // `pg` uses only this part of a stream.
    stream: () => new PostgresStream(socket) as unknown as Duplex,
    ssl: false,
    host: login.host,
    port: login.port,
    user: login.user,
    database: login.database,
    // A function, so that an absent password is not looked up in files and variables of this machine.
    password: () => login.password ?? "",
    application_name: "pathkeeper",
  });
  // A fault between two calls reaches the next call; without a listener it would end the process.
  client.on("error", () => {});
  await client.connect().catch((error: unknown) => {
    throw explained(error, login);
  });
  watch.stop();
  return client;
}

/** Opens a TCP connection, in the phases dns and connect. Nothing is sent over it. @throws the error of the connection */
export async function openConnection({ host, port }: Login, world: ProbeWorld, watch: Stopwatch): Promise<Socket> {
  if (isSocketFolder(host)) return await dial({ path: socketOf(host, port) }, world, watch).catch(noProxy);
  return await dial({ host, port }, world, watch);
}

/**
 * Connects up to the TLS handshake or, without PostgreSQL's own TLS, up to the first response of the server, in the phase answer. No
 * start-up packet follows, so the connection takes a process of the server for a moment, and none of its `max_connections`.
 * @throws ProbeFault, or the error of the connection
 */
export async function reachServer(login: Login, world: ProbeWorld, watch: Stopwatch): Promise<Socket> {
  const socket = await connected(login, world, watch);
  if (speaksTls(login)) return socket;
  watch.enter("answer");
  await askForTls(socket);
  watch.stop();
  return socket;
}

/** Returns whether a session performs PostgreSQL's own TLS handshake. */
export function speaksTls({ tls, instance, host }: Login): boolean {
  return tls !== "disable" && !instance && !isSocketFolder(host);
}

/** Returns whether the server itself refused a connection: the server answered, so nothing was lost on the way to it. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof ProbeFault && (isOfServer(error.cause) || error instanceof ServerError || error.kind === "auth")
  );
}

/** An error response of the server that refuses the request. */
class ServerError extends ProbeFault {}

/** Returns whether an error is a response of the server: only those have the fields, possibly without a value. */
export function isOfServer(error: unknown): error is pg.DatabaseError {
  return error instanceof Error && "severity" in error && "code" in error && "length" in error;
}

/** Returns the failure for an error of a session. */
export function sessionFailure(
  error: unknown,
  login: Login,
  { phase, address }: Pick<Stopwatch, "phase" | "address">,
  world: ProbeWorld,
): SeenFailure {
  const seen = failureOf(explained(error, login), { phase, peer: peerOf(login), address, signal: world.signal });
  if (login.instance) forgetAccess(world.google);
  return seen;
}

/** Converts an error of the server or of `pg` to a kind and a message. */
function explained(error: unknown, login: Login): unknown {
  const peer = peerOf(login);
  if (isOfServer(error)) {
    const code = error.code ?? "";
    const known = sqlstates.find(({ codes }) => codes.test(code));
    const said = cite`${TargetText.of(error.message)} (SQLSTATE ${code === "" ? "unknown" : TargetText.of(code)})`;
    const message = cite`${known?.say ?? "the server answered"}: ${said}`;
    return new ProbeFault(known?.kind ?? "database", message, { cause: error, ...(code === "" ? {} : { code }) });
  }
  if (!(error instanceof Error) || error instanceof ProbeFault) return error;
  if (/^Connection terminated/.test(error.message)) {
    const proxy = isSocketFolder(login.host)
      ? "; behind an Auth Proxy this means that the proxy could not reach the instance"
      : "";
    return new ProbeFault(
      "reset",
      `${peer} closed the connection before the session was ready or the query answered${proxy}`,
    );
  }
  const known = clientFaults.find(({ says }) => says.test(error.message));
  if (known) return new ProbeFault(known.kind, known.say(peer, login), { cause: error });
  return error;
}

const senseless = (peer: string): string => `${peer} does not speak PostgreSQL`;

/** Errors that `pg` itself raises, identified by their messages because they have no codes. */
const clientFaults: readonly {
  readonly says: RegExp;
  readonly kind: FailureKind;
  readonly say: (peer: string, login: Login) => string;
}[] = [
  {
    says: /client password must be|^Password must be/,
    kind: "auth",
    say: (peer, { user }) => `${peer} requires a password for ${user}, but none is configured: set connection.password`,
  },
  {
    says: /Only mechanism\(s\)|authenticationOk message type/,
    kind: "auth",
    say: (peer, { user }) =>
      `${peer} requires an unsupported login method for ${user}, such as GSSAPI: allow scram-sha-256 for this role in pg_hba.conf`,
  },
  {
    says: /server signature|server nonce|server returned error/,
    kind: "auth",
    say: (peer) => `${peer} did not prove that it knows the password, as SCRAM requires: it may be an impostor`,
  },
  {
    says: /^SASL/,
    kind: "protocol",
    say: (peer) => `${senseless(peer)}: its part of the SCRAM login is malformed`,
  },
  {
    says: /^received invalid response|^Received unexpected/,
    kind: "protocol",
    say: (peer) => `${senseless(peer)}: it answered with a message that the protocol does not have there`,
  },
];

/** SQLSTATE codes. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const sqlstates: readonly { readonly codes: RegExp; readonly kind: FailureKind; readonly say: string }[] = [
  { codes: /^53300$/, kind: "database", say: "the server has no free connection for this user" },
  { codes: /^28P01$/, kind: "auth", say: "the server refused the password" },
  { codes: /^28/, kind: "auth", say: "the server refused the login" },
  { codes: /^3D000$/, kind: "database", say: "the database does not exist" },
  { codes: /^57P03$/, kind: "database", say: "the server is starting up or shutting down and accepts no connections" },
  { codes: /^57P0[12]$/, kind: "database", say: "the server is shutting down" },
  { codes: /^57014$/, kind: "timeout", say: "the query exceeded the timeout of the probe" },
  { codes: /^25006$/, kind: "database", say: "the query of a probe must be read-only" },
];

async function connected(login: Login, world: ProbeWorld, watch: Stopwatch): Promise<Socket> {
  const { host, tls, ca } = login;
  const socket = await openConnection(login, world, watch);
  if (login.instance) return await throughConnector(socket, login.instance, world, watch);
  if (tls === "disable" || !speaksTls(login)) return socket;
  watch.enter("tls");
  await requestTls(socket, peerOf(login));
  const verify = ({ require: "nothing", "verify-ca": "chain", "verify-full": "full" } as const)[tls];
  const secured = await secure(socket, { host, ca, verify }, watch, world.now());
  if (secured.fault !== undefined) throw new ProbeFault("tls", secured.fault, { signal: "certificate" });
  return secured.socket;
}

/** Performs the handshake as Google's connectors do: immediately, with a certificate on both sides, and without asking PostgreSQL for TLS. */
async function throughConnector(
  raw: Socket,
  { ca, client, name }: InstanceAccess,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<Socket> {
  const { socket, leaf, fault } = await secure(raw, { host: name, ca, client, verify: "chain" }, watch, world.now());
  if (fault !== undefined) throw new ProbeFault("tls", fault, { signal: "certificate" });
  if (leaf?.subject.split("\n").includes(`CN=${name}`) || leaf?.checkHost(name) !== undefined) return socket;
  throw new ProbeFault("tls", `the certificate does not belong to the instance ${name}`, { signal: "certificate" });
}

function noProxy(error: NodeJS.ErrnoException & { address?: string }): never {
  const path = error.address ?? "the path";
  if (error.code === "ENOENT")
    throw new ProbeFault(
      "unavailable",
      `no Auth Proxy socket at ${path}: the instance is not attached to this service`,
      { code: error.code },
    );
  if (error.code === "ECONNREFUSED")
    throw new ProbeFault("refused", `nothing listens on the socket ${path}`, { code: error.code });
  throw error;
}

/** Requests TLS. @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
async function askForTls(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const closed = (): void => reject(Object.assign(new Error("closed while asked for TLS"), { code: "ECONNRESET" }));
  socket.once("data", resolve).once("error", reject).once("close", closed);
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  const answer = await promise;
  socket.off("error", reject).off("close", closed).pause();
  return answer;
}

/** Requests TLS, and continues only if the server agrees. */
async function requestTls(socket: Socket, peer: string): Promise<void> {
  const answer = await askForTls(socket);
  // Anything after the one byte was not encrypted, and may have been injected by a man in the middle.
  const [verdict] = answer;
  if (answer.length === 1 && verdict === 0x53) return;
  if (answer.length === 1 && verdict === 0x4e)
    throw new ProbeFault("tls", `${peer} does not offer TLS: enable it on the server, or set tls: disable`);
  const refusal = refusalIn(answer);
  if (refusal !== undefined) {
    const { code, message } = refusal;
    throw new ServerError(
      kindOf(code),
      cite`${peer} refused the connection before TLS: ${TargetText.of(message)}${code === "" ? "" : cite` (SQLSTATE ${TargetText.of(code)})`}`,
      code === "" ? {} : { code },
    );
  }
  throw new ProbeFault(
    "protocol",
    cite`${peer} does not speak PostgreSQL: its response to the TLS request begins with ${begins(answer)}`,
  );
}

/** Parses an ErrorResponse: that of protocol 3, or the text of protocol 2 that a server sends if it cannot start a process. */
function refusalIn(answer: Buffer): { readonly code: string; readonly message: string } | undefined {
  if (answer[0] !== 0x45 || answer.length < 6) return undefined;
  if (answer.readUInt32BE(1) !== answer.length - 1) {
    const message = answer.toString("utf8", 1).replace(/\0.*$/s, "").trim();
    return /^[\x20-\x7e]{4,}$/.test(message) ? { code: "", message } : undefined;
  }
  const fields = answer.toString("utf8", 5).split("\0");
  const field = (type: string): string => fields.find((one) => one.startsWith(type))?.slice(1) ?? "";
  return { code: field("C"), message: field("M") };
}

function kindOf(code: string): FailureKind {
  return sqlstates.find(({ codes }) => codes.test(code))?.kind ?? "database";
}

function isSocketFolder(host: string): boolean {
  return host.startsWith("/");
}

function socketOf(folder: string, port: number): string {
  return `${folder}/.s.PGSQL.${port}`;
}
