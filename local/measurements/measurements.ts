/** Source of charts: time series of measurements. On one machine they are stored in a file; in the cloud they are in Cloud Monitoring. */

/** One series. */
export interface SeriesName {
  readonly component: string;
  readonly probe: string;
  readonly metric: string;
  /** Besides probe, component and vantage. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A series over a time, in equal parts of it; parts without a measurement are left out. All lists are equally long. */
export interface Points {
  /** The beginning of each part, in milliseconds since the epoch, ascending. */
  readonly at: readonly number[];
  /** The median, and what 95 of 100 measurements do not exceed; equal where a part has only one measurement. */
  readonly p50: readonly number[];
  readonly p95: readonly number[];
}

/** Which time of a series is asked for. */
export interface Span {
  /** Milliseconds since the epoch; `until` is exclusive. */
  readonly from: number;
  readonly until: number;
  /** The most parts. */
  readonly most: number;
}

/** Measurements that can be read. */
export interface Measurements {
  /** The series of a component, or all. @throws Error one sentence */
  series(component?: string): Promise<readonly SeriesName[]>;
  /** One series over a time. @throws Error one sentence */
  read(name: SeriesName, span: Span): Promise<Points>;
}

/** Quantile of values that are sorted ascending, the nearest of them. @param share from 0 to 1 */
export function nearestQuantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

/** Part lengths of charts, in milliseconds. */
const partLengths: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * 3_600_000),
];

/** The length of the parts of a time, at least `least`, so that there are at most `most` of them. Milliseconds. */
export function partLength({ from, until, most }: Span, least = 0): number {
  const needed = Math.max(least, (until - from) / Math.max(1, most));
  return partLengths.find((length) => length >= needed) ?? Math.ceil(needed / 86_400_000) * 86_400_000;
}
