/**
 * What people do to an incident from elsewhere than the console: with a command, a link, a button, or in another service. Each writes the same fields as an
 * edit in the console, so the evaluator takes all of them up in the same way, at its next tick.
 */
import { incidentCollection, readEdits } from "./documents/incident.ts";
import type { Fields, Store } from "./ports.ts";
import { ownEntry } from "./runtime/entries.ts";
import { bounded } from "./text/redact.ts";
import { spokenDuration } from "./text/units.ts";

/** What is written, and the sentence that says so, after the id of the incident and without a full stop. */
export interface OperatorEdit {
  readonly fields: Fields;
  readonly done: string;
  /** What is written besides, of which no author is kept. @default nothing */
  readonly besides?: Fields;
}

/** Who edits, and how, as the end of a sentence: `in Slack`, `on the command line`. */
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
  /** @param forMs how long nothing new is told, in milliseconds from `now` on */
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

/** What a document holds of whoever edited it, until the evaluator has read the edit. */
export interface EditorFields {
  /** The name of whoever made the last edit. */
  readonly edited_by: string;
  /** Who made each edit, by the field that it changed. */
  readonly edits: { readonly [field: string]: { readonly by: string; readonly via: string } };
}

/** The longest name that is kept, in characters. */
export const longestName = 80;

/** Who has edited a document, beside what stands there of others whose edits have not been read. */
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
