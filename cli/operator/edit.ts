/** Shared by the commands that edit an incident: selects the incident, identifies the user and writes the edit into its document. */
import { userInfo } from "node:os";
import { incidentCollection } from "../../shared/documents/incident.ts";
import { EditRefused, type OperatorEdit, statusIn, writeEdit } from "../../shared/operator-edits.ts";
import { type Store, StoreError } from "../../shared/ports.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { list } from "../../shared/text/sentences.ts";
import { type Operand, WrongUsage } from "../command.ts";
import { type SystemOptions, storeOf, storeOptions } from "../store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { openIncidents } from "./incidents.ts";

/** The incident that such a command edits. */
export const incidentOperand: Operand = {
  form: "[ID]",
  help: "the incident, or the beginning of its ID (optional if only one is open)",
};

/** The options of every command that edits an incident. */
export const editOptions = {
  ...storeOptions,
  by: { type: "string", value: "NAME", usual: "your user name", help: "your name, for the timeline" },
  json: { type: "boolean", default: false, help: "print the change as JSON" },
} as const;

/** The values of these options. */
interface EditValues extends SystemOptions {
  readonly by?: string | undefined;
  readonly json: boolean;
}

/**
 * Writes an operator's edit into the document of an incident; the evaluator takes it up at its next tick, as it does edits in the console.
 * @param command the name of the command, for its messages
 * @param named the id, or the beginning of one; the only open incident where absent
 * @param edit what to write, by the incident as it stands
 * @returns the exit code
 * @throws WrongUsage where it is not known which incident is meant, or the edit is refused
 */
export async function editIncident(
  command: string,
  values: EditValues,
  terminal: Terminal,
  named: string | undefined,
  edit: (status: string) => OperatorEdit,
): Promise<number> {
  const by = values.by?.trim() ?? userInfo().username;
  if (by === "") throw new WrongUsage("--by is empty: enter your name");
  const store = await storeOf(values);
  try {
    const id = await meant(store, named);
    const written = await writeEdit(store, id, { by, via }, (document) => asUsage(() => edit(statusIn(document))));
    if (written === undefined) throw new WrongUsage(`incident ${id} no longer exists`);
    const { fields, done } = written;
    if (values.json) terminal.print(JSON.stringify({ incident: id, by, ...fields }, null, 2));
    else terminal.print(`${id} ${done}, by ${by}. The monitor applies it within a minute.`);
    return 0;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    terminal.note(`pathkeeper ${command}: the incident cannot be edited: ${error.message}`);
    return 1;
  } finally {
    await store.close();
  }
}

/** Makes an edit. @throws WrongUsage where it is refused */
export function asUsage<Edit>(make: () => Edit): Edit {
  try {
    return make();
  } catch (error) {
    throw error instanceof EditRefused ? new WrongUsage(error.message) : error;
  }
}

/** Origin of the edit, for the timeline. */
const via = "on the command line";

/** The id of the incident that is meant. @throws WrongUsage where that is not known */
async function meant(store: Store, named: string | undefined): Promise<string> {
  const open = (await openIncidents(store)).map(({ id }) => id);
  const [only, second] = open;
  if (named === undefined) {
    if (only === undefined) throw new WrongUsage("there are no open incidents");
    if (second !== undefined)
      throw new WrongUsage(`${open.length} incidents are open: specify one of ${list(open, 5)}`);
    return only;
  }
  const [beginning, another] = named === "" || open.includes(named) ? [] : open.filter((id) => id.startsWith(named));
  if (another !== undefined) throw new WrongUsage(`several open incidents begin with ${named}: enter the full ID`);
  const id = beginning ?? named;
  if (id !== "" && (await store.get(incidentCollection, id)) !== undefined) return id;
  const near = nearest(named, open);
  const known = only === undefined ? "there are no open incidents" : `the open ones are ${list(open, 5)}`;
  throw new WrongUsage(`there is no incident ${named}: ${near === undefined ? known : `did you mean ${near}?`}`);
}
