/** Creates slow values on first use, so that a cold start does not wait for them. */

/** A function that makes a value once, at its first call, and gives it back from then on. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
