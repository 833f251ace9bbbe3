/** The part of a probe's failure ledger that a symptom keeps. Pure. */
import { isDeepStrictEqual } from "node:util";
import { probePhrase } from "../../incident/record/symptom-text.ts";
import {
  type FailureLedger,
  isSameWay,
  maxEntries,
  principalFailure,
  updated,
} from "../../partition/failure-ledger.ts";
import type { Symptom } from "../diagnosis.ts";

/** The most entries of ledgers of all symptoms together, unless each has two. */
const maxOfAll = 600;
/** The most ways to fail that are kept of one probe. */
const maxFailures = 4;

/** Maximum number of entries per symptom, by number of symptoms. */
export function entriesOfEach(symptoms: number): number {
  return Math.max(2, Math.min(maxEntries, Math.floor(maxOfAll / Math.max(1, symptoms))));
}

/** The symptom with what is newer of the ledger of its probe; the same object where nothing is. */
export function withLedger(symptom: Symptom, ledger: FailureLedger | undefined, most: number = maxEntries): Symptom {
  const failures = updated(symptom.failures, ledger, most);
  const ways = failures
    .map(({ failure }) => failure)
    .filter((failure, index, all) => !all.slice(0, index).some((before) => isSameWay(before, failure)));
  const [first, ...others] = ways;
  if (first === undefined || isDeepStrictEqual(failures, symptom.failures)) return symptom;
  const { failure: _, otherFailures: __, otherwiseSince: ___, ...rest } = symptom;
  const newest = failures.reduce((last, entry) => (entry.until >= last.until ? entry : last));
  const otherwise = failures.find(
    (entry) => isSameWay(entry.failure, newest.failure) && !isSameWay(entry.failure, first),
  );
  return {
    ...rest,
    phrase: probePhrase(probeOf(symptom), principalFailure(failures)),
    failure: first,
    ...(others.length === 0 ? {} : { otherFailures: others.slice(0, maxFailures - 1) }),
    ...(otherwise === undefined ? {} : { otherwiseSince: otherwise.from }),
    failures,
  };
}

/** The name of the probe of a symptom that comes from one. */
export function probeOf({ id }: Pick<Symptom, "id">): string {
  return id.slice("probe/".length);
}
