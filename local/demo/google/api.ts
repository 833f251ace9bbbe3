/** Google's APIs on one machine: each below its host name, answering with the real shapes from the present state of the demo. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { guardRequests } from "../../engine/request-guard.ts";
import { type ApiAnswer, listTimeSeries, type RecordedSeries, refused } from "./series.ts";

/** A request to one of the APIs. */
export interface ApiRequest {
  readonly method: string;
  /** As at Google, after the host: `/v1/projects/…`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed; `undefined` where there is none. */
  readonly body: unknown;
}

/** Answers the requests to one API; `undefined` for what it does not have. */
export type ApiHandler = (request: ApiRequest) => ApiAnswer | undefined | Promise<ApiAnswer | undefined>;

/** APIs by their host names. */
export type Apis = Readonly<Record<string, ApiHandler>>;

/** The running stand. */
export interface FakeGoogle {
  /** Base URL of the APIs, the value for `PATHKEEPER_GOOGLE_API`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a stand for these APIs; any other is said to be not enabled. */
export async function startGoogleApi(apis: Apis): Promise<FakeGoogle> {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(apis, request).catch((error: Error) =>
      refused(500, "INTERNAL", `the stand itself failed: ${error.message}`),
    );
    response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(`${JSON.stringify(body)}\n`);
  });
  guardRequests(server).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(apis: Apis, request: IncomingMessage): Promise<ApiAnswer> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand");
  const [, host = "", path = "/"] = /^\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
  const api = ownEntry(apis, host);
  if (!api)
    return refused(
      403,
      "PERMISSION_DENIED",
      `${host} has not been used in this project before or it is disabled.`,
      "SERVICE_DISABLED",
    );
  const text = Buffer.concat(await request.toArray()).toString("utf8");
  const known = await api({
    method: request.method ?? "GET",
    path,
    query: searchParams,
    body: text === "" ? undefined : JSON.parse(text),
  });
  return known ?? refused(404, "NOT_FOUND", `The requested URL ${path} was not found on this server.`);
}

/** Cloud Monitoring, over what was recorded. */
export function monitoringApi(series: (now: number) => readonly RecordedSeries[], project: string): ApiHandler {
  return ({ path, query }) =>
    path === `/v3/projects/${project}/timeSeries` ? listTimeSeries(series(Date.now()), query) : undefined;
}

/** An incident at Google. */
export interface GoogleIncident {
  readonly title: string;
  readonly symptom: string;
  readonly product: string;
}

/** Personalized Service Health. @param incident the one that Google has at present, if any, with when it began */
export function serviceHealthApi(
  incident: () => (GoogleIncident & { readonly since: number }) | undefined,
  project: string,
  region: string,
): ApiHandler {
  const parent = `projects/${project}/locations/global`;
  return ({ path, query }) => {
    if (path !== `/v1/${parent}/events`) return undefined;
    const now = incident();
    if (!now) return { status: 200, body: {} };
    const since = new Date(now.since).toISOString();
    const full = query.get("view") === "EVENT_VIEW_FULL";
    const update = { updateTime: since, title: now.title, description: now.symptom, symptom: now.symptom };
    const event = {
      name: `${parent}/events/demo-${now.since}`,
      title: now.title,
      description: now.symptom,
      category: "INCIDENT",
      detailedCategory: "CONFIRMED_INCIDENT",
      state: "ACTIVE",
      detailedState: "CONFIRMED",
      relevance: "RELATED",
      startTime: since,
      updateTime: since,
      eventImpacts: [{ product: { productName: now.product }, location: { locationName: region } }],
      ...(full ? { updates: [update] } : {}),
    };
    return { status: 200, body: { events: [event] } };
  };
}
