/** The picture of an incident as text: which component failed when, each a line of signs. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { swimlaneOf } from "../../../shared/picture/swimlane.ts";
import { laneText, laneTextLegend } from "../../../shared/picture/swimlane-table.ts";
import type { Account } from "./account.ts";
import { blocks, bullets, inline } from "./markdown.ts";

/** The section; nothing where no component is known to have failed. */
export function pictureOf({ incident }: Account): string | undefined {
  const picture = swimlaneOf({ incident, now: newestInstant(incident) });
  if (picture === undefined || picture.lanes.length === 0) return undefined;
  const lines = picture.lanes.map((lane) => {
    const says = lane.part === "cause" ? `the cause, ${lane.says}` : lane.says;
    return `\`${laneText(lane, picture)}\` ${inline(`${lane.title}: ${says}`)}`;
  });
  return blocks([laneTextLegend, bullets(lines)]);
}

/** The newest instant that the document knows: the end of the picture of an incident that is not over. Milliseconds. */
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
