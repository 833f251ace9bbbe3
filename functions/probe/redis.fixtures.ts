/** A Redis server for tests: logins, PING and INFO, and configurable deviations. */
import type { Socket } from "node:net";

/** Behaviour of a server. */
export interface RedisServer {
  /** Passwords by user. @default no login is required */
  readonly users?: Readonly<Record<string, string>>;
  /** The reply to `INFO replication`. */
  readonly info?: string;
  /** Replies in place of the usual ones, by the name of the command. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** Replies to the commands of a connection. */
export function redisServer({ users = {}, info = "role:master\r\n", answers = {} }: RedisServer = {}) {
  return (socket: Socket): void => {
    let loggedIn = Object.keys(users).length === 0;
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      for (let read = commandIn(text); read; read = commandIn(text)) {
        text = text.slice(read.length);
        const [name = "", ...words] = read.words;
        socket.write(answers[name] ?? answer(name, words));
      }
    });
    const answer = (name: string, words: readonly string[]): string => {
      if (name === "AUTH") {
        const [user, password] = words.length === 1 ? ["default", words[0]] : words;
        loggedIn = users[user ?? ""] !== undefined && users[user ?? ""] === password;
        return loggedIn ? "+OK\r\n" : "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
      }
      if (!loggedIn) return "-NOAUTH Authentication required.\r\n";
      if (name === "PING") return "+PONG\r\n";
      if (name === "INFO") return `$${info.length}\r\n${info}\r\n`;
      return `-ERR unknown command '${name}'\r\n`;
    };
  };
}

function commandIn(text: string): { words: string[]; length: number } | undefined {
  const count = /^\*(\d+)\r\n/.exec(text);
  if (!count) return undefined;
  const words: string[] = [];
  let at = count[0].length;
  for (let left = Number(count[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (!size) return undefined;
    const start = at + size[0].length;
    if (text.length < start + Number(size[1]) + 2) return undefined;
    words.push(text.slice(start, start + Number(size[1])));
    at = start + Number(size[1]) + 2;
  }
  return { words, length: at };
}
