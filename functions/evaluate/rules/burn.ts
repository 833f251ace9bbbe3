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
const minFailures = 3;
const minStretches = 2;
/** Failures have stopped when none has come for so many times as long as they were apart. */
const pauses = 4;
/** The fewest and the most failures that are kept. */
const keptFailures = { least: 200, most: 5_000 } as const;

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

/**
 * The most failures that are kept: as many as let the slow window burn, whatever the budget, and at least 200. Only probes that run more than once a
 * second fail more often within it; theirs are found if their budget is small.
 */
function mostFailures(paceMs: number): number {
  const needed = Math.ceil((rates.slow.most * windowsFor(paceMs).slow.longMs) / paceMs);
  return Math.min(Math.max(needed, keptFailures.least), keptFailures.most);
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
  const all = failed ? withInstant(before.failures, at) : before.failures;
  const dropped = Math.max(firstFrom(all, from * bucketMs), all.length - mostFailures(paceMs));
  const failures = dropped > 0 ? all.slice(dropped) : all;
  return { bucketMs, first: from, counts, failures };
}

/**
 * Returns the burning budget at an instant; `undefined` if there is none.
 * @param goesOn whether the newest run has failed: that failure is not over, and may become a continuous one
 */
export function burnAt(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): Burn | undefined {
  const found = foundAt(counts, at, goesOn, terms);
  if (found === undefined) return undefined;
  const { counted, ...burn } = found;
  const { short, start, end, newest } = counted;
  return { ...burn, failures: [...short.slice(start, end), ...newest] };
}

/**
 * Returns the first failure that counts while the budget burns at an instant; `undefined` if it does not burn. The same as the first of the
 * failures of `burnAt`, which it does not collect.
 */
export function burnsSince(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): number | undefined {
  const found = foundAt(counts, at, goesOn, terms);
  return found && failureAt(found.counted, 0);
}

/** A burning window, with its failures not collected yet. */
interface Found extends Omit<Burn, "failures"> {
  readonly counted: Window;
}

function foundAt(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): Found | undefined {
  if (counts.failures.length < minFailures) return undefined;
  const found = burningAt(counts, at, goesOn, terms);
  if (found === undefined || goesOn) return found;
  // A window that moves on lets nothing begin: it takes a failure, and burns from when that was over.
  const over = (counts.failures.findLast((failure) => failure <= at) ?? at) + terms.paceMs;
  return over >= at || burningAt(counts, over, false, terms) !== undefined ? found : undefined;
}

function burningAt(counts: RunCounts, at: number, goesOn: boolean, terms: BurnTerms): Found | undefined {
  const index = indexOf(counts, terms);
  const begun = index.stretches.findLastIndex(([from = at]) => from <= at);
  if ((goesOn ? begun : begun + 1) < minStretches) return undefined;
  const newest = goesOn ? [] : (index.stretches[begun] ?? []).filter((failure) => failure <= at);
  const past: Past = { index, whole: begun, newest, isShort: isShort(newest, terms) };
  const windows = windowsFor(terms.paceMs);
  for (const window of ["fast", "slow"] as const) {
    const { longMs, shortMs } = windows[window];
    const share = Math.min(rates[window].burn * terms.budget, rates[window].most);
    const long = within(counts, past, at, longMs);
    if (long.size < minFailures || long.stretches < minStretches) continue;
    const lately = within(counts, past, at, shortMs);
    // The budget is that of the whole window, also of a probe that was only just begun to run.
    const runs = Math.max(long.runs, longMs / terms.paceMs);
    const isBurning = long.size >= share * runs && lately.size >= share * lately.runs;
    if (!isBurning || haveStopped(long, Math.max(lately.size, minFailures), at, terms.paceMs)) continue;
    const isLonger = failuresSince(counts, past, long.since) > long.size;
    const aside = isLonger ? "longer" : goesOn ? "present" : undefined;
    return { window, windowMs: longMs, counted: long, runs: long.runs, ...(aside === undefined ? {} : { aside }) };
  }
  return undefined;
}

type Stretches = readonly (readonly number[])[];

/** Failures and runs of counts in running totals, so that a window is counted without being collected. */
interface Index {
  readonly paceMs: number;
  readonly alertAfterMs: number;
  /** Failures that have no good run between them. */
  readonly stretches: Stretches;
  /** Failures of short stretches, and for each the number of its stretch among these. */
  readonly short: readonly number[];
  readonly ordinals: readonly number[];
  /** Failures before each stretch: those of short stretches, and all. */
  readonly shortBefore: readonly number[];
  readonly allBefore: readonly number[];
  /** Runs before each bucket, and before the end. */
  readonly runsBefore: readonly number[];
}

