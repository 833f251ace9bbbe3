/** The page behind a link: a short view of the incident, and the button that takes the action. */
import { createHash } from "node:crypto";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { Fields } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { Html, html } from "../../../shared/text/html.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { style } from "../pages/style.ts";
import { actionTitles } from "./act.ts";
import type { AnswerAction } from "./link.ts";

const sheet = `${style}
main { padding-top: 2rem; padding-bottom: 3rem; }
button { font: inherit; font-weight: 600; padding: 0.75rem 1.5rem; border-radius: 10px; border: 1px solid var(--line); background: var(--calm); color: var(--card); cursor: pointer; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--calm); outline-offset: 3px; }
label { display: block; margin: 1rem 0; }
input { font: inherit; display: block; width: 100%; max-width: 22rem; padding: 0.5rem; margin-top: 0.25rem; border: 1px solid var(--soft); border-radius: 8px; background: var(--card); color: var(--text); }
`;

/** Headers of every page: no external resources, no framing, no caching, and no referrer, because the URL is a credential. */
export const pageHeaders: () => Readonly<Record<string, string>> = lazily(() => ({
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(sheet).digest("base64")}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
}));

/** Contents of the confirmation page. */
export interface Question {
  readonly incident: string;
  readonly document: Fields;
  readonly action: AnswerAction;
  /** Recipient of the link, if it is a person. Others are asked for their name. */
  readonly reader?: string | undefined;
}

/** Returns the page with the button. The form posts to its own URL. */
export function questionPage({ incident, document, action, reader }: Question): string {
  const name =
    reader === undefined
      ? html`<label>Your name, for the timeline <input name="name" maxlength="80" autocomplete="name"></label>`
      : html`<p class="soft">As ${reader}.</p>`;
  return pageOf(
    actionTitles[action],
    html`${shortly(incident, document)}
<form method="post">${name}<button type="submit">${actionTitles[action]}</button></form>`,
  );
}

/** Returns a page with a message. @param about the incident it refers to */
export function sentencePage(title: string, sentence: string, about?: Pick<Question, "incident" | "document">): string {
  const incident = about === undefined ? html`` : shortly(about.incident, about.document);
  return pageOf(title, html`<p>${sentence}</p>${incident}`);
}

function shortly(id: string, document: Fields): Html {
  const { title, summary, status, severity, opened_at: openedAt, impact } = readIncident(document);
  const since = openedAt === null ? "" : ` · since ${openedAt.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return html`<h2>${bounded(title)}</h2>
<p>${bounded(summary, [], 600)}</p>
${impact === "" ? [] : [html`<p>${bounded(impact)}</p>`]}
<p class="soft">${severity} · ${status}${since} · ${id}</p>`;
}

function pageOf(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(sheet)}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>
`.text;
}
