/** Results that must not depend on the order of messages or on crashes: the incidents and their notifications. */
import { eventsOf } from "../../../cli/scenario/judge.ts";
import { instantOf, type Played, type PlayedIncident } from "../../../cli/scenario/play.ts";
import type { Delivery } from "../../../functions/notify/deliver/ledger.ts";
import { includedInOpening, includedInResolution } from "../../../functions/notify/deliver/order.ts";
import { includedInLater } from "../../../functions/notify/plan/plan.ts";
import type { Value } from "../../../shared/ports.ts";

/** The parts of an incident that must not change. */
export interface Essence {
  readonly id: string;
  readonly [field: string]: Value;
}

/** The parts of a run that must equal those of a run without faults. */
export interface Verdict {
  readonly incidents: readonly Essence[];
  /** `incident channel event`, once for each time that the channel accepted it, or a later event that superseded and includes it. */
  readonly notified: readonly string[];
}

/** Permitted deviation of a run. */
export type Strictness =
  /** Everything except the instant of the resolution, which a repeated validation reaches later. */
  | "same"
  /** With reports out of order, the monitor learns facts in another order, so its first statement, and with it the name, may differ. */
  | "alike";

/** The verdict of a run. */
export function verdictOf(played: Played, strictness: Strictness): Verdict {
  const incidents = played.incidents.filter((incident) => strictness === "same" || !isLatenessItself(incident));
  const names = new Map(incidents.map(({ id }, index) => [id, strictness === "same" ? id : `incident ${index + 1}`]));
  const heard = (delivery: Delivery): boolean =>
    (delivery.status === "delivered" ||
      [includedInLater, includedInOpening, includedInResolution].includes(delivery.reason)) &&
    names.has(delivery.incident) &&
    (strictness === "same" || (isBeginningOrEnd(delivery) && hearsOfAllComponents(delivery.channel, played)));
  return {
    incidents: incidents.map(({ id, fields }) => ({
      id: names.get(id) ?? id,
      root_cause: fields["root_cause"] ?? null,
      verdict: fields["verdict"] ?? null,
      severity: fields["severity"] ?? null,
      priority: fields["priority"] ?? null,
      status: fields["status"] ?? null,
      first_failure_at: fields["first_failure_at"] ?? null,
      components: sorted(fields["components"]),
      alerts: sorted(fields["alerts"]),
      ...(strictness === "same"
        ? { opened_at: fields["opened_at"] ?? null, events: eventsOf(id, played).map(({ event }) => event) }
        : {}),
    })),
    notified: played.deliveries
      .filter(heard)
      .map(({ incident, channel, event, sequence }) =>
        [names.get(incident), channel, event, ...(strictness === "same" ? [sequence] : [])].join(" "),
      )
      .sort(),
  };
}

/** An incident of the monitor that only says that reports are late or missing for a while, which is true under faults. */
function isLatenessItself({ fields }: PlayedIncident): boolean {
  const alerts = Array.isArray(fields["alerts"]) ? fields["alerts"] : [];
  return fields["verdict"] === "monitor" && alerts.every((alert) => /^No reports of | come late$/.test(String(alert)));
}

function isBeginningOrEnd({ event }: Delivery): boolean {
  return event === "opened" || event === "resolved";
}

/**
 * Returns whether a channel is notified of an incident whichever components it affects: routes by component depend on the state at the
 * opening.
 */
function hearsOfAllComponents(channel: string, { scenario }: Played): boolean {
  const { routes } = scenario.plan.configuration;
  return routes.some((route) => route.channels.includes(channel) && route.components === undefined);
}

/** Returns the maximum delay of a run's resolutions relative to another run, in milliseconds. */
export function delayOf(played: Played, other: Played): number {
  const targets = ({ incidents }: Played): PlayedIncident[] => incidents.filter((one) => !isLatenessItself(one));
  const twins = targets(other);
  const delays = targets(played).map(({ fields }, index) => {
    const twin = twins[index];
    return twin === undefined ? 0 : Math.abs(instantOf(fields, "resolved_at") - instantOf(twin.fields, "resolved_at"));
  });
  return Math.max(0, ...delays.filter((delay) => !Number.isNaN(delay)));
}

function sorted(value: Value | undefined): Value {
  return Array.isArray(value) ? [...value].sort() : (value ?? null);
}
