/** The picture of an incident: what it is made from, and how it stands in a page. Pure. */
import type { Account } from "../../../functions/evaluate/postmortem/account.ts";
import { when } from "../../../functions/notify/pages/parts.ts";
import { readerName } from "../../../shared/documents/delivery-summary.ts";
import type { ChangeRecord } from "../../../shared/documents/incident.ts";
import { type Moment, type Swimlane, swimlaneOf } from "../../../shared/picture/swimlane.ts";
import { swimlaneLegend, swimlaneSvg } from "../../../shared/picture/swimlane-svg.ts";
import { Html, html } from "../../../shared/text/html.ts";
import { clockTime } from "./frame.ts";

/** Input of the story. */
export interface IncidentPageSources {
  readonly account: Account;
  /** Components that were measured good all the time, the most relevant first. */
  readonly working: readonly { readonly component: string; readonly title: string }[];
  /** Times in which nothing was measured of a component. */
  readonly gaps: readonly { readonly component: string; readonly from: number; readonly until: number }[];
}

/** The picture of an incident, with its notices. */
export function pictureOf({ account, working, gaps }: IncidentPageSources, now: number): Swimlane | undefined {
  const { incident, deliveries } = account;
  const told = deliveries.filter(({ status }) => status === "delivered");
  const events = [...Map.groupBy(told, ({ sequence, event }) => `${sequence} ${event}`).values()];
  const notices = events.flatMap((own): Moment[] => {
    const arrivals = own.flatMap(({ delivered_at: at }) => at?.getTime() ?? []);
    const [event = ""] = own.map((one) => one.event.replaceAll("_", " "));
    const to = own.length === 1 ? readerName(own[0] ?? { channel: "" }) : `${own.length} recipients`;
    return arrivals.length === 0 ? [] : [{ at: Math.min(...arrivals), text: `${event} to ${to}` }];
  });
  const changes = incident.changes.map((change) => ({ at: change.at.getTime(), text: changeText(change) }));
  return swimlaneOf({ incident, working, gaps, notices, changes, now });
}

/** The picture with what its signs mean, and its moments in words. */
export function figureOf(picture: Swimlane, timezone: string): Html {
  const moments = picture.moments.map(({ at, text }) => `${text} ${clockTime(at, timezone)}`).join(" · ");
  return html`<figure>${new Html(swimlaneSvg(picture, { timezone }))}<figcaption>${swimlaneLegend(picture)}<p class="soft">${moments}${when(picture.leftOut > 0, html` · ${picture.leftOut} more components are not shown`)}</p></figcaption></figure>`;
}

/** Returns a short description of the change, its resource and its author. */
export function changeText({ what, resource, by }: ChangeRecord): string {
  return `${what}${resource === null ? "" : ` (${resource})`}${by === null ? "" : `, by ${by}`}`;
}
