/** Facts kept about resolved incidents. */
import { drillComponent } from "../../../shared/monitor.ts";
import { timed } from "../availability/period.ts";
import { rememberedOf } from "./membership/late-data.ts";
import { affectedBy, componentsOf } from "./record/document.ts";
import type { EnvironmentState, Incident, RecentlyResolved } from "./state.ts";

/** Incidents that were resolved lately: until their availability and their postmortem are written, and while late figures may still speak of them. */
export function keptResolved(
  before: readonly RecentlyResolved[] = [],
  changed: readonly Incident[],
  now: number,
): RecentlyResolved[] {
  const resolved = changed
    .filter(({ status }) => status === "resolved")
    .map((incident) => ({
      ...timed(incident, affectedBy(incident)),
      components: componentsOf(incident),
      rootCause: incident.diagnosis.rootCause,
      ...rememberedOf(incident),
      ...(incident.postmortem === undefined ? {} : { postmortem: incident.postmortem }),
    }));
  // One that was opened again is not over.
  const ids = new Set(changed.map(({ id }) => id));
  return [...before.filter(({ id }) => !ids.has(id)), ...resolved]
    .filter(({ resolvedAt = now }) => now - resolvedAt < keepResolved)
    .map((one) => (now - (one.resolvedAt ?? now) < lateDataSpan ? one : withoutAffected(one)))
    .slice(-maxResolved);
}

/** How long late data may refer to a resolved incident, in milliseconds. */
const lateDataSpan = 3_600_000;

function withoutAffected({ affected: _, alerts: __, ...one }: RecentlyResolved): RecentlyResolved {
  return one;
}

/** Retention in milliseconds, and maximum number: the next ticks record them, and there may be no tick for a day. */
const keepResolved = 2 * 86_400_000;
const maxResolved = 100;

/** Those whose postmortem is not written yet, oldest first. Of a fire drill there is nothing to write. */
export function unreportedOf({
  recentlyResolved = [],
}: Pick<EnvironmentState, "recentlyResolved">): readonly RecentlyResolved[] {
  return recentlyResolved.filter(
    ({ reported, components = [] }) => reported === undefined && !components.includes(drillComponent.name),
  );
}
