/** The forms in which a server may write a text into its answer. */

/** Writes a text in a form. */
export type Encode = (text: string) => string;

/** Every form by its name. */
export const encodings: Readonly<Record<string, Encode>> = {
  plain: (text) => text,
  "JSON string": (text) => JSON.stringify(text).slice(1, -1),
  "JSON string in ASCII": (text) =>
    Array.from({ length: text.length }, (_, at) => `\\u${hex(text.charCodeAt(at)).padStart(4, "0")}`).join(""),
  "JSON string with escaped slashes": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  URL: encodeURIComponent,
  "URL in lower case": (text) => encodeURIComponent(text).replaceAll(/%../g, (escaped) => escaped.toLowerCase()),
  "URL, each byte": (text) => [...Buffer.from(text)].map((byte) => `%${hex(byte).padStart(2, "0")}`).join(""),
  form: (text) => new URLSearchParams({ v: text }).toString().slice(2),
  "form in lower case": (text) =>
    new URLSearchParams({ v: text })
      .toString()
      .slice(2)
      .replaceAll(/%../g, (escaped) => escaped.toLowerCase()),
  HTML: (text) => text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? ""),
  "HTML by decimal number": (text) => text.replaceAll(/[^\w ]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`),
  "HTML by hexadecimal number": (text) =>
    text.replaceAll(/[^\w ]/gu, (character) => `&#x${hex(character.codePointAt(0) ?? 0).toUpperCase()};`),
  base64: (text) => Buffer.from(text).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 without padding": (text) => Buffer.from(text).toString("base64").replace(/=+$/, ""),
  "base64url with padding": (text) => Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_"),
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function hex(code: number): string {
  return code.toString(16);
}
