/** `pathkeeper note`: a person's words in the record of an incident, or on the status page. */
import { operatorEdits } from "../../shared/operator-edits.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { asUsage, editIncident, editOptions } from "../operator/edit.ts";

/** The command. */
export const note: Command = defineCommand({
  summary: "Add a note to the timeline of an incident, or publish it on the status page",
  operand: {
    form: "[ID] TEXT...",
    help: "the incident (optional if only one is open), and the note in quotes",
  },
  options: {
    ...editOptions,
    public: { type: "boolean", default: false, help: "publish it on the status page instead" },
  },
  examples: [
    ['note "Google raised the limit" --project my-project', "Add a note to the timeline"],
    ['note "We expect to be back by noon." --public --project my-project', "Publish an update on the status page"],
  ],
  run: ({ public: isPublic, ...values }, terminal, operands) => {
    const [first = "", second] = operands;
    if (operands.length > 2) throw new WrongUsage("the note has several arguments: put it in quotes");
    const [id, text] = second === undefined ? [undefined, first] : [first, second];
    const edit = asUsage(() => (isPublic ? operatorEdits.publicNote(text) : operatorEdits.note(text)));
    return editIncident("note", values, terminal, id, () => edit);
  },
});
