/** `pathkeeper replay`: recorded reports through the rules, on virtual time, and what would have been told. */
import { createInterface } from "node:readline";
import { z } from "zod";
import { planOf } from "../functions/evaluate/plan.ts";
import { checkedConfiguration } from "./checked-configuration.ts";
import { type Command, readArguments, WrongUsage } from "./command.ts";
import { configOption } from "./configuration.ts";
import { openProgress } from "./progress.ts";
import { longestGap, readRecord } from "./record.ts";
import { rehearse } from "./rehearsal.ts";
import { counted } from "./terminal.ts";

/** The command. */
export const replay: Command = {
  summary: "feed recorded reports through the rules and print what would have been told, as NDJSON",
  usage: "replay [--config FILE] [--until INSTANT] < reports.ndjson",
  async run(args, terminal) {
    const { values } = readArguments(args, { ...configOption, until: { type: "string" } });
    const until = values.until === undefined ? undefined : instantOf(values.until);
    const configuration = await checkedConfiguration(values.config);
    if (process.stdin.isTTY) throw new WrongUsage("the record comes on standard input: add < reports.ndjson");
    const record = await readRecord(createInterface({ input: process.stdin }), configuration.environment);
    if (record.count === 0) terminal.note("the record is empty: there is no report on standard input");
    refuseDistance(until, record.lastAt);
    if (record.foreign > 0) terminal.note(`left out: ${counted(record.foreign, "report")} of other environments`);

    const progress = openProgress();
    const remarks = await rehearse({
      plan: planOf(configuration),
      record,
      until,
      onEvent: (event) => {
        progress.clear();
        terminal.print(JSON.stringify(event));
      },
      onReport: (done, at) => {
        if (done % 100 === 0) progress.show(`${done} of ${counted(record.count, "report")}, ${iso(at)}`);
      },
    });
    progress.clear();
    terminal.note(...remarks);
    return 0;
  },
};

function instantOf(text: string): number {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return Date.parse(text);
  throw new WrongUsage(`--until ${text}: write an instant such as 2025-09-16T12:30:00Z`);
}

/** Every minute until then is lived through, so a slip in the year would take for ever. */
function refuseDistance(until: number | undefined, lastAt: number | undefined): void {
  if (until === undefined || lastAt === undefined || until - lastAt <= longestGap) return;
  throw new WrongUsage(`--until ${iso(until)} is more than a year behind the last report, of ${iso(lastAt)}`);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
