/**
 * Late data: figures that are shown minutes late still speak of an outage that is over. Google's own measurements of a service come four minutes
 * after the fact, so a rule over them may fire when everything works again. Such an alert is held: it opens no incident, unless the figures stay
 * bad for longer than their delay explains. Only what speaks of the same parts, and was not measured good since, is held.
 */
import { timed } from "../../availability/period.ts";
import type { LateData } from "../../cause/diagnosis.ts";
import { intervalOf, type Plan, titleOf } from "../../plan.ts";
import { affectedBy } from "../record/document.ts";
import { clockTime } from "../record/instants.ts";
import type { Incident, KnownAlert, RecentlyResolved } from "../state.ts";

/** Maximum delay between an event and reading its first bad values, in milliseconds: four minutes and one window of theirs. */
const lag = 300_000;
/** Maximum delay between the first failure of an outage and failures of its other parts, in milliseconds. */
const spread = 300_000;
/** The most alerts that are remembered of an outage. */
const maxAlerts = 20;

/** Facts kept about an outage while late data may refer to it. */
export function rememberedOf(incident: Incident): Pick<RecentlyResolved, "endedAt" | "affected" | "alerts"> {
  const { alerts, recoveringAt } = incident;
  return {
    ...(recoveringAt === undefined ? {} : { endedAt: recoveringAt }),
    affected: affectedBy(incident),
    alerts: Object.keys(alerts).slice(0, maxAlerts),
  };
}

/** Identity of a resolved outage. */
type Ended = Pick<RecentlyResolved, "id" | "firstFailureAt" | "resolvedAt" | "endedAt" | "affected" | "alerts">;

/** The outage, over or about to be, that the late figures of an alert may speak of; `undefined` for an alert about something new. */
export function lateDataOf(
  alert: KnownAlert,
  resolved: readonly RecentlyResolved[],
  open: readonly Incident[],
  plan: Plan,
): LateData | undefined {
  const { key, rule, component, since, seen, firedAt = since } = alert;
  const probe = plan.probes.get(alert.labels["probe"] ?? "");
  if (probe === undefined || !probe.delayed) return undefined;
  const recovering = open.filter(({ status }) => status === "recovering");
  const ended: readonly Ended[] = [...resolved, ...recovering.map((one) => ({ ...timed(one), ...rememberedOf(one) }))];
  const sources = ended.flatMap(
    ({ id, firstFailureAt, resolvedAt, endedAt = resolvedAt, affected = [], alerts = [] }) => {
      if (endedAt === undefined || since < firstFailureAt || !affected.includes(component)) return [];
      // Bad from before the end on, or from when the first failure can be read; an alert that had cleared was measured good since.
      const isTail = since <= endedAt || (!alerts.includes(key) && since <= firstFailureAt + lag + spread);
      return isTail ? [{ incident: id, endedAt }] : [];
    },
  );
  const last = sources.sort((a, b) => a.endedAt - b.endedAt).at(-1);
  if (last === undefined) return undefined;
  return { incident: last.incident, rule, component, seen, firedAt, until: last.endedAt + lag + tailOf(alert, plan) };
}

/** Timeline entry for a held alert that has cleared. */
export function lateDataNote({ rule, component, seen, firedAt }: LateData, plan: Plan): string {
  return `"${rule}" fired for ${titleOf(plan, component)} at ${clockTime(firedAt)} and has cleared, according to metrics that arrive minutes late: ${seen}.`;
}

/** How long an alert on late data may keep firing after the last bad values of an outage were read, in milliseconds. */
function tailOf({ rule, labels }: KnownAlert, plan: Plan): number {
  const { condition, clear, clearDurationMs = 0 } = plan.rulesByName.get(rule) ?? {};
  const windows = [...(condition?.selectors ?? []), ...(clear?.selectors ?? [])].map(({ windowMs }) => windowMs);
  return Math.max(0, ...windows) + clearDurationMs + 2 * intervalOf(plan, labels["probe"]);
}
