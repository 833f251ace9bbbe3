/** The axis of time below a picture: round instants, few enough to be read. Pure. */
import { dateFormat } from "../text/formatters.ts";

/** One tick. */
export interface Tick {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `12:10`, with seconds or the day where the step asks for it. */
  readonly text: string;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * second),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 7, 14, 30].map((days) => days * day),
];

/**
 * Ticks between two instants, at most `most` of them.
 * @param timezone IANA zone in which their texts are
 */
export function ticksOf(from: number, until: number, most: number, timezone: string): Tick[] {
  const step = steps.find((one) => (until - from) / one <= most) ?? Math.ceil((until - from) / most / day) * day;
  const first = Math.ceil(from / step) * step;
  const format = dateFormat("en-GB", {
    timeZone: timezone,
    ...(step < day ? ({ hour: "2-digit", minute: "2-digit", hour12: false } as const) : {}),
    ...(step < minute ? ({ second: "2-digit" } as const) : {}),
    ...(step >= day || until - from > day ? ({ day: "numeric", month: "short" } as const) : {}),
  });
  const count = Math.max(0, Math.floor((until - first) / step) + 1);
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * step;
    return { at, text: format.format(at) };
  });
}
