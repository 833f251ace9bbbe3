/** `pathkeeper note`: a person's words in the record of an incident, or on the status page. */
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { editIncident, editOptions } from "../operator/edit.ts";

/** The longest note that the timeline keeps whole, in characters. */
const longest = 1000;

/** The command. */
export const note: Command = defineCommand({
  summary: "Add a note to the timeline of an incident, or publish it on the status page",
  operand: {
    form: "[ID] TEXT...",
    help: "the incident, which may be left out when only one is open, and the note in quotes",
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
    if (operands.length > 2) throw new WrongUsage("the note is in several parts: write it in quotes");
    const [id, text] = second === undefined ? [undefined, first] : [first, second];
    if (text.trim() === "") throw new WrongUsage('the note is empty: write it in quotes, such as "Ana is on it"');
    if (text.length > longest) throw new WrongUsage(`the note has ${text.length} characters: write at most ${longest}`);
    return editIncident("note", values, terminal, id, () =>
      isPublic
        ? { fields: { public_note: text }, done: "has a new public note" }
        : { fields: { note: text }, done: "has a new note" },
    );
  },
});
