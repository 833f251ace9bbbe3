/** Ascending numbers, such as instants, in the short form in which they are kept. */

/** Each number but the first as its distance from the one before. */
export function toDeltas(numbers: readonly number[]): number[] {
  return numbers.map((number, i) => (i === 0 ? number : number - (numbers[i - 1] ?? 0)));
}

/** The numbers from their distances. */
export function fromDeltas(deltas: readonly number[]): number[] {
  let sum = 0;
  return deltas.map((delta) => {
    sum += delta;
    return sum;
  });
}
