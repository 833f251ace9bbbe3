/**
 * Resolves names without libuv's threads. `dns.lookup` waits on one of them for each name, so that a few names whose servers do not answer
 * keep everybody else waiting. Here every name has a resolver of its own, and the rest is as the system does it: hosts file, search domains,
 * and the order of addresses.
 */

import { createSocket } from "node:dgram";
import dns, { type LookupOptions, type promises } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { hostname as nameOfThisMachine } from "node:os";
import { domainToASCII } from "node:url";
import { promisify } from "node:util";
import { ownEntry } from "../runtime/entries.ts";
import { candidates, parseHosts, parseResolvConf, watchedFile } from "./name-service.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** An address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Options of a lookup. */
export interface Wanted {
  /** @default both */
  readonly family?: 4 | 6 | undefined;
  /** Ends the lookup. */
  readonly signal?: AbortSignal | undefined;
}

/** Why a name has no address: what DNS said of it, or that it said nothing. */
export type LookupReason = "NXDOMAIN" | "NODATA" | "SERVFAIL" | "REFUSED" | "INVALID" | "UNANSWERED";

/** A name that could not be resolved. `code` is that of `dns.lookup`. */
export class LookupError extends Error {
  override readonly name = "LookupError";
  readonly code: "ENOTFOUND" | "EAI_AGAIN";
  readonly syscall = "getaddrinfo";
  readonly hostname: string;
  /** Describes the problem with the name, as the rest of a sentence about it. */
  readonly problem: string;

  constructor(hostname: string, reason: LookupReason, family: 4 | 6 | undefined) {
    const problem = problems[reason](family === undefined ? "address" : `IPv${family} address`);
    super(`the name ${hostname} ${problem}`);
    this.hostname = hostname;
    this.problem = problem;
    this.code = reason === "NXDOMAIN" || reason === "NODATA" ? "ENOTFOUND" : "EAI_AGAIN";
  }
}

/** Reasons in ascending order of weight: one is reported only if no answer has a stronger one. */
const problems: Readonly<Record<LookupReason, (address: string) => string>> = {
  NXDOMAIN: () => "does not exist (NXDOMAIN)",
  NODATA: (address) => `exists, and has no ${address}`,
  INVALID: () => "could not be looked up: the DNS server gave no valid answer",
  REFUSED: () => "could not be looked up: the DNS server refused to answer (REFUSED)",
  SERVFAIL: () => "could not be looked up: the DNS server failed (SERVFAIL)",
  UNANSWERED: () => "could not be looked up: no DNS server answered",
};

const order = Object.keys(problems) as LookupReason[];

/** Codes of Node's resolver; every other one is an answer that makes no sense. */
const reasons: Readonly<Record<string, LookupReason>> = {
  ENOTFOUND: "NXDOMAIN",
  EBADNAME: "NXDOMAIN",
  ENODATA: "NODATA",
  ESERVFAIL: "SERVFAIL",
  EREFUSED: "REFUSED",
  ETIMEOUT: "UNANSWERED",
  ECONNREFUSED: "UNANSWERED",
  ECANCELLED: "UNANSWERED",
};

