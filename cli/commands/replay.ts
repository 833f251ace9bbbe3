/** `pathkeeper replay`: evaluates recorded reports on virtual time, and prints the incident events or the effect of changed rules. */
import { createInterface } from "node:readline";
import { z } from "zod";
import { planOf } from "../../functions/evaluate/plan.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { checkedConfiguration } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOption, usualConfiguration } from "../configuration.ts";
import { compare } from "../replay/comparison.ts";
import { describeComparison } from "../replay/comparison-text.ts";
import { longestGap, readRecord } from "../replay/record.ts";
import { type Rehearsed, rehearse } from "../replay/replay.ts";
import { openProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/terminal.ts";

/** The command. */
export const replay: Command = defineCommand({
  summary: "Evaluate recorded reports and print the incident events as NDJSON, or compare two configurations",
  options: {
    ...configOption,
    until: { type: "string", value: "INSTANT", help: "the end of the replay, in RFC 3339", usual: "the last report" },
    against: { type: "string", value: "FILE", help: "a changed configuration to compare with" },
    json: { type: "boolean", default: false, help: "print the comparison of --against as JSON" },
  },
  input: "< reports.ndjson",
  examples: [
    ["replay < reports.ndjson", "Print the incident events of a record"],
    ["replay --config monitor.yaml --against changed.yaml < reports.ndjson", "Show the effect of changed rules"],
  ],
  async run({ config = usualConfiguration, ...values }, terminal) {
    if (values.json && values.against === undefined) {
      throw new WrongUsage("--json requires --against: incident events are always printed as JSON");
    }
    const until = values.until === undefined ? undefined : instantOf(values.until);
    const configuration = await checkedConfiguration(config);
    const changed = values.against === undefined ? undefined : await checkedConfiguration(values.against);
    if (changed !== undefined && changed.environment !== configuration.environment) {
      throw new WrongUsage(
        `${config} is of "${configuration.environment}" and ${values.against} of "${changed.environment}": compare two configurations of one environment`,
      );
    }
    if (process.stdin.isTTY) throw new WrongUsage("no record on standard input: add < reports.ndjson");
    const record = await readRecord(createInterface({ input: process.stdin }), configuration.environment);
    if (record.count === 0) terminal.note("the record is empty: standard input contains no reports");
    refuseDistance(until, record.lastAt);
    if (record.foreign > 0) terminal.note(`skipped: ${counted(record.foreign, "report")} of other environments`);

    const progress = openProgress();
    const rehearsed = (by: Configuration, what: string, onEvent?: (event: IncidentEvent) => void): Promise<Rehearsed> =>
      rehearse({
        plan: planOf(by),
        record,
        until,
        ...(onEvent === undefined ? {} : { onEvent }),
        onReport: (done, at) => {
          if (done % 100 === 0) progress.show(`${what}${done} of ${counted(record.count, "report")}, ${iso(at)}`);
        },
      });
    if (changed === undefined || values.against === undefined) {
      const { remarks } = await rehearsed(configuration, "", (event) => {
        progress.clear();
        terminal.print(JSON.stringify(event));
      });
      progress.clear();
      terminal.note(...remarks);
      return 0;
    }
    const before = await rehearsed(configuration, `${config}: `);
    const after = await rehearsed(changed, `${values.against}: `);
    progress.clear();
    const compared = compare(before, after);
    if (values.json) {
      const { against } = values;
      const remarks = { before: before.remarks, after: after.remarks };
      terminal.print(JSON.stringify({ config, against, incidents: compared, remarks }, null, 2));
    } else {
      terminal.print(...describeComparison(compared, config, values.against, configuration.timezone, terminal));
      terminal.note(...new Set([...before.remarks, ...after.remarks]));
    }
    return 0;
  },
});

function instantOf(text: string): number {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return Date.parse(text);
  throw new WrongUsage(`--until ${text}: use a time in RFC 3339, such as 2025-09-16T12:30:00Z`);
}

/** Every minute until then is lived through, so a slip in the year would take for ever. */
function refuseDistance(until: number | undefined, lastAt: number | undefined): void {
  if (until === undefined || lastAt === undefined || until - lastAt <= longestGap) return;
  throw new WrongUsage(`--until ${iso(until)} is more than a year after the last report, at ${iso(lastAt)}`);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
