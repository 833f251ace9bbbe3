/** Requests that change state: authorization, the edit that they write, and the redirect afterwards. */
import type { IncomingMessage } from "node:http";
import { EditRefused, type OperatorEdit, statusIn, writeEdit } from "../../shared/operator-edits.ts";
import type { Fields, Store } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { html } from "../../shared/text/html.ts";
import { edits } from "./pages/actions.ts";
import { type Frame, framed } from "./pages/frame.ts";
import { isSame, type Session } from "./session.ts";

/** Dependencies of actions. */
export interface RoomActions {
  readonly store: Store;
  /** The name in the timeline. */
  readonly by: string;
  /** Starts a fire drill, and returns the id of its incident. @throws Error one sentence */
  readonly drill?: () => Promise<string>;
}

/** Response to a request. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Asking {
  readonly frame: Frame;
  readonly actions: RoomActions | undefined;
  readonly token: string;
  readonly session: Session;
}

/** The longest form, in bytes. */
const longestForm = 16_384;

/** Does what a form asks for. @throws StoreError */
export async function answerPost(request: IncomingMessage, path: string, asking: Asking): Promise<Answer> {
  const { frame, actions, token, session } = asking;
  const form = await formOf(request);
  const isOwn = isOwnOrigin(request) && session.isKnown && isSame(form?.get("token") ?? "", token);
  if (form === undefined || actions === undefined || !isOwn)
    return messagePage(
      403,
      frame,
      "Not allowed",
      "To act, open the address that was printed at the start, and try again.",
    );
  try {
    if (path === "/drill" && actions.drill !== undefined) {
      const incident = await actions.drill();
      return ledTo(`/incidents?drill=${encodeURIComponent(incident)}`);
    }
    const [, id = "", action = ""] = /^\/incidents\/([^/]+)\/([a-z]+)$/.exec(path) ?? [];
    const make = ownEntry(edits, action);
    if (make === undefined) return messagePage(404, frame, "Not found", "There is no such action.");
    const incident = decoded(id) ?? "";
    const operator = { by: actions.by, via: "in the control room" };
    const edit = (document: Fields): OperatorEdit => make(statusIn(document), form, frame.now);
    if ((await writeEdit(actions.store, incident, operator, edit)) === undefined)
      return messagePage(404, frame, "Not found", "There is no such incident.");
    return ledTo(`/incidents/${encodeURIComponent(incident)}`);
  } catch (error) {
    if (!(error instanceof EditRefused)) throw error;
    return messagePage(409, frame, "No effect", `${error.message}.`);
  }
}

/** The browser shows the result under an address that can be opened again without acting again. */
function ledTo(location: string): Answer {
  return { status: 303, contentType: "text/plain", body: "", headers: { location } };
}

function messagePage(status: number, frame: Frame, title: string, text: string): Answer {
  const main = html`<h1>${title}</h1><p>${text.charAt(0).toUpperCase()}${text.slice(1)} <a href="/incidents">Incidents</a></p>`;
  return { status, contentType: "text/html; charset=utf-8", body: framed(frame, title, "unknown", main) };
}

/** Returns true if the form was sent from a page of this server, according to the browser's headers. */
function isOwnOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host, "sec-fetch-site": site } = headers;
  if (site !== undefined && site !== "same-origin") return false;
  return origin === undefined || origin === `http://${host}`;
}

/** The fields of a form; `undefined` where it is none, or too long. */
async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const isForm = request.headers["content-type"]?.split(";")[0]?.trim() === "application/x-www-form-urlencoded";
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length <= longestForm) pieces.push(piece);
  }
  return isForm && length <= longestForm ? new URLSearchParams(Buffer.concat(pieces).toString()) : undefined;
}

/** A part of a path; `undefined` where it is malformed. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
