import { describe, expect, it } from "vitest";
import { type BurnTerms, burnAt, burnsSince, type RunCounts, withRun } from "./burn.ts";

const terms: BurnTerms = { budget: 0.001, paceMs: 1_000, alertAfterMs: 120_000 };
const start = Date.UTC(2025, 8, 16, 12);
const instants = Array.from({ length: 2_000 }, (_, run) => start + run * terms.paceMs);
const hasFailed = (run: number): boolean => run % 20 === 7;

function countsOf(runs: readonly number[]): RunCounts {
  let counts: RunCounts | undefined;
  for (const [run, at] of runs.entries()) counts = withRun(counts, at, hasFailed(run), terms.paceMs);
  if (counts === undefined) throw new Error("no runs");
  return counts;
}

/** A list that counts how often an element of it is read. */
function counted(list: readonly number[]): { readonly list: readonly number[]; readonly reads: () => number } {
  let reads = 0;
  const get = (of: readonly number[], key: string | symbol): unknown => {
    if (typeof key === "string" && /^\d+$/.test(key)) reads += 1;
    return Reflect.get(of, key);
  };
  return { list: new Proxy(list, { get }), reads: () => reads };
}

describe("the burn rate at many instants", () => {
  it("is that of the failures up to each", () => {
    const counts = countsOf(instants);
    for (const [run, at] of instants.entries()) {
      const burn = burnAt(counts, at, hasFailed(run), terms);
      expect(burnsSince(counts, at, hasFailed(run), terms)).toBe(burn?.failures[0]);
      expect(burn?.failures.every((failure) => failure <= at) ?? true).toBe(true);
    }
    const [first] = burnAt(counts, instants.at(-1) ?? 0, false, terms)?.failures ?? [];
    expect(first).toBe(instants[7]);
  });

  it("does not read all runs again for each", () => {
    const { counts, failures, ...others } = countsOf(instants);
    const [buckets, failed] = [counted(counts), counted(failures)];
    const watched: RunCounts = { ...others, counts: buckets.list, failures: failed.list };
    const judged = instants.slice(-480);
    for (const at of judged) burnsSince(watched, at, false, terms);
    expect(buckets.reads()).toBe(counts.length);
    expect(failed.reads()).toBeLessThan(failures.length + judged.length * 30);
  });
});

describe("the burn rate of a probe that runs often", () => {
  it.each([
    [1_000, 0.01, 6],
    [1_000, 0.01, 14],
    [5_000, 0.01, 6],
    [60_000, 0.01, 6],
  ])("of one every %i ms with a budget of %f, every %i-th of whose runs fails, is found", (paceMs, budget, every) => {
    const often = { budget, paceMs, alertAfterMs: 120_000 };
    const runs = Math.ceil((6.5 * 3_600_000) / paceMs);
    let counts: RunCounts | undefined;
    let at = start;
    for (let run = 0; run < runs; run++) {
      at = start + run * paceMs;
      counts = withRun(counts, at, run % every === 1, paceMs);
    }
    expect(counts && burnAt(counts, at, false, often)).toBeDefined();
  });
});
