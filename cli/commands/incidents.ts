/** `pathkeeper incidents`: what is open, since when, why, and what to do first. Reads, and writes nothing. */
import { readIncident } from "../../shared/documents/incident.ts";
import { type Stored, StoreError } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { spokenDuration } from "../../shared/text/units.ts";
import { type Command, defineCommand } from "../command.ts";
import { newestIncidents, openIncidents } from "../operator/incidents.ts";
import { storeOf, storeOptions } from "../store.ts";
import { type Style, type Terminal, table } from "../terminal/terminal.ts";

/** Maximum number of incidents that `--all` lists. */
const newest = 20;

/** The command. */
export const incidents: Command = defineCommand({
  summary: "List the open incidents: what failed, since when, why, and what to do first",
  options: {
    ...storeOptions,
    all: { type: "boolean", default: false, help: `list the newest ${newest}, including resolved ones` },
    json: { type: "boolean", default: false, help: "print the incidents as JSON" },
  },
  examples: [
    ["incidents --project my-project", "List the open incidents of a monitor in the cloud"],
    ["incidents --all --data ./watch", "List the newest incidents on this machine"],
  ],
  async run(values, terminal) {
    const store = await storeOf(values);
    try {
      const found = values.all ? await newestIncidents(store, newest) : await openIncidents(store);
      if (values.json) terminal.print(JSON.stringify(found.map(asJson), null, 2));
      else show(found, values.all, Date.now(), terminal);
      return 0;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      terminal.note(`pathkeeper incidents: the incidents cannot be read: ${error.message}`);
      return 1;
    } finally {
      await store.close();
    }
  },
});

function asJson({ id, fields }: Stored): Record<string, unknown> {
  const incident = readIncident(fields);
  return { id, ...Object.fromEntries(jsonFields.map((field) => [field, incident[field]])) };
}

const jsonFields = [
  "title",
  "status",
  "severity",
  "summary",
  "root_cause",
  "verdict",
  "confidence",
  "team",
  "next_steps",
  "first_failure_at",
  "opened_at",
  "acknowledged_at",
  "resolved_at",
  "silenced_until",
  "note",
] as const;

function show(found: readonly Stored[], all: boolean, now: number, terminal: Terminal): void {
  if (found.length === 0) {
    terminal.print(all ? "No incidents." : "No open incidents.");
    return;
  }
  const rows = found.map(({ id, fields }) => {
    const { title, status, severity, opened_at: openedAt, resolved_at: resolvedAt } = readIncident(fields);
    const lasted = openedAt === null ? "" : spokenDuration((resolvedAt?.getTime() ?? now) - openedAt.getTime());
    return [id, terminal.paint(ownEntry(styles, severity) ?? "faint", severity), status, lasted, title];
  });
  terminal.print(...table(rows));
  for (const { id, fields } of found) {
    const { status, summary, next_steps: steps } = readIncident(fields);
    if (status === "resolved") continue;
    terminal.print("", terminal.paint("strong", id), `  ${summary}`);
    if (steps[0] !== undefined) terminal.print(`  First: ${steps[0]}`);
  }
}

const styles: Readonly<Record<string, Style>> = { critical: "bad", warning: "warning" };
