/** Classifies replies whose meaning is defined by the protocol and not by the channel kind. */
import type { Answer, Attempt, NoAnswer, Reply } from "../channel.ts";

/** Maximum delay that a receiver may request, in milliseconds: after that, incident news is worthless. */
const longestWait = 3_600_000;

/** Transient HTTP client errors: timeout, too early, too many requests. */
const passingClientErrors: readonly number[] = [408, 425, 429];

/**
 * HTTP refusals that a person can correct while the same notice is retried: a wrong key, a missing permission, an address that does not
 * exist yet.
 */
const correctableStatuses: readonly number[] = [401, 402, 403, 404, 407];

/** The same for SMTP: authentication that is missing, too weak or wrong (RFC 4954, 6). */
const correctableReplies: readonly number[] = [530, 534, 535, 538];

/**
 * Classifies the reply to an HTTP request. 2xx is delivered. 408, 425, 429 and 5xx are retried, after `Retry-After` if given, and so are
 * refusals that a person can correct. Everything else is rejected, including redirects, because the next host was never configured.
 * @param advice explanation of a status for this receiver, and what to do about it
 */
export function classifyHttp(reply: Reply, advice: Readonly<Record<number, string>> = {}): Attempt {
  if ("error" in reply) return unanswered(reply);
  const { status } = reply;
  const said = [status, reply.body].filter((part) => part !== "").join(" ");
  const answer = advice[status] === undefined ? said : `${said}: ${advice[status]}`;
  if (status >= 200 && status < 300) return { outcome: "delivered", answer };
  if (status >= 500 || passingClientErrors.includes(status)) {
    const afterMs = retryAfter(reply);
    return { outcome: "retry", answer, ...(afterMs === undefined ? {} : { afterMs }) };
  }
  const isCorrectable = correctableStatuses.includes(status) || (advice[status] !== undefined && status !== 410);
  if (isCorrectable) return { outcome: "retry", answer, correctable: true };
  if (status >= 300 && status < 400) {
    return { outcome: "rejected", answer: `${status}: redirects are not followed, configure the final address` };
  }
  if (status === 410) return { outcome: "rejected", answer: "410: the receiver is gone for good, remove the channel" };
  return { outcome: "rejected", answer };
}

/**
 * Classifies the reply of an SMTP server: 2yz is delivered, 4yz and failed authentication are retried, everything else is rejected (RFC
 * 5321, 4.2.1).
 */
export function classifySmtp(reply: Reply): Attempt {
  if ("error" in reply) return unanswered(reply);
  const answer = reply.body || String(reply.status);
  if (reply.status >= 200 && reply.status < 300) return { outcome: "delivered", answer };
  if (reply.status >= 400 && reply.status < 500) return { outcome: "retry", answer };
  if (correctableReplies.includes(reply.status)) return { outcome: "retry", answer, correctable: true };
  return { outcome: "rejected", answer };
}

/** Errors that occur before there is a connection to send on, and TLS errors: no data is sent before the connection is secured. */
export const neverSent: RegExp =
  /^(ESECRET|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETLS|EPROTO|ERR_(TLS|SSL)_.*|UNABLE_TO_.*|HOSTNAME_MISMATCH|.*CERT.*)$/;

/** Without a reply, it is worth retrying, unless the configuration itself is wrong. */
function unanswered({ error: answer, code, unsent, handedOver }: NoAnswer): Attempt {
  if (code === "EPRIVATE") return { outcome: "rejected", answer };
  // The value of a secret may be wrong.
  if (code === "ESETTINGS") return { outcome: "retry", answer, correctable: true };
  if (unsent || neverSent.test(code)) return { outcome: "retry", answer };
  return { outcome: "retry", answer, unsure: handedOver ? "once" : true };
}

/**
 * Returns `Retry-After` in milliseconds. It is given in seconds or as a date, which is compared with the receiver's own clock (RFC 9110,
 * 10.2.3).
 */
function retryAfter({ headers }: Answer): number | undefined {
  const value = headers["retry-after"]?.trim() ?? "";
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.parse(headers["date"] ?? "");
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(0, wait), longestWait);
}
