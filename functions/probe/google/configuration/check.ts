/** What a configuration check is, and how its answers become findings. */
import type { Finding, Unchecked } from "../../../../shared/messages/report.ts";
import type { GoogleReadName } from "../permissions.ts";
import type { Observation } from "./observation.ts";
import type { Read, Refusal } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** What a check says of one resource. `undefined`: there is nothing to judge, because nothing was expected of it. */
export type Answer = Verdict | Silence | undefined;

/** The judgement of a check. */
export interface Verdict {
  readonly ok: boolean;
  /** What was seen, to follow the name of the resource: `it is in the state ERROR`. */
  readonly observed: string;
  /** What is right: `READY`. */
  readonly expected: string;
  /** A whole sentence in place of the remedy of the check, where the case asks for another; on what is right, in place of its reason. */
  readonly advice?: string;
}

/** What an answer of Google leaves open. */
export interface Silence {
  /** A whole sentence. */
  readonly unknown: string;
}

/** The part of an environment that a check speaks of. */
export interface Subject {
  /** Name of the resource. */
  readonly resource: string;
  readonly component?: string | undefined;
}

/** A subject with what a check said of it, or with why it could not be asked. */
export interface Judgement extends Subject {
  readonly answer: Verdict | Silence | { readonly refusal: Refusal };
}

/** One configuration check: a pure function of what was read and of the settings. */
export interface Check {
  /** Stable: rules and evidence refer to it. */
  readonly name: string;
  /** What it means when it is not ok; see `Finding`. */
  readonly severity: NonNullable<Finding["severity"]>;
  /** What is checked, for the documentation: a phrase. */
  readonly title: string;
  /** Why it matters: one sentence. */
  readonly why: string;
  /** What to do when it is not ok: one sentence. */
  readonly remedy: string;
  readonly reads: readonly GoogleReadName[];
  judge(settings: ConfigurationSettings, seen: Observation): readonly Judgement[];
}

/** Everything about a check but its judgement. */
export type CheckWords = Omit<Check, "judge">;

/** A check of one kind of resource, in the words of that kind. */
export interface Expecting<Resource, Own, Wanted = Own> extends Omit<CheckWords, "reads"> {
  /** What the settings expect; without an expectation the check is not made. @default the settings of the resource */
  readonly wants?: (own: Own, settings: ConfigurationSettings) => Wanted | undefined;
  readonly judge: (resource: Resource, wanted: Wanted, settings: ConfigurationSettings) => Answer;
}

/** What the settings expect of a resource. */
export function expectation<Own, Wanted>(
  wants: Expecting<unknown, Own, Wanted>["wants"],
  own: Own,
  settings: ConfigurationSettings,
): Wanted | undefined {
  // Without `wants` the type of what is wanted is that of the settings.
  return wants ? wants(own, settings) : (own as unknown as Wanted);
}

/** A list that has entries. */
export function someOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Judges one resource, as far as it could be read. A resource that does not exist is the matter of `resource_exists` alone. */
export function judged<T>(
  subject: Subject,
  read: Read<T> | undefined,
  judge: (value: T) => Answer,
): readonly Judgement[] {
  if (read === undefined) return [];
  if ("refusal" in read) return read.refusal.reason === "missing" ? [] : [{ ...subject, answer: read }];
  const answer = judge(read.value);
  return answer === undefined ? [] : [{ ...subject, answer }];
}

/** Two reads as one, for what is judged by both; `undefined` where one of them was not asked for. */
export function both<A, B>(a: Read<A> | undefined, b: Read<B> | undefined): Read<readonly [A, B]> | undefined {
  if (a === undefined || b === undefined) return undefined;
  if ("refusal" in a) return a;
  if ("refusal" in b) return b;
  return { value: [a.value, b.value] };
}

/** All reads as one. */
export function allOf<T>(reads: readonly (Read<T> | undefined)[]): Read<readonly T[]> | undefined {
  const values: T[] = [];
  for (const read of reads) {
    if (read === undefined) return undefined;
    if ("refusal" in read) return read;
    values.push(read.value);
  }
  return { value: values };
}

/** What Google's answer does not say. @param what follows "does not say" */
export function silent(what: string): Silence {
  return { unknown: `Google's answer does not say ${what}, so this cannot be judged.` };
}

/** The findings of checks, and what kept others from being made, each once. */
export function findingsOf(
  checks: readonly Check[],
  settings: ConfigurationSettings,
  seen: Observation,
): { findings: Finding[]; unchecked: Unchecked[] } {
  const findings: Finding[] = [];
  const unread = new Map<Refusal, string[]>();
  const unchecked: Unchecked[] = [];
  for (const check of checks) {
    for (const { answer, resource, component } of check.judge(settings, seen)) {
      const about = { resource, ...(component === undefined ? {} : { component }) };
      if ("refusal" in answer) {
        const waiting = unread.get(answer.refusal) ?? [];
        if (!waiting.includes(check.name)) waiting.push(check.name);
        unread.set(answer.refusal, waiting);
      } else if ("unknown" in answer) {
        unchecked.push({ checks: [check.name], ...about, explanation: answer.unknown });
      } else {
        const { ok, observed, expected } = answer;
        findings.push({
          check: check.name,
          ok,
          observed,
          expected,
          explanation: explanationOf(check, answer),
          ...about,
          severity: check.severity,
        });
      }
    }
  }
  const refused = [...unread].map(([{ resource, component, explanation }, names]) => ({
    checks: names,
    resource,
    ...(component === undefined ? {} : { component }),
    explanation,
  }));
  return { findings, unchecked: [...refused, ...unchecked] };
}

function explanationOf({ why, remedy }: Check, { ok, advice }: Verdict): string {
  return ok ? (advice ?? why) : `${why} ${advice ?? remedy}`;
}
