/** Tracks muting of an incident by maintenance or by an operator, and its end. Pure. */
import { maintenanceOf } from "../../../shared/maintenance.ts";
import { isDrill } from "../monitor/drill.ts";
import type { Plan } from "../plan.ts";
import type { Draft } from "./draft.ts";
import { editorOf, type OperatorFields } from "./operator-edits.ts";
import { affectedBy } from "./record/document.ts";
import { clockTime, dateTime } from "./record/instants.ts";

/**
 * Tracks whether the incident falls into maintenance or is silenced. Muting is decided when a notification is sent; this announces an
 * incident that is still open when muting ends.
 * @param at current time, not before any measurement
 */
export function followMuting(draft: Draft, document: OperatorFields | undefined, plan: Plan, at: number): void {
  // Fire drills ignore muting.
  if (draft.incident.status === "resolved" || isDrill(draft.incident)) return;
  // A tick that comes late mutes nothing again.
  const time = Math.max(at, draft.incident.audibleSince ?? at);
  followMaintenance(draft, plan, time);
  followSilence(draft, document, time);
}

function followMaintenance(draft: Draft, plan: Plan, at: number): void {
  const { incident } = draft;
  const known = incident.maintenance;
  const involved = { root_cause: incident.diagnosis.rootCause, components: affectedBy(incident) };
  const found = maintenanceOf(involved, plan.configuration.maintenance ?? [], at);
  if (found !== undefined) {
    if (found.name === known?.name && found.until === known.until) return;
    draft.set({ maintenance: found });
    draft.note(at, `Maintenance "${found.name}" is in progress: no notifications before ${clockTime(found.until)}.`);
  } else if (known !== undefined) {
    draft.without("maintenance");
    const change =
      at >= known.until
        ? `Maintenance "${known.name}" is over, and the incident is still ${incident.status}.`
        : `The incident extends beyond maintenance "${known.name}".`;
    audible(draft, at, change);
  }
}

function followSilence(draft: Draft, document: OperatorFields | undefined, at: number): void {
  if (document === undefined) return;
  const { silenced_until: until } = document;
  const known = draft.incident.silencedUntil;
  const { subject, via } = editorOf(document, "silenced_until");
  if (until instanceof Date && until.getTime() > at) {
    if (until.getTime() === known) return;
    draft.set({ silencedUntil: until.getTime() });
    draft.note(at, `${subject} silenced the incident${via}: no new notifications before ${dateTime(until.getTime())}.`);
  } else if (known !== undefined) {
    draft.without("silencedUntil");
    const still = `and the incident is still ${draft.incident.status}.`;
    const isEnded = known > at;
    audible(draft, at, isEnded ? `${subject} ended the silence${via}, ${still}` : `The silence has expired, ${still}`);
  }
}

/** Notifications may be sent again unless something else still mutes the incident: escalation delays start again. */
function audible(draft: Draft, at: number, change: string): void {
  draft.set({ audibleSince: at });
  if (draft.incident.maintenance !== undefined || draft.incident.silencedUntil !== undefined) draft.note(at, change);
  else draft.announce("status_update", at, change);
}
