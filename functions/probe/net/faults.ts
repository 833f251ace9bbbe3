/** Network failures, as a kind and a plain sentence. */

import { isIP } from "node:net";
import { type Failure, type FailureKind, identityPhase } from "../../../shared/messages/report.ts";
import { LookupError } from "../../../shared/net/lookup.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { formatDuration } from "../../../shared/text/units.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";

/** A failure as observed by a prober: its texts are opened when the result is written. */
export type SeenFailure = Omit<Failure, "message"> & { readonly message: ReportText };

/** The fields of a failure that programs may rely on, in addition to its kind. */
export type FailureFacts = Pick<Failure, "status" | "code" | "signal" | "answered_by">;

/** A failure that a prober has already classified and described. */
export class ProbeFault extends Error {
  override readonly name = "ProbeFault";
  readonly kind: FailureKind;
  readonly facts: FailureFacts;
  /** The phase of the failure, if it is not the running one. */
  readonly phase: string | undefined;
  /** The text of the failure. The message has asterisks in place of anything that a target sent. */
  readonly reportText: ReportText;

  constructor(
    kind: FailureKind,
    text: ReportText,
    options?: ErrorOptions & FailureFacts & { readonly phase?: string },
  ) {
    super(String(text), options);
    this.kind = kind;
    this.reportText = text;
    const { cause: _, phase, ...facts } = options ?? {};
    this.facts = facts;
    this.phase = phase;
  }
}

/** Returns a fault for an unusable configuration, which is not held against the target. @param message what is wrong, and what to write */
export function configurationFault(message: string): ProbeFault {
  return new ProbeFault("internal", message, { phase: "settings" });
}

/** A failure to authenticate: the token source or the settings are to blame, and not the target. */
export class IdentityFault extends ProbeFault {}

/** A part of a probe exceeded its timeout: the reason of its abort signal. The message reads `the step timed out after 5s`. */
export class Overrun extends Error {
  override readonly name = "Overrun";

  /** @param part subject of the message: `the step` */
  constructor(part: string, limitMs: number) {
    super(`${part} timed out after ${formatDuration(limitMs)}`);
  }
}

/** The phase and the target of a fault. */
export interface FaultContext {
  readonly phase: string;
  /** The target of the probe, without secrets: `api.example.com:443`, or the path of a socket. */
  readonly peer: string;
  /** The address that was tried; absent before it is known. */
  readonly address?: string | undefined;
  /** Aborted when the deadline of the probe, or of a part of it, has passed: then nothing else is to blame. */
  readonly signal: AbortSignal;
}

/** Returns the failure for an error of a socket, a lookup or a protocol. */
export function failureOf(error: unknown, { phase, peer: named, address, signal }: FaultContext): SeenFailure {
  const peer = spokenPeer(named, address);
  if (signal.aborted) {
    const what = signal.reason instanceof Overrun ? signal.reason.message : "the probe timed out";
    return { kind: "timeout", phase, message: `${what} while ${doing(phase, peer)}${unanswered(phase)}` };
  }
  if (error instanceof ProbeFault) return failureOfFault(error, phase);
  if (error instanceof LookupError) return { kind: "dns", phase, message: `the name of ${named} ${error.problem}` };
  const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
  const told = code === "EPROTO" ? sslCode(message) : code;
  const known = faults.find(({ codes }) => codes.test(told));
  if (known) return { kind: known.kind, phase, message: known.say(peer, phase, errorText(error), told), code };
  const what = code === "" ? TargetText.of(message) : code;
  return { kind: "internal", phase, message: cite`unexpected fault while ${doing(phase, peer)}: ${what}` };
}

/** Formats a host and a port as in URLs: `api.example.com:443`, `[::1]:443`. */
export function hostAndPort(host: string, port: number): string {
  return `${hostInUrl(host)}:${port}`;
}

/** Formats a host as in URLs: IPv6 addresses in brackets. */
export function hostInUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Returns a peer with the address that was tried, unless the peer is that address. */
export function spokenPeer(peer: string, address: string | undefined): string {
  return address === undefined || peer.includes(address) ? peer : `${peer} (${address})`;
}

/** Returns Node's code for a reason of OpenSSL, which is in the message of an error without a code. */
function sslCode(message: string): string {
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? "";
  return reason === "" ? "EPROTO" : `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`;
}

/** Returns the failure for a fault that is already classified and described. */
export function failureOfFault(error: ProbeFault, phase: string): SeenFailure {
  const { kind, reportText: message, facts } = error;
  return { kind, phase: error instanceof IdentityFault ? identityPhase : (error.phase ?? phase), message, ...facts };
}

/** Returns the text of an error: its description for people, or its message. */
export function errorText(error: unknown): ReportText {
  const { reportText, message = String(error) } = error as { reportText?: ReportText; message?: string };
  return reportText ?? TargetText.of(message);
}

