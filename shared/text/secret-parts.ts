/** Secret parts of a secret: the password of a URL, the token after a scheme, the values of a cookie. */

/** A text to conceal. */
export interface SecretPart {
  readonly text: string;
  /** Length of the beginning that is not secret by itself, such as `Bearer `, in characters. */
  readonly open: number;
}

/** The shortest whole secret that is concealed, in characters: anything shorter stands in texts by chance. */
const shortestWhole = 3;

/** The shortest part of a secret that is concealed, in characters. */
export const shortestPart = 6;

/** Maximum nesting of parts: a login in base64, after a scheme, after the name of a header. */
const deepest = 4;

/** Returns a secret and its parts, each once. User names are left out: a message about a failed login says whose it was. */
export function secretParts(secret: string): SecretPart[] {
  const found = new Map<string, number>();
  collect(secret.trim(), shortestWhole, deepest, found);
  return [...found].map(([text, open]) => ({ text, open }));
}

/** Collects a text with its parts, unless it is too short. @returns whether it was long enough */
function collect(text: string, shortest: number, depth: number, found: Map<string, number>): boolean {
  if (text.length < shortest) return false;
  if (found.has(text)) return true;
  const parts = depth === 0 ? [] : partsOf(text).map((part) => part.trim());
  const kept = parts.filter((part) => collect(part, shortestPart, depth - 1, found));
  const starts = kept.map((part) => text.indexOf(part)).filter((start) => start >= 0);
  found.set(text, starts.length === 0 ? 0 : Math.min(...starts));
  return true;
}

function partsOf(text: string): readonly string[] {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return partsOfUrl(text);
  if (/^[{[]/.test(text)) return partsOfJson(text);
  const login = decodedLogin(text) ?? /^([\w.@+-]+):[ \t]*(.*)$/s.exec(text);
  if (login) return partsOfLogin(login[1] ?? "", login[2] ?? "");
  const credentials = /^[a-z][\w-]*[ \t]+(\S+|.*=.*)$/is.exec(text)?.[1];
  return [...(credentials === undefined ? [] : [credentials]), ...namedValues(text)];
}

/** User and password of a login in base64, as the scheme `Basic` has it. */
function decodedLogin(text: string): RegExpExecArray | null {
  if (!/^[\w+/-]{6,}={0,2}$/.test(text)) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what decodes to control characters is no login
  return /^([^:\u0000-\u001f\ufffd]*):([^\u0000-\u001f\ufffd]*)$/.exec(Buffer.from(text, "base64").toString("utf8"));
}

/** The password; and the user where that looks like the key of an API, for which there is no password or one of no meaning. */
function partsOfLogin(user: string, password: string): string[] {
  return looksRandom(user) && (password === "" || user.length >= 20) ? [user, password] : [password];
}

/** The password as it is written and as it is meant, the values of the query, and the path, which can be the secret of a web address. */
function partsOfUrl(text: string): string[] {
  const written = /^[^:]+:\/\/[^:/?#]*:(.+)@[^@]*$/s.exec(text)?.[1];
  const parts = [...(written === undefined ? [] : [written]), ...namedValues(text)];
  const url = URL.parse(text);
  if (url === null) return parts;
  if (!/^(https?|wss?):$/.test(url.protocol)) return [...parts, url.password];
  const segments = url.pathname.split("/").filter((segment) => looksRandom(segment));
  return [...parts, ...partsOfLogin(url.username, url.password), url.pathname + url.search, ...segments];
}

function looksRandom(text: string): boolean {
  return /^[\w-]+$/.test(text) && /\d/.test(text) && /[a-z]/i.test(text);
}

function partsOfJson(text: string): string[] {
  const parts: string[] = [];
  try {
    JSON.parse(text, (name, value: unknown) => {
      if (typeof value === "string" && !publicNames.test(name)) parts.push(value);
    });
  } catch {
    // A secret that begins like JSON and is none has no parts.
  }
  return parts;
}

/** The values of a cookie, a form, a query, the parameters of a header, or a connection string of keywords. */
function namedValues(text: string): string[] {
  const pairs = text.matchAll(
    /(?:^|[;&,\s?])([\w.$[\]-]+)[ \t]*=[ \t]*(?:"([^"]*)"|'((?:[^'\\]|\\.)*)'|([^;&,#\s"]+))/g,
  );
  return [...pairs].flatMap(([, name = "", quoted, single, bare = ""]) =>
    publicNames.test(name) ? [] : [quoted ?? single?.replaceAll(/\\(.)/g, "$1") ?? bare],
  );
}

/** Names whose values are no secret, also where they stand beside one. */
const publicNames =
  /^(user(_?(name|id))?|login|e-?mail|name|realm|ur[il]|algorithm|qop|nc|(client|project|tenant)_?id|grant_?type|type|scope|domain|path|expires|max-age|samesite|host|port|db(name)?|database|ssl_?mode|application_name)$/i;
