/** A WebSocket on a fresh connection, in the phases dns, connect, tls and upgrade, and its messages. */
import { addAbortListener } from "node:events";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { FailureKind } from "../../../shared/messages/report.ts";
import { quotedBody, statusLine } from "../http/expect.ts";
import { googleAnswer, shownGoogleAnswer } from "../http/google-answer.ts";
import { type Head, TlsInPlace } from "../http/response.ts";
import { dial } from "../net/dial.ts";
import { type FailureFacts, ProbeFault } from "../net/faults.ts";
import type { Stages } from "../net/stages.ts";
import { secure, wantsTls } from "../net/tls.ts";
import type { ClientCertificate } from "../net/trust.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";

/** The target of a WebSocket and how to open it; secrets resolved. */
export interface WebSocketTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The offered subprotocols; the server must choose one of them, if there are any. */
  readonly subprotocols: readonly string[];
  /** The IP version to use. @default any */
  readonly family?: 4 | 6;
  readonly ca: string | undefined;
  readonly client: ClientCertificate | undefined;
  /** Accepts any certificate. */
  readonly insecure: boolean;
  /** Maximum size of a message, in bytes. */
  readonly maxMessage: number;
}

/** A received message, or an event of a stream. */
export interface Message {
  readonly text: TargetText;
  /** The type of a server-sent event. */
  readonly event?: string;
}

/** An open WebSocket. Its end is thrown by the waiting call, or by the next one. */
export interface Conversation {
  send(text: string): Promise<void>;
  /** Returns the oldest unread message, a binary one as text. */
  receive(): Promise<Message>;
  /** Sends a ping and waits for its answer. */
  ping(): Promise<void>;
  /**
   * Waits until the server has shown that it keeps the connection: by a pong, or by not closing for so many milliseconds.
   * @throws ProbeFault if it closes instead, unless normally
   */
  confirm(patienceMs: number): Promise<void>;
  /** Closes with a code and waits until the server closes too. */
  close(code: number): Promise<void>;
  /** Sends a close, and does not wait for the response. */
  leave(): void;
}

/** An HTTP response in place of the upgrade. */
export class Refusal extends ProbeFault {
  readonly status: number;

  constructor(status: number, words: ReportText, by?: FailureFacts["answered_by"]) {
    const kind = [401, 403, 407].includes(status) ? "auth" : "http_status";
    super(kind, words, { status, ...(by === undefined ? {} : { answered_by: by }) });
    this.status = status;
  }
}

/**
 * Opens a WebSocket; its socket is destroyed when the probe ends.
 * @throws Refusal, ProbeFault, or the error of the connection
 */
export async function openWebSocket(target: WebSocketTarget, stages: Stages): Promise<Conversation> {
  const ws = await import("ws");
  const socket = await connected(target, stages);
  stages.enter("upgrade");
  let closed: CloseListener = () => {};
  /** `ws` answers a close of the server itself, and reports it only when TCP is closed as well, which may never happen. */
  class Attentive extends ws.WebSocket {
    override close(code?: number, reason?: string | Buffer): void {
      // An invalid frame is also answered with a close; the protocol error is reported first.
      queueMicrotask(() => closed(code ?? noCode, TargetText.of(String(reason ?? ""))));
      super.close(code, reason);
    }
  }
  const webSocket = new Attentive(target.url, [...target.subprotocols], {
    createConnection: () => socket,
    headers: { "user-agent": "Pathkeeper", ...target.headers },
    maxPayload: target.maxMessage,
    perMessageDeflate: false,
    // One message per turn of the event loop: a server that sends without end blocks no other probe.
    allowSynchronousEvents: false,
  });
  const peer = target.url.host;
  const { opened, conversation, closing } = converse(webSocket, peer, stages.world);
  closed = closing;
  try {
    await opened;
  } catch (error) {
    const port = Number(target.url.port || 80);
    if (target.url.protocol === "ws:" && (await wantsTls(error, port, stages, stages.world)))
      throw new TlsInPlace(peer);
    throw error;
  }
  stages.stop();
  return conversation;
}

type CloseListener = (code: number, reason: TargetText) => void;

/** The code for a close without a code. @see RFC 6455, 7.4.1 */
const noCode = 1005;

async function connected({ url, family, ca, client, insecure }: WebSocketTarget, stages: Stages): Promise<Socket> {
  const { world } = stages;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const encrypted = url.protocol === "wss:";
  const port = Number(url.port || (encrypted ? 443 : 80));
  const raw = await dial({ host, port, ...(family === undefined ? {} : { family }) }, world, stages);
  if (!encrypted) return raw;
  const verify = insecure ? "nothing" : "full";
  const { socket, fault } = await secure(
    raw,
    { host, ca, client, verify, protocols: ["http/1.1"] },
    stages,
    world.now(),
  );
  if (fault !== undefined) throw new ProbeFault("tls", fault, { signal: "certificate" });
  return socket;
}

