/**
 * Groups messages of a log into templates with Drain: obvious values become placeholders, messages of the same length and the same beginning
 * are compared, and a message that is similar to a known template turns each word in which they differ into a placeholder. Source: P. He, J.
 * Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. The tree has a depth of two here,
 * length and first word, because a page of entries is small.
 */

/** Placeholder for a varying word. */
export const placeholder = "<*>";

/** A group of equivalent messages. */
export interface Template {
  words: readonly string[];
  /** The messages, by their indexes in the grouped list. */
  readonly members: number[];
}

/** Minimum share of equal words for two messages to be equivalent. */
const likeness = 0.5;
/** Maximum number of words of a message that are compared. */
const longest = 60;
/** Maximum number of templates; later messages are not grouped. */
const maxTemplates = 200;

/** Patterns of values, anywhere in a message. The order matters: the longest forms come first. */
const values: readonly RegExp[] = [
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(Z|[+-]\d\d:?\d\d)?/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /[\w.+-]+@[\w-]+\.[\w.-]+/g,
  /\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g,
  // Keys, hashes and tokens.
  /\b(?=[\w-]*\d)[\w-]{20,}={0,2}/g,
  /\b0x[0-9a-f]+\b/gi,
  /\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi,
  /(?<![A-Za-z0-9<])-?\d+([.,:]\d+)*(?=(ms|s|m|h|d|%|k|K|Ki|M|Mi|MB|MiB|G|Gi|GB|GiB|B)?\b|\W|$)/g,
];

/** Returns the words of a message, with placeholders for values. */
export function wordsOf(message: string): string[] {
  const [line = ""] = message.trim().split("\n");
  const masked = values.reduce((text, value) => text.replaceAll(value, placeholder), line.slice(0, 2_000));
  return masked
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, longest);
}

/** Groups messages, most frequent first. */
export function templatesOf(messages: readonly string[]): Template[] {
  const tree = new Map<string, Template[]>();
  let count = 0;
  messages.forEach((message, place) => {
    const words = wordsOf(message);
    if (words.length === 0) return;
    const branch = `${words.length} ${words[0]}`;
    const known = tree.get(branch) ?? [];
    const [best] = known
      .map((template) => ({ template, share: sharedWords(template.words, words) / words.length }))
      .filter(({ share }) => share >= likeness)
      .sort((a, b) => b.share - a.share);
    if (best !== undefined) {
      best.template.words = merged(best.template.words, words);
      best.template.members.push(place);
    } else if (count < maxTemplates) {
      count += 1;
      tree.set(branch, [...known, { words, members: [place] }]);
    }
  });
  return [...tree.values()].flat().sort((a, b) => b.members.length - a.members.length);
}

/** A template as text. */
export function patternOf({ words }: Pick<Template, "words">): string {
  return words.join(" ").replaceAll(/<\*>( <\*>)+/g, placeholder);
}

/** Returns the template as it appears in a message that is free of secrets by now, with placeholders at the same positions. */
export function patternLike({ words }: Pick<Template, "words">, message: string): string {
  const own = wordsOf(message);
  // A secret of several words changed their number, so only the message itself can be shown.
  const isSame = own.length === words.length;
  return patternOf({ words: own.map((word, index) => (isSame && words[index] === placeholder ? placeholder : word)) });
}

/** Returns the number of words that two messages of the same length share. A placeholder matches any word. */
function sharedWords(some: readonly string[], others: readonly string[]): number {
  return some.reduce((sum, word, index) => sum + Number(word === others[index]), 0);
}

function merged(some: readonly string[], others: readonly string[]): string[] {
  return some.map((word, index) => (word === others[index] ? word : placeholder));
}
