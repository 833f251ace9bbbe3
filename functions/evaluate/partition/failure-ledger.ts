/**
 * The ledger of a probe's failures: every distinct failure, from when until when it was seen, and how often. It is what the record of an incident
 * cites. Pure: the same failures in any order make the same ledger, as long as it holds all of them.
 */
import type { Failure } from "../../../shared/messages/report.ts";
import { bounded } from "../../../shared/text/redact.ts";

/** One distinct failure: between `from` and `until`, both included, the probe failed like this `count` times. */
export interface LedgerEntry {
  /** Message of the first of these runs. */
  readonly failure: Failure;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  readonly count: number;
  /** Its sentence was a different one each time, and only the first is kept. */
  readonly varied?: true;
}

/** Entries ascending by their beginning, at most `mostEntries`. */
export type FailureLedger = readonly LedgerEntry[];

/** The most entries of one probe: with the longest sentences, 3 KiB. */
export const maxEntries = 8;
/** The longest sentence that is kept, in characters. */
const longestMessage = 200;
/** Minimum retention of an entry, in milliseconds. */
const keptFor = 86_400_000;

/**
 * Adds the failure of one run.
 * @param at when the run was, in milliseconds since the epoch
 * @param gapMs how far apart two runs with the same failure are at most to share an entry
 * @param lookbackMs how far back the record of an incident may begin
 */
export function withFailure(
  ledger: FailureLedger = [],
  failure: Failure,
  at: number,
  gapMs: number,
  lookbackMs: number = keptFor,
): FailureLedger {
  const { message, ...rest } = failure;
  const added: LedgerEntry = {
    failure: { ...rest, message: bounded(message, [], longestMessage) },
    from: at,
    until: at,
    count: 1,
  };
  const current = ledger.filter(({ until }) => until >= at - Math.max(keptFor, lookbackMs));
  return withRoom(withEntry(current, added, gapMs));
}

/** Puts two ledgers of different runs of one probe together. */
export function joined(ledger: FailureLedger = [], other: FailureLedger = [], gapMs: number): FailureLedger {
  return withRoom(other.reduce((known, entry) => withEntry(known, entry, gapMs), ledger));
}

/**
 * Brings what was copied of a ledger up to a newer state of it, or to a part of one. Entries that the ledger has dropped since then stay.
 * @param most how many entries are kept: the first, and the newest
 */
export function updated(
  known: FailureLedger = [],
  ledger: FailureLedger = [],
  most: number = maxEntries,
): FailureLedger {
  const isWithin = ({ failure, from, until }: LedgerEntry, others: FailureLedger): boolean =>
    others.some((one) => isLike(one, failure) && one.from <= from && until <= one.until);
  const kept = known.filter((entry) => !isWithin(entry, ledger));
  const added = ledger.filter((entry) => !isWithin(entry, kept));
  const all = withRoom(inOrder([...kept, ...added]));
  return all.length <= most ? all : [...all.slice(0, 1), ...all.slice(1 - most)];
}

/** The entries that were seen at an instant or later. */
export function ledgerSince(ledger: FailureLedger = [], from: number): FailureLedger {
  return ledger.filter(({ until }) => until >= from);
}

/** Returns whether the newest run failed in a way that no earlier run in the ledger did. */
export function isNewFailure(before: FailureLedger = [], after: FailureLedger = []): boolean {
  return after.some((entry) => entry.count === 1 && !before.some((known) => isLike(known, entry.failure)));
}

/** The failure that was seen most often, the earliest of several. */
export function principalFailure(ledger: FailureLedger): Failure | undefined {
  return ledger.reduce<LedgerEntry | undefined>((most, one) => (one.count > (most?.count ?? 0) ? one : most), undefined)
    ?.failure;
}

/** Returns whether an entry describes this failure: the same kind and, except for numbers and addresses, the same message. */
export function isLike({ failure, varied }: LedgerEntry, other: Failure): boolean {
  if (!isSameWay(failure, other)) return false;
  return varied === true || failure.message === other.message || sentenceOf(failure) === sentenceOf(other);
}

