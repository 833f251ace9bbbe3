/**
 * Forecasts a metric: the Theil-Sen line through the samples of the window (the median of the slopes between all pairs, so that outliers do
 * not bend it), extended by one window.
 * @see https://en.wikipedia.org/wiki/Theil-Sen_estimator
 */
import { spokenDuration } from "../../../../shared/text/units.ts";
import { median } from "./quantile.ts";
import type { Window } from "./window.ts";

/** The trend in the samples of a window. */
export interface Forecast {
  /** The level now, on the line; without a trend the median of the newer half. */
  readonly now: number;
  /** Change per millisecond; 0 if the trend is not distinguishable from noise. */
  readonly slope: number;
  /** How many of ten slopes between two samples have the same sign as the median. */
  readonly agreement: number;
}

/** Fewer samples say nothing. */
const minSamples = 5;
/** More samples say nothing more, and their pairs grow with the square. */
const maxSamples = 60;
/** The least share of slopes that must go one way. A step in noise reaches three quarters. */
const minAgreement = 0.8;

/** The forecast of a window; `undefined` before it has seen enough: five samples that span half of it. */
export function forecastOf(window: Window): Forecast | undefined {
  const { times, values, from, to, at, windowMs } = window;
  const count = to - from;
  const span = (times[to - 1] ?? Number.NaN) - (times[from] ?? Number.NaN);
  if (count < minSamples || !(span >= windowMs / 2)) return undefined;
  // Every n-th, the last one among them, tells the trend of a long window as well.
  const step = Math.ceil(count / maxSamples);
  const ages: number[] = [];
  const levels: number[] = [];
  for (let i = to - 1; i >= from; i -= step) {
    ages.push(at - (times[i] ?? Number.NaN));
    levels.push(values[i] ?? Number.NaN);
  }
  const slopes = slopesOf(ages, levels);
  const all = median(slopes);
  const agreeing = slopes.filter((slope) => Math.sign(slope) === Math.sign(all) && slope !== 0).length;
  const agreement = slopes.length === 0 ? 0 : agreeing / slopes.length;
  // A value that has levelled off, or rose in one step, has a different slope in its newer half: use the smaller of the two.
  const half = Math.ceil(ages.length / 2);
  const newer = median(slopesOf(ages.slice(0, half), levels.slice(0, half)));
  const slope = agreement < needed(ages.length) || newer * all <= 0 ? 0 : Math.abs(newer) < Math.abs(all) ? newer : all;
  const counted = slope === 0 ? levels.slice(0, half) : levels;
  const now = median(counted.map((level, i) => level + slope * (ages[i] ?? Number.NaN)));
  return { now, slope, agreement: Math.floor(agreement * 10 + 1e-9) };
}

/** The value one window ahead, `NaN` where the samples do not suffice. */
export function forecast(window: Window): number {
  const found = forecastOf(window);
  return found === undefined ? Number.NaN : found.now + found.slope * window.windowMs;
}

/**
 * Describes a forecast: `reaches 85% in about 40 min, 9 of 10 slopes agree`.
 * @param limit the constant it is compared with, and its display unit
 */
export function explainForecast(window: Window, limit?: { readonly value: number; readonly text: string }): string {
  const found = forecastOf(window);
  if (found === undefined) return "";
  const agree = `${found.agreement} of 10 slopes agree`;
  if (found.slope === 0) return found.agreement === 0 ? "no clear trend" : `no clear trend, ${agree}`;
  const ahead = limit === undefined ? Number.NaN : (limit.value - found.now) / found.slope;
  if (limit === undefined || !(ahead > 0)) return agree;
  const minutes = Math.max(1, Math.round(ahead / 60_000));
  return `reaches ${limit.text} in about ${spokenDuration(minutes * 60_000)}, ${agree}`;
}

/** The share of slopes that noise of so many samples hardly ever reaches: three deviations of Kendall's tau, in its own terms. */
function needed(samples: number): number {
  const deviation = Math.sqrt((2 * (2 * samples + 5)) / (9 * samples * (samples - 1)));
  return Math.min(1, Math.max(minAgreement, (1 + 3 * deviation) / 2));
}

function slopesOf(ages: readonly number[], levels: readonly number[]): number[] {
  const slopes: number[] = [];
  for (let i = 0; i < ages.length; i++) {
    for (let j = i + 1; j < ages.length; j++) {
      const elapsed = (ages[j] ?? Number.NaN) - (ages[i] ?? Number.NaN);
      if (elapsed > 0) slopes.push(((levels[i] ?? Number.NaN) - (levels[j] ?? Number.NaN)) / elapsed);
    }
  }
  return slopes;
}
