/** What a notice looks like before anybody has read a word of it. */

import type { Severity } from "../../../shared/messages/severity.ts";
import type { Notice } from "../channel.ts";

/** How bad it is at present, or that it is over. */
export type Tone = Severity | "resolved";

/** The tone of a notice. */
export function toneOf({ event }: Notice): Tone {
  if (event.status === "resolved") return "resolved";
  // What works again alarms nobody.
  return event.status === "recovering" ? "info" : event.severity;
}

/** The sign of each tone, for channels that show text only. */
export const signs: Readonly<Record<Tone, string>> = { critical: "🔴", warning: "🟠", info: "🔵", resolved: "🟢" };
