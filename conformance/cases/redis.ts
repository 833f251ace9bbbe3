/** Redis and other protocols of lines, over plain TCP and TLS. */
import type { Case, Check, Verdict } from "../case.ts";
import { goodLeaf, root } from "../stand.ts";

type More = Partial<Omit<Extract<Check, { protocol: "tcp" }>, "protocol" | "host" | "port">>;

const at = (port: number, more: More = {}): Check => ({
  protocol: "tcp",
  host: "127.0.0.1",
  port,
  send: "PING\r\n",
  matches: "^\\+PONG",
  ...more,
});

const answers = (name: string, answer: string, verdict: Verdict): Case => ({
  name,
  verdict,
  serve: async (stand) => at(await stand.says(answer)),
});

const refuses = (answer: string): Case =>
  answers(`answers a PING with ${answer}`, `${answer}\r\n`, {
    kind: "body",
    phase: "answer",
    says: new RegExp(`the answer does not match .*it is: ${answer.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`),
  });

/** The cases. */
export const redisCases: readonly Case[] = [
  answers("answers a PING", "+PONG\r\n", "up"),
  refuses("-NOAUTH Authentication required."),
  refuses("-ERR max number of clients reached"),
  refuses("-LOADING Redis is loading the dataset in memory"),
  refuses("-MASTERDOWN Link with MASTER is down"),
  refuses("-READONLY You can't write against a read only replica."),
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
    name: "greets first",
    verdict: "up",
    serve: async (stand) => ({
      protocol: "tcp",
      host: "127.0.0.1",
      port: await stand.tcp((socket) => socket.write("220 mail ESMTP\r\n")),
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
    name: "closes at the PING",
    verdict: { kind: "reset", phase: "answer", says: /127\.0\.0\.1:\d+ closed the connection/ },
    serve: async (stand) => at(await stand.tcp((socket) => socket.once("data", () => socket.end()))),
  },
  {
    name: "does not answer a PING",
    verdict: {
      kind: "timeout",
      phase: "answer",
      says: /ran out while waiting for the first answer of 127\.0\.0\.1:\d+/,
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
