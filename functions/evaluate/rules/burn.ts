/**
 * Error-budget burn rate of intermittent failures. Per probe it keeps the number of runs in each twelfth of an hour, and the times of
 * failures that the rule for continuous failures does not see. A fast and a slow window are each combined with a shorter one, so that an
 * alert ends soon after the failures do. Pure.
 * @see https://sre.google/workbook/alerting-on-slos/ multiwindow, multi-burn-rate alerts
 */

/** The runs of one probe within the slow window, and those that failed. */
export interface RunCounts {
  /** Length of a counting bucket, in milliseconds. */
  readonly bucketMs: number;
  /** Number of the first bucket, since the epoch. */
  readonly first: number;
  /** Runs by bucket. */
  readonly counts: readonly number[];
  /** When runs failed, ascending; milliseconds since the epoch. */
  readonly failures: readonly number[];
}

/** The budget, and the failures that another rule covers. */
export interface BurnTerms {
  /** The share of runs that may fail: what the availability target leaves. */
  readonly budget: number;
  /** Interval between runs, in milliseconds. */
  readonly paceMs: number;
  /** Failures that last as long as this are not looked at: the rule over continuous failures is for them; in milliseconds. */
  readonly alertAfterMs: number;
}

/** A burning budget: the failed runs within a window, and the number of all runs. */
export interface Burn {
  readonly window: "fast" | "slow";
  readonly windowMs: number;
  /** When the runs that count failed, ascending; at least three. The first of them is where the trouble began. */
  readonly failures: readonly number[];
  readonly runs: number;
  /** Failed runs of the window that do not count: those of `longer` failures, or of the `present` one, which may become one. */
  readonly aside?: "longer" | "present";
}

/** Burn-rate threshold, and the ratio of failed runs that always counts as broken. */
const rates = { fast: { burn: 14.4, most: 0.4 }, slow: { burn: 6, most: 0.2 } } as const;
/** The windows of a probe that runs every few minutes at least, in milliseconds; of one that runs less often, in runs. */
const hour = 3_600_000;
const fastRuns = 20;
const slowRuns = 60;
/** Parts of the fast window; one of them is its short window. */
const parts = 12;
/** Fewer failures than these are chance, and so is a single stretch of them. */
const fewestFailures = 3;
const fewestStretches = 2;
/** Failures have stopped when none has come for so many times as long as they were apart. */
const pauses = 4;
/** The most failures that are kept: more than the slow window needs to burn. */
const mostFailures = 200;

interface Windows {
  readonly bucketMs: number;
  readonly fast: { readonly longMs: number; readonly shortMs: number };
  readonly slow: { readonly longMs: number; readonly shortMs: number };
}

function windowsFor(paceMs: number): Windows {
  const fastMs = Math.max(hour, fastRuns * paceMs);
  const slowMs = Math.max(6 * hour, slowRuns * paceMs);
  return {
    bucketMs: fastMs / parts,
    fast: { longMs: fastMs, shortMs: fastMs / parts },
    slow: { longMs: slowMs, shortMs: slowMs / parts },
  };
}

/** How far back the failures of a probe count, in milliseconds. */
export function burnLookback(paceMs: number): number {
  return windowsFor(paceMs).slow.longMs;
}

/**
 * The counts with one more run, in whatever order the runs are heard of.
 * @param lateMs how long after a run its instant may still be looked at
 */
export function withRun(
  known: RunCounts | undefined,
  at: number,
  failed: boolean,
  paceMs: number,
  lateMs: number = 0,
): RunCounts {
  const { bucketMs, slow } = windowsFor(paceMs);
  const bucket = Math.floor(at / bucketMs);
  const before = known?.bucketMs === bucketMs ? known : { bucketMs, first: bucket, counts: [], failures: [] };
  const first = Math.min(before.first, bucket);
  const last = Math.max(before.first + before.counts.length - 1, bucket);
  const oldest = last - Math.ceil((slow.longMs + lateMs) / bucketMs);
  const from = Math.max(first, oldest);
  const counts = Array.from({ length: last - from + 1 }, (_, i) => {
    const place = from + i;
    return (before.counts[place - before.first] ?? 0) + (place === bucket ? 1 : 0);
  });
  const all = failed ? [...before.failures, at].sort((a, b) => a - b) : before.failures;
  const failures = all.filter((instant) => instant >= from * bucketMs).slice(-mostFailures);
  return { bucketMs, first: from, counts, failures };
}

/**
 * Returns the burning budget at an instant; `undefined` if there is none.
 * @param goesOn whether the newest run has failed: that failure is not over, and may become a continuous one
 */
