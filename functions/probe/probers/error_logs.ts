/** The prober `error_logs`: what the error logs of failing parts say again and again, with what Google's own words mean. */
import { z } from "zod";
import { duration, googleProject } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { type EntryPage, loggingAccess, messageOf, quoted, readEntries } from "../google/logging/entries.ts";
import { patternsIn } from "../google/logging/patterns.ts";
import { logsOf, type WatchedLog } from "../google/logging/sources.ts";
import { knownWords, meaningOf, wantedWords } from "../google/logging/words.ts";
import { isRefused, refusalOf } from "../google/refusal.ts";
import type { SeenFailure } from "../net/faults.ts";
import type { Assessment, Prober } from "../prober.ts";
import type { Words } from "../text/target-text.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    project: googleProject(),
    before: duration()
      .prefault("1h")
      .describe("The baseline period before the first failure that the errors are compared with."),
  }),
);

/** Settings of an `error_logs` probe; durations in milliseconds. */
export type ErrorLogsSettings = z.output<ReturnType<typeof settings>>;

/** The errors read from the logs. */
export interface ErrorLogsObservation {
  readonly failure?: SeenFailure;
  /** Why they may not be read. */
  readonly refused?: Words;
  /** The logs that were read, and what stood there since the failure and before it. Absent where nothing fails. */
  readonly read?: { readonly logs: readonly WatchedLog[]; readonly since: EntryPage; readonly earlier: EntryPage };
  readonly beforeMs: number;
}

/** How long before the first failure related errors may begin, in milliseconds. */
const lead = 300_000;
/** The most entries of each of the two pages that are read. */
const pageSize = 200;
/** The most characters of a message that are looked at. */
const longest = 4_000;

/** The prober `error_logs`. */
export const errorLogs: Prober<ErrorLogsSettings, ErrorLogsObservation> = {
  kind: "error_logs",
  title:
    "Reads the error logs of failing Cloud Run services, load balancers and Cloud SQL instances, groups similar messages, and recognizes known messages of Google Cloud.",
  reach: "control_plane",
  get settings() {
    return settings();
  },
  example: `schedule: "*/15 * * * *"
timeout: 20s
project: shop-staging
`,
  notes: `## What it finds

When an incident opens, and again ten minutes later, it reads the errors of what fails, and of what that depends on, from five minutes before the first failure on, and
of the hour before that. Messages that differ only in numbers, ids and addresses are one pattern, with how often it came since and before. The incident shows three in
\`log_patterns\`: those that are understood first, then those that are new, then the most frequent. The algorithm is
[Drain](https://doi.org/10.1109/ICWS.2017.13). What is secret in a message is replaced before it is looked at, and no message is kept as it was written.

## Words that are known

A pattern with known words names the cause: it is evidence, the last "why?" and the first next step. \`phase 1\` to \`phase 7\` of a start-up are recognised with their number.

${wordsTable()}

## What it needs, and what it costs

\`logging.logEntries.list\` in the project, which \`roles/logging.viewer\` has. Which resources belong to which component, the other probes say: \`cloud_run\`, \`cloud_sql\`, \`postgres\`,
\`load_balancer\`, \`gcp_configuration\`. A diagnosis reads two pages of at most ${pageSize} entries; a scheduled run, while nothing fails, reads one entry, so that the permission
is proven. Reading entries is free, up to 60 requests a minute and project. Without the permission the probe says so under \`unchecked\`, and does not fail.
`,
  secondhand: true,
  delayed: true,
  environmentWide: true,
  arrivesLate: true,
  targetless: true,
  usualSeconds: 0.8,
  logPagesRead: 1,
  reads: ["log_entries"],
  yields: () => always("recent_error_entries"),

  async observe({ project, before }, world) {
    const base = { beforeMs: before };
    const read = async (filter: string, size: number, order: "asc" | "desc"): Promise<EntryPage> => {
      const { entries, more } = await readEntries({ project, filter, pageSize: size, order }, world);
      return { entries: entries.map((entry) => ({ ...entry, message: messageOf(entry, longest) })), more };
    };
    try {
      const { diagnosis } = world;
      const logs = diagnosis === undefined ? [] : logsOf(world.resources, diagnosis.about, project);
      if (diagnosis === undefined || logs.length === 0) {
        await read(between(world.now() - lead, world.now()), 1, "desc");
        return base;
      }
      const from = diagnosis.since - lead;
      const [since, earlier] = await Promise.all([
        read(errorsOf(logs, from, world.now()), pageSize, "asc"),
        read(errorsOf(logs, from - before, from), pageSize, "desc"),
      ]);
      return { ...base, read: { logs, since, earlier } };
    } catch (error) {
      const failure = refusalOf(error, loggingAccess(project), world.signal);
      return isRefused(error) ? { ...base, refused: failure.message } : { ...base, failure };
    }
  },

  assess({ project }, { failure, refused, read, beforeMs }) {
    if (failure) return { failure, measurements: [] };
    if (refused !== undefined) return { measurements: [], unchecked: [unread(project, refused)] };
    if (read === undefined) return { measurements: [] };
    const logPatterns = patternsIn(read, beforeMs / 1000);
    return { measurements: [{ metric: "recent_error_entries", value: read.since.entries.length }], logPatterns };
  },
};

function unread(project: string, explanation: Words): NonNullable<Assessment["unchecked"]>[number] {
  return { checks: ["log_patterns"], resource: `logs of ${project}`, explanation };
}

/** Errors, and what is known to mean one although it is written as less, of some logs, between two instants. */
function errorsOf(logs: readonly WatchedLog[], from: number, until: number): string {
  const words = wantedWords.map((text) => `textPayload:${quoted(text)}`);
  const denied = `jsonPayload.statusDetails=~"denied_by|failed_to"`;
  return [
    between(from, until),
    `(${logs.map(({ filter }) => filter).join(" OR ")})`,
    `(severity>=ERROR OR ${[...words, denied].join(" OR ")})`,
  ].join("\n");
}

function between(from: number, until: number): string {
  return `timestamp>=${quoted(new Date(from).toISOString())}\ntimestamp<${quoted(new Date(until).toISOString())}`;
}

/** The table of the words that are known, for the documentation. */
function wordsTable(): string {
  const rows = knownWords.flatMap(({ example, blames, source }) => {
    const means = meaningOf(example, { resource: "the service", name: "SERVICE" });
    const who = blames === undefined ? "the part whose log it is" : `a part with the role \`${blames.join("` or `")}\``;
    return means === undefined
      ? []
      : [`| ${cell(example)} | ${cell(means.says)} | ${who} | ${cell(means.remedy)} | ${source} |`];
  });
  return ["| words | what they mean | to blame | what mends it | source |", "|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/^the /, "The ");
}
