/** PostgreSQL, at each step of a session. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Case, Check } from "../case.ts";
import { certificate, goodLeaf, root } from "../stand.ts";
import { talking } from "../support/talk.ts";

type More = Omit<Extract<Check, { protocol: "postgres" }>, "protocol" | "host" | "port">;

const at = (port: number, more: More = {}): Check => ({
  protocol: "postgres",
  host: "127.0.0.1",
  port,
  tls: "disable",
  password: "p4ssw0rd",
  ...more,
});

/** A message of the protocol. @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
export const message = (type: string, ...parts: readonly (string | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const fault = (code: string, text: string): Buffer => message("E", `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
/** Older servers and poolers omit the unlocalized severity, and some omit both severities. */
const bareFault = (code: string, text: string): Buffer => message("E", `C${code}\0M${text}\0\0`);
const asks = (kind: number, more = ""): Buffer => message("R", int(kind), more);
const ready = message("Z", "I");
const welcome = Buffer.concat([asks(0), ready]);
const selected = Buffer.concat([
  message("C", "BEGIN\0"),
  message("C", "SET\0"),
  message("C", "SELECT 1\0"),
  message("C", "COMMIT\0"),
  ready,
]);

/** Sends these responses one after the other, each in reply to the next message. */
const says = (...answers: readonly Buffer[]): ((socket: Socket) => void) => {
  return (socket) => {
    const left = [...answers];
    socket.on("data", () => {
      const next = left.shift();
      if (next !== undefined) socket.write(next);
    });
  };
};

const talks = talking(at);

const refuses = (code: string, text: string, kind: "auth" | "database" | "timeout", sentence: RegExp): Case =>
  talks(`refuses the login with ${code}: ${text}`, says(fault(code, text)), {
    kind,
    phase: "authentication",
    code,
    says: sentence,
  });

const failsQuery = (code: string, text: string, kind: "auth" | "database" | "timeout", sentence: RegExp): Case =>
  talks(`answers the query with ${code}: ${text}`, says(welcome, Buffer.concat([fault(code, text), ready])), {
    kind,
    phase: "query",
    code,
    says: sentence,
  });

/** A server that violates the protocol; the message must not contain the wording of a library. */
const senseless = (name: string, talk: (socket: Socket) => void, sentence = /does not speak PostgreSQL/): Case =>
  talks(name, talk, { kind: "protocol", phase: ["authentication", "tls"], says: sentence });

