/** `pathkeeper ack`: somebody is working on an incident, so nobody else is called. */
import { operatorEdits } from "../../shared/operator-edits.ts";
import { type Command, defineCommand } from "../command.ts";
import { editIncident, editOptions, incidentOperand } from "../operator/edit.ts";

/** The command. */
export const ack: Command = defineCommand({
  summary: "Acknowledge an incident: record that you are working on it, and stop the escalation",
  operand: incidentOperand,
  options: { ...editOptions, undo: { type: "boolean", default: false, help: "withdraw the acknowledgement" } },
  examples: [
    ["ack --project my-project", "Acknowledge the only open incident"],
    ["ack 20250916-121200-vpc-connector --data ./watch --by Ana", "Acknowledge one incident on this machine"],
  ],
  run: ({ undo, ...values }, terminal, [id]) =>
    editIncident("ack", values, terminal, id, undo ? operatorEdits.withdrawAcknowledgement : operatorEdits.acknowledge),
});
