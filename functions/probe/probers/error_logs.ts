/** The prober `error_logs`: recurring messages in the error logs of failing parts, with the meaning of Google's own messages. */
import { z } from "zod";
import { duration, googleProject } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { type EntryPage, messageOf, quoted, readEntries, unreadLogs } from "../google/logging/entries.ts";
import { knownMessages, meaningOf, queriedPhrases } from "../google/logging/known-messages.ts";
import { assessUnread, type LogAccess, logProberFacts } from "../google/logging/log-prober.ts";
import { patternsIn } from "../google/logging/patterns.ts";
import { logsOf, type WatchedLog } from "../google/logging/sources.ts";
import type { Prober } from "../prober.ts";
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
export interface ErrorLogsObservation extends LogAccess {
  /** The logs that were read, and their entries since the failure and before it. Absent if nothing fails. */
  readonly read?: { readonly logs: readonly WatchedLog[]; readonly since: EntryPage; readonly earlier: EntryPage };
  readonly beforeMs: number;
}

/** How long before the first failure related errors may begin, in milliseconds. */
const lead = 300_000;
/** Maximum number of entries in each of the two pages that are read. */
const pageSize = 200;
/** Maximum number of characters of a message that are examined. */
const longest = 4_000;

/** The prober `error_logs`. */
export const errorLogs: Prober<ErrorLogsSettings, ErrorLogsObservation> = {
  kind: "error_logs",
  title:
    "Reads the error logs of failing Cloud Run services, load balancers and Cloud SQL instances, groups similar messages, and recognizes known messages of Google Cloud.",
  ...logProberFacts,
  get settings() {
    return settings();
  },
  example: `schedule: "*/15 * * * *"
timeout: 20s
project: shop-staging
`,
  notes: `## What it finds

When an incident opens, and again ten minutes later, the probe reads the errors of the failing components and their dependencies, starting five
minutes before the first failure, and those of the hour before that. Messages that differ only in numbers, IDs and addresses form one pattern, with
its counts since and before. The incident shows three in \`log_patterns\`: known messages first, then new ones, then the most frequent. The algorithm is
[Drain](https://doi.org/10.1109/ICWS.2017.13). Secrets in a message are replaced before it is examined, and no message is stored in its original form.

## Known messages

A pattern with a known message names the cause: it is evidence, the last "why?" and the first next step. \`phase 1\` to \`phase 7\` of a startup are
recognized with their number.

${knownMessagesTable()}

## Permissions and cost

The probe requires \`logging.logEntries.list\` in the project, which \`roles/logging.viewer\` includes. The other probes determine which resources
belong to which component: \`cloud_run\`, \`cloud_sql\`, \`postgres\`,
\`load_balancer\`, \`gcp_configuration\`. A diagnosis reads two pages of at most ${pageSize} entries; a scheduled run, while nothing fails, reads
one entry to verify the permission. Reading entries is free, up to 60 requests per minute and project. Without the permission, the probe reports it
under \`unchecked\` and does not fail.
`,
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
      return { ...base, ...unreadLogs(error, project, world.signal) };
    }
  },

  assess({ project }, seen) {
    const unread = assessUnread(seen, "log_patterns", `logs of ${project}`);
    if (unread !== undefined) return unread;
    const { read, beforeMs } = seen;
    if (read === undefined) return { measurements: [] };
    const logPatterns = patternsIn(read, beforeMs / 1000);
    return { measurements: [{ metric: "recent_error_entries", value: read.since.entries.length }], logPatterns };
  },
};

/** Reads errors, and entries of lower severity that are known to mean one, from some logs, between two instants. */
function errorsOf(logs: readonly WatchedLog[], from: number, until: number): string {
  const words = queriedPhrases.map((text) => `textPayload:${quoted(text)}`);
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

/** Returns the table of known messages, for the documentation. */
function knownMessagesTable(): string {
  const rows = knownMessages.flatMap(({ example, blames, source }) => {
    const means = meaningOf(example, { resource: "the service", name: "SERVICE" });
    const who =
      blames === undefined ? "the component that logged it" : `a component with the role \`${blames.join("` or `")}\``;
    return means === undefined
      ? []
      : [`| ${cell(example)} | ${cell(means.says)} | ${who} | ${cell(means.remedy)} | ${source} |`];
  });
  return ["| message | meaning | cause | remedy | source |", "|---|---|---|---|---|", ...rows].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/^the /, "The ");
}