/** Returns whether two failures have the same kind, phase, status and code. */
export function isSameWay(one: Failure, other: Failure): boolean {
  return one.kind === other.kind && one.phase === other.phase && one.status === other.status && one.code === other.code;
}

/** A sentence with its addresses, names of machines, identifiers and numbers replaced. */
export function sentenceOf(failure: Pick<Failure, "message">): string {
  const known = sentences.get(failure);
  if (known !== undefined) return known;
  const text = failure.message.slice(0, longestMessage);
  const sentence = replaced.reduce((shown, pattern) => shown.replaceAll(pattern, "#"), text);
  sentences.set(failure, sentence);
  return sentence;
}

/** Sentences that were worked out before: an entry is compared with every later run. */
const sentences = new WeakMap<Pick<Failure, "message">, string>();

/** Parts that vary between runs: addresses, identifiers, and numbers with their units. Each pattern is linear in the length of the text. */
const replaced: readonly RegExp[] = [
  /\b[a-z][a-z+.-]{1,15}:\/\/[^\s"'`)\]]+/gi,
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
  /\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\]?(?::\d{1,5})?/gi,
  /\b(?=[a-z-]{0,40}\d)[\da-z-]{6,}\b/gi,
  /\b(?:[a-z\d-]{1,63}\.){1,8}[a-z]{2,24}(?::\d{1,5})?\b/gi,
  /\b\d+(?:[.,:/-]\d+)*(?:\s?(?:ns|µs|us|ms|s|min|m|h|d|%|[KMGT]?i?B)\b|%)?/g,
];

/** The ledger with one more entry, which joins those of the same failure that it touches. */
function withEntry(ledger: FailureLedger, added: LedgerEntry, gapMs: number): FailureLedger {
  const touches = (entry: LedgerEntry): boolean =>
    isLike(entry, added.failure) && entry.from - gapMs <= added.until && added.from <= entry.until + gapMs;
  const [own, others] = [ledger.filter(touches), ledger.filter((entry) => !touches(entry))];
  return inOrder([...others, own.reduce(together, added)]);
}

function together(one: LedgerEntry, other: LedgerEntry): LedgerEntry {
  const [first, second] = one.from <= other.from ? [one, other] : [other, one];
  const isVaried = one.varied || other.varied || sentenceOf(one.failure) !== sentenceOf(other.failure);
  return {
    failure: first.failure,
    from: first.from,
    until: Math.max(first.until, second.until),
    count: one.count + other.count,
    ...(isVaried ? { varied: true } : {}),
  };
}

function inOrder(entries: FailureLedger): FailureLedger {
  return entries.toSorted((a, b) => a.from - b.from || a.until - b.until);
}

/**
 * Puts entries together until there are no more than fit: the two oldest of one failure, else the two oldest that differ only in their sentences.
 * Where all differ in their way, the one that ended first is dropped.
 */
function withRoom(entries: FailureLedger): FailureLedger {
  let kept = entries;
  while (kept.length > maxEntries) {
    const pair =
      pairOf(kept, (one, other) => isLike(one, other.failure)) ??
      pairOf(kept, (one, other) => isSameWay(one.failure, other.failure));
    if (pair === undefined) {
      const first = Math.min(...kept.map(({ until }) => until));
      const dropped = kept.findIndex(({ until }) => until === first);
      return kept.toSpliced(dropped, 1);
    }
    kept = inOrder([...kept.filter((entry) => !pair.includes(entry)), together(pair[0], pair[1])]);
  }
  return kept;
}

function pairOf(
  entries: FailureLedger,
  matches: (one: LedgerEntry, other: LedgerEntry) => boolean,
): readonly [LedgerEntry, LedgerEntry] | undefined {
  for (const [index, one] of entries.entries()) {
    const other = entries.slice(index + 1).find((later) => matches(one, later));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}
