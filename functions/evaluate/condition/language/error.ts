/** The one error of the condition language. */

/** A part of a text: offsets in UTF-16 units, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What is wrong with a condition, where it stands, and what to write instead. */
export class ConditionError extends Error {
  override readonly name = "ConditionError";
  /** Where the mistake begins: offset from 0 in the text. */
  readonly position: number;
  /** How many characters are mistaken; 0 where something is missing at the end. */
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
