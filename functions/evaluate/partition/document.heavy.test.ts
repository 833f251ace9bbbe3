import { describe, expect, it } from "vitest";
import type { Measurement } from "../../../shared/messages/report.ts";
import { fc } from "../../../tests/support/chance.ts";
import { Bench, failing, noon, probe, rule, smallEnvironment } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import { keyOf } from "../rules/alerts.ts";
import { decodePartition, encodePartition, maxBytes, squeezedSentence } from "./document.ts";
import { type FailureLedger, maxEntries } from "./failure-ledger.ts";
import { evaluateReport } from "./fold.ts";
import { type AlertState, emptyPartition, type PartitionState } from "./state.ts";

const rules = [
  rule("Slow", "http_phase_time > 5s", "2m"),
  rule("Slow in the long run", "avg(http_phase_time, 30m) > 5s", "2m"),
];

/** The state after so many minutes in which so many series were measured. */
function lived(
  minutes: number,
  series: number,
  value: (index: number, minute: number) => number,
  label: (index: number) => string = (index) => `phase-${index % 10}`,
): PartitionState {
  const each = 10;
  const probes = Array.from({ length: Math.ceil(series / each) }, (_, i) => probe(`probe-${i}`, "backend"));
  const bench = new Bench({ ...smallEnvironment, probes, rules });
  const plan = planOf(bench.configuration);
  let state = emptyPartition;
  for (let minute = 0; minute < minutes; minute++) {
    const down = Object.fromEntries(probes.map(({ name }) => [name, failing("timeout/connect")]));
    for (const report of bench.reports(value(0, minute) > 5 ? down : {})) {
      const results = report.results.map((result, number) => {
        const measured = Array.from({ length: each }, (_, i): Measurement => {
          const index = number * each + i;
          return { metric: "http_phase_time", value: value(index, minute), labels: { phase: label(index) } };
        });
        return { ...result, measurements: [...result.measurements, ...measured] };
      });
      state = encodePartition(evaluateReport(state, { ...report, results }, plan).state).state;
    }
    bench.now += 60_000;
  }
  return state;
}

/** The state of a partition in which so many probes fail in two of three runs, with ever new sentences. */
function intermittent(count: number): PartitionState {
  const names = Array.from({ length: count }, (_, number) => `probe-${number}`);
  const at = (number: number, minute: number): number =>
    noon + minute * 60_000 + ((number * 7919 + minute * 104_729) % 997);
  const failedOf = (number: number, runs: number): number[] =>
    Array.from({ length: runs }, (_, run) => at(number, Math.floor(run * 1.5)));
  const failures = (number: number): FailureLedger =>
    Array.from({ length: maxEntries }, (_, entry) => {
      const message = `${crypto.randomUUID()} ${"cannot be reached now ".repeat(7)}`;
      const failure = { kind: "http_status", phase: "response", status: 500 + entry, message } as const;
      return { failure, from: at(number, entry), until: at(number, 200 + entry), count: 20 };
    });
  const alerts = names.map((probe, number): AlertState => {
    const labels = { probe, component: "backend", vantage: "outside" };
    const base = { status: "firing", since: noon, firedAt: noon, lastAt: noon, results: number } as const;
    const recent = Array.from({ length: 12 }, (_, minute) => [at(number, minute), 1] as const);
    const seen = "40 of 60 runs failed within 1h, where the target allows 1%";
    const rule = `${probe} intermittent`;
    return {
      ...{ rule, labels, component: "backend", severity: "critical", criterion: rule, status: "firing", seen },
      ...{ history: { base, recent }, failedAt: failedOf(number, 60) },
    };
  });
  const probes = names.map((probe, number) => {
    const known = { probe, component: "backend", vantage: "outside", status: "bad", since: noon, at: noon } as const;
    return [probe, { ...known, failures: failures(number) }] as const;
  });
  const counts = Array.from({ length: 76 }, () => 5);
  const runs = names.map((probe, number) => {
    return [probe, { bucketMs: 300_000, first: noon / 300_000, counts, failures: failedOf(number, 200) }] as const;
  });
  return {
    ...{ reports: [], watermark: noon, series: new Map() },
    alerts: new Map(alerts.map((alert) => [keyOf(alert.rule, alert), alert])),
    probes: Object.fromEntries(probes),
    runs: Object.fromEntries(runs),
  };
}

function noise(index: number, minute: number): number {
  return (((index * 7919 + minute * 104_729) % 1_000_003) / 1_000_003) * 3;
}

function bytesOf(state: PartitionState): number {
  return Buffer.byteLength(encodePartition(state).text);
}

