/** Quantiles of samples. */

/** By linear interpolation between the two nearest ranks, as spreadsheets and Prometheus do; `NaN` of nothing. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = Float64Array.from(numbers).sort();
  const rank = q * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** The value in the middle. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}
