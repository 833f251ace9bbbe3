/** Redis, and line-based protocols without a prober of their own. */
import type { FailureKind } from "../../shared/messages/report.ts";
import type { Case, Check, Verdict } from "../case.ts";
import { goodLeaf, root } from "../stand.ts";

type More = Partial<Omit<Extract<Check, { protocol: "redis" }>, "protocol" | "host" | "port">>;

const at = (port: number, more: More = {}): Check => ({ protocol: "redis", host: "127.0.0.1", port, ...more });

const answers = (name: string, answer: string, verdict: Verdict, more: More = {}): Case => ({
  name,
  verdict,
  serve: async (stand) => at(await stand.says(answer), more),
});

/** A server that answers everything with an error. */
const refuses = (answer: string, kind: FailureKind, says: RegExp, more: More = {}): Case => {
  const phase = more.password === undefined ? "answer" : "authentication";
  return answers(
    `answers ${phase === "answer" ? "a PING" : "a login"} with ${answer}`,
    `${answer}\r\n`,
    { kind, phase, says },
    more,
  );
};

/** A server that does not speak Redis. */
const senseless = (name: string, answer: string): Case =>
  answers(name, answer, {
    kind: "protocol",
    phase: "answer",
    says: /127\.0\.0\.1:\d+ (does not speak|answered PING with)/,
  });

/** The cases. */
export const redisCases: readonly Case[] = [
  answers("answers a PING", "+PONG\r\n", "up"),
  refuses("-NOAUTH Authentication required.", "auth", /NOAUTH/),
  refuses("-NOPERM this user has no permissions to run the 'ping' command", "auth", /NOPERM/),
  refuses("-WRONGPASS invalid username-password pair or user is disabled.", "auth", /WRONGPASS/, {
    password: "p4ssw0rd",
  }),
  refuses("-ERR max number of clients reached", "unavailable", /max number of clients reached/),
  refuses("-LOADING Redis is loading the dataset in memory", "unavailable", /LOADING/),
  refuses("-MASTERDOWN Link with MASTER is down", "unavailable", /MASTERDOWN/),
  refuses("-ERR operation not permitted", "auth", /requires a login/),
  refuses("-ERR wrong number of arguments for 'auth' command", "auth", /accepts only a password/, {
    password: "p4ssw0rd",
  }),
  refuses("-MISCONF Redis is configured to save RDB snapshots", "unavailable", /cannot save its data: MISCONF/),
  refuses("-OOM command not allowed when used memory > 'maxmemory'", "unavailable", /is out of memory: OOM/),
  refuses("-CLUSTERDOWN The cluster is down", "unavailable", /belongs to a cluster that is down: CLUSTERDOWN/),
  refuses("-no upstream host", "unavailable", /a proxy that has no server behind it: no upstream host/),
  senseless("answers a PING with something else", "+HELLO\r\n"),
  senseless("speaks SSH in place of Redis", "SSH-2.0-OpenSSH_9.9\r\n"),
  senseless("speaks HTTP in place of Redis", "HTTP/1.1 400 Bad Request\r\n\r\n"),
  {
    name: "answers a PING in pieces",
    verdict: "up",
    serve: async (stand) =>
      at(
        await stand.tcp((socket) =>
          socket.once("data", () => socket.write("+PO", () => setImmediate(() => socket.write("NG\r\n")))),
        ),
      ),
  },
  {
    name: "greets first, in a protocol of lines",
    verdict: "up",
    serve: async (stand) => ({
      protocol: "tcp",
      host: "127.0.0.1",
      port: await stand.tcp((socket) => socket.write("220 mail ESMTP\r\n")),
      matches: "^220 ",
    }),
  },
  {
    name: "greets otherwise, in a protocol of lines",
    verdict: {
      kind: "body",
      phase: "answer",
      says: /the response does not match \/\^220 \/; the response is: 554 go away/,
    },
    serve: async (stand) => ({
      protocol: "tcp",
      host: "127.0.0.1",
      port: await stand.tcp((socket) => socket.end("554 go away\r\n")),
      matches: "^220 ",
    }),
  },
  {
    name: "only listens",
    verdict: "up",
    serve: async (stand) => ({ protocol: "tcp", host: "127.0.0.1", port: await stand.tcp(() => {}) }),
  },
  {
    name: "answers a PING over TLS",
    verdict: "up",
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      const port = await stand.tls({ cert, key }, (socket) => socket.once("data", () => socket.write("+PONG\r\n")));
      return at(port, { tls: true, ca: (await root()).cert });
    },
  },
  {
    name: "does not speak TLS where a PING goes over TLS",
    verdict: { kind: "tls", phase: "tls", says: /127\.0\.0\.1:\d+ does not speak TLS/ },
    serve: async (stand) => at(await stand.says("-ERR Protocol error\r\n"), { tls: true, ca: (await root()).cert }),
  },
  {
    name: "speaks TLS where a PING goes in plain text",
    verdict: {
      kind: "protocol",
      phase: "answer",
      says: /speaks TLS on this port, but the request was in plain text: set tls: true/,
    },
    serve: async (stand) => at(await stand.tls(await goodLeaf())),
  },
  {
    name: "speaks TLS where a login goes in plain text",
    verdict: {
      kind: "protocol",
      phase: "authentication",
      says: /speaks TLS on this port, but the request was in plain text/,
    },
    serve: async (stand) => at(await stand.tls(await goodLeaf()), { password: "p4ssw0rd" }),
  },
  {
    name: "speaks TLS where a line goes in plain text",
    verdict: {
      kind: "protocol",
      phase: "answer",
      says: /speaks TLS on this port, but the request was in plain text: set tls: true/,
    },
    serve: async (stand) => ({
      protocol: "tcp",
      host: "127.0.0.1",
      port: await stand.tls(await goodLeaf()),
      send: "HELO\r\n",
      matches: "^250 ",
    }),
  },
  {
    name: "closes at the PING",
    verdict: { kind: "reset", phase: "answer", says: /127\.0\.0\.1:\d+ closed the connection/ },
    serve: async (stand) => at(await stand.tcp((socket) => socket.once("data", () => socket.end()))),
  },
  {
    name: "does not answer a PING",
    verdict: {
      kind: "timeout",
      phase: "answer",
      says: /timed out while waiting for the first response from 127\.0\.0\.1:\d+/,
    },
    serve: async (stand) => at(await stand.tcp(() => {})),
    timeoutMs: 300,
  },
  {
    name: "is not there for a PING",
    verdict: { kind: "refused", phase: "connect", says: /127\.0\.0\.1:\d+ refused the connection/ },
    serve: async (stand) => at(await stand.closedPort()),
  },
];
