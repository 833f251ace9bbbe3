/** The TLS handshake over a connection, and the assessment of the certificates in plain sentences. */
import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { dial, eventOf } from "./dial.ts";
import { type Stopwatch, stopwatch } from "./stopwatch.ts";
import { type Chain, type ClientCertificate, chainOf, contextOf, expiry, start, trusted } from "./trust.ts";

/** Requirements for a connection to be trusted. */
export interface TlsOptions {
  /** The name or address that the certificate must be for. */
  readonly host: string;
  /** Trusted certificate authorities in PEM. @default those of the system */
  readonly ca?: string | undefined;
  /** The extent of the verification: `chain` does not verify the name. @default full */
  readonly verify?: "full" | "chain" | "nothing";
  readonly protocols?: readonly string[];
  /** The client certificate, in PEM. @default none */
  readonly client?: ClientCertificate | undefined;
}

/** A completed handshake. Nothing may be sent over the connection if there is a fault. */
export interface Secured {
  readonly socket: TLSSocket;
  /** The server's own certificate. The socket returns it only once. */
  readonly leaf: X509Certificate | undefined;
  /** Expiry of the first certificate of the verified chain to expire, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** The owner of the certificate. */
  readonly expiring: TargetText | undefined;
  /** Expiry of the server's own certificate, in milliseconds since the epoch. */
  readonly leafExpiresAt: number | undefined;
  /** Why the certificates are not accepted, in one sentence. */
  readonly fault: TargetText | undefined;
}

/**
 * Performs the TLS handshake in the phase `tls`.
 * @param now milliseconds since the epoch
 * @throws the error of the handshake, if there is no certificate to check
 */
