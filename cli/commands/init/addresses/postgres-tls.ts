/** Detects whether a PostgreSQL server offers TLS. The server answers this before anything else. */
import { connect } from "node:net";
import { lookup } from "../../../../shared/net/lookup.ts";

/** The message SSLRequest: its length, and the code 80877103. Source: PostgreSQL, "Message Formats". */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Asks a server. @returns `undefined` where it does not answer */
export function offersTls(host: string, port: number, timeoutMs = 5_000): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, lookup });
    const done = (answer: boolean | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(undefined));
    socket.on("connect", () => socket.write(sslRequest));
    socket.on("data", (data) => done(data[0] === 0x53 ? true : data[0] === 0x4e ? false : undefined));
    socket.on("error", () => done(undefined));
    socket.on("close", () => done(undefined));
  });
}
