import { describe, expect, it } from "vitest";
import type { Report } from "../../../shared/messages/report.ts";
import { fc } from "../../../tests/support/chance.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import { Bench, failing, noon, probe, rule, smallEnvironment } from "../fixtures.ts";
import { type Plan, planOf } from "../plan.ts";
import { decodePartition, encodePartition, readPartition, type StoredPartition, writePartition } from "./document.ts";
import { evaluateReport, evaluateTick } from "./fold.ts";
import { emptyPartition, type PartitionState } from "./state.ts";
import { stateDifference, withStateDifference } from "./state-difference.ts";

const minute = 60_000;
const group = "outside-1m";

/** Two versions of an environment: the second has lost a probe, got another, and has other rules. */
const versions = [
  {
    probes: ["a", "b", "c"],
    rules: [rule("Slow", "http_response_time > 5s", "2m"), rule("Jump", "http_phase_time > 1s", "1m")],
  },
  { probes: ["a", "c", "d"], rules: [rule("Slow", "avg(http_response_time, 10m) > 5s", "2m")] },
].map(({ probes, rules }) => ({ ...smallEnvironment, probes: probes.map((name) => probe(name, "backend")), rules }));
const plans = versions.map(planOf);

/** An event in the life of a partition. */
type Event =
  | { readonly what: "report"; readonly values: readonly number[]; readonly late: number; readonly phase: string }
  | { readonly what: "tick" }
  | { readonly what: "configured"; readonly version: number };

const events = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        what: fc.constant("report" as const),
        values: fc.array(fc.constantFrom(-1, 0.2, 0.3, 9), { minLength: 3, maxLength: 3 }),
        late: fc.constantFrom(0, 0, 0, 0, 1, 2, 30),
        phase: fc.constantFrom("connect", "connect", "dns", "tls"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("tick" as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("configured" as const), version: fc.nat(1) }) },
  ),
  { minLength: 2, maxLength: 30 },
);

/** The states of a partition, one after each event, a minute apart. */
function* lived(all: readonly Event[]): Generator<PartitionState> {
  let state = emptyPartition;
  let version = 0;
  for (const [index, event] of all.entries()) {
    const now = noon + index * minute;
    if (event.what === "configured") version = event.version;
    else
      state =
        event.what === "tick"
          ? evaluateTick(state, group, planAt(version), now).state
          : reported(state, event, version, now);
    yield state;
  }
}

function planAt(version: number): Plan {
  return plans[version] ?? planOf(smallEnvironment);
}

function reported(
  state: PartitionState,
  event: Event & { what: "report" },
  version: number,
  now: number,
): PartitionState {
  const bench = new Bench(versions[version]);
  bench.now = now - event.late * minute;
  const names = versions[version]?.probes.map(({ name }) => name) ?? [];
  const shown = Object.fromEntries(
    names.map((name, i) => [
      name,
      (event.values[i] ?? 0) < 0 ? failing("timeout/connect") : { http_response_time: event.values[i] ?? 0 },
    ]),
  );
  const [report] = bench.reports(shown);
  if (report === undefined) throw new Error("the fixture has a group");
  return evaluateReport(state, withPhase(report, event.phase), planAt(version)).state;
}

/** With a series of its own for each phase, which comes and goes. */
function withPhase(report: Report, phase: string): Report {
  const results = report.results.map((result) => {
    const value = result.success ? 0.5 : 3;
    const measured = { metric: "http_phase_time", value, labels: { phase } };
    return { ...result, measurements: [...result.measurements, measured] };
  });
  return { ...report, results };
}

/** All that a document keeps of a state, in its order. */
function kept({ series, alerts, ...rest }: PartitionState): unknown {
  const withoutTip = Array.from(
    alerts,
    ([
      key,
      {
        history: { tip: _, ...history },
        ...alert
      },
    ]) => [key, { ...alert, history }],
  );
  return JSON.parse(JSON.stringify({ ...rest, series: [...series], alerts: withoutTip }));
}

