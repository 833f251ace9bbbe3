/**
 * Texts of requests. `${secret:NAME}` in them is a placeholder for the value of a secret, which is read on sending. Settings may contain
 * placeholders; texts from other sources must not, or their authors could read every secret of the notifier.
 */
import { withoutMarks } from "../../../shared/text/placeholders.ts";

/** A text from the settings inside a message, whose placeholders are filled in. */
export class SettingText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Returns a text of unknown origin for a header or a URL: it is sent unchanged, including any placeholders. */
export const literal: (text: string) => string = withoutMarks;

/**
 * Returns a message as JSON. Every text in it is literal, except a `SettingText`. Lone surrogates, which result from cutting and which
 * receivers refuse, are dropped.
 */
export function wellFormedJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (part instanceof SettingText) return part.text;
    if (typeof part !== "string") return part;
    return literal(part.isWellFormed() ? part : part.replaceAll(/\p{Surrogate}/gu, ""));
  });
}

/** Returns a URL with additional parameters, each of which is literal. */
export function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(query)}`;
}
