/** A record: reports as they once passed, one JSON object a line, in whatever order, some of them perhaps twice. */

import { MalformedMessage } from "../../shared/messages/parse.ts";
import { parseReport, type Report } from "../../shared/messages/report.ts";
import { WrongUsage } from "../command.ts";
import { counted } from "../terminal/terminal.ts";

/** The longest time without a report that a record may hold, in milliseconds; each of its minutes is lived through. */
export const longestGap: number = 366 * 86_400_000;

/** A record that was read and found right. */
export interface ReportRecord {
  readonly count: number;
  /** Number of skipped reports of other environments. */
  readonly foreign: number;
  /** True if any report answers a validation request. */
  readonly holdsValidations: boolean;
  /** When its last report was finished, in milliseconds since the epoch; `undefined` for an empty record. */
  readonly lastAt: number | undefined;
  /** The reports in the order in which they were finished; the same for every order of the lines. */
  reports(): Iterable<Report>;
}

/**
 * Reads a record. It keeps the lines, which take several times less memory than the reports that they hold.
 * @throws WrongUsage for a line that is no report, with its number; when no report is of the environment; when they lie too far apart
 */
export async function readRecord(lines: AsyncIterable<string>, environment: string): Promise<ReportRecord> {
  const entries: Entry[] = [];
  let foreign: string | undefined;
  let foreignCount = 0;
  let holdsValidations = false;
  let number = 0;
  for await (const text of lines) {
    number += 1;
    if (text.trim() === "") continue;
    const report = reportOf(text, number);
    if (report.environment !== environment) {
      foreign = report.environment;
      foreignCount += 1;
      continue;
    }
    holdsValidations ||= report.trigger === "validation";
    entries.push({ finishedAt: Date.parse(report.finished_at), id: report.report, text, number });
  }
  if (foreign !== undefined && entries.length === 0) {
    throw new WrongUsage(
      `the configuration is of "${environment}", and the record holds only reports of other environments: "${foreign}"`,
    );
  }
  entries.sort(inOrder);
  refuseGaps(entries);
  return {
    count: entries.length,
    foreign: foreignCount,
    holdsValidations,
    lastAt: entries.at(-1)?.finishedAt,
    *reports() {
      for (const { text } of entries) yield JSON.parse(text) as Report;
    },
  };
}

interface Entry {
  readonly finishedAt: number;
  readonly id: string;
  readonly text: string;
  readonly number: number;
}

function reportOf(text: string, number: number): Report {
  try {
    return parseReport(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new WrongUsage(`line ${number} is not JSON: ${cause.message}`, { cause });
    if (cause instanceof MalformedMessage) throw new WrongUsage(`line ${number} is ${cause.message}`, { cause });
    throw cause;
  }
}

function inOrder(a: Entry, b: Entry): number {
  return a.finishedAt - b.finishedAt || compare(a.id, b.id) || compare(a.text, b.text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function refuseGaps(entries: readonly Entry[]): void {
  for (const [position, { finishedAt, number }] of entries.entries()) {
    const before = entries[position - 1];
    if (before === undefined || finishedAt - before.finishedAt <= longestGap) continue;
    const days = Math.round((finishedAt - before.finishedAt) / 86_400_000);
    throw new WrongUsage(
      `lines ${before.number} and ${number} are ${counted(days, "day")} apart, with nothing in between: is their clock correct?`,
    );
  }
}
