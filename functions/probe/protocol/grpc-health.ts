/**
 * One call of the gRPC health service over an open connection. The protocol buffers are encoded by hand, because there are only two messages
 * of one field each.
 * @see https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { ProbeFault } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { TargetText } from "../text/target-text.ts";

/** The health check request, and the server that it is sent to. */
export interface HealthRequest {
  /** The name of a service; empty for the server as a whole. */
  readonly service: string;
  /** Host and port of the server, for the authority header. */
  readonly authority: string;
  readonly encrypted: boolean;
  /** Metadata of the call. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The response to a call. */
export interface HealthResponse {
  /** HTTP status; gRPC's own errors have 200. */
  readonly httpStatus: number;
  readonly contentType: TargetText;
  /** Number of the gRPC status; absent if the response is not gRPC. */
  readonly status: number | undefined;
  readonly message: TargetText;
  /** HTTP headers. */
  readonly headers: IncomingHttpHeaders;
  /** The body received instead of a gRPC message. */
  readonly body: TargetText;
  /** 1 serving, 2 not serving, 3 service unknown; absent if there is no message. */
  readonly serving: number | undefined;
}

/** Maximum size of a response, in bytes. */
const maxResponseBytes = 16_384;

/** Sends the health check request. @throws ProbeFault if the server does not speak HTTP/2, or the error of the connection */
export async function checkHealth(socket: Socket, question: HealthRequest, world: ProbeWorld): Promise<HealthResponse> {
  const { authority, encrypted, headers, service } = question;
  const session = connect(`${encrypted ? "https" : "http"}://${authority}`, { createConnection: () => socket });
  world.onClose(() => session.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<HealthResponse>();
  const fail = (error: unknown): void => reject(explained(error, authority));
  const closed = (): void => reject(Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" }));
  session.on("error", fail).on("close", closed);
  const stream = session.request({
    ...headers,
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    te: "trailers",
    "content-type": "application/grpc",
    "user-agent": "Pathkeeper",
    "grpc-timeout": `${Math.max(1, Math.floor(world.remaining()))}m`,
  });
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("response", (received) => {
    head = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxResponseBytes) {
      reject(new ProbeFault("protocol", `${authority} sent a response longer than ${maxResponseBytes} bytes`));
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.on("error", fail);
  stream.on("end", () => {
    // Without a body, the status is in the first headers.
    const status = trailers["grpc-status"] ?? head["grpc-status"];
    const httpStatus = Number(head[":status"] ?? 0);
    if (httpStatus === 0) return;
    try {
      resolve({
        httpStatus,
        headers: head,
        body: TargetText.soFar(Buffer.concat(chunks)),
        contentType: TargetText.of(String(head["content-type"] ?? "")),
        status: /^\d{1,2}$/.test(String(status)) ? Number(status) : undefined,
        message: TargetText.of(decoded(String(trailers["grpc-message"] ?? head["grpc-message"] ?? ""))),
        serving: httpStatus === 200 ? servingIn(Buffer.concat(chunks), authority) : undefined,
      });
    } catch (error) {
      reject(error);
    }
  });
  stream.on("close", closed);
  stream.end(framed(healthRequest(service)));
  return await promise;
}

/** Returns a message with its prefix: the flag for no compression, and its length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** `HealthCheckRequest { string service = 1; }` */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  return name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}

/** Decodes `HealthCheckResponse { ServingStatus status = 1; }`; 0 if the field is absent. @throws ProbeFault */
function servingIn(body: Buffer, authority: string): number | undefined {
  if (body.length === 0) return undefined;
  const nonsense = new ProbeFault("protocol", `${authority} does not speak gRPC: its response is malformed`);
  if (body.length < 5 || body[0] !== 0 || body.length < 5 + body.readUInt32BE(1)) throw nonsense;
  const message = body.subarray(5, 5 + body.readUInt32BE(1));
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw nonsense;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw nonsense;
  };
  let serving = 0;
  while (at < message.length) {
    const tag = number();
    const type = tag % 8;
    // Fields of later versions are skipped.
    if (type === 0) {
      const value = number();
      if (tag === 8) serving = value;
    } else if (type === 2) {
      const length = number();
      at += length;
    } else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else throw nonsense;
  }
  if (at > message.length) throw nonsense;
  return serving;
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** Converts errors of HTTP/2 to a kind and a message; other errors have a system code. */
function explained(error: unknown, authority: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ERR_HTTP2_ERROR" || code === "ERR_HTTP2_SESSION_ERROR")
    return new ProbeFault("protocol", `${authority} does not speak HTTP/2, which gRPC requires`, { cause: error });
  if (code === "ERR_HTTP2_STREAM_ERROR") {
    const reason = /NGHTTP2_(\w+)/.exec(message)?.[1] ?? "an unknown code";
    return new ProbeFault("reset", `${authority} reset the call with ${reason}`, { code: reason });
  }
  if (code?.startsWith("ERR_HTTP2_")) return Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" });
  return error;
}
