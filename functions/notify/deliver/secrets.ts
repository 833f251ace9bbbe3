/** Fills secrets into the texts of a request, each escaped for its position, and records the values that must be redacted. */
import { placeholderSecret, placeholderSecrets } from "../../../shared/config/secret-reference.ts";
import type { Secrets } from "../../../shared/ports.ts";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";

/** Settings that can never work. */
export class BadSettings extends Error {
  readonly code = "ESETTINGS";
}

/** Fills in the placeholders of one request or mail. */
export class SecretFiller {
  /** Values that must not appear in any reply or error. */
  readonly known: Set<string> = new Set();
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Returns a header or key with the unescaped values of its secrets. */
  async text(text: string): Promise<string> {
    const secretOf = await this.#read(text);
    return fillMarks(text, secretOf);
  }

  /** Returns a JSON body with the values of its secrets inside its strings. */
  async json(text: string): Promise<string> {
    const secretOf = await this.#read(text);
    return fillMarks(text, (name) => JSON.stringify(secretOf(name)).slice(1, -1));
  }

  /**
   * Returns a URL with its secrets. A leading secret is itself a URL, to which a path and a query may be appended; any other is escaped for
   * the part in which it stands. Each part of a URL counts as a credential: path, query and user.
   */
  async url(text: string, schemes: readonly string[]): Promise<URL> {
    const secretOf = await this.#read(text);
    const [first] = marksOf(text);
    const url =
      first?.offset === 0
        ? extended(secretOf(first.name), escaped(text, secretOf, first.length), schemes)
        : parsed(escaped(text, secretOf, 0), schemes);
    for (const part of [url.href, `${url.pathname}${url.search}`, url.username, url.password, url.search.slice(1)]) {
      if (part.length > 1) this.known.add(part).add(safeDecode(part));
    }
    for (const part of [...url.pathname.split("/"), ...url.searchParams.values()]) {
      if (part.length >= 8) this.known.add(part);
    }
    if (!schemes.includes(url.protocol)) {
      throw new BadSettings(
        `the address starts with ${url.protocol}//, it must start with ${schemes.join("// or ")}//`,
      );
    }
    return url;
  }

  /** Reads the secrets of a text. @returns a function from a placeholder to its value */
  async #read(text: string): Promise<(placeholder: string) => string> {
    const values = new Map<string, string>();
    for (const secret of placeholderSecrets(text)) {
      const value = (await this.#value(secret)).trim();
      values.set(`secret:${secret}`, value);
      this.known.add(value);
    }
    return (placeholder) => {
      const value = values.get(placeholder);
      if (value !== undefined) return value;
      const secret = placeholderSecret({ name: placeholder, closed: true });
      throw new BadSettings(`malformed placeholder in the settings: write \${secret:${secret ?? "NAME"}}`);
    };
  }

  async #value(name: string): Promise<string> {
    try {
      return await this.#secrets.read(name);
    } catch (cause) {
      throw Object.assign(new Error(`the secret ${name} cannot be read: ${messageOf(cause)}`, { cause }), {
        code: "ESECRET",
      });
    }
  }
}

/** Fills in a URL from a position on, each value escaped for its position. */
function escaped(text: string, secretOf: (placeholder: string) => string, from: number): string {
  const isBased = from > 0;
  return fillMarks(text.slice(from), (name, offset) => {
    const before = text.slice(0, from + offset);
    const value = secretOf(name);
    if (before.includes("?")) return encodeURIComponent(value);
    const isInPath = isBased || /^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i.test(before);
    if (isInPath) return encodeURI(value).replaceAll(/[/?#]/g, encodeURIComponent);
    const isUser = /^[^/?#]*@/.test(text.slice(from + offset).replaceAll(/\$\{[^{}]*\}/g, ""));
    if (isUser) return encodeURIComponent(value);
    if (/^[\w.:[\]-]+$/.test(value)) return value;
    throw new BadSettings("a secret used as a host must be a host name, or a host name and a port");
  });
}

/** Returns a URL with a path and a query appended. */
function extended(base: string, addition: string, schemes: readonly string[]): URL {
  const url = parsed(base, schemes);
  const [path = "", ...query] = addition.split("?");
  if (path !== "") url.pathname = `${path.startsWith("/") ? url.pathname.replace(/\/$/, "") : url.pathname}${path}`;
  for (const [name, value] of new URLSearchParams(query.join("?"))) url.searchParams.set(name, value);
  return url;
}

function parsed(text: string, schemes: readonly string[]): URL {
  if (!URL.canParse(text)) throw new BadSettings(`the address is not a URL: write ${schemes[0]}//host/path`);
  return new URL(text);
}

/** Decodes a percent-encoded text; returns it unchanged if it is not valid encoding. */
export function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the message of an error. */
export function messageOf(error: unknown): string {
  // An AggregateError for several addresses has no message of its own.
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}
