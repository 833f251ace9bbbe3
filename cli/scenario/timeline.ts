/** The story of a played scenario: what the timeline did and what the monitor made of it, a line each, in the order of time. */
import { clock } from "./judge.ts";
import type { Played } from "./play.ts";

/** One line of a story; the instant is in milliseconds after the start. */
export interface TimelineLine {
  readonly at: number;
  /** Whose doing it is: that of the timeline, or of the monitor. */
  readonly by: "timeline" | "alert" | "incident" | "notice";
  readonly text: string;
}

/** Everything that happened. */
export function timelineOf({ scenario, alerts, events, deliveries }: Played): TimelineLine[] {
  const { start, until } = scenario;
  const lines: TimelineLine[] = [
    ...scenario.phases.flatMap(({ from, to, text }): TimelineLine[] => [
      { at: from, by: "timeline", text },
      ...(to <= until ? [{ at: to, by: "timeline" as const, text: `over: ${text}` }] : []),
    ]),
    ...scenario.actions.map(({ at, text }): TimelineLine => ({ at, by: "timeline", text })),
    ...alerts.map(
      ({ at, rule, key, status }): TimelineLine => ({
        at: at - start,
        by: "alert",
        text: `${rule}${instance(key, rule)}: ${status}`,
      }),
    ),
    ...events.map(
      ({ at, event, incident, change, root_cause, severity }): TimelineLine => ({
        at: Date.parse(at) - start,
        by: "incident",
        text: `${event} (${severity}, ${root_cause}) ${incident}: ${change}`,
      }),
    ),
    // Events that no route selects are not notifications.
    ...deliveries
      .filter(({ reason }) => !reason.startsWith("no route"))
      .map(
        ({ at, delivered_at, channel, event, status, reason }): TimelineLine => ({
          at: (delivered_at ?? at).getTime() - start,
          by: "notice",
          text:
            status === "delivered"
              ? `${channel} is told: ${event}`
              : `${channel} is not told of ${event}: ${status}, ${reason}`,
        }),
      ),
  ];
  const order = ["timeline", "alert", "incident", "notice"];
  return lines.sort((a, b) => a.at - b.at || order.indexOf(a.by) - order.indexOf(b.by));
}

/** The lines of a story around an instant: the nearest before it and behind it. */
export function around(timeline: readonly TimelineLine[], at: number, most: number = 6): TimelineLine[] {
  const later = timeline.findIndex((line) => line.at > at);
  const middle = later < 0 ? timeline.length : later;
  return timeline.slice(Math.max(0, middle - most), middle + Math.ceil(most / 2));
}

/** The lines as a table: when, who, what. */
export function rowsOf(timeline: readonly TimelineLine[]): string[][] {
  return timeline.map(({ at, by, text }) => [clock(at), by, text]);
}

/** Which series an alert is of, where its rule has more than one. */
function instance(key: string, rule: string): string {
  const probe = /(?:^|[|,])probe=([^,]*)/.exec(key)?.[1];
  return probe === undefined || rule === `${probe} failing` ? "" : ` {probe="${probe}"}`;
}