/** Maximum amount of buffered data for a reader that does not read. */
const maxUnread = { messages: 1_000, bytes: 16 * 2 ** 20 };

function converse(
  webSocket: WebSocket,
  peer: string,
  { signal }: ProbeWorld,
): { opened: Promise<void>; conversation: Conversation; closing: CloseListener } {
  const unread: string[] = [];
  let unreadBytes = 0;
  let opened = false;
  let pongs = 0;
  let fault: unknown;
  let closedWith: number | undefined;
  let isOurs = false;

  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const until = async (reached: () => boolean): Promise<void> => {
    while (signal.aborted || !reached()) {
      if (fault !== undefined) throw fault;
      await new Promise<void>((resolve) => void waiting.push(resolve));
    }
  };
  const end = (reason: unknown): void => {
    fault ??= reason;
    wake();
  };
  // The close event of a destroyed socket comes only after all data has been read.
  addAbortListener(signal, () => end(signal.reason));

  webSocket.on("open", () => {
    opened = true;
    wake();
  });
  webSocket.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    unread.push(text);
    unreadBytes += Buffer.byteLength(text);
    if (unread.length > maxUnread.messages || unreadBytes > maxUnread.bytes) {
      end(new ProbeFault("protocol", `${peer} sent ${unread.length} messages that no step expected`));
      webSocket.terminate();
    }
    wake();
  });
  webSocket.on("pong", () => {
    pongs++;
    wake();
  });
  webSocket.on("unexpected-response", (_request, response) => {
    const { statusCode: status = 0, statusMessage = "", headers } = response;
    const head = { status, statusText: TargetText.of(statusMessage), headers };
    const body = new RefusalBody();
    const tell = (): void => {
      fault = refusal("the upgrade", head, body.text);
    };
    // The status is valid whatever happens to the body.
    tell();
    response.on("error", () => {}).once("close", () => wake());
    response.setTimeout(refusalPatienceMs, () => response.destroy());
    response.on("data", (chunk: Buffer) => {
      body.push(chunk);
      tell();
      if (body.isFull) response.destroy();
    });
    response.once("end", () => {
      body.end();
      tell();
      wake();
    });
  });
  webSocket.on("error", (error) => end(explained(error, peer)));
  webSocket.on("close", (code, reason) => {
    closedWith ??= code;
    end(closure(code, TargetText.of(reason.toString("utf8")), peer));
  });
  const closing: CloseListener = (code, reason) => {
    // The response to our own close arrives as an event.
    if (isOurs) return;
    closedWith = code;
    end(closure(code, reason, peer));
  };
  const close = (code: number): void => {
    isOurs = fault === undefined;
    webSocket.close(code);
  };

  return {
    closing,
    opened: until(() => opened),
    conversation: {
      send: (text) =>
        new Promise((resolve, reject) => {
          webSocket.send(text, (error) => (error ? reject(fault ?? error) : resolve()));
        }),
      async receive() {
        await until(() => unread.length > 0);
        const text = unread.shift() ?? "";
        unreadBytes -= Buffer.byteLength(text);
        return { text: TargetText.of(text) };
      },
      async ping() {
        const before = pongs;
        webSocket.ping();
        await until(() => pongs > before);
      },
      async close(code) {
        if (fault !== undefined) throw fault;
        close(code);
        await until(() => closedWith !== undefined);
        if (closedWith === 1006) throw fault;
      },
      async confirm(patienceMs) {
        const before = pongs;
        let patient = true;
        const alarm = setTimeout(() => {
          patient = false;
          wake();
        }, patienceMs);
        if (webSocket.readyState === webSocket.OPEN) webSocket.ping(() => {});
        try {
          await until(() => pongs > before || !patient);
        } catch (error) {
          if (closedWith !== normalClosure) throw error;
        } finally {
          clearTimeout(alarm);
        }
      },
      leave: () => close(normalClosure),
    },
  };
}

/** Time to wait for the rest of a refusal, in milliseconds. */
export const refusalPatienceMs = 200;

/** The body of an HTTP response to the upgrade, up to a limit. */
export class RefusalBody {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #isWhole = false;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk.subarray(0, longestRefusal - this.#size));
    this.#size += chunk.length;
  }

  /** The whole body has arrived. */
  end(): void {
    this.#isWhole = !this.isFull;
  }

  /** Whether the size limit is reached. */
  get isFull(): boolean {
    return this.#size >= longestRefusal;
  }

  get text(): TargetText {
    const bytes = Buffer.concat(this.#chunks);
    return this.#isWhole ? TargetText.of(bytes.toString("utf8")) : TargetText.soFar(bytes);
  }
}

/** Maximum number of bytes read of a refusal. */
const longestRefusal = 8_000;

/** @param what the requested resource: `the upgrade` */
export function refusal(
  what: string,
  { status, statusText, headers }: Omit<Head, "headers"> & { readonly headers: Parameters<typeof googleAnswer>[1] },
  body: TargetText,
): Refusal {
  const answer = cite`${what} was answered with ${statusLine(status, statusText)}`;
  const google = body.judge((text) => googleAnswer(status, headers, text));
  if (google) return new Refusal(status, cite`${answer}${shownGoogleAnswer(google)}`, google.by);
  return new Refusal(status, cite`${answer}${quotedBody(headers, body)}`);
}

