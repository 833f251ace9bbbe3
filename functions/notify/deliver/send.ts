/**
 * The only module that sends: an HTTP request, a mail through SMTP, or an update for a status page. It resolves secrets, enforces the
 * deadline and redacts secrets from results.
 */
import { createConnection, type Socket } from "node:net";
import { lookup } from "../../../shared/net/lookup.ts";
import { outbound } from "../../../shared/net/outbound.ts";
import type { Secrets } from "../../../shared/ports.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { readAnswersKey, signedUrl } from "../answer/link.ts";
import type { NoAnswer, Outgoing, OutgoingMail, OutgoingPage, OutgoingRequest, Reply } from "../channel.ts";
import { neverSent } from "./classify.ts";
import { messageOf, SecretFiller, safeDecode } from "./secrets.ts";
import { BadSigningKey, sign } from "./sign.ts";

/**
 * Sends once and returns the result. It never throws for failures of the receiver.
 * @param now milliseconds since the epoch, the timestamp of the signature
 * @param withinMs remaining time of the attempt.
 * @default all of it
 */
export type Send = (outgoing: Outgoing, now: number, withinMs?: number) => Promise<Reply>;

/** Progress of an attempt: whether the receiver may have part of the message, and whether it has all of it. */
interface Progress {
  state: "unsent" | "sent" | "handed over";
}

/** Creates a `Send`. */
export function sender(secrets: Secrets, options: SenderOptions = {}): Send {
  const { deadlineMs, finalAnswerMs = deadlineMs ?? 240_000, writePage = noPages } = options;
  return async (outgoing, now, withinMs = Number.POSITIVE_INFINITY) => {
    const isMail = outgoing.transport === "smtp";
    const patienceMs = Math.max(1, Math.min(deadlineMs ?? (isMail ? mailMs : requestMs), withinMs));
    const filler = new SecretFiller(secrets);
    const deadline = new Deadline(patienceMs);
    const progress: Progress = { state: isMail || outgoing.transport === "http" ? "unsent" : "sent" };
    const send = async (): Promise<Reply> => {
      if (outgoing.transport === "page") return writePage(outgoing, deadline.signal);
      const signed = await linkSigner(outgoing.links ?? [], secrets, filler, now);
      if (outgoing.transport === "http")
        return sendRequest(outgoing, signed, filler, deadline.signal, { now, progress });
      return sendMail(outgoing, signed, filler, deadline.signal, () => {
        progress.state = "handed over";
        deadline.extend(Math.max(1, Math.min(finalAnswerMs, withinMs - deadline.elapsedMs)));
      });
    };
    try {
      return await Promise.race([send(), deadline.passed]);
    } catch (error) {
      const taken = progress.state === "handed over" ? " to the end of the mail" : "";
      const failure = deadline.signal.aborted
        ? {
            error: `no answer${taken} within ${Math.round(deadline.patienceMs / 100) / 10} s`,
            code: "ETIMEDOUT",
          }
        : { error: bounded(messageOf(error), filler.known), code: codeOf(error) };
      return { ...failure, ...howFar(progress, failure.code) };
    } finally {
      deadline.clear();
    }
  };
}

/** Returns the progress of a failed attempt, if its error code does not imply it. */
function howFar({ state }: Progress, code: string): Pick<NoAnswer, "unsent" | "handedOver"> {
  if (state === "handed over") return { handedOver: true };
  return state === "sent" || neverSent.test(code) ? {} : { unsent: true };
}

/** Time limits in milliseconds: of an HTTP request, and of a mail up to its final dot, which allows for servers that greet late. */
const requestMs = 15_000;
const mailMs = 60_000;

/** Options of a sender. */
export interface SenderOptions {
  /** Time limit of an attempt, and of a mail up to its final dot, in milliseconds. @default 15_000, and 60_000 for a mail */
  readonly deadlineMs?: number;
  /** Timeout for the reply to the final dot of a mail, in milliseconds: RFC 5321, 4.5.3.2.6 requires minutes. @default deadlineMs, or 240_000 */
  readonly finalAnswerMs?: number;
  /** Writes status pages. @default pages cannot be written */
  readonly writePage?: (outgoing: OutgoingPage, deadline: AbortSignal) => Promise<Reply>;
}

/** A deadline that can be extended. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #begun = performance.now();
  readonly #passed = Promise.withResolvers<never>();
  #timer: NodeJS.Timeout;
  #left: NodeJS.Timeout | undefined;
  patienceMs: number;

  constructor(patienceMs: number) {
    this.patienceMs = patienceMs;
    this.#timer = this.#in(patienceMs);
    this.#passed.promise.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects shortly after the deadline, so that work that cannot be aborted, such as reading a secret, is abandoned. */
  get passed(): Promise<never> {
    return this.#passed.promise;
  }

  get elapsedMs(): number {
    return performance.now() - this.#begun;
  }

  /** Sets the deadline to a number of milliseconds from now. */
  extend(patienceMs: number): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#timer);
    this.patienceMs = patienceMs;
    this.#timer = this.#in(patienceMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#left);
  }

  #in(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const late = new Error("deadline");
      this.#controller.abort(late);
      this.#left = setTimeout(() => this.#passed.reject(late), 1_000);
    }, ms);
  }
}

const noPages = async (): Promise<Reply> => ({ error: "status pages are not supported here", code: "ESETTINGS" });

