/** The changes and log patterns of an incident, as fields of its document. */
import type { EvaluatorFields } from "../../../../shared/documents/incident.ts";
import { type Change, logSentence } from "../../cause/knowledge/changes.ts";
import type { Incident } from "../state.ts";

/** The changes: those before the first failure, newest first, and then those after it. */
export function changeFields({ changes = [], firstFailureAt, diagnosis }: Incident): EvaluatorFields["changes"] {
  const isFitting = ({ id }: Change): boolean => diagnosis.change?.id === id;
  // A run that fails has begun a little before it did.
  const isBefore = (change: Change): boolean => change.at <= firstFailureAt || isFitting(change);
  const inOrder = [...changes].sort((a, b) => b.at - a.at);
  return [...inOrder.filter(isBefore), ...inOrder.filter((change) => !isBefore(change)).reverse()].map((change) => {
    const { at, kind, what, resource, components, by, link, revert } = change;
    return {
      ...{ at: new Date(at), kind, what, resource: resource ?? null, components: [...components] },
      ...{ by: by ?? null, link: link ?? null, revert: revert ?? null },
      before_first_failure: isBefore(change),
      fits: isFitting(change),
    };
  });
}

/** The most that people are shown. */
const maxShown = 3;

/** Returns the log patterns: known messages first, then new ones, then the most frequent. */
export function logPatternFields({ logPatterns = [] }: Pick<Incident, "logPatterns">): EvaluatorFields["log_patterns"] {
  return [...logPatterns]
    .sort(
      (a, b) =>
        Number(b.means !== undefined) - Number(a.means !== undefined) ||
        Number(b.before === 0) - Number(a.before === 0) ||
        b.count - a.count,
    )
    .slice(0, maxShown)
    .map((one) => ({
      ...{ component: one.component, resource: one.resource, pattern: one.pattern, says: logSentence(one) },
      ...{ count: one.count, before: one.before, means: one.means?.says ?? null },
      ...{ first_at: new Date(one.firstAt), last_at: new Date(one.lastAt) },
    }));
}