export function burnAt(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): Burn | undefined {
  if (counts.failures.length < fewestFailures) return undefined;
  const burn = burningAt(counts, at, goesOn, terms);
  if (burn === undefined || goesOn) return burn;
  // A window that moves on lets nothing begin: it takes a failure, and burns from when that was over.
  const over = (counts.failures.findLast((failure) => failure <= at) ?? at) + terms.paceMs;
  return over >= at || burningAt(counts, over, false, terms) !== undefined ? burn : undefined;
}

function burningAt(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): Burn | undefined {
  const stretches = stretchesUntil(counts, at, terms.paceMs);
  const over = goesOn ? stretches.slice(0, -1) : stretches;
  if (over.length < fewestStretches) return undefined;
  const short = over.filter((stretch) => (stretch.at(-1) ?? 0) - (stretch[0] ?? 0) < terms.alertAfterMs);
  const windows = windowsFor(terms.paceMs);
  for (const window of ["fast", "slow"] as const) {
    const { longMs, shortMs } = windows[window];
    const share = Math.min(rates[window].burn * terms.budget, rates[window].most);
    const long = within(counts, short, at, longMs);
    const lately = within(counts, short, at, shortMs);
    if (long.failures.length < fewestFailures || long.stretches < fewestStretches) continue;
    // The budget is that of the whole window, also of a probe that was only just begun to run.
    const runs = Math.max(long.runs, longMs / terms.paceMs);
    const isBurning = long.failures.length >= share * runs && lately.failures.length >= share * lately.runs;
    const latest = long.failures.slice(-Math.max(lately.failures.length, fewestFailures));
    if (!isBurning || haveStopped(latest, at, terms.paceMs)) continue;
    const isLonger = within(counts, over, at, longMs).failures.length > long.failures.length;
    const aside = isLonger ? "longer" : goesOn ? "present" : undefined;
    const { failures, runs: all } = long;
    return { window, windowMs: longMs, failures, runs: all, ...(aside === undefined ? {} : { aside }) };
  }
  return undefined;
}

type Stretches = readonly (readonly number[])[];

/** The stretches of counts that were looked at before: they are, at one instant after the other. */
const stretched = new WeakMap<RunCounts, { readonly paceMs: number; readonly stretches: Stretches }>();

/** Failures up to an instant, those together that have no good run between them. */
function stretchesUntil(counts: RunCounts, at: number, paceMs: number): Stretches {
  const known = stretched.get(counts);
  const all = known?.paceMs === paceMs ? known.stretches : stretchesOf(counts.failures, paceMs);
  if (all !== known?.stretches) stretched.set(counts, { paceMs, stretches: all });
  const begun = all.slice(0, all.findLastIndex(([from = at]) => from <= at) + 1);
  const last = begun.at(-1);
  return last === undefined || (last.at(-1) ?? at) <= at
    ? begun
    : [...begun.slice(0, -1), last.filter((failure) => failure <= at)];
}

function stretchesOf(failures: readonly number[], paceMs: number): Stretches {
  const stretches: number[][] = [];
  for (const failure of failures) {
    const last = stretches.at(-1);
    if (last !== undefined && failure - (last.at(-1) ?? 0) <= 1.6 * paceMs) last.push(failure);
    else stretches.push([failure]);
  }
  return stretches;
}

/** Returns whether the latest failures have ended: then earlier burning no longer counts. */
function haveStopped(failures: readonly number[], at: number, paceMs: number): boolean {
  const [first, last] = [failures[0], failures.at(-1)];
  if (first === undefined || last === undefined) return true;
  return at - last > Math.max(pauses * ((last - first) / (failures.length - 1)), 3 * paceMs);
}

/** Runs and failures from the beginning of the bucket in which a window begins. */
function within(
  { bucketMs, first, counts }: RunCounts,
  stretches: Stretches,
  at: number,
  windowMs: number,
): { readonly failures: readonly number[]; readonly stretches: number; readonly runs: number } {
  const from = Math.floor((at - windowMs) / bucketMs) + (windowMs > bucketMs ? 1 : 0);
  const until = Math.floor(at / bucketMs);
  const ended = stretches.findLastIndex((stretch) => (stretch.at(-1) ?? 0) < from * bucketMs);
  const inside = stretches.slice(ended + 1);
  const failures = inside.flat();
  const runs = counts.slice(Math.max(0, from - first), Math.max(0, until - first + 1)).reduce((sum, n) => sum + n, 0);
  // Of the first stretch a part may lie before the window.
  const begun = failures.findIndex((failure) => failure >= from * bucketMs);
  return { failures: begun > 0 ? failures.slice(begun) : failures, stretches: inside.length, runs };
}