/** Signs the links in a text: only URLs that the notice was planned with. */
type Signed = (text: string) => string;

/** The notice matters more than its links. Without a key they stay unsigned, and their page says so. */
async function linkSigner(
  links: readonly string[],
  secrets: Secrets,
  filler: SecretFiller,
  now: number,
): Promise<Signed> {
  const key = links.length === 0 ? undefined : await readAnswersKey(secrets).catch(() => undefined);
  if (key === undefined) return (text) => text;
  const addresses = links.map((link) => [link, signedUrl(link, key, now)] as const);
  for (const [, address] of addresses) filler.known.add(address).add(address.slice(address.lastIndexOf(".") + 1));
  return (text) => addresses.reduce((signed, [link, address]) => signed.replaceAll(link, address), text);
}

async function sendRequest(
  outgoing: OutgoingRequest,
  signed: Signed,
  filler: SecretFiller,
  deadline: AbortSignal,
  { now, progress }: { readonly now: number; readonly progress: Progress },
): Promise<Reply> {
  const url = await filler.url(outgoing.url, outgoing.allowPrivate ? ["https:", "http:"] : ["https:"]);
  const body = signed(await filler.json(outgoing.body));
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(outgoing.headers)) setEntry(headers, name, await filler.text(value));
  if (outgoing.signature) {
    const keys = await Promise.all(outgoing.signature.keys.map((key) => filler.text(key)));
    Object.assign(headers, sign(outgoing.signature.id, body, keys, now));
  }
  const { method, allowPrivate, readAnswer } = outgoing;
  const more = readAnswer === undefined ? {} : { readAnswer };
  const onConnected = (): void => {
    progress.state = "sent";
  };
  const common = { method, url, headers, body, allowPrivate, onConnected, ...more };
  return outbound({ ...common, signal: deadline, secrets: filler.known });
}

/** @param onHandedOver called after the end of the mail, its final dot, has been written */
async function sendMail(
  outgoing: OutgoingMail,
  signed: Signed,
  filler: SecretFiller,
  deadline: AbortSignal,
  onHandedOver: () => void,
): Promise<Reply> {
  const url = await filler.url(outgoing.server.url, ["smtps:", "smtp:"]);
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (secure ? 465 : 587);
  const connection = await connect(host, port, deadline);
  try {
    // Loaded on the first mail, to keep cold starts fast.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      host,
      port,
      secure,
      connection,
      // A password is sent unencrypted only to a server on this machine.
      requireTLS: !secure && url.username !== "" && !isLoopback(host),
      ...(url.username === "" ? {} : { auth: { user: safeDecode(url.username), pass: safeDecode(url.password) } }),
      disableFileAccess: true,
      disableUrlAccess: true,
      // The deadline of the attempt applies, instead of a timeout for each phase.
      greetingTimeout: longestPhaseMs,
      socketTimeout: longestPhaseMs,
      logger: endOfMail(onHandedOver),
    });
    const sent = await transport.sendMail({
      from: outgoing.from,
      to: [...outgoing.to],
      subject: outgoing.subject,
      text: signed(outgoing.text),
      html: signed(outgoing.html),
      messageId: outgoing.messageId,
      ...(outgoing.inReplyTo === undefined ? {} : { inReplyTo: outgoing.inReplyTo, references: [outgoing.inReplyTo] }),
      headers: outgoing.headers,
    });
    // A mail to several recipients, as planned by older versions, is delivered when all of them have it.
    const { rejected, rejectedErrors: refusals = [] } = sent;
    const refusal = refusals.find(({ responseCode = 0 }) => responseCode < 500) ?? refusals[0];
    if (refusal === undefined) return answerOf(sent.response, "", filler);
    return answerOf(refusal.response ?? "451", ` (refused for ${rejected.map(String).join(", ")})`, filler);
  } catch (error) {
    const response = (error as { response?: unknown }).response;
    if (typeof response === "string" && /^\d{3}/.test(response) && !deadline.aborted)
      return answerOf(response, "", filler);
    throw error;
  } finally {
    connection.destroy();
  }
}

const longestPhaseMs = 600_000;

/** Returns a logger that keeps nothing and detects when the whole mail has been written to the connection. */
function endOfMail(
  onEnd: () => void,
): Record<"level" | "trace" | "debug" | "info" | "warn" | "error" | "fatal", (entry: unknown) => void> {
  const ignore = (): void => {};
  const info = (entry: unknown): void => {
    if ((entry as { tnx?: unknown } | null)?.tnx === "message") onEnd();
  };
  return { level: ignore, trace: ignore, debug: ignore, info, warn: ignore, error: ignore, fatal: ignore };
}

/** Opens a connection that is destroyed at the deadline, in any phase of the conversation. */
function connect(host: string, port: number, deadline: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, lookup });
    deadline.addEventListener("abort", () => socket.destroy(new Error("deadline")), { once: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function answerOf(response: string, addition: string, filler: SecretFiller): Reply {
  return { status: Number(response.slice(0, 3)), headers: {}, body: bounded(response + addition, filler.known) };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Errors that Node raises for an invalid header or URL are caused by the settings, not by the network. */
function codeOf(error: unknown): string {
  if (error instanceof BadSigningKey) return "ESETTINGS";
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string") return "EUNKNOWN";
  return code.startsWith("ERR_INVALID") ? "ESETTINGS" : code;
}
