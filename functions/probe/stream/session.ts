/**
 * A stream of server-sent events on a fresh connection, in the phases dns, connect, tls and first_byte, and its events.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { addAbortListener } from "node:events";
import type { Socket } from "node:net";
import { createParser } from "eventsource-parser";
import { send } from "../http/exchange.ts";
import { quotedBody } from "../http/expect.ts";
import {
  connectTo,
  httpRequestOf,
  type OutgoingRequest,
  portOf,
  type SendingSettings,
  type TlsSecrets,
} from "../http/outgoing.ts";
import { type Head, ResponseReader, TlsInPlace } from "../http/response.ts";
import { ProbeFault } from "../net/faults.ts";
import type { Stages } from "../net/stages.ts";
import { wantsTls } from "../net/tls.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { type Conversation, type Message, RefusalBody, refusal, refusalPatienceMs } from "../websocket/session.ts";

/** An open stream: events are received, and nothing can be sent. */
export interface EventStream extends Pick<Conversation, "receive" | "leave"> {
  /** The status of the response. */
  readonly status: number;
  /** The clock reading at the first event. */
  firstEventAt(): number | undefined;
  /** Seconds until the first certificate of the verified chain expires. */
  readonly certificateExpiry: number | undefined;
}

/** Presents a stream as a receive-only WebSocket. */
export function listening(stream: EventStream): Conversation {
  const unable = (): Promise<never> => Promise.reject(new Error("a stream cannot send"));
  return { send: unable, ping: unable, confirm: unable, close: unable, ...stream };
}

/** Headers that request a stream. */
export const streamHeaders: Readonly<Record<string, string>> = {
  accept: "text/event-stream",
  "accept-encoding": "identity",
  "cache-control": "no-cache",
};

/** Maximum amount of buffered data for a reader that does not read. */
const maxUnread = 10_000;

/**
 * Sends the request and waits for the head of the response.
 * @param longest characters of an event that are accepted
 * @throws Refusal for a response that is not a stream, ProbeFault, or the error of the connection
 */
export async function openStream(
  outgoing: OutgoingRequest,
  settings: Pick<SendingSettings, "ip_version" | "tls">,
  secrets: TlsSecrets,
  longest: number,
  stages: Stages,
): Promise<EventStream> {
  const { world } = stages;
  const { socket, expiresAt } = await connectTo(outgoing.url, settings, secrets, world, stages);
  stages.enter("first_byte");
  const { opened, stream } = listen(socket, outgoing, longest, stages);
  send(socket, httpRequestOf(outgoing));
  const { status } = await opened.catch(async (error: unknown) => {
    const { url } = outgoing;
    if (url.protocol === "http:" && (await wantsTls(error, portOf(url), stages, world))) throw new TlsInPlace(url.host);
    throw error;
  });
  stages.stop();
  const certificateExpiry = expiresAt === undefined ? undefined : (expiresAt - world.now()) / 1000;
  return { ...stream, status, certificateExpiry };
}

function listen(
  socket: Socket,
  { url, method }: OutgoingRequest,
  longest: number,
  { world }: Stages,
): { opened: Promise<Head>; stream: Pick<EventStream, "receive" | "leave" | "firstEventAt"> } {
  const peer = url.host;
  const unread: Message[] = [];
  const text = new TextDecoder();
  let head: Head | undefined;
  const refused = new RefusalBody();
  let firstEventAt: number | undefined;
  // Number of characters of an incomplete event.
  let pending = 0;
  let fault: unknown;
  let wake = (): void => {};
  const end = (reason: unknown): void => {
    // The status is valid whatever happens to the body.
    fault ??= head && !isStream(head) ? refusedStream(head, refused.text) : reason;
    wake();
  };
  const parser = createParser({
    onEvent: ({ event = "message", data }) => {
      firstEventAt ??= world.clock();
      pending = 0;
      unread.push({ event, text: TargetText.of(data) });
      if (unread.length > maxUnread) {
        end(new ProbeFault("protocol", `${peer} sent ${unread.length} events that no step expected`));
        socket.destroy();
      }
    },
    onComment: () => {
      pending = 0;
    },
  });
  const reader = new ResponseReader(method, {
    head(seen) {
      head = seen;
      if (!isStream(seen)) socket.setTimeout(refusalPatienceMs, () => socket.destroy());
    },
    body(chunk) {
      if (!head) return;
      if (!isStream(head)) {
        refused.push(chunk);
        return;
      }
      pending += chunk.length;
      parser.feed(text.decode(chunk, { stream: true }));
      if (pending > longest) {
        end(new ProbeFault("protocol", `${peer} sent an event longer than ${longest} bytes`));
        socket.destroy();
      }
    },
  });
  const read = (chunk: Buffer): void => {
    try {
      reader.push(chunk);
    } catch (error) {
      end(error);
      socket.destroy();
    }
    if (reader.done) ended();
    else if (refused.isFull) socket.destroy();
    wake();
  };
  addAbortListener(world.signal, () => end(world.signal.reason));
  const ended = (): void => {
    refused.end();
    end(new ProbeFault("sequence", `${peer} ended the stream`));
  };
  const closed = (): void => end(Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" }));
  const closedByPeer = (): void => {
    if (head && reader.end()) ended();
    else closed();
  };
  socket.on("data", read).on("error", end).on("end", closedByPeer).on("close", closed);
  const until = async (reached: () => boolean): Promise<void> => {
    while (world.signal.aborted || !reached()) {
      if (fault !== undefined) throw fault;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const opened = until(() => head !== undefined && isStream(head)).then(() => head as Head);
  return {
    opened,
    stream: {
      firstEventAt: () => firstEventAt,
      async receive() {
        await until(() => unread.length > 0);
        return unread.shift() ?? { text: TargetText.of("") };
      },
      leave: () => void socket.destroy(),
    },
  };
}

function isStream({ status, headers }: Head): boolean {
  return status === 200 && /^text\/event-stream\b/i.test(String(headers["content-type"] ?? ""));
}

function refusedStream(head: Head, body: TargetText): ProbeFault {
  if (head.status !== 200) return refusal("the stream", head, body);
  const type = String(head.headers["content-type"] ?? "");
  const what = type === "" ? "without a content-type" : cite`as ${TargetText.of(type).first(60)}`;
  return new ProbeFault(
    "protocol",
    cite`the response is not an event stream: it came ${what}${quotedBody(head.headers, body)}`,
    {
      status: head.status,
    },
  );
}
