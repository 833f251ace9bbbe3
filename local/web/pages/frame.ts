/** Frame around the content of every control room page, and its security headers. Pure. */
import { type ComponentState, stateLabels } from "../../../functions/notify/pages/page-text.ts";
import { favicon, icon } from "../../../functions/notify/pages/parts.ts";
import { dateFormat } from "../../../shared/text/formatters.ts";
import { type Html, html } from "../../../shared/text/html.ts";

/** Shared data of the pages. */
export interface Frame {
  /** Title of the environment. */
  readonly environment: string;
  /** IANA zone of the times. */
  readonly timezone: string;
  /** When the page was made, in milliseconds since the epoch. */
  readonly now: number;
  /** Token that forms carry, if the user may act. */
  readonly token?: string | undefined;
  /** Addresses of scripts and the sheet, by name. */
  readonly assets: (name: "room.css" | "room.js" | "uplot.css") => string;
}

/** Content security policy: a page may load only its own style sheet, script and data. Inline scripts and styles are not allowed. */
export const pagePolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** A whole page. @param state of its icon */
export function framed(frame: Frame, title: string, state: ComponentState, main: Html): string {
  const { environment, now, timezone, assets, token } = frame;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<title>${title}</title>
<link rel="icon" href="${favicon(state)}">
<link rel="stylesheet" href="${assets("uplot.css")}">
<link rel="stylesheet" href="${assets("room.css")}">
<script type="module" src="${assets("room.js")}"></script>
</head>
<body>
<header class="top"><nav aria-label="Pages"><a class="home" href="/">${environment}</a><a href="/incidents">Incidents</a></nav></header>
<main id="main">
${main}
<p class="soft stamp">As of ${clockTime(now, timezone)}.${token === undefined ? " Read only: to act, open the address that was printed at the start." : ""}</p>
</main>
</body>
</html>
`.text;
}

/** The state of a component, with its sign. */
export function stateMark(state: ComponentState, words: string = stateLabels[state]): Html {
  return html`<span class="state ${state}">${icon(state)}${words}</span>`;
}

/** `12:04:31`, with the zone. */
export function clockTime(at: number, timezone: string): string {
  const options = { timeZone: timezone, hour12: false, timeStyle: "long" } as const;
  return dateFormat("en-GB", options).format(at);
}

/** `16 Sept 2025, 12:04:31`, exact for programs. */
export function dateTime(at: number | Date, timezone: string): Html {
  const options = { timeZone: timezone, hour12: false, dateStyle: "medium", timeStyle: "medium" } as const;
  const date = new Date(at);
  return html`<time datetime="${date.toISOString()}">${dateFormat("en-GB", options).format(date)}</time>`;
}
