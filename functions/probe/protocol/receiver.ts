/** Splits the data received over a connection into the messages of a protocol. */
import type { Socket } from "node:net";
import { ProbeFault } from "../net/faults.ts";

/** A complete piece at the beginning of the received data. */
export interface Piece<T> {
  readonly value: T;
  /** Number of bytes consumed. */
  readonly length: number;
}

/** Receives and buffers the data of a connection from its creation on. */
export class Receiver {
  readonly #peer: string;
  #bytes: Buffer = Buffer.alloc(0);
  #fault: Error | undefined;
  #wake = (): void => {};

  /** @param peer the other end of the connection, for messages */
  constructor(socket: Socket, peer: string) {
    this.#peer = peer;
    const end = (error: Error): void => {
      this.#fault ??= error;
      this.#wake();
    };
    const closed = (): void => end(Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" }));
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      // Unread data must not fill the memory.
      if (this.#bytes.length > maxUnread) socket.pause();
      this.#wake();
    });
    socket.on("error", end).on("end", closed).on("close", closed);
  }

  /**
   * Returns the next piece and removes it.
   * @param read finds the piece at the beginning of the bytes; `undefined` while it is incomplete
   * @param longest maximum length in bytes
   * @throws ProbeFault for a longer one, what `read` throws, or the error of the connection
   */
  async next<T>(read: (bytes: Buffer) => Piece<T> | undefined, longest: number): Promise<T> {
    for (;;) {
      const piece = this.#bytes.length === 0 ? undefined : read(this.#bytes);
      if (piece) {
        this.#bytes = this.#bytes.subarray(piece.length);
        return piece.value;
      }
      if (this.#bytes.length > longest)
        throw new ProbeFault("protocol", `${this.#peer} sent a response longer than ${longest} bytes`);
      if (this.#fault) throw this.#fault;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Maximum number of buffered bytes; more than any piece has. */
const maxUnread = 262_144;
