/** The stream for `pg`: an open, timed and secured connection, with a guard against invalid input. */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { ProbeFault } from "../net/faults.ts";
import { cite, TargetText } from "../text/target-text.ts";

/** A response to a probe is never longer than this, in bytes. */
const maxReceived = 4 * 2 ** 20;

/** The type and the length of a message, in bytes. */
const headLength = 5;

/** Maximum length of a server's first message, in bytes. */
const longestFirst = 65_536;

/** Returns whether a PostgreSQL server may begin like this: with an authentication request, an error or a notice of plausible length. */
function canBegin(chunk: Buffer): boolean {
  if (!/^[RENv]/.test(chunk.toString("latin1", 0, 1))) return false;
  return chunk.length < headLength || chunk.readUInt32BE(1) <= longestFirst;
}

/** Returns the beginning of unreadable input, for a message. */
export function begins(bytes: Buffer): TargetText {
  return TargetText.of(bytes.toString("latin1"), true).quoted(20);
}

/** Returns the fault for input that the parser of `pg` could not read. */
function unreadable(reason: string, cause: unknown): ProbeFault {
  const type = /authenticationOk message type (\d+)/.exec(reason)?.[1];
  if (type !== undefined)
    return new ProbeFault(
      "auth",
      `the server requires an unsupported login method (${ownEntry(logins, type) ?? `type ${type}`}): allow scram-sha-256 for this role in pg_hba.conf`,
      { cause },
    );
  const why = reason === endless ? endless : "it sent a message that cannot be read";
  return new ProbeFault("protocol", `the server does not speak PostgreSQL: ${why}`, { cause });
}

const endless = "it sends data without end";

/** Types of authentication requests, by their number. */
const logins: Readonly<Record<string, string>> = { 2: "Kerberos", 6: "SCM credentials", 7: "GSSAPI", 9: "SSPI" };

/**
 * The part of a stream that `pg` uses. Its parser trusts its input: a wrong length makes it buffer everything, or throw out of an event,
 * where the error cannot be caught. Here both end the connection.
 */
export class PostgresStream extends EventEmitter {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    let received = 0;
    let head: Buffer | undefined = Buffer.alloc(0);
    socket.on("data", (part: Buffer) => {
      received += part.length;
      let chunk = part;
      if (head !== undefined) {
        chunk = Buffer.concat([head, part]);
        head = chunk.length < headLength ? chunk : undefined;
        if (!canBegin(chunk)) {
          socket.destroy(
            new ProbeFault(
              "protocol",
              cite`the server does not speak PostgreSQL: its response begins with ${begins(chunk)}`,
            ),
          );
          return;
        }
        if (head !== undefined) return;
      }
      try {
        if (received > maxReceived) throw new Error(endless);
        this.emit("data", chunk);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        socket.destroy(unreadable(reason, cause));
      }
    });
    for (const event of ["error", "close", "end"]) socket.on(event, (...details) => this.emit(event, ...details));
  }

  /** Signals to `pg` that it is connected. */
  connect(): this {
    queueMicrotask(() => this.emit("connect"));
    return this;
  }

  get writable(): boolean {
    return this.#socket.writable;
  }

  write(data: Uint8Array, done?: () => void): boolean {
    return this.#socket.write(data, () => done?.());
  }

  end(): this {
    this.#socket.end();
    return this;
  }

  destroy(error?: Error): this {
    this.#socket.destroy(error);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
