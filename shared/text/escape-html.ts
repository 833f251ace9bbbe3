/** Text in HTML: of a mail, and of a status page. */

/** A text as it stands in HTML, in elements and in quoted attributes alike. */
export function escapeHtml(text: string): string {
  return withoutDirection(text)
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A text without the characters that turn the direction of what follows, by which it would read as something else (Unicode UTS 39). */
export function withoutDirection(text: string): string {
  return text.replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
