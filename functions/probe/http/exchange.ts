/** One HTTP request and its response, over an open connection that is used for nothing else. */
import type { Socket } from "node:net";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { ProbeFault } from "../net/faults.ts";
import type { Stopwatch } from "../net/stopwatch.ts";
import { endOfHead, type Head, ResponseReader } from "./response.ts";

/** A request. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Number of bytes of the decoded body after which reading stops. */
  readonly maxBody: number;
}

/** A response. */
export interface HttpResponse extends Head {
  /** The decoded body, or its beginning. */
  readonly body: Buffer;
  /** Whether the body was longer than requested. */
  readonly truncated: boolean;
}

/**
 * Sends the request in the phase `first_byte` and reads the response in the phase `body`, or, if its head arrives in several pieces, in
 * `headers` and `body`. Instants are taken in the events of the socket.
 * @throws the error of the connection, `HttpSyntaxError`, or `ProbeFault`
 */
export function exchange(socket: Socket, request: HttpRequest, watch: Stopwatch): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let head: Head | undefined;
    let body: Body | undefined;
    let begun = false;
    const settle = (error?: unknown): void => {
      socket.off("data", read).off("end", ended).off("error", settle).off("close", closed).pause();
      if (error !== undefined) body?.stop();
      if (error !== undefined || !head || !body) {
        reject(error);
        return;
      }
      watch.stop();
      const { status, statusText, headers } = head;
      resolve({ status, statusText, headers, body: body.bytes(), truncated: body.truncated });
    };
    const reader = new ResponseReader(request.method, {
      head(seen) {
        head = seen;
        if (watch.phase !== "body") watch.enter("body");
        body = new Body(String(seen.headers["content-encoding"] ?? ""), request.maxBody, settle);
      },
      body: (chunk) => body?.push(chunk),
    });
    const finish = (): void => {
      socket.off("data", read).off("end", ended).off("close", closed);
      body?.end();
    };
    const read = (chunk: Buffer): void => {
      // An informational response does not count as the first byte.
      if (!begun && !/^HTTP\/1\.[01] 1/.test(chunk.toString("latin1", 0, 10))) {
        watch.enter(endOfHead(chunk) ? "body" : "headers");
        begun = true;
      }
      try {
        reader.push(chunk);
      } catch (error) {
        settle(error);
        return;
      }
      if (reader.done) finish();
    };
    const closed = (): void => settle(Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" }));
    const ended = (): void => {
      if (reader.end()) finish();
      else closed();
    };
    watch.enter("first_byte");
    socket.on("data", read).on("end", ended).on("error", settle).on("close", closed);
    try {
      send(socket, request);
    } catch (error) {
      settle(error);
    }
  });
}

/** Sends a request. @throws ProbeFault for a header that cannot be sent */
export function send(socket: Socket, { method, path, headers, body }: Omit<HttpRequest, "maxBody">): void {
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = ownEntry(headers, name) ?? "";
    // The value of a secret must not be able to end the header.
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value))
      throw new ProbeFault("internal", `the value of the header ${name} contains an invalid character`);
    text += `${name}: ${value}\r\n`;
  }
  if (body === undefined && /^P/.test(method)) text += "content-length: 0\r\n";
  text += headers["connection"] === undefined ? "connection: close\r\n\r\n" : "\r\n";
  if (body === undefined) socket.write(text, "latin1");
  else socket.write(Buffer.concat([Buffer.from(text, "latin1"), Buffer.from(body)]));
}

/** Decoders by the name of the coding; the first byte distinguishes the two forms of `deflate`, of which RFC 9110 allows one. */
const decoders: Readonly<Record<string, (first: number) => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** The supported content codings, as offered in a request. */
export const codings = "gzip, deflate, br, zstd";

/** Number of bytes by which a compressed body may exceed the limit of the decoded one. */
const slack = 65_536;

/** Maximum number of codings of a body that are decoded. */
const maxCodings = 4;

/** Returns whether a body in this encoding is kept as it is because it cannot be decoded completely. */
export function isUndecodable(encoding: string): boolean {
  return codingsIn(encoding).length > 0 && decodersOf(encoding).length === 0;
}

function codingsIn(encoding: string): string[] {
  const names = encoding.split(",").map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== "" && name !== "identity");
}

/** Returns the codings in the order of decoding: the reverse of the order of encoding. */
function decodersOf(encoding: string): ((first: number) => Transform)[] {
  const wanted = codingsIn(encoding).reverse();
  const known = wanted.flatMap((name) => ownEntry(decoders, name) ?? []);
  // A body that cannot be decoded completely is kept as it is.
  return known.length === wanted.length && known.length <= maxCodings ? known : [];
}

/** Decodes a body as it arrives, up to the requested length. */
class Body {
  truncated = false;
  readonly #codings: readonly ((first: number) => Transform)[];
  readonly #limit: number;
  readonly #settle: (error?: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** The decoder of each coding, once it has input, and the number of its input bytes. */
  readonly #running: { readonly decoder: Transform; received: number }[] = [];

  /** @param settle called when everything requested has arrived, or with the error */
  constructor(encoding: string, limit: number, settle: (error?: unknown) => void) {
    this.#codings = decodersOf(encoding);
    this.#limit = limit;
    this.#settle = settle;
  }

  /** Processes a part of the body. @param position number of codings that are already decoded */
  push(chunk: Buffer, position = 0): void {
    if (this.truncated || chunk.length === 0) return;
    const coding = this.#codings[position];
    if (!coding) {
      this.#keep(chunk);
      return;
    }
    this.#running[position] ??= { decoder: this.#decode(coding(chunk[0] ?? 0), position), received: 0 };
    const running = this.#running[position];
    running.received += chunk.length;
    // A compressed body is not normally longer than the decoded one; an endless target must not fill the memory with data that decodes to
    // nothing.
    if (running.received > this.#limit + slack) this.#cut();
    else running.decoder.write(chunk);
  }

  /** @param position number of codings that are already decoded */
  end(position = 0): void {
    if (this.truncated) return;
    const running = this.#running[position];
    if (running) running.decoder.end();
    else this.#settle();
  }

  stop(): void {
    for (const { decoder } of this.#running) decoder.removeAllListeners("data").destroy();
  }

  bytes(): Buffer {
    const [only] = this.#chunks;
    if (only && this.#chunks.length === 1 && only.length <= this.#limit) return only;
    return Buffer.concat(this.#chunks, Math.min(this.#size, this.#limit));
  }

  #decode(decoder: Transform, position: number): Transform {
    return decoder
      .on("data", (chunk: Buffer) => this.push(chunk, position + 1))
      .once("end", () => this.end(position + 1))
      .on("error", (error) => this.#settle(error));
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#limit) this.#cut();
  }

  #cut(): void {
    this.truncated = true;
    this.stop();
    this.#settle();
  }
}
