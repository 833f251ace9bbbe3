/** What stands in place of an answer when the network fails, in a kind and a plain sentence. */

import { type Failure, type FailureKind, identityPhase } from "../../../shared/messages/report.ts";
import { LookupError } from "../../../shared/net/lookup.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** What of a failure a program may rely on besides its kind. */
export type FailureFacts = Pick<Failure, "status" | "code" | "signal" | "answered_by">;

/** A fault that a prober has already put into its kind and words. */
export class ProbeFault extends Error {
  override readonly name = "ProbeFault";
  readonly kind: FailureKind;
  readonly facts: FailureFacts;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions & FailureFacts) {
    super(message, options);
    this.kind = kind;
    const { cause: _, ...facts } = options ?? {};
    this.facts = facts;
  }
}

/** There is nothing to prove with who we are: the giver of tokens is to blame, or our own settings, and not the target. */
export class IdentityFault extends ProbeFault {}

/** The time of a part of a probe has run out: the reason of its signal. */
export class Overrun extends Error {
  override readonly name = "Overrun";
  /** Whose time it was: `the time of the step, 5s,`. */
  readonly whose: string;

  constructor(whose: string) {
    super(`${whose} ran out`);
    this.whose = whose;
  }
}

/** Where and on what a fault happened. */
export interface FaultContext {
  readonly phase: string;
  /** Whom the probe spoke to, without secrets: `api.example.com:443`, or the path of a socket. */
  readonly peer: string;
  /** Aborted when the deadline of the probe has passed, or that of a part of it: then nothing else is to blame. */
  readonly signal: AbortSignal;
}

/** Names the failure that an error of a socket, a lookup or a protocol means. */
export function failureOf(error: unknown, { phase, peer, signal }: FaultContext): Failure {
  if (signal.aborted) {
    const whose = signal.reason instanceof Overrun ? signal.reason.whose : "the time of the probe";
    return { kind: "timeout", phase, message: `${whose} ran out while ${doing(phase, peer)}${unanswered(phase)}` };
  }
  if (error instanceof ProbeFault) return failureOfFault(error, phase);
  if (error instanceof LookupError) return { kind: "dns", phase, message: `the name of ${peer} ${error.problem}` };
  const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
  const known = faults.find(({ codes }) => codes.test(code));
  if (known) return { kind: known.kind, phase, message: known.say(peer, phase, message), code };
  return { kind: "internal", phase, message: `unexpected fault while ${doing(phase, peer)}: ${message}` };
}

/** The failure that a fault means which has its kind and words already. */
export function failureOfFault(error: ProbeFault, phase: string): Failure {
  const { kind, message, facts } = error;
  return { kind, phase: error instanceof IdentityFault ? identityPhase : phase, message, ...facts };
}

/** Node's codes of system, TLS and HTTP errors, and those of our own reader of HTTP, the first match counts. */
const faults: readonly {
  readonly codes: RegExp;
  readonly kind: FailureKind;
  readonly say: (peer: string, phase: string, message: string) => string;
}[] = [
  { codes: /^ECONNREFUSED$/, kind: "refused", say: (peer) => `${peer} refused the connection: nothing listens there` },
  {
    codes: /^ECONNRESET$|^EPIPE$|^ECONNABORTED$/,
    kind: "reset",
    say: (peer, phase) => `${peer} closed the connection while ${doing(phase, peer)}`,
  },
  {
    codes: /^ETIMEDOUT$/,
    kind: "timeout",
    say: (peer, phase) => `the operating system gave up while ${doing(phase, peer)}`,
  },
  {
    codes: /^EHOSTUNREACH$|^ENETUNREACH$|^EHOSTDOWN$|^ENETDOWN$|^EADDRNOTAVAIL$/,
    kind: "unavailable",
    say: (peer) => `there is no route to ${peer}`,
  },
  { codes: /^ENOENT$/, kind: "unavailable", say: (peer) => `there is no socket at ${peer}` },
  { codes: /^EACCES$|^EPERM$/, kind: "unavailable", say: (peer) => `the system forbids a connection to ${peer}` },
  {
    codes: /^ERR_SSL_WRONG_VERSION_NUMBER$|^ERR_SSL_PACKET_LENGTH_TOO_LONG$/,
    kind: "tls",
    say: (peer) => `${peer} does not speak TLS`,
  },
  {
    codes: /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/,
    kind: "tls",
    say: (peer) => `${peer} asks for a client certificate: write client_certificate with cert and key`,
  },
  {
    codes: /^EPROTO$|^ERR_SSL_|^ERR_TLS_|^ERR_OSSL_/,
    kind: "tls",
    say: (peer, _phase, message) => `the TLS handshake with ${peer} failed: ${message}`,
  },
  {
    codes: /^HTTP_TOO_LONG$|^HPE_HEADER_OVERFLOW$/,
    kind: "protocol",
    say: (peer) => `${peer} sent more headers than are read`,
  },
  {
    codes: /^HTTP_SYNTAX$|^HPE_/,
    kind: "protocol",
    say: (peer, _phase, message) => `${peer} does not speak HTTP: ${message}`,
  },
  { codes: /^Z_|^ERR_BROTLI|^ERR__ERROR|^ZSTD_/, kind: "body", say: () => "the compressed body cannot be decoded" },
];

const activities: Readonly<Record<string, string>> = {
  dns: "looking up the name of",
  connect: "connecting to",
  tls: "shaking hands for TLS with",
  lookup: "waiting for the answer of",
  first_byte: "waiting for the first byte from",
  body: "reading the body from",
  access: "asking the Cloud SQL Admin API for access to",
  authentication: "logging in at",
  answer: "waiting for the first answer of",
  query: "waiting for the answer to the first query from",
  statistics: "counting the connections of",
  upgrade: "waiting for the upgrade to a WebSocket from",
  send: "sending a message to",
  expect: "waiting for messages from",
  ping: "waiting for the answer to a ping from",
  close: "waiting for the close of",
};

/** What an overrun of a phase means, where that can be said: only the DNS servers are waited for while a name is looked up. */
export function unanswered(phase: string): string {
  return phase === "dns" ? ": no DNS server answered" : "";
}

/** What goes on in a phase, as a part of a sentence: `connecting to api.example.com:443`. */
export function doing(phase: string, peer: string): string {
  return `${ownEntry(activities, phase) ?? `in the phase ${phase} with`} ${peer}`;
}
