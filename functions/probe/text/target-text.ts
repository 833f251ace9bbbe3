/** Text that came from a target, on its way to a result: nobody can cut it, join it or show it before its secrets are taken out. */
import { bounded, excerpt, type Redact, type Redactor } from "../../../shared/text/redact.ts";

/** Our own words, or such as cite a target. */
export type Words = string | TargetText;

/**
 * What a target said, or a sentence that cites it. It is no string, so that it cannot be told without being concealed: `cite` makes sentences of it,
 * and only a sink opens it, with all secrets that are known by then.
 */
export class TargetText {
  readonly #write: (redact: Redact) => string;

  private constructor(write: (redact: Redact) => string) {
    this.#write = write;
  }

  /** @param isCut whether the target said more than that, or may have been about to */
  static of(said: string, isCut = false): TargetText {
    return new TargetText((redact) => redact(said, isCut));
  }

  /** What was received so far, in UTF-8: the last character and the last secret may be incomplete. */
  static soFar(received: Uint8Array): TargetText {
    return TargetText.of(new TextDecoder().decode(received, { stream: true }), true);
  }

  /** What `cite` makes. */
  static joined(parts: readonly Words[]): TargetText {
    return new TargetText((redact) =>
      parts.map((part) => (part instanceof TargetText ? part.#write(redact) : part)).join(""),
    );
  }

  /** The beginning. @param limit in characters */
  first(limit: number): TargetText {
    return new TargetText((redact) =>
      this.#write((text, isCut = false) =>
        excerpt(text, limit, (head, isHead = false) => redact(head, isCut || isHead)),
      ),
    );
  }

  /** The beginning in quotation marks, its control characters escaped. @param limit in characters */
  quoted(limit: number): TargetText {
    return new TargetText((redact) =>
      this.#write((text, isCut = false) => {
        // A secret that is written in several codings in one another is many times as long as it is.
        const head = text.slice(0, mostRead);
        const clean = redact(head, isCut || head.length < text.length);
        return JSON.stringify(excerpt(clean, limit, (all) => all));
      }),
    );
  }

  /** The same, with more taken out than secrets. @param mask is given what was said once its secrets are taken out, before it is cut */
  masked(mask: (text: string) => string): TargetText {
    return new TargetText((redact) => this.#write((text, isCut) => mask(redact(text, isCut))));
  }

  /** Judges what was said. Nothing of it may be told: that is what `cite` is for. */
  judge<T>(by: (said: string) => T): T {
    return by(this.#write((text) => text));
  }

  /** Opens it, bounded and free of secrets. For sinks alone. */
  open(secrets: Redactor): string {
    return bounded(this.#write(secrets.redact), secrets);
  }

  /** Stars in place of all that was said, for whoever forgets what this is. */
  toString(): string {
    return this.#write(() => "***");
  }

  toJSON(): string {
    return this.toString();
  }
}

/** How much of what was said is looked at for secrets before it is quoted, in characters. */
const mostRead = 2_000;

/** A sentence that cites what targets said: a tag for template literals. */
export function cite(texts: TemplateStringsArray, ...values: readonly (Words | number)[]): TargetText {
  return TargetText.joined(
    texts.flatMap((text, position) => {
      const value = values[position] ?? "";
      return [text, typeof value === "number" ? String(value) : value];
    }),
  );
}

/** Opens words, bounded and free of secrets. For sinks alone. */
export function openWords(words: Words, secrets: Redactor): string {
  return typeof words === "string" ? bounded(words, secrets) : words.open(secrets);
}
