/** Incidents as pages on this machine, in place of the console: what the link of a notice leads to. */
import { once } from "node:events";
import { createServer } from "node:http";
import { style } from "../../functions/notify/pages/style.ts";
import type { Fields, Store, Value } from "../../shared/ports.ts";
import { Html, html } from "../../shared/text/html.ts";
import { guardRequests } from "../engine/request-guard.ts";

/** A server of incident pages. */
export interface IncidentPages {
  /** The list of incidents. */
  readonly url: string;
  /** The address of one, with `${incident}` for its id. */
  readonly links: string;
  stop(): Promise<void>;
}

const sheet = new Html(`${style}
main { padding-top: 1.5rem; padding-bottom: 3rem; }
h2 { margin-top: 1.5rem; }
dl { display: grid; grid-template-columns: fit-content(10rem) 1fr; gap: 0.25rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
ul { padding-left: 1.25rem; }
pre { white-space: pre-wrap; font: inherit; }
`);

/** How many incidents the list shows, the newest. */
const listed = 50;

/** Starts it on 127.0.0.1. It only reads. */
export async function startIncidentPages(store: Pick<Store, "get" | "query">, port: number): Promise<IncidentPages> {
  const server = createServer((request, response) => {
    const page = request.method === "GET" ? pageAt(request.url ?? "/", store) : Promise.resolve(undefined);
    page
      .catch(() => undefined)
      .then((found) => {
        response.writeHead(found === undefined ? 404 : 200, {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
          "cache-control": "no-store",
        });
        response.end(
          found ?? written("Nothing here", html`<p>There is no such incident. <a href="/">All incidents</a></p>`),
        );
      });
  });
  // Without a token: people follow links to these pages, which are read-only.
  guardRequests(server).listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : port}/`;
  return {
    url,
    links: `${url}incidents/\${incident}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function pageAt(path: string, store: Pick<Store, "get" | "query">): Promise<string | undefined> {
  if (path === "/") return listPage(store);
  const id = /^\/incidents\/([^/?#]+)$/.exec(path)?.[1];
  const incident = id === undefined ? undefined : await store.get("incidents", decodeURIComponent(id));
  return id === undefined || incident === undefined ? undefined : incidentPage(decodeURIComponent(id), incident);
}

async function listPage(store: Pick<Store, "query">): Promise<string> {
  const orderBy = { field: "opened_at", direction: "desc" } as const;
  const found = await store.query({ collection: "incidents", orderBy, limit: listed });
  const items = found.map(
    ({ id, fields }) =>
      html`<li><a href="/incidents/${encodeURIComponent(id)}">${textOf(fields["title"])}</a>
<span class="soft">${textOf(fields["status"])} · ${id}</span></li>`,
  );
  return written("Incidents", items.length === 0 ? html`<p>There has been none.</p>` : html`<ul>${items}</ul>`);
}

function incidentPage(id: string, { title = id, summary = "", postmortem, ...others }: Fields): string {
  const fields = Object.entries(others).filter(([, value]) => !isEmpty(value));
  const short = fields.filter(([, value]) => isShort(value));
  const long = fields.filter(([, value]) => !isShort(value));
  return written(
    textOf(title),
    html`<p>${textOf(summary)}</p>
<p class="soft">${id} · <a href="/">All incidents</a></p>
<dl>${short.map(([name, value]) => html`<dt>${spoken(name)}</dt><dd>${shown(value)}</dd>`)}</dl>
${long.map(([name, value]) => html`<h2>${spoken(name)}</h2>${shown(value)}`)}
${postmortem === undefined || isEmpty(postmortem) ? [] : [html`<h2>Postmortem</h2><pre>${textOf(postmortem)}</pre>`]}`,
  );
}

function spoken(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
}

function shown(value: Value): Html {
  if (isList(value)) return html`<ul>${value.map((one) => html`<li>${shown(one)}</li>`)}</ul>`;
  if (isShort(value)) return html`${textOf(value)}`;
  return html`<ul>${Object.entries(value ?? {}).map(([name, inner]) => html`<li>${name}: ${shown(inner)}</li>`)}</ul>`;
}

/** Whether it is one word, number, instant or sentence. */
function isShort(value: Value): boolean {
  return typeof value !== "object" || value === null || value instanceof Date;
}

function isEmpty(value: Value): boolean {
  return value === null || value === "" || (isList(value) && value.length === 0);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function textOf(value: Value | undefined): string {
  if (value instanceof Date) return `${value.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

function written(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${sheet}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>
`.text;
}
