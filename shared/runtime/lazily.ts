/** What takes its time to make is made when it is first needed, so that a cold start does not wait for it. */

/** A function that makes a value once, at its first call, and gives it back from then on. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