/** Node's codes of system, TLS and HTTP errors, and those of our own HTTP reader; the first match counts. */
const faults: readonly {
  readonly codes: RegExp;
  readonly kind: FailureKind;
  readonly say: (peer: string, phase: string, text: ReportText, code: string) => ReportText;
}[] = [
  { codes: /^ECONNREFUSED$/, kind: "refused", say: (peer) => `${peer} refused the connection: nothing listens there` },
  {
    codes: /^ECONNRESET$|^EPIPE$|^ECONNABORTED$|^ERR_SSL_UNEXPECTED_EOF/,
    kind: "reset",
    say: (peer, phase) => `${peer} closed the connection while ${doing(phase, peer)}`,
  },
  {
    codes: /^ETIMEDOUT$/,
    kind: "timeout",
    say: (peer, phase) => `the operating system timed out while ${doing(phase, peer)}`,
  },
  {
    codes: /^EHOSTUNREACH$|^ENETUNREACH$|^EHOSTDOWN$|^ENETDOWN$|^EADDRNOTAVAIL$/,
    kind: "unavailable",
    say: (peer) => `there is no route to ${peer}`,
  },
  { codes: /^ENOENT$/, kind: "unavailable", say: (peer) => `there is no socket at ${peer}` },
  {
    codes: /^EACCES$|^EPERM$/,
    kind: "unavailable",
    say: (peer) => `the operating system denied the connection to ${peer}`,
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|BAD_RECORD_TYPE)$/,
    kind: "tls",
    say: (peer) => `${peer} does not speak TLS: use its TLS port, or connect without TLS`,
  },
  {
    codes: /^ERR_SSL_.*(ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|INAPPROPRIATE_FALLBACK)$/,
    kind: "tls",
    say: (peer) => `${peer} does not offer an accepted TLS version: enable TLS 1.2 or 1.3 on the server`,
  },
  {
    codes: /^ERR_SSL_.*ALERT_NO_APPLICATION_PROTOCOL$/,
    kind: "tls",
    say: (peer) => `${peer} refused the TLS handshake: it does not support HTTP/1.1, the only protocol offered (ALPN)`,
  },
  {
    codes: /^ERR_SSL_.*UNRECOGNIZED_NAME$/,
    kind: "tls",
    say: (peer) => `${peer} refused the TLS handshake: it has no certificate for this name (SNI)`,
  },
  {
    codes:
      /^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    kind: "tls",
    say: (peer, _phase, _words, code) =>
      `${peer} ended the TLS handshake: it requires a client certificate that it trusts (${alertIn(code)}): set client_certificate`,
  },
  {
    codes: /^ERR_SSL_.*(ALERT_HANDSHAKE_FAILURE|ALERT_INSUFFICIENT_SECURITY|NO_SHARED_CIPHER|NO_SUITABLE_\w+)$/,
    kind: "tls",
    say: (peer) =>
      `${peer} refused the TLS handshake: it shares no cipher with the probe, or requires a client certificate (handshake failure)`,
  },
  {
    codes: /^ERR_SSL_.*(KEY_TOO_SMALL|MD_TOO_WEAK|KEY_SIZE_TOO_SMALL|BAD_DH_VALUE)$/,
    kind: "tls",
    say: (peer) => `${peer} uses a key or a signature that is too weak to be accepted: renew its certificate or key`,
  },
  {
    codes: /^ERR_SSL_.*ALERT_/,
    kind: "tls",
    say: (peer, phase, _words, code) =>
      `${peer} ended the TLS ${phase === "tls" ? "handshake" : "connection"} with the alert "${alertIn(code)}"`,
  },
  {
    codes: /^EPROTO$|^ERR_SSL_|^ERR_TLS_|^ERR_OSSL_/,
    kind: "tls",
    say: (peer, phase, _words, code) =>
      phase === "tls"
        ? `the TLS handshake with ${peer} failed: it sent invalid TLS data${spelledOut(code)}`
        : `the TLS connection to ${peer} broke while ${doing(phase, peer)}${spelledOut(code)}`,
  },
  {
    codes: /^HTTP_TOO_LONG$|^HPE_HEADER_OVERFLOW$/,
    kind: "protocol",
    say: (peer) => `${peer} sent headers that exceed the size limit`,
  },
  {
    codes: /^HTTP_SYNTAX$/,
    kind: "protocol",
    say: (peer, _phase, text) => cite`${peer} does not speak HTTP: ${text}`,
  },
  { codes: /^HPE_/, kind: "protocol", say: (peer) => `${peer} does not speak HTTP: its response cannot be parsed` },
  {
    codes: /^Z_|^ERR_BROTLI|^ERR__ERROR|^ZSTD_/,
    kind: "body",
    say: () => "the compressed body cannot be decoded",
  },
];

/** The name of a TLS alert in a code. @see RFC 8446, 6 */
function alertIn(code: string): string {
  return (/ALERT_(\w+)$/.exec(code)?.[1] ?? code).toLowerCase().replaceAll("_", " ");
}

function spelledOut(code: string): string {
  const reason = /^ERR_(?:SSL|TLS|OSSL)_(\w+)$/.exec(code)?.[1]?.toLowerCase().replaceAll("_", " ");
  return reason === undefined ? "" : ` (${reason})`;
}

const activities: Readonly<Record<string, string>> = {
  dns: "looking up the name of",
  connect: "connecting to",
  tls: "performing the TLS handshake with",
  lookup: "waiting for a response from",
  first_byte: "waiting for the first byte from",
  headers: "reading the headers from",
  body: "reading the body from",
  access: "asking the Cloud SQL Admin API for access to",
  authentication: "logging in to",
  answer: "waiting for the first response from",
  query: "waiting for the result of the first query from",
  statistics: "counting the connections of",
  upgrade: "waiting for the WebSocket upgrade from",
  send: "sending a message to",
  expect: "waiting for messages from",
  ping: "waiting for a pong from",
  close: "waiting for the connection to be closed by",
};

/** Returns the meaning of an overrun of a phase, if there is one. */
export function unanswered(phase: string): string {
  if (phase === "dns") return ": no DNS server answered";
  return phase === "tls" ? ": it may be overloaded, or may not speak TLS on this port" : "";
}

/** Returns the action of a phase, as a part of a sentence: `connecting to api.example.com:443`. */
export function doing(phase: string, peer: string): string {
  // A step without a name is identified by its action and its position.
  const activity = ownEntry(activities, phase) ?? ownEntry(activities, phase.replace(/-\d+$/, ""));
  return `${activity ?? `in the phase ${phase} of the exchange with`} ${peer}`;
}
