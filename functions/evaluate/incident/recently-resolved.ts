/** What is kept of incidents that are over. */
import { drillComponent } from "../../../shared/monitor.ts";
import { timed } from "../availability/period.ts";
import { rememberedOf } from "./late-data.ts";
import { componentsOf } from "./record/document.ts";
import type { Closed, EnvironmentState, Incident } from "./state.ts";

/** Incidents that were resolved lately: until their availability and their postmortem are written, and while late figures may still speak of them. */
export function closedLately(closed: readonly Closed[] = [], changed: readonly Incident[], now: number): Closed[] {
  const resolved = changed
    .filter(({ status }) => status === "resolved")
    .map((incident) => ({ ...timed(incident), components: componentsOf(incident), ...rememberedOf(incident) }));
  const ids = new Set(resolved.map(({ id }) => id));
  return [...closed.filter(({ id }) => !ids.has(id)), ...resolved]
    .filter(({ resolvedAt = now }) => now - resolvedAt < keepClosed)
    .map((one) => (now - (one.resolvedAt ?? now) < keepEchoes ? one : withoutEchoes(one)))
    .slice(-mostClosed);
}

/** How long late figures may speak of what is over, in milliseconds. */
const keepEchoes = 3_600_000;

function withoutEchoes({ affected: _, alerts: __, ...one }: Closed): Closed {
  return one;
}

/** How long, in milliseconds, and how many: the next ticks write them down, and there may be none for a day. */
const keepClosed = 2 * 86_400_000;
const mostClosed = 100;

/** Those whose postmortem is not written yet, oldest first. Of a fire drill there is nothing to write. */
export function unreportedOf({ closed = [] }: Pick<EnvironmentState, "closed">): readonly Closed[] {
  return closed.filter(
    ({ reported, components = [] }) => reported === undefined && !components.includes(drillComponent.name),
  );
}
