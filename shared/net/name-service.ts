/** The files of this machine that say how names are resolved: its hosts file and its resolv.conf. */
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";

/** Options in resolv.conf besides the name servers. */
export interface ResolverConfiguration {
  /** Domains in which names are looked for. */
  readonly search: readonly string[];
  /** Dots from which on a name is first looked for as it is. */
  readonly ndots: number;
  /** Milliseconds until a name server is asked again. */
  readonly timeoutMs: number;
  /** Number of attempts per name server. */
  readonly attempts: number;
}

/** Addresses by name, in lower case. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** Reads a hosts file. @see hosts(5) */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = hosts.get(name) ?? [];
      hosts.set(name, known.includes(address) ? known : [...known, address]);
    }
  }
  return hosts;
}

/**
 * Reads resolv.conf, and the environment that stands above it. @see resolv.conf(5)
 * @param host the name of this machine, whose domain is searched where nothing else is said
 */
export function parseResolvConf(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
  host: string,
): ResolverConfiguration {
  let search = [host.split(".").slice(1).join(".")];
  const options = new Map<string, number>();
  const readOptions = (words: readonly string[]): void => {
    for (const word of words) {
      const [name = "", value = ""] = word.split(":");
      if (/^\d+$/.test(value)) options.set(name, Number(value));
    }
  };
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    // The last of these counts.
    if (keyword === "search" || keyword === "domain") search = words;
    if (keyword === "options") readOptions(words);
  }
  const { LOCALDOMAIN, RES_OPTIONS } = environment;
  if (LOCALDOMAIN !== undefined) search = LOCALDOMAIN.split(/\s+/);
  readOptions((RES_OPTIONS ?? "").split(/\s+/));
  const option = (name: string, usual: number, most: number): number => Math.min(options.get(name) ?? usual, most);
  return {
    search: search.map((domain) => domain.replace(/\.$/, "")).filter((domain) => domain !== ""),
    ndots: option("ndots", 1, 15),
    timeoutMs: 1_000 * Math.max(1, option("timeout", 1, 30)),
    attempts: Math.max(1, option("attempts", 3, 5)),
  };
}

/** The names under which a host is looked for, in this order. */
export function candidates(name: string, { search, ndots }: ResolverConfiguration): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const searched = search.map((domain) => `${name}.${domain}`);
  return name.split(".").length > ndots ? [name, ...searched] : [...searched, name];
}

/**
 * Reads a file, and again when it has changed: at once and on no thread, because other work could keep all of them busy. One that cannot be
 * read is empty.
 */
export function watchedFile<T>(
  path: string,
  parse: (text: string) => T,
): () => { readonly value: T; readonly changed: boolean } {
  let version: string | undefined;
  let last = { value: parse(""), changed: false };
  return () => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const found = `${mtimeMs} ${size} ${ino}`;
      if (found === version) return last;
      last = { value: parse(readFileSync(path, "utf8")), changed: version !== undefined };
      version = found;
    } catch {
      last = { value: parse(""), changed: version !== undefined };
    }
    return last;
  };
}
