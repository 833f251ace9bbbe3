/** A postmortem as one HTML file with the picture of the incident: nothing in it is loaded from elsewhere, and nothing runs. Pure. */
import { createHash } from "node:crypto";
import type { Account } from "../functions/evaluate/postmortem/account.ts";
import { style } from "../functions/notify/pages/style.ts";
import { figureOf, pictureOf } from "../local/web/pages/picture.ts";
import { Html, html } from "../shared/text/html.ts";
import { renderMarkdown } from "../shared/text/markdown.ts";

const sheet = `${style}
main { padding-top: 2rem; padding-bottom: 3rem; max-width: 56rem; }
main > h1 { font-size: 1.5rem; }
figure { margin: 1rem 0; padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
figcaption { margin-top: 0.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; } .scroll { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.75rem 0.4rem 0; border-top: 1px solid var(--line); }
code { background: var(--none-ground); border-radius: 4px; padding: 0.1em 0.3em; font: 0.875em ui-monospace, Menlo, Consolas, monospace; }
.task { list-style: none; margin-left: -1.25rem; }
@media print { figure, li, tr { break-inside: avoid; } }
`;

/**
 * Makes the file.
 * @param markdown the postmortem
 * @param timezone IANA zone of the picture's times; the text has those of UTC
 * @param now milliseconds since the epoch: the end of the picture of an incident that is not over
 */
export function postmortemPage(account: Account, markdown: string, timezone: string, now: number): string {
  const picture = pictureOf({ account, working: [], gaps: [] }, now);
  const [title = account.id] = /(?<=^# ).*$/m.exec(markdown) ?? [];
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(sheet).digest("base64")}'`;
  const figure = picture === undefined ? html`` : figureOf(picture, timezone);
  // The picture stands behind the title and what belongs to it, before the first section.
  const at = markdown.search(/^## /m);
  const [head, rest] = at < 0 ? [markdown, ""] : [markdown.slice(0, at), markdown.slice(at)];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.replaceAll(/\\(.)/g, "$1")}</title>
<style>${new Html(sheet)}</style>
</head>
<body><main>
${renderMarkdown(head)}${figure}
${renderMarkdown(rest)}</main></body>
</html>
`.text;
}
