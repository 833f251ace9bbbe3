/** Reads and applies what operators write into the document of an incident. */

import { readEdits } from "../../../shared/documents/incident.ts";
import { longestName, longestNote } from "../../../shared/operator-edits.ts";
import type { Value } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { Incident } from "./state.ts";

/** The fields of an incident's document that operators edit. */
export interface OperatorFields {
  readonly status?: Value | undefined;
  readonly note?: Value | undefined;
  readonly public_note?: Value | undefined;
  readonly silenced_until?: Value | undefined;
  readonly edited_by?: Value | undefined;
  readonly edits?: Value | undefined;
  /** Not theirs: what the notifier notes of the channels. */
  readonly told?: Value | undefined;
  readonly deliveries?: Value | undefined;
}

/** Requests of an operator. */
export interface Edit {
  /** Absent when the status is as the monitor left it, or makes no sense. */
  readonly status?: "acknowledged" | "resolved" | "open";
  readonly note?: string;
  readonly publicNote?: string;
  /** Problems with the notes and the silence, shown until they are corrected; each without a full stop. */
  readonly problems: readonly string[];
  /** Problem with the status, which is corrected at once. */
  readonly statusProblem?: string;
  /** The status in the document is not one, and the monitor's own must be written again. */
  readonly restoresStatus: boolean;
}

/** Names the editor of a field, at the beginning of a sentence and after "by". For an edit in the console only the place is known. */
export interface Editor {
  readonly subject: string;
  readonly by: string;
  /** How the edit was made, if a program recorded it: a comma and `in Slack`; else empty. */
  readonly via: string;
  /** The same, or that it was done in the document. */
  readonly where: string;
}

/** The fields that operators edit. */
export type EditedField = "status" | "note" | "public_note" | "silenced_until";

/** Reads the edits of an operator. Never fails: what makes no sense is explained. */
export function readEdit(incident: Incident, document: OperatorFields): Edit {
  const problems: string[] = [];
  const noteIn = (field: "note" | "public_note"): string | undefined => {
    const { [field]: written } = document;
    if (typeof written === "string") return bounded(written, [], longestNote);
    if (written !== undefined && written !== null) problems.push(`\`${field}\` must be a string`);
    return undefined;
  };
  const note = noteIn("note");
  const publicNote = noteIn("public_note");
  const { silenced_until: until } = document;
  if (until !== undefined && until !== null && !(until instanceof Date)) {
    problems.push("`silenced_until` must be of type timestamp");
  }
  const status = statusEdit(incident, document.status);
  const isUnderstood = typeof status !== "object";
  return {
    ...(isUnderstood && status !== undefined ? { status } : {}),
    ...(note === undefined || note === "" ? {} : { note }),
    ...(publicNote === undefined || publicNote === "" ? {} : { publicNote }),
    problems,
    ...(isUnderstood ? {} : { statusProblem: status.problem }),
    restoresStatus: (!isUnderstood || status === undefined) && document.status !== incident.status,
  };
}

/** The editor of a field of the document, if named. */
export function editorOf({ edited_by: last, edits }: OperatorFields, field: EditedField): Editor {
  const own = ownEntry(readEdits(edits), field);
  const name = own?.by ?? last;
  const known = typeof name === "string" ? bounded(name, [], longestName).trim() : "";
  if (known === "") return { subject: "An operator", by: "an operator", via: "", where: ", in the document" };
  const way = bounded(own?.via ?? "", [], longestName).trim();
  const via = way === "" ? "" : `, ${way}`;
  return { subject: known, by: known, via, where: via };
}

function statusEdit(incident: Incident, written: Value | undefined): Edit["status"] | { readonly problem: string } {
  if (written === incident.status) return undefined;
  const wanted = typeof written === "string" ? written.trim().toLowerCase() : written;
  if (wanted === incident.status) return undefined;
  if (wanted === "resolved") return "resolved";
  if (wanted === "acknowledged") return incident.acknowledgedAt === undefined ? "acknowledged" : undefined;
  if (wanted === "open" && incident.status === "acknowledged") return "open";
  const shown = bounded(typeof written === "string" ? written : JSON.stringify(written ?? null), [], 60);
  return { problem: `\`status\` cannot be set to "${shown}": enter acknowledged or resolved` };
}
