/** Text from a target before it is reported: it cannot be cut, joined or shown before its secrets are removed. */
import { bounded, excerpt, type Redact, type Redactor } from "../../../shared/text/redact.ts";

/** Our own text, or text that quotes a target. */
export type ReportText = string | TargetText;

/**
 * Text that a target sent, or a sentence that quotes it. It is not a string, so that it cannot be reported without being concealed: `cite`
 * builds sentences from it, and only a sink opens it, with all secrets known by then.
 */
export class TargetText {
  readonly #write: (redact: Redact) => string;

  private constructor(write: (redact: Redact) => string) {
    this.#write = write;
  }

  /** @param isCut whether the target sent more than that, or may have been about to */
  static of(text: string, isCut = false): TargetText {
    return new TargetText((redact) => redact(text, isCut));
  }

  /** Creates a text from incomplete data in UTF-8: the last character and the last secret may be cut off. */
  static soFar(received: Uint8Array): TargetText {
    return TargetText.of(new TextDecoder().decode(received, { stream: true }), true);
  }

  /** Creates the result of `cite`. */
  static joined(parts: readonly ReportText[]): TargetText {
    return new TargetText((redact) =>
      parts.map((part) => (part instanceof TargetText ? part.#write(redact) : part)).join(""),
    );
  }

  /** Returns the beginning. @param limit in characters */
  first(limit: number): TargetText {
    return new TargetText((redact) =>
      this.#write((text, isCut = false) =>
        excerpt(text, limit, (head, isHead = false) => redact(head, isCut || isHead)),
      ),
    );
  }

  /** Returns the beginning in quotation marks, with control characters escaped. @param limit in characters */
  quoted(limit: number): TargetText {
    return new TargetText((redact) =>
      this.#write((text, isCut = false) => {
        // A secret in several nested encodings is many times as long as the original.
        const head = text.slice(0, maxRead);
        const clean = redact(head, isCut || head.length < text.length);
        return JSON.stringify(excerpt(clean, limit, (all) => all));
      }),
    );
  }

  /** Returns the text with more removed than secrets. @param mask receives the text after its secrets are removed, and before it is cut */
  masked(mask: (text: string) => string): TargetText {
    return new TargetText((redact) => this.#write((text, isCut) => mask(redact(text, isCut))));
  }

  /** Evaluates the text. No part of it may be reported: use `cite` for that. */
  judge<T>(by: (text: string) => T): T {
    return by(this.#write((text) => text));
  }

  /** Opens the text, limited in length and free of secrets. For sinks only. */
  open(secrets: Redactor): string {
    return bounded(this.#write(secrets.redact), secrets);
  }

  /** Returns asterisks in place of the text, as a safeguard against accidental conversion. */
  toString(): string {
    return this.#write(() => "***");
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Number of characters that are searched for secrets before a text is quoted. */
const maxRead = 2_000;

/** A sentence that quotes targets: a tag for template literals. */
export function cite(texts: TemplateStringsArray, ...values: readonly (ReportText | number)[]): TargetText {
  return TargetText.joined(
    texts.flatMap((text, position) => {
      const value = values[position] ?? "";
      return [text, typeof value === "number" ? String(value) : value];
    }),
  );
}

/** Opens a text, limited in length and free of secrets. For sinks only. */
export function openText(text: ReportText, secrets: Redactor): string {
  return typeof text === "string" ? bounded(text, secrets) : text.open(secrets);
}
