/** Evidence that points at a component besides measurements: a change of it, and log messages. */
import type { Evidence } from "./evidence.ts";
import { type Change, fittingChange, type LogPattern } from "./knowledge/changes.ts";
import { isConnectionPath } from "./signals.ts";

/** When a component was first seen to fail; where it was not, when what needs it was. In milliseconds since the epoch. */
export function failedSince(evidence: Evidence, component: string): number {
  const own = evidence.symptomsOf(component);
  const seen =
    own.length > 0 ? own : evidence.graph.dependentsOf(component).flatMap((name) => evidence.symptomsOf(name));
  return seen.length === 0 ? evidence.firstBad : Math.min(...seen.map(({ symptom }) => symptom.since));
}

/** The change that may have broken a component: made to it, or to a connection path to it, shortly before it began to fail. */
export function changeBefore(evidence: Evidence, component: string): Change | undefined {
  const { changes = [] } = evidence.seen;
  if (changes.length === 0) return undefined;
  const failedAt = failedSince(evidence, component);
  const madeTo = (name: string): readonly Change[] => changes.filter(({ components }) => components.includes(name));
  const paths = evidence.graph
    .causesOf(component)
    .filter((name) => name !== component && isConnectionPath(evidence.role(name)));
  return fittingChange(madeTo(component), failedAt) ?? fittingChange(paths.flatMap(madeTo), failedAt);
}

/** A log message that blames a component: in its own log, or in that of a dependent. */
export function logPatternAbout(evidence: Evidence, component: string): LogPattern | undefined {
  const { logPatterns = [] } = evidence.seen;
  const about = logPatterns.filter(({ component: whose, means }) => {
    if (means === undefined) return false;
    const { blames } = means;
    if (blames === undefined) return whose === component;
    return blames.includes(evidence.role(component)) && evidence.graph.distance(whose, component) !== undefined;
  });
  // A message that names a cause outweighs one that may be a consequence.
  return about.find(({ means }) => !means?.is_symptom) ?? about[0];
}
