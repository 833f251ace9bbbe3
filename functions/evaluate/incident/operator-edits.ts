/** Reads and applies what operators write into the document of an incident. */

import type { Value } from "../../../shared/ports.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { Incident } from "./state.ts";

/** The fields of an incident's document that operators edit. */
export interface OperatorFields {
  readonly status?: Value | undefined;
  readonly note?: Value | undefined;
  readonly silenced_until?: Value | undefined;
  readonly edited_by?: Value | undefined;
  /** Not theirs: what the notifier notes of the channels. */
  readonly told?: Value | undefined;
  readonly deliveries?: Value | undefined;
}

/** Requests of an operator. */
export interface Edit {
  /** Absent when the status is as the monitor left it, or makes no sense. */
  readonly status?: "acknowledged" | "resolved" | "open";
  readonly note?: string;
  readonly editor: Editor;
  /** Problems with the note and the silence, shown until they are corrected; each without a full stop. */
  readonly problems: readonly string[];
  /** Problem with the status, which is corrected at once. */
  readonly statusProblem?: string;
  /** The status in the document is not one, and the monitor's own must be written again. */
  readonly restoresStatus: boolean;
}

/** Names the editor of a document, at the beginning of a sentence and after "by". For an edit in the console only the place is known. */
export interface Editor {
  readonly subject: string;
  readonly by: string;
  readonly where: "" | ", in the document";
}

/** Reads the edits of an operator. Never fails: what makes no sense is explained. */
export function readEdit(incident: Incident, document: OperatorFields): Edit {
  const problems: string[] = [];
  const note = typeof document.note === "string" ? bounded(document.note, [], 1000) : undefined;
  if (document.note !== undefined && document.note !== null && note === undefined) {
    problems.push("`note` is not a text: make it a string");
  }
  const { silenced_until: until } = document;
  if (until !== undefined && until !== null && !(until instanceof Date)) {
    problems.push("`silenced_until` is not an instant: give the field the type timestamp");
  }
  const status = statusEdit(incident, document.status);
  const isUnderstood = typeof status !== "object";
  return {
    ...(isUnderstood && status !== undefined ? { status } : {}),
    ...(note === undefined || note === "" ? {} : { note }),
    editor: editorOf(document),
    problems,
    ...(isUnderstood ? {} : { statusProblem: status.problem }),
    restoresStatus: (!isUnderstood || status === undefined) && document.status !== incident.status,
  };
}

/** The editor of the document, if named. */
export function editorOf({ edited_by: name }: OperatorFields): Editor {
  const known = typeof name === "string" ? bounded(name, [], longestName).trim() : "";
  return known === ""
    ? { subject: "An operator", by: "an operator", where: ", in the document" }
    : { subject: known, by: known, where: "" };
}

const longestName = 80;

function statusEdit(incident: Incident, written: Value | undefined): Edit["status"] | { readonly problem: string } {
  if (written === incident.status) return undefined;
  const wanted = typeof written === "string" ? written.trim().toLowerCase() : written;
  if (wanted === incident.status) return undefined;
  if (wanted === "resolved") return "resolved";
  if (wanted === "acknowledged") return incident.acknowledgedAt === undefined ? "acknowledged" : undefined;
  if (wanted === "open" && incident.status === "acknowledged") return "open";
  const shown = bounded(typeof written === "string" ? written : JSON.stringify(written ?? null), [], 60);
  return { problem: `\`status\` cannot be made "${shown}": write acknowledged or resolved` };
}
