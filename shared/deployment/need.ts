/** Requirements of a deployment, by resource. */

/** A value that a plan must have. */
export interface Requirement {
  /** The value, or a test of it. */
  readonly is: unknown;
  /** The default if nothing is set. @default none: it must be set */
  readonly usual?: unknown;
  /** Why, as the end of a sentence: `because …` or `otherwise …`. */
  readonly why: string;
  /** For a value that only the apply gives: what its expression must refer to. */
  readonly from?: Reference;
  /** For a list of values that only the apply gives: how many there must be. */
  readonly size?: number;
  /** How to write it, if the value alone does not show that. */
  readonly write?: string;
  readonly source?: string;
}

/** A resource that an expression must refer to. */
export interface Reference {
  readonly type: string;
  /** Values by which the resource is known. */
  readonly key: Key;
  /** By which part of `each.value` the expression may choose it. */
  readonly by?: string;
  /** Other parts of `each.value` that the expression must refer to; no further parts are allowed. @default any */
  readonly parts?: readonly string[];
  /** Path of the value in the resource, and the text after it. */
  readonly attribute?: string;
  readonly suffix?: string;
}

/** Values by which a resource is known, by their paths. */
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
  /** Purpose of the resource, as the end of a sentence: `so that …`. */
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
