/**
 * The control room: a web server on 127.0.0.1 whose pages show how everything is, and through which people act on incidents. Pages are read as
 * HTML; a script renews them by server-sent events. Only who has opened the address with the token of the run may act.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { html } from "../../shared/text/html.ts";
import { guardRequests } from "../engine/request-guard.ts";
import { type Answer, answerPost, decoded, type RoomActions } from "./acting.ts";
import { readAssets } from "./assets.ts";
import { drillForm } from "./pages/actions.ts";
import { componentPage } from "./pages/component-page.ts";
import { type Frame, framed, pagePolicy } from "./pages/frame.ts";
import { incidentsPage } from "./pages/incident-list.ts";
import { incidentPage } from "./pages/incident-page.ts";
import { overviewPage } from "./pages/overview-page.ts";
import { RoomReader, type RoomSources } from "./reading.ts";
import { openSession } from "./session.ts";
import { startVersions } from "./versions.ts";

/** A control room that is open. */
export interface Room {
  /** The overview, without the token. */
  readonly url: string;
  /** The same with the token: who opens it may act. */
  readonly actingUrl: string;
  /** The address of one incident, with `${incident}` for its id. */
  readonly links: string;
  stop(): Promise<void>;
}

/** Handler of responses from recipients, below the address of the pages. They use signed links and need no token. */
export interface Answers {
  takes(request: IncomingMessage): boolean;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Options of a room. */
export interface RoomOptions {
  readonly sources: RoomSources;
  /** The token of this run. */
  readonly token: string;
  /** @default any that is free */
  readonly port?: number;
  /** True if reading also requires the token, because it uses a person's own credentials. @default false */
  readonly isPrivate?: boolean;
  /** @default nobody may act */
  readonly actions?: RoomActions;
  /** Is given the address of the room. @default no answers come here */
  readonly answers?: (url: string) => Answers;
}

/** Opens it. @throws Error when the port is taken */
export async function openRoom({
  sources,
  token,
  port = 0,
  isPrivate = false,
  actions,
  answers,
}: RoomOptions): Promise<Room> {
  const reader = new RoomReader(sources);
  const assets = await readAssets();
  const versions = startVersions(() => reader.version(), Math.max(1_000, sources.freshMs));
  const { configuration, now } = sources;
  let taker: Answers | undefined;
  const server = createServer((request, response) => {
    if (taker?.takes(request)) {
      void taker.answer(request, response);
      return;
    }
    const session = openSession(request, token, server.address());
    const canAct = session.isKnown && actions !== undefined;
    const frame: Frame = {
      environment: configuration.title,
      timezone: configuration.timezone,
      now: now(),
      assets: assets.url,
      ...(canAct ? { token } : {}),
    };
    answer(request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (!response.headersSent)
        send(
          request,
          response,
          page(500, frame, "Cannot read the data", `This page cannot be shown at the moment: ${message}`),
        );
      else response.destroy();
    });

    async function answer(asked: IncomingMessage, to: ServerResponse): Promise<void> {
      const address = URL.parse(asked.url ?? "/", "http://127.0.0.1");
      if (address === null) return send(asked, to, missing(frame));
      const asset = address.pathname.startsWith("/assets/") ? assets.find(address.pathname.slice(8)) : undefined;
      if (asset !== undefined) {
        const { contentType, content: body, version } = asset;
        const isPinned = address.searchParams.get("v") === version;
        const caching = isPinned ? "max-age=31536000, immutable" : "no-cache";
        return send(asked, to, { status: 200, contentType, body, headers: { "cache-control": caching } });
      }
      if (session.admission !== undefined) return send(asked, to, session.admission);
      if (isPrivate && !session.isKnown)
        return send(asked, to, page(401, frame, "Access denied", "Open the address that was printed at the start."));
      if (asked.method === "POST")
        return send(asked, to, await answerPost(asked, address.pathname, { frame, actions, token, session }));
      if (asked.method !== "GET" && asked.method !== "HEAD") return send(asked, to, missing(frame));
      if (address.pathname === "/events") return versions.follow(asked, to);
      return send(asked, to, (await found(address, frame, reader)) ?? missing(frame));
    }
  });
  guardRequests(server).listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const url = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : port}/`;
  taker = answers?.(url);
  return {
    url,
    actingUrl: `${url}?token=${token}`,
    links: `${url}incidents/\${incident}`,
    stop: async () => {
      versions.stop();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The page or the data at an address; `undefined` where there is none. */
async function found({ pathname, searchParams }: URL, frame: Frame, reader: RoomReader): Promise<Answer | undefined> {
  const parts = pathname.slice(1).split("/").map(decoded);
  if (parts.includes(undefined)) return undefined;
  const [first = "", second = "", third = ""] = parts;
  const choice = (name: string): string => searchParams.get(name) ?? "";
  if (pathname === "/") {
    const filter = { layer: choice("layer"), team: choice("team"), state: choice("state") };
    return ok(overviewPage(frame, await reader.overview(), filter));
  }
  if (first === "incidents" && second === "") {
    const { open, past } = await reader.overview();
    return ok(incidentsPage(frame, [...open, ...past], drillForm(frame)));
  }
  if (first === "incidents" && third === "") {
    const sources = await reader.story(second);
    return sources === undefined ? undefined : ok(incidentPage(frame, sources));
  }
  const isData = first === "data" && second === "components";
  const name = first === "components" && third === "" ? second : isData ? third : "";
  if (name === "") return undefined;
  const overview = await reader.overview();
  const component = overview.components.find((one) => one.name === name);
  if (component === undefined) return undefined;
  const data = await reader.charts(name, choice("range"), [...overview.open, ...overview.past]);
  if (isData) return { status: 200, contentType: "application/json; charset=utf-8", body: JSON.stringify(data) };
  return ok(componentPage(frame, component, overview, data));
}

function ok(body: string): Answer {
  return { status: 200, contentType: "text/html; charset=utf-8", body };
}

function missing(frame: Frame): Answer {
  return page(404, frame, "Not found", "There is no such incident or component.");
}

function page(status: number, frame: Frame, title: string, text: string): Answer {
  const main = html`<h1>${title}</h1><p>${text} <a href="/">Overview</a></p>`;
  return { ...ok(framed(frame, title, "unknown", main)), status };
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, contentType, body, headers }: Answer,
): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-security-policy": pagePolicy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    ...headers,
  });
  response.end(method === "HEAD" ? undefined : body);
}
