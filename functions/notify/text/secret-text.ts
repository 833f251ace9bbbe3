/**
 * Texts of requests. `${secret:NAME}` in them stands for the value of a secret, which is read at the moment of sending. Settings may hold such
 * placeholders; what comes from anywhere else must not, or whoever writes it could read every secret of the notifier.
 */
import { withoutMarks } from "../../../shared/text/placeholders.ts";

/** A text of the settings inside a message, whose placeholders are filled in. */
export class SettingText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Returns a text of unknown origin as it stands in a header or an address: it is sent as it is, placeholders included. */
export const literal: (text: string) => string = withoutMarks;

/**
 * Returns a message as JSON: every text in it is literal, except a `SettingText`. Halves of characters, which cutting leaves behind and receivers
 * refuse, are dropped.
 */
export function wellFormedJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (part instanceof SettingText) return part.text;
    if (typeof part !== "string") return part;
    return literal(part.isWellFormed() ? part : part.replaceAll(/\p{Surrogate}/gu, ""));
  });
}

/** Returns an address with more parameters, each of which is literal. */
export function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(query)}`;
}
