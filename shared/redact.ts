/** Keeps secrets and endless texts out of everything that is stored, sent or logged. */

/** The longest text of a target that is kept, in characters. */
export const longestText = 300;

/**
 * Makes a text of a target fit to be kept: control characters become spaces, `secrets` become `***`, and the end is cut.
 * @param limit in characters
 */
export function bounded(text: string, secrets: Iterable<string> = [], limit: number = longestText): string {
  // Cut generously first, so that an endless text costs nothing, and only then look for secrets. Halves of characters become visible: a
  // receiver that leaves them out may find nothing left.
  let clean = redact(text.slice(0, limit * 4).toWellFormed(), secrets);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  clean = clean.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return clean.length > limit
    ? `${clean
        .slice(0, limit - 1)
        .toWellFormed()
        .replace(/\ufffd$/, "")}…`
    : clean;
}

/** Replaces every secret in a text by `***`, also where it is URL-encoded. */
export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text;
  // The longest first: of a secret that holds another, nothing may be left over.
  for (const secret of [...secrets].sort((one, other) => other.length - one.length)) {
    if (secret.length < 3) continue;
    if (clean.includes(secret)) clean = clean.replaceAll(secret, "***");
    // Only a text with such signs can hold a secret in another form than its own.
    if (clean.includes("%")) clean = clean.replaceAll(encodeURIComponent(secret), "***");
  }
  return clean;
}
