/** `pathkeeper silence`: no new notices of an incident for a while. */
import { type Command, defineCommand } from "../command.ts";
import { editIncident, editOptions, incidentOperand, type OperatorEdit } from "../operator/edit.ts";
import { silenceEdit } from "../operator/edits.ts";

/** The command. */
export const silence: Command = defineCommand({
  summary: "Send no new notices of an incident for a while; its end is sent all the same",
  operand: incidentOperand,
  options: {
    ...editOptions,
    for: { type: "string", value: "TIME", default: "1h", help: "for how long" },
    end: { type: "boolean", default: false, help: "end the silence now" },
  },
  examples: [
    ["silence --for 2h --project my-project", "Silence the only open incident for two hours"],
    ["silence 20250916-121200-vpc-connector --end --data ./watch", "End a silence"],
  ],
  run: ({ for: time, end, ...values }, terminal, [id]) => {
    const edit = (status: string): OperatorEdit => silenceEdit(status, end ? undefined : time, Date.now());
    // A time that is none is refused before any incident is looked for.
    edit("open");
    return editIncident("silence", values, terminal, id, edit);
  },
});
