import { describe, expect, it } from "vitest";
import type { Failure } from "../../../shared/messages/report.ts";
import { fc } from "../../../tests/support/chance.ts";
import { growthOf } from "../../../tests/support/growth.ts";
import { Bench, failing, noon } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import {
  type FailureLedger,
  isNewFailure,
  joined,
  maxEntries,
  principalFailure,
  sentenceOf,
  updated,
  withFailure,
} from "./failure-ledger.ts";
import { evaluateReport } from "./fold.ts";
import { emptyPartition } from "./state.ts";

const minute = 60_000;
const gap = 2.5 * minute;
const lost: Failure = { kind: "timeout", phase: "connect", message: "no answer within 5s" };
const full: Failure = { kind: "database", phase: "authentication", code: "53300", message: "too many clients" };
const starting: Failure = { kind: "database", phase: "authentication", code: "57P03", message: "starting up" };

/** A ledger of one run a minute. @param runs what each shows, in minutes after noon */
function ledgerOf(runs: readonly (readonly [minute: number, failure: Failure])[]): FailureLedger {
  return runs.reduce<FailureLedger>((known, [at, failure]) => withFailure(known, failure, noon + at * minute, gap), []);
}

/** In one line each: `connect 0-0 x1`. */
function shown(ledger: FailureLedger): string[] {
  const clock = (at: number): number => (at - noon) / minute;
  return ledger.map(({ failure, from, until, count, varied }) => {
    return `${failure.code ?? failure.phase} ${clock(from)}-${clock(until)} x${count}${varied ? " varied" : ""}`;
  });
}

