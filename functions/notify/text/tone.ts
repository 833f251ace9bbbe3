/** The tone of a notice, shown by colour or sign before any text. */

import type { Severity } from "../../../shared/messages/severity.ts";
import type { Notice } from "../channel.ts";

/** Present severity, or that it is resolved. */
export type Tone = Severity | "resolved";

/** The tone of a notice. */
export function toneOf({ event }: Notice): Tone {
  if (event.status === "resolved") return "resolved";
  // A recovering incident needs no alarm.
  return event.status === "recovering" ? "info" : event.severity;
}

/** Signs of the tones, for channels that show text only. */
export const signs: Readonly<Record<Tone, string>> = { critical: "🔴", warning: "🟠", info: "🔵", resolved: "🟢" };
