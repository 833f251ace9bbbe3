/** Routes: what goes where. Pure. */
import type { Route } from "./config/model.ts";
import type { IncidentEvent, IncidentEventKind } from "./messages/incident-event.ts";

/**
 * Default events of a route: the opening, any escalation or change of owner, and the resolution. The steps in between are in the timeline of
 * the incident.
 */
export const announcements: readonly IncidentEventKind[] = [
  "opened",
  "severity_raised",
  "root_cause_changed",
  "reminder",
  "escalated",
  "status_update",
  "resolved",
];

const otherLayer = { platform: "application", application: "platform" } as const;

/** Properties of an event that routes match on. */
export type RoutedEvent = Pick<
  IncidentEvent,
  "event" | "severity" | "root_cause" | "verdict" | "components" | "team" | "environment"
>;

/** The routes that bring an event to a channel. */
export function routesTo(channel: string, event: RoutedEvent, routes: readonly Route[]): Route[] {
  return routes.filter(
    (route) =>
      route.channels.includes(channel) &&
      (route.severity?.includes(event.severity) ?? true) &&
      (route.components?.some((name) => name === event.root_cause || event.components.includes(name)) ?? true) &&
      (route.layers?.some((layer) => event.verdict !== otherLayer[layer]) ?? true) &&
      (route.teams?.some((team) => team === event.team || event.root_cause === "unknown") ?? true) &&
      (route.environments?.includes(event.environment) ?? true) &&
      (route.events ?? announcements).includes(event.event),
  );
}
