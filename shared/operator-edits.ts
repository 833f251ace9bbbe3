/**
 * Edits of an incident by people outside the console: with a command, a link, a button, or in another service. Each writes the same fields
 * as an edit in the console, so the evaluator applies all of them in the same way, at its next tick.
 */
import { incidentCollection, readEdits } from "./documents/incident.ts";
import type { Fields, Store } from "./ports.ts";
import { ownEntry } from "./runtime/entries.ts";
import { bounded } from "./text/redact.ts";
import { spokenDuration } from "./text/units.ts";

/** The fields to write, and a description that follows the ID of the incident, without a full stop. */
export interface OperatorEdit {
  readonly fields: Fields;
  readonly done: string;
  /** Further fields, whose author is not recorded. @default none */
  readonly besides?: Fields;
}

/** The author, and how the edit was made, as the end of a sentence: `in Slack`, `on the command line`. */
export interface Operator {
  readonly by: string;
  readonly via: string;
}

/** An edit that would have no effect. Its message says why. */
export class EditRefused extends Error {
  override readonly name = "EditRefused";
}

/** The longest note that the timeline keeps whole, in characters. */
export const longestNote = 1000;

/** The edits. Each is given the status of the incident as it stands. @throws EditRefused */
export const operatorEdits = {
  acknowledge(status: string): OperatorEdit {
    mustBeOpen(status);
    if (status === "acknowledged") throw new EditRefused("the incident is acknowledged already");
    return { fields: { status: "acknowledged" }, done: "is acknowledged" };
  },
  withdrawAcknowledgement(status: string): OperatorEdit {
    mustBeOpen(status);
    if (status !== "acknowledged")
      throw new EditRefused(`the incident is ${status}: there is no acknowledgement to withdraw`);
    return { fields: { status: "open" }, done: "is not acknowledged any more" };
  },
  /** @param forMs duration of the silence, in milliseconds from `now` on */
  silence(status: string, forMs: number, now: number): OperatorEdit {
    mustBeOpen(status);
    return { fields: { silenced_until: new Date(now + forMs) }, done: `is silenced for ${spokenDuration(forMs)}` };
  },
  endSilence(status: string): OperatorEdit {
    mustBeOpen(status);
    return { fields: { silenced_until: null }, done: "is not silenced any more" };
  },
  resolve(status: string): OperatorEdit {
    mustBeOpen(status);
    return { fields: { status: "resolved" }, done: "is resolved" };
  },
  note(text: string): OperatorEdit {
    return { fields: { note: checkedNote(text) }, done: "has a new note" };
  },
  publicNote(text: string): OperatorEdit {
    return { fields: { public_note: checkedNote(text) }, done: "has a new public note" };
  },
};

/** The authors of edits that the evaluator has not read yet, as fields of a document. */
export interface EditorFields {
  /** Author of the last edit. */
  readonly edited_by: string;
  /** Author of each edit, by the field that it changed. */
  readonly edits: { readonly [field: string]: { readonly by: string; readonly via: string } };
}

/** The longest name that is kept, in characters. */
export const longestName = 80;

/** Returns the author fields of a document after an edit. Keeps the authors of other edits that have not been read yet. */
export function editorFields(document: Fields, edited: Fields, { by, via }: Operator): EditorFields {
  const name = bounded(by, [], longestName).trim();
  const own = Object.keys(edited).map((field) => [field, { by: name, via }] as const);
  return { edited_by: name, edits: { ...readEdits(document["edits"]), ...Object.fromEntries(own) } };
}

/**
 * Writes an edit into the document of an incident. Edits of several people at once are done one after the other.
 * @param edit what to write, by the document as it stands; called again where others wrote meanwhile
 * @returns the edit; `undefined` where there is no such incident
 * @throws what `edit` throws, and StoreError
 */
export function writeEdit<Edit extends OperatorEdit>(
  store: Pick<Store, "transaction">,
  id: string,
  operator: Operator,
  edit: (document: Fields) => Edit,
): Promise<Edit | undefined> {
  return store.transaction(async (transaction) => {
    const document = await transaction.get(incidentCollection, id);
    if (document === undefined) return undefined;
    const change = edit(document);
    const { fields, besides } = change;
    transaction.update(incidentCollection, id, { ...fields, ...besides, ...editorFields(document, fields, operator) });
    return change;
  });
}

/** The status of an incident, by its document. */
export function statusIn(document: Fields): string {
  const status = ownEntry(document, "status");
  return typeof status === "string" ? status : "";
}

function mustBeOpen(status: string): void {
  if (status === "resolved") throw new EditRefused("the incident is resolved already");
}

function checkedNote(text: string): string {
  if (text.trim() === "") throw new EditRefused('the note is empty: write it in quotes, such as "Ana is on it"');
  if (text.length > longestNote)
    throw new EditRefused(`the note has ${text.length} characters: write at most ${longestNote}`);
  return text;
}
