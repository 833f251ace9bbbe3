/**
 * Event time is what the clock of a prober says, and no later than the publication of its report. Otherwise one report of a clock that is ahead
 * would make everything after it late. Pure.
 */
import type { ProbeResult, Report } from "../../../shared/messages/report.ts";

/** Maximum lead of an instant over the publication of its message, in milliseconds: clocks differ by seconds. */
export const maxAhead = 60_000;

/** Maximum age of a result when its report is made, in milliseconds. */
export const longestRun = 120_000;

/** When a report was published, and how far its own clock was ahead of that, in milliseconds; negative where it was behind. */
export interface Publication {
  readonly at: number;
  readonly clockErrorMs: number;
}

/** Clock offset derived from the publication time of a report. */
export function publicationOf(report: Report, publishedAt: number): Publication {
  const newest = Math.max(reportInstant(report), Date.parse(report.finished_at));
  return { at: publishedAt, clockErrorMs: newest - publishedAt };
}

/** The report with each instant that is too far ahead of its publication moved to it; the same object where none is. */
export function boundedReport(report: Report, { at: publishedAt, clockErrorMs }: Publication): Report {
  if (clockErrorMs <= maxAhead) return report;
  const bounded = (instant: string): string =>
    Date.parse(instant) > publishedAt + maxAhead ? new Date(publishedAt).toISOString() : instant;
  const results = report.results.map(({ at, attempts, ...result }): ProbeResult => {
    const all = attempts?.map((attempt) => ({ ...attempt, at: bounded(attempt.at) }));
    return { ...result, at: bounded(at), ...(all === undefined ? {} : { attempts: all }) };
  });
  return { ...report, started_at: bounded(report.started_at), finished_at: bounded(report.finished_at), results };
}

/** The instant of a report: that of its newest result. */
export function reportInstant(report: Report): number {
  let newest = Date.parse(report.started_at);
  for (const { at } of report.results) newest = Math.max(newest, Date.parse(at));
  return newest;
}
