/**
 * Groups messages of a log into templates, by Drain: what is obviously a value becomes a placeholder, messages of the same length and the same
 * beginning are compared, and one that is like a known template makes a placeholder of each word in which they differ.
 *
 * Source: P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. The tree is of depth two here,
 * length and first word: a page of entries is small.
 */

/** Stands for what differs. */
export const placeholder = "<*>";

/** A group of messages that say the same. */
export interface Template {
  words: readonly string[];
  /** The messages, by their places in the list that was grouped. */
  readonly members: number[];
}

/** The share of equal words from which on two messages say the same. */
const likeness = 0.5;
/** The most words of a message that are compared. */
const longest = 60;
/** The most templates: what comes after them is not grouped. */
const mostTemplates = 200;

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

/** The words of a message, with placeholders for values. */
export function wordsOf(message: string): string[] {
  const [line = ""] = message.trim().split("\n");
  const masked = values.reduce((text, value) => text.replaceAll(value, placeholder), line.slice(0, 2_000));
  return masked
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, longest);
}

/** Groups messages, those that come most often first. */
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
    } else if (count < mostTemplates) {
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

/** The template as a message says it that is free of secrets by now: placeholders stand where they stand in the template. */
export function patternLike({ words }: Pick<Template, "words">, message: string): string {
  const own = wordsOf(message);
  // A secret of several words has changed their number: then the message itself is all that can be shown.
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
