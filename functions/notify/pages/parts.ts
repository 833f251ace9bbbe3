/** Parts shared by the status page and other pages: states, instants, and availability as bars. Pure. */
import { upRatio } from "../../../shared/documents/availability.ts";
import { dateFormat, zonedMinute } from "../../../shared/text/formatters.ts";
import { Html, html } from "../../../shared/text/html.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { ComponentState } from "./page-text.ts";
import type { ShownComponent, ShownDay } from "./view.ts";

/** Returns the measured share of the time, and its length. A current failure that is not counted yet has no share. */
export function coverageOf(component: ShownComponent): string {
  const { availability, days } = component;
  if (availability === null) return "not measured yet";
  if (isUncounted(component)) return "current failure not counted yet";
  const known = days.filter(({ up, down }) => up + down > 0).length;
  const when = known === days.length ? "" : known === 1 ? " on the 1 day measured" : ` on ${known} days measured`;
  return `${percent(availability)} available${when}`;
}

function isUncounted({ state, availability }: ShownComponent): boolean {
  return availability === 1 && (state === "down" || state === "degraded" || state === "recovering");
}

/** Renders a bar for each day. For screen readers, the total is given in words; days with a failure are listed below. */
export function bars(component: ShownComponent): Html {
  const { title, availability, days } = component;
  const bad = days.filter(({ down }) => down > 0).length;
  const known = days.filter(({ up, down }) => up + down > 0).length;
  const label =
    availability === null || isUncounted(component)
      ? `${title}: ${coverageOf(component)}.`
      : `${title}: available ${percent(availability)} of the time in the last ${days.length} days, of which ${known} were measured and ${bad} had a failure.`;
  const bar = (day: ShownDay, index: number): Html => {
    const kind = kindOf(day);
    // A day with a failure also differs in shape: it has a gap in the middle.
    const x = index * 10 + 1;
    const shape =
      kind === "some" || kind === "much"
        ? html`<rect class="${kind}" x="${x}" y="0" width="8" height="14"/><rect class="${kind}" x="${x}" y="18" width="8" height="14"/>`
        : html`<rect class="${kind}" x="${x}" y="0" width="8" height="32"/>`;
    return html`<g><title>${dayText(day)}</title>${shape}</g>`;
  };
  return html`<svg class="bars" role="img" aria-label="${label}" viewBox="0 0 ${days.length * 10} 32" preserveAspectRatio="none">${days.map(bar)}</svg>`;
}

/** A failure of more than one percent of a day, a quarter of an hour, counts as much. */
function kindOf({ up, down }: ShownDay): "up" | "some" | "much" | "none" {
  const ratio = upRatio({ up, down });
  if (ratio === undefined) return "none";
  if (down === 0) return "up";
  return ratio >= 0.99 ? "some" : "much";
}

/** Describes a day in words. */
export function dayText({ date, up, down }: ShownDay): string {
  const day = dayName(date);
  const ratio = upRatio({ up, down });
  if (ratio === undefined) return `${day}: not measured`;
  return down === 0
    ? `${day}: no failure`
    : `${day}: failed for ${spokenDuration(down * 1000)}, ${percent(ratio)} available`;
}

/** A shape for each state, so that states do not differ by colour alone. */
export const shapes: Readonly<Record<ComponentState, string>> = {
  operational: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.6 5.3-4.2 4.6a.9.9 0 0 1-1.3 0L4.3 9.1l1.3-1.3 1.1 1.1 3.6-3.9Z",
  degraded: "M8 1 .6 14.5h14.8Zm-.9 5h1.8v4H7.1Zm0 5h1.8v1.8H7.1Z",
  down: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.2 8.9-1.3 1.3L8 9.3l-1.9 1.9-1.3-1.3L6.7 8 4.8 6.1l1.3-1.3L8 6.7l1.9-1.9 1.3 1.3L9.3 8Z",
  recovering: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm.9 7.5L11.6 10l-.9 1.5-3.6-2.1V4h1.8Z",
  unknown: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM4 7.1h8v1.8H4Z",
};

/** Renders the icon of a state, recognizable without colour. */
export function icon(state: ComponentState): Html {
  return html`<svg viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d="${shapes[state]}"/></svg>`;
}

const favicons: Readonly<Record<ComponentState, string>> = {
  operational: "#3fa873",
  degraded: "#e3a02c",
  down: "#d64a3f",
  recovering: "#2b5fb3",
  unknown: "#8a8c93",
};

/** Returns the same icon as the favicon of a page. */
export function favicon(state: ComponentState): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="${favicons[state]}" fill-rule="evenodd" d="${shapes[state]}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Renders a part only if a condition holds. */
export function when(condition: boolean, shown: Html): Html {
  return condition ? shown : new Html("");
}

/** Renders an instant in a time zone, with its exact value for programs. */
export function instant(at: string, timezone: string): Html {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return html`${at}`;
  return html`<time datetime="${time.toISOString()}">${zonedMinute(time, timezone)}</time>`;
}

function dayName(date: string): string {
  const options = { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" } as const;
  return dateFormat("en-GB", options).format(new Date(`${date}T00:00:00Z`));
}

/** Formats a ratio as `100%` or `99.95%`; never rounds up to 100%. */
export function percent(ratio: number): string {
  const hundredths = Math.floor(ratio * 10_000) / 100;
  return `${hundredths === 100 ? "100" : hundredths.toFixed(2)}%`;
}
