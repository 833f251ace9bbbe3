/** Feeds with the contents of the status page, and a badge with its state. Pure: the same state produces the same bytes. */
import type { Page } from "../../../shared/ports.ts";
import { escapeHtml } from "../../../shared/text/escape-html.ts";
import { type ComponentState, statusWords } from "./page-text.ts";
import type { PageState, ShownIncident } from "./view.ts";

/** Maximum number of updates in a feed, the newest first. */
const maxEntries = 50;

/** One update of one incident. */
interface Entry {
  readonly id: string;
  readonly title: string;
  readonly at: string;
  readonly text: string;
  readonly path: string;
}

/** Returns the Atom feed (RFC 4287), the JSON feed (version 1.1) and the badge. */
export function feedsOf(state: PageState): Page[] {
  const entries = [...state.open, ...state.past]
    .flatMap(entriesOf)
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, maxEntries);
  return [
    { path: "feed.atom", contentType: "application/atom+xml; charset=utf-8", content: atomOf(state, entries) },
    { path: "feed.json", contentType: "application/feed+json; charset=utf-8", content: jsonOf(state, entries) },
    { path: "badge.svg", contentType: "image/svg+xml", content: badgeOf(state) },
  ];
}

function entriesOf({ id, title, updates }: ShownIncident): Entry[] {
  return updates.map(({ at, status, text }, index) => ({
    id: `urn:pathkeeper:${id}:${index}`,
    title: `${statusWords[status]}: ${title}`,
    at,
    text,
    path: `incidents/${id}.html`,
  }));
}

function addressOf({ url }: PageState, path: string): string {
  return new URL(path, url).href;
}

function atomOf(state: PageState, entries: readonly Entry[]): string {
  const updated = entries[0]?.at ?? "1970-01-01T00:00:00.000Z";
  const entry = ({ id, title, at, text, path }: Entry): string => `<entry>
<id>${escapeHtml(id)}</id><title>${escapeHtml(title)}</title><updated>${escapeHtml(at)}</updated>
<link href="${escapeHtml(addressOf(state, path))}"/><content type="text">${escapeHtml(text)}</content>
</entry>
`;
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>${escapeHtml(addressOf(state, "feed.atom"))}</id>
<title>${escapeHtml(state.title)}: status</title>
<updated>${escapeHtml(updated)}</updated>
<author><name>${escapeHtml(state.title)}</name></author>
<link rel="self" href="${escapeHtml(addressOf(state, "feed.atom"))}"/>
<link href="${escapeHtml(addressOf(state, "index.html"))}"/>
${entries.map(entry).join("")}</feed>
`;
}

function jsonOf(state: PageState, entries: readonly Entry[]): string {
  const feed = {
    version: "https://jsonfeed.org/version/1.1",
    title: `${state.title}: status`,
    home_page_url: addressOf(state, "index.html"),
    feed_url: addressOf(state, "feed.json"),
    items: entries.map(({ id, title, at, text, path }) => ({
      id,
      url: addressOf(state, path),
      title,
      content_text: text,
      date_published: at,
    })),
  };
  return `${JSON.stringify(feed, null, 1)}\n`;
}

/** Text of the badge for each state, and its background colour: white is readable on each. */
const badges: Readonly<Record<ComponentState, readonly [text: string, color: string]>> = {
  operational: ["operational", "#1e7b4b"],
  degraded: ["degraded", "#8a5a00"],
  down: ["outage", "#b3261e"],
  recovering: ["recovering", "#2b5fb3"],
  unknown: ["not measured", "#5f6168"],
};

function badgeOf({ state, title }: PageState): string {
  const [text, color] = badges[state];
  const [left, right] = [46, 14 + text.length * 7];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${escapeHtml(title)}: ${text}"><title>${escapeHtml(title)}: ${text}</title>
<rect width="${left}" height="20" fill="#3c4043"/><rect x="${left}" width="${right}" height="20" fill="${color}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="${left / 2}" y="14">status</text><text x="${left + right / 2}" y="14">${text}</text></g></svg>
`;
}
