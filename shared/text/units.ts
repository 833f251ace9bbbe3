/** Base units, durations and sizes: how they are written by people and how they are kept. */
import { ownEntry } from "../runtime/entries.ts";

/** The unit of a metric. Everything is kept in base units: seconds, a ratio from 0 to 1, bytes, a plain count. */
export type Unit = "seconds" | "ratio" | "bytes" | "count";

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A number with its unit, as in `70%`, `25s` or `64MiB`, brought to the base unit. */
export interface Quantity {
  readonly value: number;
  readonly unit: Unit;
}

/** Units that a literal may carry, for error messages. */
export const unitSuffixes: readonly string[] = ["%", ...Object.keys(durationUnits), ...Object.keys(sizeUnits)];

/** Reads `number` and `suffix` (as in `25` and `ms`) as a quantity in base units; `undefined` for a suffix that is no unit. */
export function quantity(number: number, suffix: string): Quantity | undefined {
  if (suffix === "") return { value: number, unit: "count" };
  if (suffix === "%") return { value: number / 100, unit: "ratio" };
  const milliseconds = ownEntry(durationUnits, suffix);
  if (milliseconds !== undefined) return { value: (number * milliseconds) / 1000, unit: "seconds" };
  const bytes = ownEntry(sizeUnits, suffix);
  if (bytes !== undefined) return { value: number * bytes, unit: "bytes" };
  return undefined;
}

/** Reads `5m`, `250ms` or `1h30m` as milliseconds; `undefined` when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const compact = text.trim();
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (ownEntry(durationUnits, unit ?? "") ?? Number.NaN);
  }
  return total;
}

/** Milliseconds in the largest units that keep them exact: `1m30s`, `250ms`, `0s`. The inverse of `parseDuration`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  let rest = Math.round(milliseconds);
  let text = "";
  for (const [unit, size] of Object.entries(durationUnits).reverse()) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text;
}

/** Milliseconds as people say them, with at most two units: `2 min 5 s`, `1 h 10 min`, `3 d`. */
export function spokenDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** Milliseconds from one instant to another by clocks that show whole seconds, so that it agrees with them. */
export function clockSpan(from: number, to: number): number {
  return 1000 * (Math.floor(to / 1000) - Math.floor(from / 1000));
}

/** A value of a metric as people read it: `93%`, `27.4s`, `340ms`, `64MiB`, `12`. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case "ratio":
      return `${trim(value * 100, 1)}%`;
    case "seconds":
      if (value >= 86_400) return `${trim(value / 86_400, 1)}d`;
      return value !== 0 && Math.abs(value) < 1 ? `${trim(value * 1000, 0)}ms` : `${trim(value, 2)}s`;
    case "bytes": {
      const [suffix, size] =
        Object.entries(sizeUnits)
          .filter(([name]) => name.endsWith("iB") || name === "B")
          .reverse()
          .find(([, bytes]) => Math.abs(value) >= bytes) ?? (["B", 1] as const);
      return `${trim(value / size, 1)}${suffix}`;
    }
    case "count":
      return trim(value, 2);
  }
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
