/** Room for symptoms: how many an incident keeps, and which it gives up for a more useful one. */
import { setEntry } from "../../../../shared/runtime/entries.ts";
import type { Plan } from "../../plan.ts";
import type { Symptom } from "../diagnosis.ts";

/** The most symptoms that an incident keeps: a document has room for as many. */
const mostSymptoms = 300;

/** Adds a symptom, in the place of a less useful one where there are too many. @returns whether there was room for it */
export function isAdded(symptoms: Record<string, Symptom>, added: Symptom, plan: Plan): boolean {
  const least = leastUseful([...Object.values(symptoms), added], plan);
  if (least === added) return false;
  if (least !== undefined) delete symptoms[least.id];
  setEntry(symptoms, added.id, added);
  return true;
}

/**
 * Of too many, the least useful: what shows a component that is shown already, then what fewest others depend on, because a cause stands below what
 * it makes fail; then the latest. `undefined` where there are not too many.
 */
function leastUseful(all: readonly Symptom[], { graph }: Plan): Symptom | undefined {
  if (all.length <= mostSymptoms) return undefined;
  const shown = new Map<string, number>();
  const order = all.map((symptom) => {
    const before = shown.get(symptom.component) ?? 0;
    shown.set(symptom.component, before + 1);
    return { symptom, before, dependents: graph.dependentsOf(symptom.component).length };
  });
  const [least] = order.sort(
    (a, b) =>
      b.before - a.before ||
      a.dependents - b.dependents ||
      b.symptom.since - a.symptom.since ||
      (a.symptom.id < b.symptom.id ? 1 : -1),
  );
  return least?.symptom;
}
