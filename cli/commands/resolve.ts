/** `pathkeeper resolve`: an operator declares an incident over, whatever the probes say. */
import { type Command, defineCommand } from "../command.ts";
import { editIncident, editOptions, incidentOperand } from "../operator/edit.ts";
import { resolution } from "../operator/edits.ts";

/** The command. */
export const resolve: Command = defineCommand({
  summary: "Declare an incident over, whatever the probes say",
  operand: incidentOperand,
  options: editOptions,
  examples: [["resolve 20250916-121200-vpc-connector --project my-project", "Resolve one incident"]],
  run: (values, terminal, [id]) => editIncident("resolve", values, terminal, id, resolution),
});
