/** An event of an incident that never was, made of the components of a configuration: for previews. */
import type { Configuration } from "../shared/config/model.ts";
import type { IncidentEvent, IncidentEventKind, IncidentStatus } from "../shared/messages/incident-event.ts";

/** Returns an event of the sample incident: the deepest platform component fails, and everything that depends on it. */
export function sampleEvent(
  { environment, title, components }: Configuration,
  event: IncidentEventKind,
): IncidentEvent {
  const platform = components.filter(({ layer }) => layer === "platform");
  const cause = platform.find(({ dependsOn }) => dependsOn.length === 0) ?? platform[0] ?? components[0];
  const name = cause?.name ?? "sample";
  const called = cause?.title ?? "Sample";
  const impacts = components.flatMap(({ impact }) => impact ?? []);
  const resolved = event === "resolved";
  return {
    v: 1,
    at: resolved ? "2025-09-16T12:40:00.000Z" : "2025-09-16T12:04:00.000Z",
    incident: `20250916-120400-${name}`,
    event,
    severity: "critical",
    root_cause: name,
    verdict: cause?.layer ?? "unknown",
    confidence: 0.9,
    components: [...new Set([name, ...components.map((component) => component.name)])],
    alerts: [`Sample: ${called} failing`],
    summary: resolved
      ? `Sample: ${called} failed from 12:02:00 to 12:40:00 UTC, together with its dependents.`
      : `Sample: ${called} has been failing since 12:02:00 UTC, together with its dependents.`,
    environment,
    sequence: event === "opened" ? 1 : 2,
    occurrence: 1,
    change: sampleChanges[event] ?? "Sample: something changed.",
    title: `${title}: ${called} failing (sample)`,
    status: sampleStatuses[event] ?? "open",
    priority: "P0",
    impact: impacts.length === 0 ? "Sample: users get no answers." : `${impacts.join(". ")}.`,
    evidence: [
      `Sample: ${called} refuses every second connection.`,
      "Sample: the same target responds on another path.",
    ],
    whys: ["Sample: users get no answers.", `Sample: because ${called} is unreachable.`],
    next_steps: [`Sample: check the reports of ${called}.`],
    ...(cause?.team === undefined ? {} : { team: cause.team }),
    opened_at: "2025-09-16T12:04:00.000Z",
    first_failure_at: "2025-09-16T12:02:00.000Z",
    ...(resolved ? { resolved_at: "2025-09-16T12:40:00.000Z" } : {}),
  };
}

/** Status of the incident after an event; `open` for other events. */
export const sampleStatuses: Readonly<Partial<Record<IncidentEventKind, IncidentStatus>>> = {
  acknowledged: "acknowledged",
  recovering: "recovering",
  resolved: "resolved",
};

/** Change that an event describes. */
export const sampleChanges: Readonly<Partial<Record<IncidentEventKind, string>>> = {
  opened: "The incident was opened.",
  acknowledged: "Somebody has acknowledged the incident.",
  recovering: "Every alert has cleared, and the recovery is being validated.",
  resolved: "Every stage of the recovery has passed.",
};
