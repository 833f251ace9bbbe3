/** Phrases, sentences and timeline entries about symptoms. Pure: everything is quoted from ledgers and alerts. */
import type { Failure } from "../../../../shared/messages/report.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import { isLike, type LedgerEntry } from "../../partition/failure-ledger.ts";
import type { KnownAlert, TimelineEntry } from "../state.ts";
import { clockTime } from "./instants.ts";

/** The most failures that a sentence names of one probe. */
const maxNamed = 3;

/** Describes a failing probe as one phrase: "`database` fails in connect (timeout): no answer within 5s". */
export function probePhrase(probe: string, failure: Failure | undefined): string {
  return failure === undefined ? `\`${probe}\` fails` : `\`${probe}\` fails ${failurePhrase(failure)}`;
}

/** Describes an alert as one phrase, with the values that the condition saw. */
export function alertPhrase({ rule, seen }: KnownAlert): string {
  return `${rule}: ${bounded(seen)}`;
}

/**
 * Describes a symptom, its source and its start as one sentence; for several kinds of failure, each with the instant at which it started:
 * "`database` fails in connect (refused): the connection was refused, from 12:14:00 UTC in login (auth): no such role, from inside, since
 * 12:10:00 UTC."
 */
export function symptomSentence(symptom: Symptom): string {
  const { failures = [], vantage, since, until } = symptom;
  const [first, ...others] = principalOnes(failures);
  // Of several ways to fail, the ledger may leave open which was the first that counts.
  const opening = failureAt(symptom, since);
  const isKnown = first === undefined || (opening !== undefined && isLike(opening, first.failure));
  const rest = (isKnown ? others : [first, ...others])
    .map(({ failure, from }) => `, from ${clockTime(from)} ${failurePhrase(failure)}`)
    .join("");
  const phrase =
    first === undefined ? symptom.phrase : probePhrase(probeOf(symptom), isKnown ? first.failure : undefined);
  const seen = seenLater(symptom);
  const where = vantage === undefined ? "" : `, from ${vantage}`;
  const end = until === undefined ? "" : ` until ${clockTime(until)}`;
  return `${bounded(phrase, [], 400)}${seen}${rest}${where}, since ${clockTime(since)}${end}.`;
}

/** The lines of the timeline for a symptom that is new: each way in which it fails, at the instant of its first run. */
export function onsetNotes(symptom: Symptom): TimelineEntry[] {
  const { failures = [], since, phrase } = symptom;
  const own =
    failures.length === 0
      ? [{ at: since, text: `${phrase}${seenLater(symptom)}.` }]
      : [...beginningOf(symptom), ...laterFailureKinds(symptom).map((entry) => noteOf(symptom, entry))];
  return [...own, ...intermittentNotes(symptom)];
}

/** The lines for a symptom that has come back. */
export function returnNotes(before: Symptom, now: Symptom): TimelineEntry[] {
  const { failures = [], since, phrase } = now;
  const first = failureAt(now, since);
  const shown =
    failures.length === 0 ? `${phrase}${seenLater(now)}` : first && probePhrase(probeOf(now), first.failure);
  const others = newIn(before, failures).filter((entry) => entry !== first);
  return [
    { at: since, text: shown === undefined ? `\`${probeOf(now)}\` fails again.` : `Again: ${shown}.` },
    ...others.map((entry) => noteOf(now, entry)),
    ...intermittentNotes(now),
  ];
}

/** The lines for ways to fail that were not seen of it before. */
export function changeNotes(before: Symptom, now: Symptom): TimelineEntry[] {
  const isNewly = now.intermittent !== undefined && now.intermittent.at !== before.intermittent?.at;
  const isEarlier = isNewly && now.since < before.since;
  const opening = isEarlier ? undefined : failureAt(now, now.since);
  const others = newIn(before, now.failures ?? []).filter((entry) => entry.from > now.since || entry === opening);
  return [
    ...(isEarlier ? beginningOf(now) : []),
    ...others.map((entry) => noteOf(now, entry)),
    ...(isNewly ? intermittentNotes(now) : []),
  ];
}

/** The first entry of each way in which it fails, but for those that reach back to its beginning. */
function laterFailureKinds({ failures = [], since }: Symptom): LedgerEntry[] {
  return failures.filter(
    ({ failure, from }, index) => from > since && !failures.slice(0, index).some((before) => isLike(before, failure)),
  );
}

/** The line for the first failed run. */
function beginningOf(symptom: Symptom): TimelineEntry[] {
  const { failure } = failureAt(symptom, symptom.since) ?? {};
  return [{ at: symptom.since, text: `${probePhrase(probeOf(symptom), failure)}.` }];
}

/** The line for an alert of failures that come and go. */
function intermittentNotes({ intermittent, ...symptom }: Symptom): TimelineEntry[] {
  if (intermittent === undefined) return [];
  return [{ at: intermittent.at, text: `\`${probeOf(symptom)}\` fails intermittently: ${intermittent.seen}.` }];
}

function newIn({ failures = [] }: Symptom, entries: readonly LedgerEntry[]): LedgerEntry[] {
  return entries.filter(({ failure }) => !failures.some((known) => isLike(known, failure)));
}

function noteOf(symptom: Symptom, entry: LedgerEntry): TimelineEntry {
  return { at: Math.max(entry.from, symptom.since), text: `${probePhrase(probeOf(symptom), entry.failure)}.` };
}

/** The failure at an instant; `undefined` if the ledger does not say. */
function failureAt({ failures = [] }: Symptom, at: number): LedgerEntry | undefined {
  const around = failures.filter(({ from, until }) => from <= at && at <= until);
  return around.find(({ from }) => from === at) ?? (around.length === 1 ? around[0] : undefined);
}

/** The first failure and those that were seen most often, in the order in which they began, each way once. */
function principalOnes(failures: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const [first, ...later] = failures.filter(
    ({ failure }, index) => !failures.slice(0, index).some((before) => isLike(before, failure)),
  );
  if (first === undefined) return [];
  const most = later.toSorted((a, b) => b.count - a.count || a.from - b.from).slice(0, maxNamed - 1);
  return [first, ...most.toSorted((a, b) => a.from - b.from)];
}

/** When a rule saw the value that it shows, where that was not at its beginning: " at 12:12:00 UTC". */
function seenLater({ since, seenAt }: Symptom): string {
  return seenAt === undefined || seenAt === since ? "" : ` at ${clockTime(seenAt)}`;
}

function probeOf({ id }: Symptom): string {
  return id.slice("probe/".length);
}

/** Describes a failed run: "in connect (timeout): no answer within 5s". */
export function failurePhrase({ kind, phase, message }: Failure): string {
  return `in ${bounded(phase, [], 40)} (${kind}): ${bounded(message).replace(/\.$/, "")}`;
}
