/** The one place that sends: a request by HTTP, a mail by SMTP, news to a status page. It resolves the secrets, keeps the deadline and lets no secret out. */
import { createConnection, type Socket } from "node:net";
import { lookup } from "../../../shared/net/lookup.ts";
import { outbound } from "../../../shared/net/outbound.ts";
import type { Secrets } from "../../../shared/ports.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { Outgoing, OutgoingMail, OutgoingPage, OutgoingRequest, Reply } from "../channel.ts";
import { messageOf, SecretFiller, safeDecode } from "./secrets.ts";
import { BadSigningKey, sign } from "./sign.ts";

/**
 * Sends once and reports what came back; it never throws for what the other side does.
 * @param now milliseconds since the epoch, which a signature states
 * @param withinMs what is left of the time of the attempt. @default all of it
 */
export type Send = (outgoing: Outgoing, now: number, withinMs?: number) => Promise<Reply>;

/** Makes a `Send`. */
export function sender(secrets: Secrets, options: SenderOptions = {}): Send {
  const { deadlineMs: longest = 15_000, writePage = noPages } = options;
  return async (outgoing, now, withinMs = longest) => {
    const deadlineMs = Math.max(1, Math.min(longest, withinMs));
    const filler = new SecretFiller(secrets);
    const deadline = AbortSignal.timeout(deadlineMs);
    const send = (): Promise<Reply> => {
      if (outgoing.transport === "smtp") return sendMail(outgoing, filler, deadline);
      return outgoing.transport === "page"
        ? writePage(outgoing, deadline)
        : sendRequest(outgoing, filler, deadline, now);
    };
    const sending = send();
    // What cannot be aborted, such as the reading of a secret, is left behind a moment later.
    return Promise.race([sending, rejectAfter(deadlineMs + 1_000)]).catch((error: unknown) =>
      deadline.aborted
        ? { error: `no answer within ${Math.round(deadlineMs / 100) / 10} s`, code: "ETIMEDOUT" }
        : { error: bounded(messageOf(error), filler.known), code: codeOf(error) },
    );
  };
}

/** How a sender is set up. */
export interface SenderOptions {
  /** @default 15_000 */
  readonly deadlineMs?: number;
  /** Writes status pages. @default there is no place for them */
  readonly writePage?: (outgoing: OutgoingPage, deadline: AbortSignal) => Promise<Reply>;
}

const noPages = async (): Promise<Reply> => ({ error: "there is no place for pages here", code: "ESETTINGS" });

async function sendRequest(
  outgoing: OutgoingRequest,
  filler: SecretFiller,
  deadline: AbortSignal,
  now: number,
): Promise<Reply> {
  const url = await filler.url(outgoing.url, outgoing.allowPrivate ? ["https:", "http:"] : ["https:"]);
  const body = await filler.json(outgoing.body);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(outgoing.headers)) setEntry(headers, name, await filler.text(value));
  if (outgoing.signature) {
    const keys = await Promise.all(outgoing.signature.keys.map((key) => filler.text(key)));
    Object.assign(headers, sign(outgoing.signature.id, body, keys, now));
  }
  const { method, allowPrivate, readAnswer } = outgoing;
  const more = readAnswer === undefined ? {} : { readAnswer };
  return outbound({ method, url, headers, body, allowPrivate, signal: deadline, secrets: filler.known, ...more });
}

async function sendMail(outgoing: OutgoingMail, filler: SecretFiller, deadline: AbortSignal): Promise<Reply> {
  const url = await filler.url(outgoing.server.url, ["smtps:", "smtp:"]);
  const secure = url.protocol === "smtps:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (secure ? 465 : 587);
  const connection = await connect(host, port, deadline);
  try {
    // Loaded by the first mail, so that a cold start does not wait for it.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      host,
      port,
      secure,
      connection,
      // A password goes over the wire in clear only to a server on this machine.
      requireTLS: !secure && url.username !== "" && !isLoopback(host),
      ...(url.username === "" ? {} : { auth: { user: safeDecode(url.username), pass: safeDecode(url.password) } }),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const sent = await transport.sendMail({
      from: outgoing.from,
      to: [...outgoing.to],
      subject: outgoing.subject,
      text: outgoing.text,
      html: outgoing.html,
      messageId: outgoing.messageId,
      ...(outgoing.inReplyTo === undefined ? {} : { inReplyTo: outgoing.inReplyTo, references: [outgoing.inReplyTo] }),
      headers: outgoing.headers,
    });
    // A mail to several recipients, as older versions planned them, is delivered when all of them have it.
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

/** A connection that dies at the deadline, in whatever phase of the conversation that is. */
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

function rejectAfter(delayMs: number): Promise<never> {
  const late = AbortSignal.timeout(delayMs);
  return new Promise((_, reject) => late.addEventListener("abort", () => reject(late.reason), { once: true }));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Errors that Node raises for a header or a URL it will not send are the settings' fault, not the network's. */
function codeOf(error: unknown): string {
  if (error instanceof BadSigningKey) return "ESETTINGS";
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string") return "EUNKNOWN";
  return code.startsWith("ERR_INVALID") ? "ESETTINGS" : code;
}
