/** The story of a played scenario: what the timeline did and what the monitor made of it, a line each, in the order of time. */
import { clock } from "./judge.ts";
import type { Played } from "./play.ts";

/** One line of a story; the instant is in milliseconds after the start. */
export interface StoryLine {
  readonly at: number;
  /** Whose doing it is: that of the timeline, or of the monitor. */
  readonly by: "timeline" | "alert" | "incident" | "notice";
  readonly text: string;
}

/** Everything that happened. */
export function storyOf({ scenario, alerts, events, deliveries }: Played): StoryLine[] {
  const { start, until } = scenario;
  const lines: StoryLine[] = [
    ...scenario.phases.flatMap(({ from, to, text }): StoryLine[] => [
      { at: from, by: "timeline", text },
      ...(to <= until ? [{ at: to, by: "timeline" as const, text: `over: ${text}` }] : []),
    ]),
    ...scenario.acts.map(({ at, text }): StoryLine => ({ at, by: "timeline", text })),
    ...alerts.map(
      ({ at, rule, key, status }): StoryLine => ({
        at: at - start,
        by: "alert",
        text: `${rule}${instance(key, rule)}: ${status}`,
      }),
    ),
    ...events.map(
      ({ at, event, incident, change, root_cause, severity }): StoryLine => ({
        at: Date.parse(at) - start,
        by: "incident",
        text: `${event} (${severity}, ${root_cause}) ${incident}: ${change}`,
      }),
    ),
    // What no route asks for is nobody's news.
    ...deliveries
      .filter(({ reason }) => !reason.startsWith("no route"))
      .map(
        ({ at, delivered_at, channel, event, status, reason }): StoryLine => ({
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
export function around(story: readonly StoryLine[], at: number, most: number = 6): StoryLine[] {
  const later = story.findIndex((line) => line.at > at);
  const middle = later < 0 ? story.length : later;
  return story.slice(Math.max(0, middle - most), middle + Math.ceil(most / 2));
}

/** The lines as a table: when, who, what. */
export function rowsOf(story: readonly StoryLine[]): string[][] {
  return story.map(({ at, by, text }) => [clock(at), by, text]);
}

/** Which series an alert is of, where its rule has more than one. */
function instance(key: string, rule: string): string {
  const probe = /(?:^|[|,])probe=([^,]*)/.exec(key)?.[1];
  return probe === undefined || rule === `${probe} failing` ? "" : ` {probe="${probe}"}`;
}
