/** The demo's cache: a server of Redis's protocol with the commands that the demo needs, and how the services ask it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { listen, type Service } from "./http.ts";

/** Connection of a service to the cache. */
export interface CacheAccess {
  readonly port: number;
  readonly password: string;
}

/**
 * Starts the cache, empty.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export async function startCache(password: string): Promise<Service> {
  const entries = new Map<string, string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    let isLoggedIn = false;
    let unread = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      unread += chunk;
      // Closes connections that speak another protocol, as Redis does with HTTP requests.
      if (!unread.startsWith("*")) return void socket.end("-ERR Protocol error: expected '*'\r\n");
      if (unread.length > longestCommand) return void socket.end("-ERR Protocol error: the command is too long\r\n");
      for (let command = commandIn(unread); command; command = commandIn(unread)) {
        unread = unread.slice(command.length);
        const [name = "", ...words] = command.words;
        const verb = name.toUpperCase();
        if (verb === "AUTH") {
          isLoggedIn = words.at(-1) === password;
          socket.write(isLoggedIn ? "+OK\r\n" : "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        } else if (!isLoggedIn) socket.write("-NOAUTH Authentication required.\r\n");
        else socket.write(ownEntry(commands, verb)?.(words, entries) ?? `-ERR unknown command '${verb}'\r\n`, "latin1");
      }
    });
  });
  const port = await listen(server);
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * Asks the cache one question over a fresh connection.
 * @returns the reply, without the mark of its type
 * @throws Error where none comes in time, or the cache refuses
 */
export async function askCache(
  { port, password }: CacheAccess,
  words: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    socket.write(written(["AUTH", password]) + written(words), "latin1");
    let received = "";
    while (received.split("\r\n").length < 3) received += String((await once(socket, "data", { signal }))[0]);
    const [login = "", reply = ""] = received.split("\r\n");
    const refusal = [login, reply].find((line) => line.startsWith("-"));
    if (refusal !== undefined) throw new Error(`the cache refused: ${refusal.slice(1)}`);
    return reply.slice(1);
  } finally {
    socket.destroy();
  }
}

/** A command is no longer, in bytes. */
const longestCommand = 65_536;

/** The commands, each with its reply. */
const commands: Readonly<Record<string, (words: readonly string[], entries: Map<string, string>) => string>> = {
  PING: () => "+PONG\r\n",
  GET: ([key = ""], entries) => text(entries.get(key)),
  SET: ([key = "", value = ""], entries) => {
    entries.set(key, value);
    return "+OK\r\n";
  },
  DEL: (keys, entries) => `:${keys.filter((key) => entries.delete(key)).length}\r\n`,
  INCR: ([key = ""], entries) => {
    const value = Number(entries.get(key) ?? 0) + 1;
    if (!Number.isSafeInteger(value)) return "-ERR value is not an integer or out of range\r\n";
    entries.set(key, String(value));
    return `:${value}\r\n`;
  },
  INFO: (_words, entries) => text(`# Replication\r\nrole:master\r\n# Keyspace\r\nkeys:${entries.size}\r\n`),
};

function text(value: string | undefined): string {
  return value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value}\r\n`;
}

function written(words: readonly string[]): string {
  const bytes = words.map((word) => Buffer.from(word).toString("latin1"));
  return `*${bytes.length}\r\n${bytes.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** The command at the beginning; `undefined` while it is not complete. */
function commandIn(bytes: string): { readonly words: readonly string[]; readonly length: number } | undefined {
  const count = /^\*(\d{1,4})\r\n/.exec(bytes);
  if (!count) return undefined;
  const words: string[] = [];
  let at = count[0].length;
  while (words.length < Number(count[1])) {
    const size = /^\$(\d{1,6})\r\n/.exec(bytes.slice(at, at + 10));
    const start = at + (size?.[0].length ?? 0);
    const length = Number(size?.[1]);
    if (size === null || bytes.length < start + length + 2) return undefined;
    words.push(bytes.slice(start, start + length));
    at = start + length + 2;
  }
  return { words, length: at };
}
