/** Trusted authorities, and the path from a server's certificate to one of them. */
import { X509Certificate } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { configurationFault } from "./faults.ts";

/** Trusted authorities. */
export interface Authorities {
  /** By subject: several of the same name, if an authority was renewed. */
  readonly bySubject: ReadonlyMap<string, readonly X509Certificate[]>;
  /** In PEM, as configured; `undefined` for those of the system. */
  readonly ca: string | undefined;
}

/** A client certificate and its key, in PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Maximum number of cached authorities and contexts: more than a configuration has. */
const maxRemembered = 100;

/** Reads the trusted authorities of the system, which takes a while. @param now milliseconds since the epoch */
export function loadRoots(now: number): void {
  contextOf(trusted(undefined), undefined, now);
}

const configured = new Map<string, Authorities>();
const ofSystem = new WeakMap<readonly string[], Authorities>();

/**
 * Returns the authorities of a text in PEM, or those of the system.
 * @throws ProbeFault for a text that contains none, which blames the configuration
 */
export function trusted(ca: string | undefined): Authorities {
  if (ca !== undefined) return remembered(configured, ca, () => readAuthorities(ca));
  // Node returns the same list until the trusted authorities are changed.
  const list = getCACertificates("default");
  const known = ofSystem.get(list) ?? { bySubject: bySubject(list), ca };
  ofSystem.set(list, known);
  return known;
}

function readAuthorities(ca: string): Authorities {
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw configurationFault("ca contains no certificate: set it to the trusted authorities in PEM");
  try {
    return { bySubject: bySubject(blocks), ca };
  } catch {
    throw configurationFault(
      "ca contains an invalid certificate: set it to the complete certificates of the trusted authorities in PEM",
    );
  }
}

/** A context, and the instant after which a new one is needed. */
interface DatedContext {
  readonly context: SecureContext;
  readonly until: number;
}

/** Contexts by their inputs: reading authorities takes longer than a handshake. */
const contexts = new WeakMap<Authorities, Map<string, DatedContext>>();

/**
 * Returns the context of a handshake. It leaves out authorities that have expired or are not valid yet: OpenSSL would select one of them
 * before looking at the certificates from the server, and then reject a chain that another authority makes valid.
 * @param now milliseconds since the epoch
 */
export function contextOf(authorities: Authorities, client: ClientCertificate | undefined, now: number): SecureContext {
  const known = contexts.get(authorities) ?? new Map<string, DatedContext>();
  contexts.set(authorities, known);
  const key = client === undefined ? "" : JSON.stringify([client.cert, client.key]);
  if ((known.get(key)?.until ?? now) <= now) known.delete(key);
  return remembered(known, key, () => {
    const all = [...authorities.bySubject.values()].flat();
    const valid = all.filter((certificate) => start(certificate) <= now && now < expiry(certificate));
    const { ca } = authorities;
    const list = valid.length === all.length && ca?.trim() !== "" ? ca : valid.map(String);
    const context = createSecureContext({ ...(list === undefined ? {} : { ca: list }), ...client });
    const changes = all.flatMap((certificate) => [start(certificate), expiry(certificate)]);
    return { context, until: Math.min(...changes.filter((instant) => instant > now)) };
  }).context;
}

/** Maximum number of examined certificates that a server sends. */
const maxSent = 20;

/** Maximum number of certificates in a chain. */
const longestPath = 10;

/** The certificates from the server's own to an authority. */
export interface Chain {
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  /** Whether the chain ends in a trusted authority. If it does not, the chain is as complete as possible. */
  readonly trusted: boolean;
}

/** The beginning of a chain, and the end of its joint validity. */
interface Path {
  readonly certificates: Chain["certificates"];
  readonly last: X509Certificate;
  /** Milliseconds since the epoch; absent if one of them is not valid yet. */
  readonly until: number;
}

/**
 * Returns the chain from the server's certificate to a trusted authority. If there are several, as with a renewed or cross-signed authority
 * next to its older twin, returns the one that is valid longest.
 * @param now milliseconds since the epoch
 */
export function chainOf(leaf: X509Certificate, { bySubject }: Authorities, now: number): Chain {
  const sent: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next && sent.length < maxSent; next = next.issuerCertificate) sent.push(next);
  const validUntil = (one: X509Certificate): number => (start(one) > now ? Number.NEGATIVE_INFINITY : expiry(one));

  const open: Path[] = [{ certificates: [leaf], last: leaf, until: validUntil(leaf) }];
  const seen = new Set<string>();
  let incomplete: Chain["certificates"] = [leaf];
  // The open path that is valid longest is continued first, so that the first to arrive is the best.
  for (let path = longestValid(open); path; path = longestValid(open)) {
    const { certificates, last, until } = path;
    if (seen.has(last.fingerprint256)) continue;
    seen.add(last.fingerprint256);
    const roots = bySubject.get(last.subject) ?? [];
    if (last.checkIssued(last) && includes(roots, last)) return { certificates, trusted: true };
    if (certificates.length > incomplete.length) incomplete = certificates;
    if (certificates.length === longestPath) continue;
    for (const issuer of issuersOf(last, [...(bySubject.get(last.issuer) ?? []), ...sent]))
      open.push({
        certificates: [...certificates, issuer],
        last: issuer,
        until: Math.min(until, validUntil(issuer)),
      });
  }
  return { certificates: incomplete, trusted: false };
}

/** Returns the expiry of a certificate, in milliseconds since the epoch. */
export function expiry(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

/** Returns the start of a certificate's validity, in milliseconds since the epoch. */
export function start(certificate: X509Certificate): number {
  return Date.parse(certificate.validFrom);
}

/** Removes and returns the path that is valid longest. */
function longestValid(open: Path[]): Path | undefined {
  const best = open.reduce((found, path, at) => (path.until > (open[found]?.until ?? 0) ? at : found), 0);
  return open.splice(best, 1)[0];
}

function issuersOf(certificate: X509Certificate, known: readonly X509Certificate[]): X509Certificate[] {
  const named: X509Certificate[] = [];
  for (const other of known) {
    if (
      other.subject === certificate.issuer &&
      certificate.checkIssued(other) &&
      !includes([certificate, ...named], other)
    )
      named.push(other);
  }
  // Authorities of one name may have different keys. If there is only one, the handshake has checked the signature.
  return named.length < 2 ? named : named.filter((issuer) => signed(certificate, issuer));
}

function signed(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function includes(certificates: readonly X509Certificate[], wanted: X509Certificate): boolean {
  return certificates.some(({ fingerprint256 }) => fingerprint256 === wanted.fingerprint256);
}

function bySubject(pems: readonly string[]): Authorities["bySubject"] {
  return Map.groupBy(
    pems.map((pem) => new X509Certificate(pem)),
    (certificate) => certificate.subject,
  );
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  const [oldest] = known.keys();
  if (known.size >= maxRemembered && oldest !== undefined) known.delete(oldest);
  known.set(key, made);
  return made;
}