describe("the ledger of failures", () => {
  it.each<[string, readonly (readonly [number, Failure])[], readonly string[]]>([
    [
      "keeps a first failure that was another",
      [
        [10, lost],
        [11, full],
        [12, full],
      ],
      ["connect 10-10 x1", "53300 11-12 x2"],
    ],
    [
      "tells apart what differs only in its code",
      [
        [0, starting],
        [1, full],
        [2, starting],
      ],
      ["57P03 0-2 x2", "53300 1-1 x1"],
    ],
    [
      "begins anew after a pause",
      [
        [0, lost],
        [1, lost],
        [10, lost],
      ],
      ["connect 0-1 x2", "connect 10-10 x1"],
    ],
    [
      "takes what differs in numbers and addresses for the same",
      [
        [0, { ...lost, message: "10.0.0.1:5432 gave no answer within 5s" }],
        [1, { ...lost, message: "10.20.3.44:5433 gave no answer within 812 ms" }],
      ],
      ["connect 0-1 x2"],
    ],
    [
      "takes another sentence for another failure",
      [
        [0, { ...lost, message: "no answer" }],
        [1, { ...lost, message: "the name is unknown" }],
      ],
      ["connect 0-0 x1", "connect 1-1 x1"],
    ],
  ])("%s", (_, runs, expected) => {
    expect(shown(ledgerOf(runs))).toEqual(expected);
  });

  it("does not depend on the order of runs", () => {
    const run = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.constantFrom(lost, full, starting));
    fc.assert(
      fc.property(fc.uniqueArray(run, { selector: ([at]) => at, maxLength: 8 }), (runs) => {
        const sorted = runs.toSorted(([a], [b]) => a - b);
        expect(ledgerOf(runs)).toEqual(ledgerOf(sorted));
      }),
    );
  });

  it("counts every run for any number of failures", () => {
    const words = (index: number): string => [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    const runs = Array.from({ length: 200 }, (_, at) => [at, { ...lost, message: `gave up: ${words(at)}` }] as const);
    const ledger = ledgerOf(runs);
    expect(ledger.length).toBeLessThanOrEqual(maxEntries);
    expect(ledger.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    expect(ledger[0]).toMatchObject({ from: noon, varied: true });
    // An entry that can no longer be distinguished is not reported as a new failure.
    expect(
      isNewFailure(ledger, withFailure(ledger, { ...lost, message: "gave up: again" }, noon + 200 * minute, gap)),
    ).toBe(false);
  });

  it("keeps the newest if every failure differs", () => {
    const runs = Array.from({ length: 20 }, (_, at) => [at, { ...lost, phase: `step ${"x".repeat(at)}` }] as const);
    expect(shown(ledgerOf(runs)).map((line) => line.replace(/^\w+ x* ?/, ""))).toEqual(
      Array.from({ length: maxEntries }, (_, index) => `${12 + index}-${12 + index} x1`),
    );
  });

  it("includes the runs of a diagnosis as well as scheduled ones", () => {
    const scheduled = ledgerOf([
      [0, full],
      [1, full],
    ]);
    const asked = withFailure([], full, noon + 0.5 * minute, gap);
    expect(shown(joined(scheduled, asked, gap))).toEqual(["53300 0-1 x3"]);
  });

  it("updates a copy, and keeps entries that the ledger has dropped", () => {
    const copy = ledgerOf([
      [0, lost],
      [10, full],
    ]);
    const later = ledgerOf([
      [10, full],
      [11, full],
    ]);
    expect(shown(updated(copy, later))).toEqual(["connect 0-0 x1", "53300 10-11 x2"]);
    expect(principalFailure(updated(copy, later))).toEqual(full);
  });

  it("keeps the first and newest entries of a full copy, and counts no part twice", () => {
    const ledger = ledgerOf([
      [0, lost],
      [1, full],
      [2, starting],
    ]);
    const copy = updated([], ledger, 2);
    expect(shown(copy)).toEqual(["connect 0-0 x1", "57P03 2-2 x1"]);
    expect(updated(copy, ledger, 2)).toEqual(copy);
    expect(
      shown(
        updated(
          ledgerOf([
            [0, lost],
            [1, lost],
          ]),
          ledgerOf([[1, lost]]),
        ),
      ),
    ).toEqual(["connect 0-1 x2"]);
  });

  it("counts no run twice if a copy has merged entries that the ledger keeps separate", () => {
    const ledger = ledgerOf([
      [10, lost],
      [20, lost],
      [30, full],
    ]);
    const [first, second] = ledger;
    if (first === undefined || second === undefined) throw new Error("there are two entries");
    const copy = joined([first], [second], 60 * minute);
    expect(shown(copy)).toEqual(["connect 10-20 x2"]);
    expect(shown(updated(copy, ledger))).toEqual(["connect 10-20 x2", "53300 30-30 x1"]);
  });

  it.each([
    ["no answer within 35 s", "no answer within 812ms"],
    ["connect to 10.1.2.3:5432 refused", "connect to [2001:db8::1]:5432 refused"],
    ["request 7d9f0a1e-1111-4222-8333-444455556666 failed", "request 00000000-1111-4222-8333-444455556666 failed"],
    ["instance backend-00042-kiw is gone", "instance backend-00043-zux is gone"],
    ["https://a.example.com/x answered late", "https://b.example.com/y?z=1 answered late"],
    ["certificate ended on 2025-09-16", "certificate ended on 2024-01-02"],
  ])("treats %s and %s as one message", (one, other) => {
    expect(sentenceOf({ message: other })).toBe(sentenceOf({ message: one }));
  });

  it.each(["a-", "1.", ":", "a1"])("normalizes hostile text of %j in linear time", (part) => {
    expect(growthOf((size) => sentenceOf({ message: part.repeat(size) }), 12)).toBeLessThan(32);
  });
});

describe("a partition", () => {
  it("reports a different failure once", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const shows = ["timeout/connect", "http_status/response", "timeout/connect", "http_status/response"];
    let state = emptyPartition;
    const told = shows.map((show) => {
      const [report] = bench.reports({ "backend-health": failing(show) });
      if (!report) throw new Error("the fixture has a group");
      bench.now += minute;
      const step = evaluateReport(state, report, plan);
      state = step.state;
      return step.changes.some((change) => change.what === "probe" && change.fact.probe === "backend-health");
    });
    expect(told).toEqual([true, true, false, false]);
    expect(state.probes["backend-health"]?.failures?.map(({ failure, count }) => [failure.kind, count])).toEqual([
      ["timeout", 2],
      ["http_status", 2],
    ]);
  });
});
