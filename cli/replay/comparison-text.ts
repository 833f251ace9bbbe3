/** A comparison for people: each incident with what the changed configuration makes of it. */
import { dateFormat } from "../../shared/text/formatters.ts";
import { counted, type Style, type Terminal, table } from "../terminal/terminal.ts";
import type { Compared, Difference, IncidentOutcome } from "./comparison.ts";

/** The lines of a comparison, the sum of it last. @param timezone in which times are shown */
export function describeComparison(
  compared: readonly Compared[],
  config: string,
  against: string,
  timezone: string,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const clock = wallClock(timezone);
  const lines = compared.flatMap(({ outcome, before, after, differences }) => {
    const shown = after ?? before;
    if (shown === undefined) return [];
    const [style, verdict] = verdicts[outcome];
    const head = `${paint("strong", shown.incident)}  ${spanOf(shown, clock)}  ${paint(style, verdict)}`;
    const details =
      outcome === "gone" || outcome === "new" ? about(shown) : differences.map((one) => rowOf(one, clock, paint));
    return [head, ...table(details), ""];
  });
  const count = (outcome: Compared["outcome"]): number => compared.filter((one) => one.outcome === outcome).length;
  const [same, changed, gone, added] = [count("same"), count("changed"), count("gone"), count("new")];
  if (compared.length === 0) return [`no incident, neither with ${config} nor with ${against}`];
  return [
    ...lines,
    `${counted(same + changed + gone, "incident")} with ${config}, ${same + changed + added} with ${against}: ` +
      `${same} the same, ${changed} changed, ${gone} gone, ${added} new`,
  ];
}

const verdicts: Readonly<Record<Compared["outcome"], readonly [Style, string]>> = {
  same: ["good", "the same"],
  changed: ["warning", "changed"],
  gone: ["bad", "no longer opened"],
  new: ["bad", "new"],
};

type Clock = (instant: string) => string;

function spanOf({ opened, resolved }: IncidentOutcome, clock: Clock): string {
  return `${clock(opened)} to ${Number.isNaN(Date.parse(resolved)) ? "the end" : clock(resolved)}`;
}

function about({ title, root_cause, verdict, severity, priority, notices }: IncidentOutcome): string[][] {
  const notified = Object.entries(notices).map(([channel, events]) => [`told ${channel}`, events.join(", ")]);
  return [
    ["title", title],
    ["root_cause", `${root_cause} (${verdict})`],
    ["severity", `${severity} ${priority}`],
    ...notified,
  ];
}

function rowOf({ what, before, after, by }: Difference, clock: Clock, paint: Terminal["paint"]): string[] {
  return [what, `${clock(before)} → ${clock(after)}`, by === undefined ? "" : paint("warning", by)];
}

/** Shows instants as a clock on the wall of that zone does, and leaves other texts alone. */
function wallClock(timeZone: string): Clock {
  // Swedish writes date and time in the order of ISO 8601.
  const format = dateFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (text) => (/^\d{4}-\d\d-\d\dT/.test(text) ? format.format(new Date(text)) : text);
}
