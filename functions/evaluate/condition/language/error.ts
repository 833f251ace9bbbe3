/** The one error of the condition language. */

/** A part of a text: offsets in UTF-16 units, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A mistake in a condition: what is wrong, where, and what to write instead. */
export class ConditionError extends Error {
  override readonly name = "ConditionError";
  /** Start of the mistake: offset from 0 in the text. */
  readonly position: number;
  /** Length of the mistake in characters; 0 if something is missing at the end. */
  readonly length: number;
  /** The whole text corrected, where the mistake says how. */
  readonly suggestion?: string;

  constructor(message: string, span: Span, suggestion?: string) {
    super(message);
    this.position = span.start;
    this.length = span.end - span.start;
    if (suggestion !== undefined) this.suggestion = suggestion;
  }
}

/** The text with `replacement` in place of `span`. */
export function corrected(text: string, span: Span, replacement: string): string {
  return `${text.slice(0, span.start)}${replacement}${text.slice(span.end)}`.replaceAll(/\s+/g, " ").trim();
}
