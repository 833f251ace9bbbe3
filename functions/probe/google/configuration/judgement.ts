/** The assessment of one resource, and the combination of reads for it. */
import type { Finding, FindingMeaning } from "../../../../shared/messages/report.ts";
import type { GoogleReadName } from "../permissions.ts";
import type { Read, Refusal } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** The answer of a check for one resource. `undefined`: nothing to check, because the settings expect nothing of it. */
export type CheckOutcome = Verdict | UnknownOutcome | undefined;

/** The verdict of a check. */
export interface Verdict {
  readonly ok: boolean;
  /** The observed state, as a phrase that follows the name of the resource: `it is in the state ERROR`. */
  readonly observed: string;
  /** The expected state: `READY`. */
  readonly expected: string;
  /** A whole sentence that replaces the remedy of the check if the case requires another; if the answer is ok, it replaces its reason. */
  readonly advice?: string;
}

/** The outcome for a value that Google's answer does not contain. */
export interface UnknownOutcome {
  /** A whole sentence. */
  readonly unknown: string;
}

/** The part of an environment that a check covers. */
export interface Subject {
  /** Name of the resource. */
  readonly resource: string;
  readonly component?: string | undefined;
}

/** A subject with the answer of a check, or the reason why it could not be checked. */
export interface Judgement extends Subject {
  readonly answer: Verdict | UnknownOutcome | { readonly refusal: Refusal };
}

/** Texts of a check for the documentation and the findings. */
export interface CheckDescription {
  /** Stable: rules and evidence refer to it. */
  readonly name: string;
  /** Severity of a failure of the check; see `Finding`. */
  readonly severity: NonNullable<Finding["severity"]>;
  /** The condition that the check verifies, as a phrase for the documentation. */
  readonly title: string;
  /** Why it matters: one sentence. */
  readonly why: string;
  /** How to fix a failure of the check: one sentence. RESOURCE, PROJECT and REGION in it stand for the names of the checked resource. */
  readonly remedy: string;
  readonly reads: readonly GoogleReadName[];
  /** What a failure implies for the component; see `Finding`. */
  readonly tells?: readonly FindingMeaning[];
}

/** A check of one kind of resource, in terms of that kind. */
export interface ExpectationCheck<Resource, Own, Wanted = Own> extends Omit<CheckDescription, "reads"> {
  /** Returns what the settings expect; without an expectation the check is skipped. @default the settings of the resource */
  readonly wants?: (own: Own, settings: ConfigurationSettings) => Wanted | undefined;
  readonly judge: (resource: Resource, wanted: Wanted, settings: ConfigurationSettings) => CheckOutcome;
}

/** Returns what the settings expect of a resource. */
export function expectation<Own, Wanted>(
  wants: ExpectationCheck<unknown, Own, Wanted>["wants"],
  own: Own,
  settings: ConfigurationSettings,
): Wanted | undefined {
  // Without `wants`, the expectation has the type of the settings.
  return wants ? wants(own, settings) : (own as unknown as Wanted);
}

/** Returns a non-empty list, or `undefined` for an empty one. */
export function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Checks one resource, as far as it could be read. A missing resource is reported by `resource_exists` alone. */
export function judgementsOf<T>(
  subject: Subject,
  read: Read<T> | undefined,
  judge: (value: T) => CheckOutcome | { readonly refusal: Refusal },
): readonly Judgement[] {
  if (read === undefined) return [];
  if ("refusal" in read) return read.refusal.reason === "missing" ? [] : [{ ...subject, answer: read }];
  const answer = judge(read.value);
  return answer === undefined ? [] : [{ ...subject, answer }];
}

/** Combines two reads into one, for a check that needs both; `undefined` if one of them was not requested. */
export function both<A, B>(a: Read<A> | undefined, b: Read<B> | undefined): Read<readonly [A, B]> | undefined {
  if (a === undefined || b === undefined) return undefined;
  if ("refusal" in a) return a;
  if ("refusal" in b) return b;
  return { value: [a.value, b.value] };
}

/** Combines all reads into one. */
export function allOf<T>(reads: readonly (Read<T> | undefined)[]): Read<readonly T[]> | undefined {
  const values: T[] = [];
  for (const read of reads) {
    if (read === undefined) return undefined;
    if ("refusal" in read) return read;
    values.push(read.value);
  }
  return { value: values };
}

/** Returns the outcome for a value that Google's answer does not contain. @param what follows "does not say" */
export function unknownOutcome(what: string): UnknownOutcome {
  return { unknown: `Google's response does not say ${what}, so this check has no result.` };
}
