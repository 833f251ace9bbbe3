/** Kleene's logic of three values: what is not known stays unknown unless the rest decides. `undefined` is the unknown. */

/** True, false or unknown. */
export type Truth = boolean | undefined;

/** True when both are, false when either is false. */
export function both(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === undefined ? undefined : b;
}

/** True when either is, false when both are false. */
export function either(a: Truth, b: Truth): Truth {
  if (a === true || b === true) return true;
  return a === undefined ? undefined : b;
}

/** The opposite of what is known. */
export function negation(a: Truth): Truth {
  return a === undefined ? undefined : !a;
}
