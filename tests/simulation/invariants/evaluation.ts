/** The invariant of the state of partitions: it equals that of one instance that received the same reports in the order of measurement. */
import { stateCollection } from "../../../functions/evaluate/commit/state-collection.ts";
import { readPartition, storedPartition } from "../../../functions/evaluate/partition/document.ts";
import { evaluateReport } from "../../../functions/evaluate/partition/fold.ts";
import { reportInstant } from "../../../functions/evaluate/partition/publication.ts";
import { emptyPartition, type PartitionState } from "../../../functions/evaluate/partition/state.ts";
import { bad, type Judgement } from "../../../functions/evaluate/rules/alert.ts";
import type { Report } from "../../../shared/messages/report.ts";
import type { Outcome } from "../outcome.ts";
import { hasFault } from "./reading.ts";

/** The state of each partition equals that of a single instance that received the same reports in the order of measurement. */
export function evaluationErrors(outcome: Outcome): string[] {
  const wrong = [...new Set(outcome.unjudged)];
  if (hasFault(outcome, "configuration change")) return wrong;
  const { plan, start } = outcome.scenario;
  for (const group of plan.groups) {
    const stored = readPartition(storedPartition(outcome.documents.get(stateCollection, group)));
    const known = new Set(stored.reports.map(([id]) => id));
    const reports = [...outcome.reports.values()].filter((report) => report.group === group);
    const isDue = (report: Report): boolean => reportInstant(report) < start + outcome.endedAt - 240_000;
    const horizon = stored.reports[0]?.[1] ?? 0;
    for (const report of reports) {
      if (isDue(report) && reportInstant(report) >= horizon && !known.has(report.report))
        wrong.push(`${report.report} was never taken in`);
    }
    if (horizon > start) continue;
    const expected = reports
      .filter(({ report }) => known.has(report))
      .sort((a, b) => reportInstant(a) - reportInstant(b))
      .reduce((state, report) => evaluateReport(state, report, plan).state, emptyPartition);
    for (const name of ["series", "runs", "failures", "judgements"] as const) {
      const [is, was] = [factsOf[name](stored), factsOf[name](expected)];
      if (is !== was) wrong.push(`the ${name} of ${group} are ${is} in the place of ${was}`);
    }
  }
  return wrong;
}

/** Returns the knowledge of a partition, as text. */
const factsOf = {
  series: ({ series }: PartitionState) =>
    JSON.stringify([...series].map(([key, { times, values }]) => [key, times, values]).sort()),
  runs: ({ runs = {} }: PartitionState) => JSON.stringify(Object.entries(runs).sort()),
  failures: ({ probes }: PartitionState) =>
    JSON.stringify(
      Object.values(probes)
        .map(({ probe, status, since, at, failures }) => [probe, status, since, at, failures])
        .sort(),
    ),
  judgements: ({ alerts }: PartitionState) =>
    JSON.stringify([...alerts].map(([key, { status, history }]) => [key, status, sinceBad(history.recent)]).sort()),
};

/** Returns the judgements from the first bad one on: earlier good ones need not be kept. */
function sinceBad(judgements: readonly Judgement[]): readonly Judgement[] {
  const first = judgements.findIndex(([, verdict]) => verdict === bad);
  return first < 0 ? [] : judgements.slice(first);
}
