/** Room for symptoms: how many an incident keeps, and which it gives up where there are more. */
import type { Plan } from "../../plan.ts";
import type { Symptom } from "../diagnosis.ts";

/** The most symptoms that an incident keeps: a document has room for as many. */
const maxSymptoms = 300;

/**
 * The ids of the symptoms for which there is no room, where there are too many: the least useful. What shows a component that is shown already goes
 * first, then what fewest others depend on, because a cause stands below what it makes fail; then the latest.
 */
export function beyondRoom(all: readonly Symptom[], { graph }: Plan): ReadonlySet<string> {
  if (all.length <= maxSymptoms) return new Set();
  const shown = new Map<string, number>();
  const order = all.map((symptom) => {
    const before = shown.get(symptom.component) ?? 0;
    shown.set(symptom.component, before + 1);
    return { symptom, before, dependents: graph.dependentsOf(symptom.component).length };
  });
  order.sort(
    (a, b) =>
      b.before - a.before ||
      a.dependents - b.dependents ||
      b.symptom.since - a.symptom.since ||
      (a.symptom.id < b.symptom.id ? 1 : -1),
  );
  return new Set(order.slice(0, all.length - maxSymptoms).map(({ symptom }) => symptom.id));
}
