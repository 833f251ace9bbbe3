/** A record of an outage made of single looks: each is repeated at the pace of its schedule, on virtual time. */

import { runLocally } from "../../cli/local-probes.ts";
import type { ReportRecord } from "../../cli/replay/record.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import type { ProbeResult, Report } from "../../shared/messages/report.ts";

/** Samples that make up the outage. */
export interface Looks {
  readonly well: readonly ProbeResult[];
  readonly bad: readonly ProbeResult[];
}

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;
/** Two minutes all is well, five it is bad, and then it is well again for long enough to be over. */
const [badFrom, badUntil, end] = [2 * minute, 7 * minute, 15 * minute];

/** Runs every probe once on this machine. @returns their observations */
export async function lookAt(
  configuration: Configuration,
  secrets: Readonly<Record<string, string>>,
): Promise<ProbeResult[]> {
  const reports = await runLocally({
    configuration,
    secrets: { read: async (name) => secrets[name] ?? "" },
    probes: configuration.probes,
    trigger: "schedule",
    group: (vantage) => vantage,
  });
  return reports.flatMap(({ results }) => results);
}

/** The record of the outage. */
export function recordOf({ environment, probes }: Configuration, { well, bad }: Looks): ReportRecord {
  const groups = Map.groupBy(probes, ({ group }) => group);
  const reports = [...groups].flatMap(([group, own]) => {
    const [first] = own;
    const interval = scheduleInterval(first?.schedule ?? "") ?? minute;
    return Array.from({ length: Math.floor(end / interval) }, (_, position): Report => {
      const at = position * interval;
      const seen = at >= badFrom && at < badUntil ? bad : well;
      const instant = new Date(start + at).toISOString();
      return {
        v: 1,
        report: `${environment}/${group}/${instant}`,
        environment,
        vantage: first?.vantage ?? "outside",
        group,
        trigger: "schedule",
        started_at: instant,
        finished_at: new Date(start + at + 500).toISOString(),
        results: seen
          .filter(({ probe }) => own.some(({ name }) => name === probe))
          .map(({ attempts: _, ...result }) => ({ ...result, at: instant })),
      };
    });
  });
  const ordered = reports.sort((one, other) => one.finished_at.localeCompare(other.finished_at));
  return { count: ordered.length, foreign: 0, holdsValidations: false, lastAt: start + end, reports: () => ordered };
}
