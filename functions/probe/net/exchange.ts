/** One HTTP request and its answer, over a connection that is already open and used for nothing else. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";
import { ProbeFault } from "./faults.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** What is asked. */
export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Bytes of the decoded body after which reading stops; 0 reads none of it. */
  readonly maxBody: number;
}

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** The decoded body, or its beginning. */
  readonly body: Buffer;
  /** There was more of the body than was asked for. */
  readonly truncated: boolean;
}

/**
 * Asks in the phase `first_byte` and reads the answer in the phase `body`.
 * @throws the error of the connection or of the parser, or `ProbeFault`
 */
export function exchange(socket: Socket, question: Question, watch: Stopwatch): Promise<Answer> {
  const { method, path, headers, body, maxBody } = question;
  return new Promise((resolve, reject) => {
    watch.enter("first_byte");
    const asking = request({ createConnection: () => socket, method, path, headers, setHost: false });
    asking.once("socket", () => socket.prependOnceListener("data", () => watch.enter("body")));
    asking.once("error", reject);
    asking.once("upgrade", () => reject(new ProbeFault("protocol", "the server switched to another protocol unasked")));
    asking.once("response", (response) => {
      readBody(response, maxBody).then(({ body, truncated }) => {
        watch.stop();
        const { statusCode = 0, statusMessage = "", headers } = response;
        resolve({ status: statusCode, statusText: statusMessage, headers, body, truncated });
      }, reject);
    });
    asking.end(body);
  });
}

/** Decoders by the name of the coding; the first byte tells the two forms of `deflate` apart, of which RFC 9110 allows one. */
const decoders: Readonly<Record<string, (first: number) => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** What the decoders understand, as a request offers it. */
export const codings = "gzip, deflate, br, zstd";

function readBody(response: IncomingMessage, limit: number): Promise<{ body: Buffer; truncated: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ body: Buffer; truncated: boolean }>();
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (truncated: boolean): void => {
    resolve({ body: Buffer.concat(chunks, Math.min(size, limit)), truncated });
    response.destroy();
  };
  if (limit === 0) {
    finish(true);
    return promise;
  }
  const read = (source: Readable, stop: () => void): void => {
    source.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) return;
      source.removeAllListeners("data").pause();
      finish(true);
      stop();
    });
    source.once("end", () => finish(false)).on("error", reject);
  };
  const makeDecoder = decoders[response.headers["content-encoding"]?.trim().toLowerCase() ?? "identity"];
  if (!makeDecoder) {
    read(response, () => {});
    return promise;
  }
  let decoding = false;
  response.on("error", reject).once("end", () => {
    if (!decoding) finish(false);
  });
  response.once("data", (first: Buffer) => {
    decoding = true;
    const decoder = makeDecoder(first[0] ?? 0);
    read(decoder, () => decoder.destroy());
    decoder.write(first);
    response.pipe(decoder);
  });
  return promise;
}