const normalClosure = 1000;

/** Converts errors of `ws` itself to a kind and a message; other errors have a code of the system or of HTTP. */
function explained(error: Error, peer: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && !code.startsWith("WS_ERR_")) {
    const words = code.startsWith("HPE_") ? notHttp(error) : undefined;
    return words === undefined ? error : new ProbeFault("protocol", cite`${peer} ${words}`);
  }
  const known = mistakes.find(({ of }) => of.test(code ?? error.message));
  const what = known?.say ?? "its response to the upgrade is malformed";
  return new ProbeFault("protocol", `${peer} violates the WebSocket protocol: ${what}`);
}

/** Returns a description of a response to the upgrade that is not HTTP, as far as its first bytes identify it. */
function notHttp(error: Error): ReportText | undefined {
  const packet = "rawPacket" in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  if (packet.length === 0) return undefined;
  if ((packet[0] === 0x15 || packet[0] === 0x16) && packet[1] === 3)
    return "speaks TLS on this port, but the request was in plain text: use wss://";
  if (packet.toString("latin1", 0, 5) === "HTTP/") return "answered the upgrade with malformed HTTP";
  return cite`does not speak HTTP: its response begins with ${TargetText.of(packet.toString("latin1"), true).quoted(20)}`;
}

/** Protocol violations of a server, by the codes of `ws`, or by its messages if there is no code. */
const mistakes: readonly { readonly of: RegExp; readonly say: string }[] = [
  { of: /UNEXPECTED_RSV/, say: "it sent a frame with reserved bits of an extension that was not negotiated" },
  { of: /INVALID_OPCODE/, say: "it sent a frame of an unknown or misplaced type" },
  { of: /EXPECTED_FIN/, say: "it sent a fragmented control frame" },
  { of: /INVALID_CONTROL_PAYLOAD_LENGTH/, say: "it sent a control frame of more than 125 bytes" },
  { of: /UNEXPECTED_MASK/, say: "it sent a masked frame, which only clients may send" },
  { of: /UNSUPPORTED_DATA_PAYLOAD_LENGTH/, say: "it announced a message longer than the protocol allows" },
  { of: /UNSUPPORTED_MESSAGE_LENGTH/, say: "it sent a message longer than max_message" },
  { of: /TOO_MANY_BUFFERED_PARTS/, say: "it sent a message in too many fragments" },
  { of: /INVALID_UTF8/, say: "it sent a text that is not UTF-8" },
  { of: /INVALID_CLOSE_CODE/, say: "it closed with an invalid code" },
  { of: /Upgrade header/, say: "it answered 101 without `upgrade: websocket`" },
  { of: /Sec-WebSocket-Accept/, say: "it answered the upgrade with a wrong key (sec-websocket-accept)" },
  { of: /no subprotocol/, say: "it chose none of the subprotocols that were offered" },
  { of: /subprotocol/, say: "it chose a subprotocol that was not offered" },
  { of: /Extensions/, say: "it chose an extension that was not offered" },
];

function closure(code: number, reason: TargetText, peer: string): ProbeFault {
  const { kind, name } = closeCodes[code] ?? { kind: "sequence", name: undefined };
  const named = name === undefined ? `${code}` : `${code} (${name})`;
  const why = reason.judge((text) => text === "") ? "" : cite`: ${reason}`;
  return new ProbeFault(kind, cite`${peer} closed the connection with ${named}${why}`, { code: String(code) });
}

/** @see https://www.iana.org/assignments/websocket/websocket.xhtml; applications use 4401 and 4403 for 401 and 403 */
const closeCodes: Readonly<Record<number, { readonly kind: FailureKind; readonly name: string }>> = {
  1000: { kind: "sequence", name: "normal closure" },
  1001: { kind: "unavailable", name: "going away" },
  1002: { kind: "protocol", name: "protocol error" },
  1003: { kind: "protocol", name: "unsupported data" },
  1005: { kind: "sequence", name: "no code" },
  1006: { kind: "reset", name: "abnormal closure" },
  1007: { kind: "protocol", name: "invalid data" },
  1008: { kind: "sequence", name: "policy violation" },
  1009: { kind: "protocol", name: "message too big" },
  1010: { kind: "protocol", name: "extension missing" },
  1011: { kind: "unavailable", name: "internal error" },
  1012: { kind: "unavailable", name: "service restart" },
  1013: { kind: "unavailable", name: "try again later" },
  1014: { kind: "unavailable", name: "bad gateway" },
  3000: { kind: "auth", name: "unauthorized" },
  3003: { kind: "auth", name: "forbidden" },
  3008: { kind: "sequence", name: "timed out" },
  4401: { kind: "auth", name: "not logged in" },
  4403: { kind: "auth", name: "forbidden" },
};
