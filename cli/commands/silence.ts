/** `pathkeeper silence`: no new notices of an incident for a while. */
import { operatorEdits } from "../../shared/operator-edits.ts";
import { formatDuration, parseDuration } from "../../shared/text/units.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { editIncident, editOptions, incidentOperand } from "../operator/edit.ts";

/** Maximum duration of a silence, in milliseconds. Longer silences tend to be forgotten. */
const longestMs = 31 * 86_400_000;

/** The command. */
export const silence: Command = defineCommand({
  summary: "Silence the notifications of an incident for a while; its resolution is still sent",
  operand: incidentOperand,
  options: {
    ...editOptions,
    for: { type: "string", value: "TIME", default: "1h", help: "duration of the silence" },
    end: { type: "boolean", default: false, help: "end the silence now" },
  },
  examples: [
    ["silence --for 2h --project my-project", "Silence the only open incident for two hours"],
    ["silence 20250916-121200-vpc-connector --end --data ./watch", "End a silence"],
  ],
  run: ({ for: time, end, ...values }, terminal, [id]) => {
    const lasts = parseDuration(time);
    if (lasts === undefined || lasts <= 0)
      throw new WrongUsage(`--for ${time} is an invalid duration: use a value such as 30m or 2h`);
    if (lasts > longestMs)
      throw new WrongUsage(`--for ${time} is too long: silence it for ${formatDuration(longestMs)} at most`);
    return editIncident("silence", values, terminal, id, (status) =>
      end ? operatorEdits.endSilence(status) : operatorEdits.silence(status, lasts, Date.now()),
    );
  },
});