/** Indexes of the counts that were looked at before: they are, at one instant after the other. */
const indexes = new WeakMap<RunCounts, Index>();

function indexOf(counts: RunCounts, { paceMs, alertAfterMs }: BurnTerms): Index {
  const known = indexes.get(counts);
  if (known?.paceMs === paceMs && known.alertAfterMs === alertAfterMs) return known;
  const stretches = stretchesOf(counts.failures, paceMs);
  const [short, ordinals, shortBefore, allBefore]: [number[], number[], number[], number[]] = [[], [], [], []];
  let all = 0;
  for (const stretch of stretches) {
    shortBefore.push(short.length);
    allBefore.push(all);
    all += stretch.length;
    if (!isShort(stretch, { alertAfterMs })) continue;
    const ordinal = (ordinals.at(-1) ?? -1) + 1;
    for (const failure of stretch) {
      short.push(failure);
      ordinals.push(ordinal);
    }
  }
  const runsBefore = [0];
  for (const runs of counts.counts) runsBefore.push((runsBefore.at(-1) ?? 0) + runs);
  const index = { paceMs, alertAfterMs, stretches, short, ordinals, shortBefore, allBefore, runsBefore };
  indexes.set(counts, index);
  return index;
}

function isShort(stretch: readonly number[], { alertAfterMs }: Pick<BurnTerms, "alertAfterMs">): boolean {
  return (stretch.at(-1) ?? 0) - (stretch[0] ?? 0) < alertAfterMs;
}

/** Failures up to an instant: all of the first so many stretches, and the newest stretch as far as it has come; empty if it does not count. */
interface Past {
  readonly index: Index;
  readonly whole: number;
  readonly newest: readonly number[];
  readonly isShort: boolean;
}

/** The number of failures of a past since an instant, long stretches included. */
function failuresSince({ failures }: RunCounts, { index, whole, newest }: Past, since: number): number {
  const before = index.allBefore[whole] ?? failures.length;
  return Math.max(0, before - firstFrom(failures, since)) + newest.length - firstFrom(newest, since);
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

/** Returns whether the newest `latest` failures of a window have ended: then earlier burning no longer counts. */
function haveStopped(window: Window, latest: number, at: number, paceMs: number): boolean {
  const many = Math.min(latest, window.size);
  const [first, last] = [failureAt(window, window.size - many), failureAt(window, window.size - 1)];
  return at - last > Math.max(pauses * ((last - first) / (many - 1)), 3 * paceMs);
}

/** Failures of short stretches within a window: a part of the index, and then a part of the newest stretch. */
interface Window {
  readonly short: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly newest: readonly number[];
  /** When the bucket begins in which the window begins, in milliseconds since the epoch. */
  readonly since: number;
  readonly size: number;
  readonly stretches: number;
  /** All runs in these buckets. */
  readonly runs: number;
}

/** Counts from the beginning of the bucket in which a window begins. */
function within({ bucketMs, first }: RunCounts, { index, whole, ...past }: Past, at: number, windowMs: number): Window {
  const from = Math.floor((at - windowMs) / bucketMs) + (windowMs > bucketMs ? 1 : 0);
  const until = Math.floor(at / bucketMs);
  const since = from * bucketMs;
  const { short, ordinals, shortBefore, runsBefore } = index;
  const end = shortBefore[whole] ?? short.length;
  const start = Math.min(firstFrom(short, since), end);
  const newest = past.isShort ? past.newest.slice(firstFrom(past.newest, since)) : [];
  const stretches = start < end ? (ordinals[end - 1] ?? 0) - (ordinals[start] ?? 0) + 1 : 0;
  const runsUntil = (bucket: number): number =>
    runsBefore[Math.min(Math.max(0, bucket - first), runsBefore.length - 1)] ?? 0;
  return {
    short,
    start,
    end,
    newest,
    since,
    size: end - start + newest.length,
    stretches: stretches + (newest.length > 0 ? 1 : 0),
    runs: Math.max(0, runsUntil(until + 1) - runsUntil(from)),
  };
}

function failureAt({ short, start, end, newest }: Window, place: number): number {
  return (place < end - start ? short[start + place] : newest[place - (end - start)]) ?? Number.NaN;
}

/** Ascending instants with one more, in its place. */
function withInstant(instants: readonly number[], at: number): readonly number[] {
  return at >= (instants.at(-1) ?? at) ? [...instants, at] : instants.toSpliced(firstFrom(instants, at), 0, at);
}

/** The place of the first of ascending instants that is not before another. */
function firstFrom(instants: readonly number[], since: number): number {
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((instants[middle] ?? 0) < since) low = middle + 1;
    else high = middle;
  }
  return low;
}
