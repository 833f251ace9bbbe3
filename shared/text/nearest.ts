/** "Did you mean": the name that somebody most likely meant. */

/**
 * The candidate that is fewest slips of the keyboard away from `name`: letters inserted, left out, changed, or two neighbours swapped.
 * Case does not count. `undefined` when nothing is near enough to be worth offering; the first of those equally near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    // More than four letters of ten wrong is another word, not a slip.
    const nearEnough = distance <= 0.4 * Math.max(name.length, candidate.length);
    if (nearEnough && distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/**
 * Damerau-Levenshtein distance in its "optimal string alignment" form, over UTF-16 units.
 * @see https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance#Optimal_string_alignment_distance
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? at(beforeLast, j - 2) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed, swapped));
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
