/** `pathkeeper ack`: somebody is working on an incident, so nobody else is called. */
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { editIncident, editOptions, incidentOperand, mustBeOpen } from "../operator/edit.ts";

/** The command. */
export const ack: Command = defineCommand({
  summary: "Acknowledge an incident: you are working on it, and the escalation ends",
  operand: incidentOperand,
  options: { ...editOptions, undo: { type: "boolean", default: false, help: "withdraw the acknowledgement" } },
  examples: [
    ["ack --project my-project", "Acknowledge the only open incident"],
    ["ack 20250916-121200-vpc-connector --data ./watch --by Ana", "Acknowledge one incident on this machine"],
  ],
  run: ({ undo, ...values }, terminal, [id]) =>
    editIncident("ack", values, terminal, id, (status) => {
      mustBeOpen(status);
      if (!undo && status === "acknowledged") throw new WrongUsage("the incident is acknowledged already");
      if (undo && status !== "acknowledged")
        throw new WrongUsage(`the incident is ${status}: there is no acknowledgement to withdraw`);
      return undo
        ? { fields: { status: "open" }, done: "is not acknowledged any more" }
        : { fields: { status: "acknowledged" }, done: "is acknowledged" };
    }),
});