/** The cases. */
export const postgresCases: readonly Case[] = [
  talks("lets in and answers", says(welcome, selected, selected, selected, selected, selected), "up"),
  refuses(
    "28P01",
    'password authentication failed for user "probe"',
    "auth",
    /the server refused the password: .* \(SQLSTATE 28P01\)/,
  ),
  refuses(
    "28000",
    'no pg_hba.conf entry for host "10.0.0.1", no encryption',
    "auth",
    /the server refused the login: .*no pg_hba.conf entry/,
  ),
  refuses("28000", 'role "probe" does not exist', "auth", /the server refused the login/),
  refuses(
    "3D000",
    'database "passwords" does not exist',
    "database",
    /the database does not exist: database "passwords" does not exist/,
  ),
  refuses("53300", "sorry, too many clients already", "database", /no free connection.*SQLSTATE 53300/),
  refuses("53300", "remaining connection slots are reserved", "database", /no free connection/),
  refuses("57P03", "the database system is starting up", "database", /starting up or shutting down/),
  refuses("57P01", "terminating connection due to administrator command", "database", /shutting down/),
  refuses(
    "53100",
    "could not write to file: No space left on device",
    "database",
    /the server answered: .*No space left.* \(SQLSTATE 53100\)/,
  ),
  refuses("53200", "out of memory", "database", /the server answered: out of memory \(SQLSTATE 53200\)/),
  refuses("42501", "permission denied for database", "database", /the server answered: permission denied/),
  refuses("08P01", "no such database: passwords", "database", /the server answered: no such database: passwords/),
  refuses("XX000", "the password file cannot be read", "database", /the server answered: the password file/),
  talks("refuses without a severity", says(bareFault("XX000", "invalid password file")), {
    kind: "database",
    phase: "authentication",
    code: "XX000",
    says: /the server answered: invalid password file/,
  }),
  talks("refuses without a code", says(message("E", "SFATAL\0Mout of passwords\0\0")), {
    kind: "database",
    phase: "authentication",
    says: /the server answered: out of passwords/,
  }),
  failsQuery("42501", "permission denied for table t", "database", /permission denied/),
  failsQuery("42P01", 'relation "passwords" does not exist', "database", /relation "passwords" does not exist/),
  failsQuery("57014", "canceling statement due to statement timeout", "timeout", /exceeded the timeout of the probe/),
  failsQuery("25006", "cannot execute INSERT in a read-only transaction", "database", /must be read-only/),
  failsQuery("57P01", "terminating connection due to administrator command", "database", /shutting down/),
  failsQuery("53400", "configuration limit exceeded", "database", /configuration limit exceeded/),
  talks(
    "asks for a password that is not configured",
    says(asks(10, "SCRAM-SHA-256\0\0"), asks(11, "r=x,s=eA==,i=1")),
    { kind: "auth", phase: "authentication", says: /requires a password for probe, but none is configured/ },
    { password: "" },
  ),
  ...(
    [
      [7, "GSSAPI"],
      [9, "SSPI"],
      [2, "Kerberos"],
    ] as const
  ).map(([kind, name]) =>
    talks(`asks for ${name}`, says(asks(kind)), {
      kind: "auth",
      phase: "authentication",
      says: /unsupported login method/,
    }),
  ),
  talks("offers no SCRAM that is known", says(asks(10, "SCRAM-SHA-512\0\0")), {
    kind: "auth",
    phase: "authentication",
    says: /unsupported login method/,
  }),
  talks(
    "does not prove that it knows the password",
    says(asks(10, "SCRAM-SHA-256\0\0"), asks(11, "r=short,s=eA==,i=1")),
    { kind: "auth", phase: "authentication", says: /did not prove that it knows the password/ },
  ),
  talks("sends a malformed SCRAM", says(asks(10, "SCRAM-SHA-256\0\0"), asks(11, "nonsense")), {
    kind: ["protocol", "auth"],
    phase: "authentication",
    says: /does not speak PostgreSQL|SCRAM/,
  }),
  talks("closes at the login", (socket) => socket.once("data", () => socket.end()), {
    kind: "reset",
    phase: "authentication",
    says: /127\.0\.0\.1:\d+ closed the connection before the session was ready/,
  }),
  talks("resets at the login", (socket) => socket.once("data", () => socket.resetAndDestroy()), {
    kind: "reset",
    phase: "authentication",
    says: /closed the connection/,
  }),
  talks(
    "closes at the query",
    (socket) => socket.once("data", () => socket.write(welcome) && socket.once("data", () => socket.end())),
    { kind: "reset", phase: "query", says: /closed the connection/ },
  ),
  talks(
    "does not answer the login",
    () => {},
    { kind: "timeout", phase: "authentication", says: /timed out while logging in to 127\.0\.0\.1:\d+/ },
    {},
    300,
  ),
  talks(
    "does not answer the query",
    says(welcome),
    { kind: "timeout", phase: "query", says: /timed out while waiting for the result of the first query from/ },
    {},
    300,
  ),
  senseless("speaks HTTP in place of PostgreSQL", (socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
  ),
  senseless("speaks SSH in place of PostgreSQL", (socket) => socket.write("SSH-2.0-OpenSSH_9.9\r\n")),
  senseless("sends a message of an unknown type", says(message("q", "what"))),
  senseless("sends without end", (socket) => {
    const chunk = Buffer.alloc(65_536, message("N", "SNOTICE\0C00000\0Mnoise\0\0"));
    const pour = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", pour).once("data", pour);
  }),
  talks(
    "does not offer TLS",
    (socket) => socket.once("data", () => socket.write("N")),
    {
      kind: "tls",
      phase: "tls",
      says: /127\.0\.0\.1:\d+ does not offer TLS: enable it on the server, or set tls: disable/,
    },
    { tls: "require" },
  ),
  talks(
    "answers the request for TLS with 53300",
    (socket) => socket.once("data", () => socket.end(fault("53300", "sorry, too many clients already"))),
    {
      kind: "database",
      phase: "tls",
      code: "53300",
      says: /refused the connection before TLS: sorry, too many clients already \(SQLSTATE 53300\)/,
    },
    { tls: "require" },
  ),
  talks(
    "cannot start a process for the connection",
    (socket) =>
      socket.once("data", () =>
        socket.end("Ecould not fork new process for connection: Resource temporarily unavailable\n\0"),
      ),
    { kind: "database", phase: "tls", says: /refused the connection before TLS: could not fork new process/ },
    { tls: "require" },
  ),
  talks(
    "is MySQL",
    (socket) => socket.write("J\0\0\0\n8.0.36\0\u0008\0\0\0abcdefgh\0"),
    {
      kind: "protocol",
      phase: "tls",
      says: /does not speak PostgreSQL: its response to the TLS request begins with "J/,
    },
    { tls: "require" },
  ),
  talks(
    "closes at the request for TLS",
    (socket) => socket.once("data", () => socket.end()),
    {
      kind: "reset",
      phase: "tls",
      says: /closed the connection while performing the TLS handshake with 127\.0\.0\.1:\d+/,
    },
    { tls: "require" },
  ),
  talks(
    "agrees to TLS and says no more",
    (socket) => socket.once("data", () => socket.write("S")),
    { kind: "timeout", phase: "tls", says: /timed out while performing the TLS handshake/ },
    { tls: "require" },
    300,
  ),
  talks(
    "agrees to TLS and sends garbage",
    (socket) =>
      socket.once("data", () => socket.write("S") && socket.once("data", () => socket.end(Buffer.alloc(64, 0xa5)))),
    { kind: "tls", phase: "tls", says: /does not speak TLS/ },
    { tls: "require" },
  ),
  talks(
    "sends more behind its yes to TLS",
    (socket) => socket.once("data", () => socket.write("SE")),
    { kind: "protocol", phase: "tls", says: /its response to the TLS request begins with/ },
    { tls: "require" },
  ),
  {
    name: "has a certificate of another authority",
    verdict: { kind: "tls", phase: "tls", says: /self-signed|not a trusted authority|not trusted/ },
    serve: async (stand) => {
      const { cert, key } = await certificate("impostor", { name: "localhost", hosts: ["localhost"] });
      return {
        protocol: "postgres",
        host: "localhost",
        port: await stand.tcp(overTls(cert, key, () => {})),
        tls: "verify-full",
        ca: (await root()).cert,
      };
    },
  },
  {
    name: "refuses the login over TLS",
    verdict: { kind: "auth", phase: "authentication", code: "28P01", says: /the server refused the password/ },
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      const talk = overTls(cert, key, says(fault("28P01", "password authentication failed")));
      return {
        protocol: "postgres",
        host: "localhost",
        port: await stand.tcp(talk),
        tls: "verify-full",
        ca: (await root()).cert,
        password: "p4ssw0rd",
      };
    },
  },
  {
    name: "speaks TLS from the first byte where it is asked for TLS",
    verdict: { kind: "protocol", phase: "tls", says: /speaks TLS from the first byte, which PostgreSQL does not/ },
    serve: async (stand) => at(await stand.tls(await goodLeaf()), { tls: "require" }),
  },
  {
    name: "speaks TLS from the first byte where a login goes in plain text",
    verdict: { kind: "protocol", phase: "authentication", says: /speaks TLS from the first byte/ },
    serve: async (stand) => at(await stand.tls(await goodLeaf()), { tls: "disable" }),
  },
  {
    name: "is not there for PostgreSQL",
    verdict: {
      kind: "refused",
      phase: "connect",
      says: /127\.0\.0\.1:\d+ refused the connection: nothing listens there/,
    },
    serve: async (stand) => at(await stand.closedPort()),
  },
];

/** Accepts TLS, and runs the exchange over it. */
function overTls(cert: string, key: string, talk: (socket: Socket) => void): (socket: Socket) => void {
  return (raw) => {
    raw.once("data", () => {
      raw.write("S");
      const socket = new TLSSocket(raw, { isServer: true, cert, key });
      socket.on("error", () => {});
      talk(socket);
    });
  };
}
