/** Draws an incident as text: one line of symbols for each component shows when it failed. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { swimlaneOf } from "../../../shared/picture/swimlane.ts";
import { laneText, laneTextLegend } from "../../../shared/picture/swimlane-table.ts";
import type { Account } from "./account.ts";
import { blocks, bullets, inline } from "./markdown.ts";

/** Writes the section; `undefined` if no component is known to have failed. */
export function pictureOf({ incident }: Account): string | undefined {
  const picture = swimlaneOf({ incident, now: newestInstant(incident) });
  if (picture === undefined || picture.lanes.length === 0) return undefined;
  const lines = picture.lanes.map((lane) => {
    const says = lane.part === "cause" ? `root cause, ${lane.says}` : lane.says;
    return `\`${laneText(lane, picture)}\` ${inline(`${lane.title}: ${says}`)}`;
  });
  return blocks([laneTextLegend, bullets(lines)]);
}

/** Returns the latest instant in the document, in milliseconds: the end of the picture of an unresolved incident. */
function newestInstant({ symptoms, opened_at, acknowledged_at, recovering_at, affected }: IncidentDocument): number {
  const instants = [
    opened_at,
    acknowledged_at,
    recovering_at,
    ...affected.flatMap(({ from, until }) => [from, until]),
    ...symptoms.flatMap(({ since, until, failures }) => [since, until, ...failures.map((one) => one.until)]),
  ];
  return Math.max(0, ...instants.flatMap((instant) => instant?.getTime() ?? []));
}
