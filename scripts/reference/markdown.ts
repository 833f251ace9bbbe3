/** Shared helpers of the pages. */
import { probers } from "../../functions/probe/probers/index.ts";

/** The first line of every page that is written from the code alone. */
export const generated = "<!-- Written by `npm run docs` from the code; edit the code. -->\n";

/** A kind of probe, with a link to its page from the folder `docs`; another name alone. */
export function kindLink(kind: string): string {
  return Object.hasOwn(probers, kind) ? `[\`${kind}\`](probers/${kind}.md)` : `\`${kind}\``;
}

/** A text in a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
