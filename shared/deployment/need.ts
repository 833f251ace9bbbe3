/** Requirements of a deployment, by resource. */

/** A value that a plan must have. */
export interface Requirement {
  /** The value, or a test of it. */
  readonly is: unknown;
  /** The default if nothing is set. @default none: it must be set */
  readonly usual?: unknown;
  /** Why, as a clause that gives the reason or the consequence. */
  readonly why: string;
  /** For a value that is known only after the apply: what its expression must refer to. */
  readonly from?: Reference;
  /** For a list of values that are known only after the apply: how many there must be. */
  readonly size?: number;
  /** How to write it, if the value alone does not show that. */
  readonly write?: string;
  readonly source?: string;
}

/** A resource that an expression must refer to. */
export interface Reference {
  readonly type: string;
  /** Values that identify the resource. */
  readonly key: Key;
  /** The part of `each.value` with which the expression may select it. */
  readonly by?: string;
  /** Other parts of `each.value` that the expression must refer to; no further parts are allowed. @default any */
  readonly parts?: readonly string[];
  /** Path of the value in the resource, and the text after it. */
  readonly attribute?: string;
  readonly suffix?: string;
}

/** Values that identify a resource, by their paths. */
export type Key = Readonly<Record<string, string>>;

/** A test of a value, with the words for what is allowed. */
export interface Test {
  readonly allowed: string;
  holds(value: unknown): boolean;
}

/** A resource that must be planned. */
export interface Need {
  readonly type: string;
  readonly key: Key;
  /** Purpose of the resource, as the end of a sentence: `to …`, `so that …`. */
  readonly why: string;
  /** By path; a path may end in `*` for all that follows. */
  readonly values: Readonly<Record<string, Requirement>>;
  /** Paths that are free: texts for people, and labels. */
  readonly free?: readonly string[];
}

/** A test in words. */
export function such(allowed: string, holds: (value: unknown) => boolean): Test {
  return { allowed, holds };
}