describe("the document of a partition", () => {
  it("contains the whole state", () => {
    const flapping = (_: number, minute: number): number => (minute % 2 === 0 ? 9 : 0);
    for (const state of [emptyPartition, lived(3, 20, noise), lived(25, 20, flapping), lived(5, 300, () => 9)]) {
      const back = decodePartition(encodePartition(state).text);
      expect(JSON.stringify(back.reports)).toBe(JSON.stringify(state.reports));
      expect([...back.series]).toEqual([...state.series]);
      const withoutTips = [...state.alerts].map(
        ([
          key,
          {
            history: { tip: _, ...history },
            ...alert
          },
        ]) => {
          return [key, { ...alert, history }];
        },
      );
      expect([...back.alerts]).toEqual(withoutTips);
      expect(back.probes).toEqual(state.probes);
    }
  });

  it("stores a history shared by several alerts once", () => {
    const { alerts } = decodePartition(encodePartition(lived(5, 300, () => 9)).text);
    const slow = [...alerts.values()].filter((alert) => alert.rule === "Slow" && alert.labels["probe"] === "probe-3");
    expect(slow).toHaveLength(10);
    expect(new Set(slow.map(({ history }) => history)).size).toBe(1);
  });

  it("continues as if it had never been stored", () => {
    const steps = fc.array(fc.constantFrom(0, 9), { minLength: 3, maxLength: 12 });
    const bench = new Bench({
      ...smallEnvironment,
      probes: [probe("web", "backend")],
      rules: [rules[0] ?? rule("", "", "")],
    });
    const plan = planOf(bench.configuration);
    fc.assert(
      fc.property(steps, (values) => {
        let kept = emptyPartition;
        let written = emptyPartition;
        const told: string[][] = [[], []];
        for (const [minute, value] of values.entries()) {
          bench.now = noon + minute * 60_000;
          const [report] = bench.reports({ web: { http_phase_time: value } });
          if (!report) throw new Error("the fixture has a group");
          for (const [i, state] of [kept, written].entries()) {
            const next = evaluateReport(state, report, plan);
            told[i]?.push(JSON.stringify(next.changes));
            if (i === 0) kept = next.state;
            else written = decodePartition(encodePartition(next.state).text);
          }
        }
        return JSON.stringify(told[0]) === JSON.stringify(told[1]);
      }),
      { numRuns: 30 },
    );
  });

  it("of another version is ignored", () => {
    expect(decodePartition('{"v":1,"series":{}}')).toBe(emptyPartition);
    expect(decodePartition(undefined)).toBe(emptyPartition);
  });
});

describe("a state stays below a quarter of a document", () => {
  it.each([
    ["500 series, all good", lived(15, 500, noise)],
    ["500 series, all bad", lived(15, 500, (index, minute) => 10 + noise(index, minute))],
    ["500 series, up and down", lived(15, 500, (_, minute) => (minute % 2) * 9)],
  ])("%s, with nothing left out", (_, state) => {
    expect(bytesOf(state)).toBeLessThan(maxBytes);
    expect(state.squeezed).toBeUndefined();
    // Besides them, whether each of the 50 probes succeeded.
    expect(state.series.size).toBe(550);
  });

  it.each([
    ["2,000 series", lived(40, 2000, noise), 2000],
    ["labels of a thousand characters, each another", lived(3, 500, noise, (i) => String(i).repeat(400)), 500],
    ["new labels with every report", lived(15, 500, noise, () => crypto.randomUUID().repeat(3)), 500],
  ])("%s", (_, state, series) => {
    expect(bytesOf(state)).toBeLessThan(maxBytes);
    expect(state.series.size).toBeGreaterThanOrEqual(series);
  });

  it("500 series with a rule on each, over an hour", () => {
    const probes = Array.from({ length: 500 }, (_, index) => probe(`probe-${index}`, "backend"));
    const bench = new Bench({ ...smallEnvironment, probes });
    const plan = planOf(bench.configuration);
    let state = emptyPartition;
    for (let i = 0; i < 60; i++) {
      for (const report of bench.reports()) state = evaluateReport(state, report, plan).state;
      bench.now += 60_000;
    }
    expect(Buffer.byteLength(encodePartition(state).text)).toBeLessThan(maxBytes);
  });

  it.each([
    [100, 8],
    [500, 2],
    [1_000, 0],
  ])("%i probes that fail intermittently, each in many ways", (count, fewest) => {
    const state = intermittent(count);
    const { state: kept, text } = encodePartition(state);
    expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
    const back = decodePartition(text);
    expect(back.runs).toEqual(kept.runs);
    expect([...back.alerts.values()].map(({ failedAt }) => failedAt?.[0])).toEqual(
      [...state.alerts.values()].map(({ failedAt }) => failedAt?.[0]),
    );
    for (const { failures = [] } of Object.values(back.probes)) expect(failures.length).toBeGreaterThanOrEqual(fewest);
    for (const { failures } of Object.values(back.runs ?? {})) expect(failures.length).toBeGreaterThanOrEqual(25);
    if (count === 100) expect(kept).toBe(state);
  });

  it("reads run counts written by an older version", () => {
    const { runs = {}, ...state } = intermittent(2);
    const written = { ...JSON.parse(encodePartition({ ...state }).text), runs };
    expect(decodePartition(JSON.stringify(written)).runs).toEqual(runs);
  });

  it("leaves out no more than it must, and nothing once there is room", () => {
    const state = lived(2, 300, noise);
    const long = [...state.series].map(([key, one], index) => {
      const times = Array.from({ length: 400 }, (_, minute) => noon + minute * 60_000);
      return [
        key,
        { ...one, times, values: times.map((_, minute) => noise(index, minute) + noise(minute, index)) },
      ] as const;
    });
    const { state: squeezed } = encodePartition({ ...state, series: new Map(long) });
    expect(squeezed.squeezed).toMatchObject({ series: 0 });
    expect(encodePartition(squeezed).state.squeezed).toEqual(squeezed.squeezed);
    const few = new Map([...squeezed.series].slice(0, 20));
    expect(encodePartition({ ...squeezed, series: few }).state.squeezed).toBeUndefined();
  });

  it("otherwise drops the oldest first, and reports it in one sentence", () => {
    const hostile = (): string => Array.from({ length: 3 }, () => crypto.randomUUID()).join("");
    const state = lived(12, 2000, noise, hostile);
    expect(bytesOf(state)).toBeLessThan(maxBytes);
    expect(squeezedSentence(state, "outside-1m")).toMatch(
      /^the state of outside-1m does not fit into 256 KiB: it keeps 2 samples of each series and leaves out \d+ of \d+ series; divide the probes among several schedules, or shorten the windows of the rules$/,
    );
  });
});
