/** What the evaluator knows of muting: that an incident was not told because of planned work or an operator, and when that is over. Pure. */
import { maintenanceOf } from "../../../shared/maintenance.ts";
import { isDrill } from "../monitor/drill.ts";
import type { Plan } from "../plan.ts";
import type { Draft } from "./draft.ts";
import { editorOf, type OperatorFields } from "./operator-edits.ts";
import { affectedBy } from "./record/document.ts";
import { clockTime, dateTime } from "./record/instants.ts";

/**
 * Follows whether the incident falls into maintenance, and whether an operator has silenced it. What is muted is decided when it is told;
 * here people are told of an incident that is still open when that is over.
 * @param at the time of day, at least as late as what was measured
 */
export function followMuting(draft: Draft, document: OperatorFields | undefined, plan: Plan, at: number): void {
  // A fire drill is told whatever mutes.
  if (draft.incident.status === "resolved" || isDrill(draft.incident)) return;
  followMaintenance(draft, plan, at);
  followSilence(draft, document, at);
}

function followMaintenance(draft: Draft, plan: Plan, at: number): void {
  const { incident } = draft;
  const known = incident.maintenance;
  const involved = { root_cause: incident.diagnosis.rootCause, components: affectedBy(incident) };
  const found = maintenanceOf(involved, plan.configuration.maintenance ?? [], at);
  if (found !== undefined) {
    if (found.name === known?.name && found.until === known.until) return;
    draft.set({ maintenance: found });
    draft.note(at, `It falls into the maintenance "${found.name}": nobody is told before ${clockTime(found.until)}.`);
  } else if (known !== undefined) {
    draft.without("maintenance");
    const change =
      at >= known.until
        ? `The maintenance "${known.name}" is over, and it is still ${incident.status}.`
        : `It reaches beyond the maintenance "${known.name}".`;
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
    draft.note(at, `${subject} silenced it${via}: nothing new is told before ${dateTime(until.getTime())}.`);
  } else if (known !== undefined) {
    draft.without("silencedUntil");
    const still = `and it is still ${draft.incident.status}.`;
    const isEnded = known > at;
    audible(
      draft,
      at,
      isEnded ? `${subject} ended its silence${via}, ${still}` : `It is not silenced any more, ${still}`,
    );
  }
}

/** People may be told again, unless something else still mutes it: their patience begins anew. */
function audible(draft: Draft, at: number, change: string): void {
  draft.set({ audibleSince: at });
  if (draft.incident.maintenance !== undefined || draft.incident.silencedUntil !== undefined) draft.note(at, change);
  else draft.tell("status_update", at, change);
}
