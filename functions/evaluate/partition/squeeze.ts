/** What is left out of the state of a partition that does not fit into its document, the most dispensable first. */
import type { Failure } from "../../../shared/messages/report.ts";
import type { PartitionState, SeriesState } from "./state.ts";

/** Reductions that are applied in this order until the state fits: old failures, old samples, texts, and then series, the newest first. */
export function* savings(state: PartitionState): Generator<(from: PartitionState) => PartitionState> {
  yield withShorterLedgers;
  for (const most of [100, 50, minFailuresOfRuns]) yield withFewerFailures(most);
  let longest = 0;
  for (const { times } of state.series.values()) longest = Math.max(longest, times.length);
  while (longest > minSamples) {
    longest = Math.max(minSamples, Math.floor(longest / 2));
    yield withFewerSamples(longest);
  }
  yield withFewerWords;
  yield withoutLedgers;
  for (let part = 0; part < 8; part++) yield withFewerSeries;
}

/** Failed runs kept of each probe before samples are left out. */
export const minFailuresOfRuns = 25;
/** The value now and the one before. */
const minSamples = 2;

export function withFewerSamples(most: number): (from: PartitionState) => PartitionState {
  return (from) => {
    const series = new Map<string, SeriesState>();
    for (const [key, one] of from.series) {
      series.set(key, { ...one, times: one.times.slice(-most), values: one.values.slice(-most) });
    }
    return { ...from, series, squeezed: { samples: most, series: 0 } };
  };
}

/** Failures kept of each probe when there is little room. */
const minFailures = 2;

export function withShorterLedgers(from: PartitionState): PartitionState {
  const probes = Object.entries(from.probes).map(([name, { failures = [], ...fact }]) => {
    const newest = failures.slice(-minFailures).map(({ failure, ...entry }) => ({ ...entry, failure: brief(failure) }));
    return [name, newest.length === 0 ? fact : { ...fact, failures: newest }] as const;
  });
  return { ...from, probes: Object.fromEntries(probes) };
}

/** Failed runs: the newest are what an alert over failures that come and go needs most. */
export function withFewerFailures(most: number): (from: PartitionState) => PartitionState {
  return (from) => {
    const alerts = Array.from(from.alerts, ([key, { failedAt, ...alert }]) => {
      const kept =
        failedAt && failedAt.length > most
          ? [...failedAt.slice(0, 1), ...failedAt.slice(failedAt.length + 1 - most)]
          : failedAt;
      return [key, kept === undefined ? alert : { ...alert, failedAt: kept }] as const;
    });
    const runs = Object.entries(from.runs ?? {}).map(([probe, one]) => {
      return [probe, { ...one, failures: one.failures.slice(-most) }] as const;
    });
    return { ...from, alerts: new Map(alerts), ...(from.runs === undefined ? {} : { runs: Object.fromEntries(runs) }) };
  };
}

function brief(failure: Failure): Failure {
  return { ...failure, message: failure.message.slice(0, 60) };
}

function withFewerWords(from: PartitionState): PartitionState {
  const alerts = new Map(Array.from(from.alerts, ([key, alert]) => [key, { ...alert, seen: alert.seen.slice(0, 60) }]));
  const probes = Object.values(from.probes).map(({ failure, ...fact }) => {
    return failure === undefined ? fact : { ...fact, failure: brief(failure) };
  });
  return { ...from, alerts, probes: Object.fromEntries(probes.map((fact) => [fact.probe, fact])) };
}

/** Keeps only the current failure of each probe, and of each alert the failed run that started it. */
function withoutLedgers(from: PartitionState): PartitionState {
  const probes = Object.values(from.probes).map(({ failures: _, ...fact }) => [fact.probe, fact] as const);
  return { ...withFewerFailures(1)(from), probes: Object.fromEntries(probes), runs: from.runs ?? {} };
}

function withFewerSeries(from: PartitionState): PartitionState {
  const kept = [...from.series].slice(0, Math.floor(from.series.size * 0.6));
  const leftOut = (from.squeezed?.series ?? 0) + from.series.size - kept.length;
  return { ...from, series: new Map(kept), squeezed: { samples: minSamples, series: leftOut } };
}