/** Files in which a machine configures name resolution. */
export interface NameService {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** The addresses of a host, in the order in which they are tried. */
export type HostAddresses = readonly [HostAddress, ...HostAddress[]];

/** Finds the addresses of a host. */
export type Resolve = (host: string, wanted?: Wanted) => Promise<HostAddresses>;

/** Makes a function that resolves names as a machine does. */
export function resolverOf({ hosts, resolvConf }: NameService): Resolve {
  const readHosts = watchedFile(hosts, parseHosts);
  const readConfiguration = watchedFile(resolvConf, (text) => parseResolvConf(text, process.env, nameOfThisMachine()));

  const askDns = async (name: string, family: 4 | 6 | undefined, signal: AbortSignal): Promise<HostAddresses> => {
    const { value: configuration, changed } = readConfiguration();
    const { timeoutMs, attempts } = configuration;
    const resolver = new dns.promises.Resolver({ timeout: timeoutMs, tries: attempts });
    // The servers configured in Node. It reads those of the machine once; a new resolver reads the current ones.
    const servers = dns.getServers();
    if (!changed && String(servers) !== String(resolver.getServers())) resolver.setServers(servers);
    signal.addEventListener("abort", () => resolver.cancel(), { once: true });
    try {
      let reason: LookupReason = "NXDOMAIN";
      for (const candidate of candidates(name, configuration)) {
        const answers = await ask(candidate, family === undefined ? [6, 4] : [family], resolver);
        const [first, ...others] = answers.flatMap(({ addresses }) => addresses);
        if (first) return await ordered([first, ...others]);
        reason = worst([reason, ...answers.map((answer) => answer.reason)]);
        if (reason === "UNANSWERED") break;
      }
      throw new LookupError(name, reason, family);
    } finally {
      resolver.cancel();
    }
  };
  const askOnce = shared(askDns);

  return async (host, { family, signal } = {}) => {
    signal?.throwIfAborted();
    const literal = literalOf(host);
    if (literal !== undefined) return literalFor(host, literal, family);
    const name = domainToASCII(host) || host;
    const [known, ...more] = listedIn(readHosts().value, name).filter(
      (one) => family === undefined || family === one.family,
    );
    return known ? await ordered([known, ...more]) : await askOnce(name, family, signal);
  };
}

/**
 * Asks once for all who want the same at the same time: a burst of handshakes would be a burst of questions, of which servers drop some. What
 * nobody waits for any more is ended.
 */
function shared(
  askDns: (name: string, family: 4 | 6 | undefined, signal: AbortSignal) => Promise<HostAddresses>,
): (name: string, family: 4 | 6 | undefined, signal: AbortSignal | undefined) => Promise<HostAddresses> {
  const running = new Map<
    string,
    { readonly answer: Promise<HostAddresses>; readonly end: () => void; waiting: number }
  >();
  return async (name, family, signal) => {
    const key = `${family ?? "any"} ${name}`;
    let question = running.get(key);
    if (!question) {
      const controller = new AbortController();
      const end = (): void => {
        running.delete(key);
        controller.abort();
      };
      question = { answer: askDns(name, family, controller.signal), end, waiting: 0 };
      running.set(key, question);
    }
    question.waiting++;
    try {
      return await (signal ? unlessAborted(question.answer, signal) : question.answer);
    } finally {
      question.waiting--;
      if (question.waiting === 0) question.end();
    }
  };
}

/** Resolves names as this machine does. */
export const resolveHost: Resolve = resolverOf({ hosts: "/etc/hosts", resolvConf: "/etc/resolv.conf" });

/** Resolves names like `dns.lookup`, for clients that take a function in its place. */
export const lookup: LookupFunction = (host, { family, all }, callback) => {
  resolveHost(host, { family: familyOf(family) }).then(
    (addresses) => {
      if (all) callback(null, [...addresses]);
      else callback(null, addresses[0].address, addresses[0].family);
    },
    (error: NodeJS.ErrnoException) => callback(error, "", 0),
  );
};

/**
 * Has every client of this process resolve names this way: `fetch` and Google's libraries take no function for it, and call `dns.lookup`. Can
 * be called again.
 */
export function replaceDnsLookup(): void {
  // Of the bundles, only this is the module that Node itself and its clients use.
  const node = process.getBuiltinModule("node:dns");
  const all = async (host: string, options: number | LookupOptions = {}): Promise<HostAddress | HostAddress[]> => {
    const wanted = typeof options === "number" ? { family: options } : options;
    const addresses = await resolveHost(host, { family: familyOf(wanted.family) });
    return wanted.all ? [...addresses] : addresses[0];
  };
  const replaced = Object.assign(
    (host: string, ...rest: [Callback] | [number | LookupOptions | undefined, Callback]): void => {
      const [options, callback] = rest.length === 1 ? [{}, rest[0]] : [rest[0] ?? {}, rest[1]];
      lookup(host, typeof options === "number" ? { family: options } : options, callback);
    },
    { [promisify.custom]: all },
  );
  Object.assign(node, { lookup: replaced });
  Object.assign(node.promises, { lookup: all });
}

type Callback = Parameters<LookupFunction>[2];

function familyOf(family: LookupOptions["family"]): 4 | 6 | undefined {
  if (family === 4 || family === "IPv4") return 4;
  return family === 6 || family === "IPv6" ? 6 : undefined;
}

/** An IP address as it is written, or in the short forms of IPv4, such as `127.1`. */
function literalOf(host: string): string | undefined {
  if (isIP(host) !== 0) return host;
  const short = /^[\da-fx.]+$/i.test(host) && /^\d/.test(host) ? URL.parse(`http://${host}`)?.hostname : undefined;
  return short !== undefined && isIP(short) === 4 ? short : undefined;
}

function literalFor(host: string, address: string, family: 4 | 6 | undefined): readonly [HostAddress] {
  const own = isIP(address) === 6 ? 6 : 4;
  if (family !== undefined && family !== own) throw new LookupError(host, "NODATA", family);
  return [{ address, family: own }];
}

/** Looks a name up in the hosts file. `localhost` needs no entry, and names below it stand where it does. @see RFC 6761, 6.3 */
function listedIn(hosts: ReadonlyMap<string, readonly string[]>, name: string): HostAddress[] {
  const key = name.toLowerCase().replace(/\.$/, "");
  const loopback = (): readonly string[] => hosts.get("localhost") ?? ["::1", "127.0.0.1"];
  const listed = hosts.get(key) ?? (/(^|\.)localhost$/.test(key) ? loopback() : []);
  return listed.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
}

/** Answer to the question for addresses of one family. */
interface Answer {
  readonly addresses: readonly HostAddress[];
  /** Why there are none. */
  readonly reason: LookupReason;
}

/**
 * How long to wait for the other address family after one has answered, in milliseconds. Some servers never answer for IPv6, or deny the
 * whole name; IPv4 addresses are rarely dispensable.
 */
const patienceMs = { 4: 500, 6: 2_000 };

/** Asks for the addresses of all families at once. */
async function ask(
  name: string,
  families: readonly (4 | 6)[],
  resolver: promises.Resolver,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const { promise: enough, resolve: finish } = Promise.withResolvers<void>();
  let patience: NodeJS.Timeout | undefined;
  for (const family of families) {
    void answerOf(name, family, resolver).then((answer) => {
      answers.push(answer);
      if (answers.length === families.length) finish();
      else if (answer.addresses.length > 0 || answer.reason === "NXDOMAIN")
        patience = setTimeout(finish, patienceMs[family]);
    });
  }
  await enough;
  clearTimeout(patience);
  return answers;
}

async function answerOf(name: string, family: 4 | 6, resolver: promises.Resolver): Promise<Answer> {
  try {
    const addresses = await (family === 6 ? resolver.resolve6(name) : resolver.resolve4(name));
    return { addresses: addresses.map((address) => ({ address, family })), reason: "NODATA" };
  } catch (error) {
    return { addresses: [], reason: ownEntry(reasons, (error as NodeJS.ErrnoException).code ?? "") ?? "INVALID" };
  }
}

function worst(found: readonly LookupReason[]): LookupReason {
  return order.findLast((reason) => found.includes(reason)) ?? "NXDOMAIN";
}

/**
 * Puts addresses in the order in which they are tried: those of the better family first, else as they were answered.
 * @param source finds the address from which this machine would send to another
 */
export async function ordered(addresses: HostAddresses, source: typeof sourceFor = sourceFor): Promise<HostAddresses> {
  const six = addresses.find(({ family }) => family === 6);
  const four = addresses.find(({ family }) => family === 4);
  if (!six || !four) return addresses;
  const first = (await prefersIPv6(six.address, four.address, source)) ? six : four;
  const [, ...rest] = addresses.filter(({ family }) => family === first.family);
  return [first, ...rest, ...addresses.filter(({ family }) => family !== first.family)];
}

/**
 * Returns whether IPv6 is tried first: if this machine sends from an address of the same scope as the destination, or cannot send by IPv4.
 * @see RFC 6724, 6, rules 1, 2, 5 and 6
 */
async function prefersIPv6(six: string, four: string, source: typeof sourceFor): Promise<boolean> {
  const setting = dns.getDefaultResultOrder();
  if (setting !== "verbatim") return setting === "ipv6first";
  const own = await source(six, 6);
  return own !== undefined && (kindOf(own) === kindOf(six) || (await source(four, 4)) === undefined);
}

/** The address from which this machine would send to another. Nothing is sent. */
async function sourceFor(address: string, family: 4 | 6): Promise<string | undefined> {
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    lookup: (literal, _options, callback) => callback(null, literal, family),
  });
  const source = await new Promise<string | undefined>((resolve) => {
    socket.once("connect", () => resolve(socket.address().address)).on("error", () => resolve(undefined));
    // The port is that of the service `discard`.
    socket.connect(9, address);
  });
  socket.close();
  return source;
}

/** The kind of an IPv6 address: loopback, 6to4, Teredo, link-local, site-local, unique local, or any other. */
function kindOf(address: string): string {
  if (address === "::1") return "loopback";
  const [first = 0, second = 0] = address.split(":", 2).map((group) => Number.parseInt(group || "0", 16));
  if (first === 0x2002) return "6to4";
  if (first === 0x2001 && second === 0) return "Teredo";
  if (first >= 0xfe80 && first <= 0xfeff) return first < 0xfec0 ? "link-local" : "site-local";
  return first >= 0xfc00 && first <= 0xfdff ? "unique local" : "global";
}
