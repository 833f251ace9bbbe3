/** Measurements as bytes: an hour of raw values of one series, and rollups of minutes and hours. Pure. */
import { nearestQuantile } from "./measurements.ts";

/** One value at an instant, in milliseconds since the epoch. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** Several values of a minute or an hour that begins at `at`. */
export interface Rollup {
  readonly at: number;
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
}

/** Bytes of one entry of either kind. */
const entryBytes = 12;

/** Packs samples: for each 4 bytes of milliseconds since `start`, and a double. */
export function packSamples(samples: readonly Sample[], start: number): Uint8Array {
  const bytes = new Uint8Array(samples.length * entryBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, { at, value }] of samples.entries()) {
    view.setUint32(index * entryBytes, at - start);
    view.setFloat64(index * entryBytes + 4, value);
  }
  return bytes;
}

/** Reads them again. */
export function unpackSamples(bytes: Uint8Array, start: number): Sample[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / entryBytes) }, (_, index) => ({
    at: start + view.getUint32(index * entryBytes),
    value: view.getFloat64(index * entryBytes + 4),
  }));
}

/** Packs rollups: for each 2 bytes of its place since `start`, 2 of its count, and two floats. @param step the length of one, in milliseconds */
export function packRollups(rollups: readonly Rollup[], start: number, step: number): Uint8Array {
  const bytes = new Uint8Array(rollups.length * entryBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, { at, count, p50, p95 }] of rollups.entries()) {
    view.setUint16(index * entryBytes, Math.round((at - start) / step));
    view.setUint16(index * entryBytes + 2, Math.min(65_535, count));
    view.setFloat32(index * entryBytes + 4, p50);
    view.setFloat32(index * entryBytes + 8, p95);
  }
  return bytes;
}

/** Reads them again. */
export function unpackRollups(bytes: Uint8Array, start: number, step: number): Rollup[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / entryBytes) }, (_, index) => ({
    at: start + view.getUint16(index * entryBytes) * step,
    count: view.getUint16(index * entryBytes + 2),
    p50: view.getFloat32(index * entryBytes + 4),
    p95: view.getFloat32(index * entryBytes + 8),
  }));
}

/** Rolls samples up into equal parts of time, exactly. @param step the length of a part, in milliseconds */
export function rollUp(samples: readonly Sample[], step: number): Rollup[] {
  return groups(samples, step).map(([at, own]) => {
    const values = Float64Array.from(own, ({ value }) => value).sort();
    return { at, count: values.length, p50: nearestQuantile(values, 0.5), p95: nearestQuantile(values, 0.95) };
  });
}

/** Rolls rollups up into longer parts: the quantiles of their quantiles, each counted as often as it was measured, which is near but not exact. */
export function rollUpAgain(rollups: readonly Rollup[], step: number): Rollup[] {
  return groups(rollups, step).map(([at, own]) => {
    const [only, second] = own;
    if (only !== undefined && second === undefined) return { ...only, at };
    const count = own.reduce((sum, one) => sum + one.count, 0);
    return { at, count, p50: weighted(own, "p50", 0.5, count), p95: weighted(own, "p95", 0.95, count) };
  });
}

function weighted(rollups: readonly Rollup[], key: "p50" | "p95", share: number, count: number): number {
  const sorted = rollups.toSorted((a, b) => a[key] - b[key]);
  let before = 0;
  for (const one of sorted) {
    before += one.count;
    if (before >= share * count) return one[key];
  }
  return sorted.at(-1)?.[key] ?? Number.NaN;
}

function groups<T extends { readonly at: number }>(items: readonly T[], step: number): [number, T[]][] {
  return [...Map.groupBy(items, ({ at }) => Math.floor(at / step) * step)].sort(([a], [b]) => a - b);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
