/** Actions on a page: acknowledge, silence, note, resolve, and fire drill. They write the same edits as the commands. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { EditRefused, type OperatorEdit, operatorEdits } from "../../../shared/operator-edits.ts";
import { type Html, html } from "../../../shared/text/html.ts";
import { parseDuration, spokenDuration } from "../../../shared/text/units.ts";
import type { Frame } from "./frame.ts";

/** Makes the edit that a form asks for, by the status of the incident as it stands. @throws EditRefused one sentence */
type MakeEdit = (status: string, values: URLSearchParams, now: number) => OperatorEdit;

/** The edits, by the word that stands in the address of the form. */
export const edits: Readonly<Record<string, MakeEdit>> = {
  ack: operatorEdits.acknowledge,
  unack: operatorEdits.withdrawAcknowledgement,
  silence: (status, values, now) => operatorEdits.silence(status, silenceOf(values.get("for") ?? ""), now),
  unsilence: operatorEdits.endSilence,
  note: (_, values) =>
    (values.get("public") === null ? operatorEdits.note : operatorEdits.publicNote)(values.get("text") ?? ""),
  resolve: operatorEdits.resolve,
};

function silenceOf(time: string): number {
  const lasts = parseDuration(time);
  if (lasts === undefined || lasts <= 0)
    throw new EditRefused(`"${time}" is an invalid duration: use a value such as 30m or 2h`);
  return lasts;
}

const silences = ["30m", "1h", "2h", "8h"] as const;

/** The forms of an incident; nothing where the reader may only read. */
export function actionForms(id: string, incident: IncidentDocument, { token, now }: Frame): Html {
  if (token === undefined) return html``;
  const { status, silenced_until: silenced } = incident;
  const form = (action: string, label: string, fields: Html | "" = "", isFirst = false): Html =>
    html`<form method="post" action="/incidents/${encodeURIComponent(id)}/${action}"><input type="hidden" name="token" value="${token}">${fields}<button type="submit"${isFirst ? html` class="first"` : ""}>${label}</button></form>`;
  const note = form(
    "note",
    "Add note",
    html`<label>Note<input name="text" maxlength="1000" required autocomplete="off"></label><label class="check"><input type="checkbox" name="public">Show on the status page</label>`,
  );
  if (status === "resolved") return html`<div class="actions" role="group" aria-label="Actions">${note}</div>`;
  const isSilent = silenced !== null && silenced.getTime() > now;
  const choices = silences.map(
    (time) => html`<option value="${time}">${spokenDuration(parseDuration(time) ?? 0)}</option>`,
  );
  return html`<div class="actions" role="group" aria-label="Actions">${
    status === "acknowledged" ? form("unack", "Withdraw acknowledgement") : form("ack", "Acknowledge", "", true)
  }${isSilent ? form("unsilence", "End silence") : form("silence", "Silence", html`<label>For<select name="for">${choices}</select></label>`)}${note}${form("resolve", "Resolve")}</div>`;
}

/** The form that starts a fire drill. */
export function drillForm({ token }: Frame): Html {
  if (token === undefined) return html``;
  return html`<form method="post" action="/drill" class="actions"><input type="hidden" name="token" value="${token}"><button type="submit">Run a fire drill</button> <span class="soft">Sends a test incident to every channel. It ends by itself.</span></form>`;
}
