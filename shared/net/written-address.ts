/** Finds mistakes in a handwritten URL that `URL` corrects silently, such as a missing host. Pure. */
import { isIP } from "node:net";
import { fillMarks, marksOf } from "../text/placeholders.ts";

/** A label of a host name. Underscores are no part of host names by the letter, and are met in DNS all the same. */
const label = /^[\p{L}\p{N}_]([\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u;

/** Returns what is wrong with a host, without brackets and port; `undefined` for a name or an address. */
export function hostMistake(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined;
  const wrong = (why: string): string => `invalid host "${host}": ${why}`;
  const name = host.replace(/\.$/, "");
  if (name.length > 253) return wrong("a host name has at most 253 characters");
  const labels = name.split(".");
  if (labels.includes("")) return wrong("a name stands on both sides of each dot");
  if (/^\d+$/.test(labels.at(-1) ?? "")) return wrong("write all four numbers of an address, each up to 255");
  if (labels.some((part) => part.length > 63)) return wrong("a part between dots has at most 63 characters");
  return labels.every((part) => label.test(part))
    ? undefined
    : wrong("write letters, digits and hyphens, with a letter or digit at either end of each part");
}

/**
 * Returns what is wrong with a URL; `undefined` for a right one. `${name}` in it stands for something that is filled in later.
 * @param schemes that are allowed, such as `https`
 * @param besides what else holds of such a URL, for the sentence about its form
 */
export function urlMistake(text: string, schemes: readonly string[], besides: string = ""): string | undefined {
  const form = `must be a URL that begins with ${schemes.map((one) => `${one}://`).join(" or ")}${besides}`;
  const url = fillMarks(text, () => "x");
  const [, scheme = "", rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (rest === undefined || !schemes.includes(scheme.toLowerCase())) return form;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\s\u0000-\u001f\u007f]/.test(url)) return "a URL has no spaces and line breaks: write %20 for a space";
  const [authority = ""] = /^[^/?#\\]*/.exec(rest) ?? [];
  if (/^\[[^\]]*$/.test(authority)) return "the ] that closes the IPv6 address is missing";
  const [, bracketed, plain = "", port] =
    /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/.exec(authority.slice(authority.lastIndexOf("@") + 1)) ?? [];
  if (bracketed !== undefined && isIP(bracketed) !== 6) return `invalid IPv6 address "${bracketed}"`;
  if (bracketed === undefined && plain === "")
    return `the host after ${scheme}:// is missing: write ${scheme}://example.com/path`;
  const mistake = bracketed === undefined ? hostMistake(decoded(plain)) : undefined;
  if (mistake !== undefined) return mistake;
  if (port === "") return "the port after the colon is missing: add one, or remove the colon";
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return `invalid port ${port}: write one from 1 to 65535`;
  return URL.canParse(url) ? undefined : form;
}

/** Returns what to write instead of a URL in which something stands that nothing will fill in; `undefined` where there is nothing of the kind. */
export function unfilledMark(url: string): string | undefined {
  const [mark] = marksOf(url);
  return mark && `\${${mark.name}} is not filled in here: write the address itself`;
}

/** Returns what is wrong with the value of a header; `undefined` for one line of text. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
export function headerMistake(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)
    ? "must be one line without control characters: a line break would begin another header"
    : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
