/** `pathkeeper resolve`: an operator declares an incident over, whatever the probes say. */
import { operatorEdits } from "../../shared/operator-edits.ts";
import { type Command, defineCommand } from "../command.ts";
import { editIncident, editOptions, incidentOperand } from "../operator/edit.ts";

/** The command. */
export const resolve: Command = defineCommand({
  summary: "Resolve an incident, whatever the probes report",
  operand: incidentOperand,
  options: editOptions,
  examples: [["resolve 20250916-121200-vpc-connector --project my-project", "Resolve one incident"]],
  run: (values, terminal, [id]) => editIncident("resolve", values, terminal, id, operatorEdits.resolve),
});