export async function secure(raw: Socket, options: TlsOptions, watch: Stopwatch, now: number): Promise<Secured> {
  const { ca, verify = "full", protocols, client } = options;
  const host = nameInTls(options.host);
  const authorities = trusted(ca);
  watch.enter("tls");
  const socket = connect({
    socket: raw,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: contextOf(authorities, client, now),
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    // The dates of a rejected certificate are wanted too: it is checked below, before anything is sent.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  // The name is judged below as well. Node would take the whole chain apart for it, which costs as much as the rest of the handshake.
  socket.getPeerCertificate = () => ({}) as DetailedPeerCertificate;
  socket.on("error", () => {});
  await eventOf(socket, "secureConnect");
  watch.stop();
  const leaf = socket.getPeerX509Certificate();
  const chain = leaf && chainOf(leaf, authorities, now);
  const first = chain?.certificates.toSorted((left, right) => expiry(left) - expiry(right))[0];
  return {
    socket,
    leaf,
    expiresAt: first && expiry(first),
    expiring: first && subjectOf(first),
    leafExpiresAt: leaf && expiry(leaf),
    fault: verify === "nothing" ? undefined : faultOf(socket, chain, { host, verify, now }),
  };
}

/** Maximum time to determine whether a port speaks TLS, in milliseconds. */
const maxAskedMs = 1_000;

/**
 * Returns whether a port that closed a plain connection without sending anything speaks TLS, by another connection with TLS.
 * @param error that ended the plain connection
 */
export async function wantsTls(
  error: unknown,
  port: number,
  { phase, address }: Pick<Stopwatch, "phase" | "address">,
  world: ProbeWorld,
): Promise<boolean> {
  const silent = /^(ECONNRESET|EPIPE)$/.test((error as NodeJS.ErrnoException).code ?? "");
  return (
    silent && /^(first_byte|upgrade|answer|authentication)$/.test(phase) && (await speaksTls(address, port, world))
  );
}

/** Returns whether a port speaks TLS from the first byte. @param address `undefined` if no address was tried */
export async function speaksTls(address: string | undefined, port: number, world: ProbeWorld): Promise<boolean> {
  if (address === undefined || world.signal.aborted) return false;
  const soon = AbortSignal.timeout(Math.ceil(Math.min(maxAskedMs, world.remaining() / 2)));
  const bounded = { ...world, signal: AbortSignal.any([world.signal, soon]) };
  const watch = stopwatch(() => world.clock());
  try {
    const raw = await dial({ host: address, port }, bounded, watch);
    await secure(raw, { host: address, verify: "nothing" }, watch, world.now());
    return true;
  } catch (refusal) {
    return /^ERR_SSL_.*ALERT/.test((refusal as NodeJS.ErrnoException).code ?? "");
  }
}

/** Returns a name in the form that TLS requires: in ASCII, and without the trailing dot, which SNI does not allow. Addresses are unchanged. */
function nameInTls(host: string): string {
  return isIP(host) === 0 ? (domainToASCII(host) || host).replace(/\.$/, "") : host;
}

/** Returns why the certificates are not accepted, checking the chain before the name; `undefined` if they are. */
function faultOf(
  socket: TLSSocket,
  chain: Chain | undefined,
  { host, verify, now }: { host: string; verify: "full" | "chain"; now: number },
): TargetText | undefined {
  if (!socket.authorized) return explain(socket, chain, now);
  const leaf = chain?.certificates[0];
  if (verify === "chain" || (leaf && isFor(leaf, host))) return undefined;
  if (!leaf?.subjectAltName && commonName(leaf?.subject).judge((name) => name.toLowerCase() === host.toLowerCase()))
    return cite`the certificate has no subject alternative name, and its common name, ${host}, is not accepted: issue a certificate with the subject alternative name ${host}`;
  return cite`the certificate is for ${namesOf(leaf)}, not for ${host}`;
}

/** Returns whether a certificate covers a name or an address. The common name is ignored, as in browsers. */
function isFor(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never", partialWildcards: false }) !== undefined;
}

function explain(socket: TLSSocket, chain: Chain | undefined, now: number): TargetText {
  // A string, whatever its declaration says: the code that OpenSSL gives to the first error found.
  const code = String(socket.authorizationError);
  const certificates = chain?.certificates ?? [];
  const leaf = certificates[0];
  const last = certificates.at(-1);
  const expired = certificates.find((certificate) => expiry(certificate) <= now);
  const early = certificates.find((certificate) => start(certificate) > now);
  // OpenSSL gets only the trusted authorities that are valid now, so it reports the others as missing.
  if (expired && (chain?.trusted || code === "CERT_HAS_EXPIRED"))
    return cite`the certificate of ${subjectOf(expired)} expired on ${day(expired.validTo)}`;
  if (early && (chain?.trusted || code === "CERT_NOT_YET_VALID"))
    return cite`the certificate of ${subjectOf(early)} is not valid before ${day(early.validFrom)}`;
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return cite`the certificate of ${subjectOf(leaf)} is self-signed`;
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return cite`the chain ends in an untrusted authority: ${subjectOf(last)}`;
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return cite`the chain is incomplete: the server did not send the certificate of the issuer ${commonName(last?.issuer)}, and it is not a trusted authority`;
    case "CERT_REVOKED":
      return cite`the certificate of ${subjectOf(leaf)} was revoked`;
    case "CERT_SIGNATURE_FAILURE":
      return cite`the signature on the certificate of ${subjectOf(leaf)} does not match its issuer, ${commonName(leaf?.issuer)}`;
    case "INVALID_CA":
    case "INVALID_PURPOSE":
      if (code === "INVALID_CA" || certificates.slice(1).some(({ ca }) => !ca))
        return cite`the certificate of ${subjectOf(leaf)} was issued by ${commonName(leaf?.issuer)}, which is not an authority`;
      return cite`the certificate of ${subjectOf(leaf)} is not valid for servers: its extended key usage does not include server authentication`;
    case "PATH_LENGTH_EXCEEDED":
    case "CERT_CHAIN_TOO_LONG":
      return cite`the chain of ${subjectOf(leaf)} exceeds the path length that its authorities allow`;
    default:
      return cite`the certificate of ${subjectOf(leaf)} is not accepted (${code.toLowerCase().replaceAll("_", " ")})`;
  }
}

function subjectOf(certificate: X509Certificate | undefined): TargetText {
  return certificate?.subject ? commonName(certificate.subject) : namesOf(certificate);
}

/** Maximum number of a certificate's names in a message. */
const maxNamed = 5;

function namesOf(certificate: X509Certificate | undefined): TargetText {
  const names = certificate?.subjectAltName?.replaceAll(/DNS:|IP Address:/g, "").split(", ") ?? [];
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : "";
  if (names.join("") === "") return commonName(certificate?.subject);
  return cite`${TargetText.of(names.slice(0, maxNamed).join(", "))}${more}`;
}

function commonName(name: string | undefined): TargetText {
  return TargetText.of(/^CN=(.+)$/m.exec(name ?? "")?.[1] ?? name?.replaceAll("\n", ", ") ?? "an unknown name");
}

function day(date: string | undefined): string {
  const instant = new Date(date ?? Number.NaN);
  return Number.isNaN(instant.getTime()) ? "an unknown date" : instant.toISOString().slice(0, 10);
}