describe("what changed between two states of a partition", () => {
  it("leads from the first to the second, as they are and as their documents say", () => {
    fc.assert(
      fc.property(events, (all) => {
        let before = emptyPartition;
        let read = emptyPartition;
        for (const state of lived(all)) {
          const difference = stateDifference(before, state);
          if (difference === undefined) read = decodePartition(encodePartition(state).text);
          else {
            expect(kept(withStateDifference(before, difference))).toEqual(kept(state));
            read = withStateDifference(read, difference);
          }
          expect(kept(read)).toEqual(kept(state));
          before = state;
        }
      }),
      { numRuns: repetitions(50) },
    );
  });

  it("is a few words for each sample, and a shared history is told once", () => {
    const [first, second] = [...large(2, 0)].slice(-2);
    if (first === undefined || second === undefined) throw new Error("two reports");
    expect(first.series.size).toBe(25 * 21);
    expect(stateDifference(first, second)?.length).toBeLessThan(encodePartition(second).text.length / 8);
    const [calm, failed] = [...large(2, 9)].slice(-2);
    if (calm === undefined || failed === undefined) throw new Error("two reports");
    const difference = stateDifference(calm, failed) ?? "";
    const { alerts } = withStateDifference(decodePartition(encodePartition(calm).text), difference);
    const ofOneProbe = [...alerts.values()].filter(({ labels }) => labels["probe"] === "probe-3");
    expect(ofOneProbe).toHaveLength(20);
    expect(new Set(ofOneProbe.map(({ history }) => history)).size).toBeLessThan(ofOneProbe.length);
  });
});

/** States of a partition with some five hundred series, one after each report, from the fifteenth on. */
function* large(count: number, value: number): Generator<PartitionState> {
  const probes = Array.from({ length: 25 }, (_, index) => probe(`probe-${index}`, "backend"));
  const bench = new Bench({ ...smallEnvironment, probes, rules: [rule("Slow", "http_phase_time > 5s", "2m")] });
  const plan = planOf(bench.configuration);
  let state = emptyPartition;
  for (let round = 0; round < 15 + count; round++) {
    const results = (bench.reports()[0]?.results ?? []).map((result, number) => {
      const measured = Array.from({ length: 20 }, (_, phase) => {
        const noise = ((number * 7919 + phase * 613 + round * 104_729) % 1_000_003) / 1_000_003;
        return { metric: "http_phase_time", value: value + noise, labels: { phase: `phase-${phase}` } };
      });
      return { ...result, measurements: measured };
    });
    const [report] = bench.reports();
    if (report === undefined) throw new Error("the fixture has a group");
    state = evaluateReport(state, { ...report, results }, plan).state;
    bench.now += minute;
    if (round >= 15) yield state;
  }
}

describe("a document that grows", () => {
  it("holds every state, whoever writes it, and is written anew before its changes outgrow it", () => {
    const states = [...large(40, 0)];
    let stored: StoredPartition | undefined;
    const counts: number[] = [];
    // Two instances by turns: one has followed the document from the beginning, the other reads it for the first time.
    let known: { state: PartitionState; stored: StoredPartition } | undefined;
    for (const [index, state] of states.entries()) {
      const before = index % 2 === 0 ? readPartition(stored, known) : readPartition(stored);
      const written = writePartition(state, stored && { state: before, stored });
      if (index % 5 === 4) {
        expect(kept(readPartition(written.stored))).toEqual(kept(written.state));
        expect(kept(readPartition(written.stored, known))).toEqual(kept(written.state));
      }
      ({ stored } = written);
      known = written;
      counts.push(stored.changes.length);
      const changed = stored.changes.reduce((sum, one) => sum + one.length, 0);
      expect(changed).toBeLessThanOrEqual(Math.max(stored.text.length, 64 * 1024));
    }
    expect(counts.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(counts.filter((count) => count === 0).length).toBeGreaterThan(1);
    expect(counts.filter((count) => count === 0).length).toBeLessThan(states.length / 8);
  });

  it("is read as a whole where its text is another than the one known", () => {
    const [one, other] = [...large(2, 0)];
    if (one === undefined || other === undefined) throw new Error("two reports");
    const known = writePartition(one);
    const anew = writePartition(other);
    expect(kept(readPartition(anew.stored, known))).toEqual(kept(other));
  });
});
