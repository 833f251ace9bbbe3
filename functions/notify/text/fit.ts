/** Fits a notice into the limits of a channel: measured in the unit of the limit, folded until it fits, without splitting characters. */
import type { Notice } from "../channel.ts";
import { fullBudget, type NoticeText, type TextBudget, wording } from "./notice-text.ts";

export { bytes, characters } from "./limits.ts";
export { wellFormedJson } from "./secret-text.ts";

/**
 * Returns the largest form of a notice that fits. Sentences of lists are folded first, and counted; then texts get shorter. State, impact,
 * start, end and link are always included, unless there is no room even for these: then the last facts are dropped, and the rest is cut.
 * @param write renders the message of a wording
 * @param fits whether the channel accepts it
 * @throws RangeError if not even a message without any text fits
 */
export function fitted<Message>(
  notice: Notice,
  write: (words: NoticeText) => Message,
  fits: (message: Message) => boolean,
): Message {
  for (const words of formsOf(notice)) {
    const message = write(words);
    if (fits(message)) return message;
  }
  throw new RangeError("the channel's limit is too small for any message");
}

/** Yields every form of a notice, from the largest to one without any text. */
function* formsOf(notice: Notice): Generator<NoticeText> {
  yield wording(notice, fullBudget);
  for (const budget of tighterBudgets) yield wording(notice, budget);
  const { state, what, facts, nextSteps, actions, link, linkTitle } = wording(notice, tightestBudget);
  const linked = link === undefined ? { actions } : { link, actions };
  const short = { state, what, paragraphs: [], lists: [], linkTitle };
  for (let kept = facts.length; kept > 0; kept--) yield { ...short, facts: facts.slice(0, kept), nextSteps, ...linked };
  yield { ...short, facts: [], nextSteps, ...linked };
  for (const end of [linked, { actions }, { actions: [] }]) {
    for (let most = tightestBudget.characters; most >= 1; most = Math.floor(most / 2)) {
      yield { ...short, state: cut(state, most), what: cut(what, most), facts: [], nextSteps: [], ...end };
    }
  }
  yield { ...short, state: "", what: "", facts: [], nextSteps: [], actions: [] };
}

/** Cuts a text to at most `limit` code points, and marks the cut with `…`. */
export function cut(text: string, limit: number): string {
  if (limit < 1) return "";
  const points = [...text];
  return points.length > limit ? `${points.slice(0, limit - 1).join("")}…` : text;
}

const tightestBudget: TextBudget = { sentences: 0, characters: 75 };

/** Budgets below the full one, in decreasing order. */
const tighterBudgets: readonly TextBudget[] = [
  ...Array.from({ length: fullBudget.sentences }, (_, at) => ({
    ...fullBudget,
    sentences: fullBudget.sentences - 1 - at,
  })),
  ...[300, 150].map((most) => ({ sentences: 0, characters: most })),
  tightestBudget,
];
