/**
 * Finds readers who would be left with something false: every route is walked through sample escalations, and a reader of the first
 * notification must get the one that corrects it.
 */
import type { IncidentEventKind } from "../../messages/incident-event.ts";
import { type Severity, severities } from "../../messages/severity.ts";
import { type RoutedEvent, routesTo } from "../../routes.ts";
import { ownEntry } from "../../runtime/entries.ts";
import type { Problems } from "../file/problems.ts";
import type { Configuration, Route } from "../model.ts";
import type { Vocabulary } from "../schema.ts";

/** The first notification of a reader, and the one that contradicts it later. */
interface Escalation {
  readonly first: Pick<RoutedEvent, "event" | "severity">;
  readonly later: Pick<RoutedEvent, "event" | "severity">;
  /** Subject: each reader is warned about once per subject. */
  readonly topic: string;
  /** The false belief that the reader is left with. */
  readonly belief: string;
}

/** Warns of each reader once for each topic, at the route that brings the beginning. */
export function checkReaders(configuration: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  const { channels, routes, components } = configuration;
  const warned = new Set<string>();
  const possible = possibleSeverities(configuration);
  for (const { name: channel, kind, settings } of channels) {
    for (const escalation of escalations) {
      if (!possible.includes(escalation.first.severity)) continue;
      // A reader that leaves out an event on purpose, such as a program that opens an issue, is not misled.
      if (ownEntry(vocabulary.channels, kind)?.omits?.(settings, escalation.later.event)) continue;
      // A status page says no causes.
      if (escalation.later.event === "root_cause_changed" && ownEntry(vocabulary.channels, kind)?.public) continue;
      for (const component of components) {
        const sample = {
          root_cause: component.name,
          components: [component.name],
          verdict: component.layer,
          environment: configuration.environment,
          ...(component.team === undefined ? {} : { team: component.team }),
        };
        const [heard] = routesTo(channel, { ...sample, ...escalation.first }, routes);
        // A reader who is not notified of a warning is not notified of its escalation either.
        const key = `${channel} ${escalation.topic}`;
        if (heard === undefined || warned.has(key)) continue;
        if (routesTo(channel, { ...sample, ...escalation.later }, routes).length > 0) continue;
        warned.add(key);
        const index = routes.indexOf(heard);
        const [setting, advice] = adviceFor(heard, escalation);
        const message = `${channel} would be left with something false: it hears ${escalation.belief} (for example ${component.name}): ${advice}`;
        problems.warn({ path: ["routes", index, setting] }, { message });
      }
    }
  }
}

/** Intermittent failures start as a warning, whatever the severity of the probe; lower only where a rule or a probe says so. */
function possibleSeverities({ rules, probes }: Configuration): readonly Severity[] {
  const alerts = probes.flatMap(({ alert }) => (alert === false ? [] : [alert]));
  return [...rules, ...alerts].some(({ severity }) => severity === "info") ? severities : ["warning", "critical"];
}

function adviceFor(route: Route, { later: { event, severity } }: Escalation): readonly [string, string] {
  const isFiltered = route.severity !== undefined && !route.severity.includes(severity);
  return isFiltered
    ? ["severity", `add ${severity} to severity, here or in another route to it`]
    : ["events", `add ${event} to events`];
}

const worse: readonly Escalation[] = severities.flatMap((before, at) =>
  severities.slice(at + 1).map(
    (after): Escalation => ({
      first: { event: "opened", severity: before },
      later: { event: "severity_raised", severity: after },
      topic: `severity ${before}`,
      belief: `of an incident of severity ${before} and not that it has become ${after}`,
    }),
  ),
);

const escalations: readonly Escalation[] = [
  ...worse,
  ...severities.flatMap((severity): Escalation[] => [
    corrected(severity, "opened", "root_cause_changed", "of a cause and not that it is another one"),
    corrected(severity, "recovering", "regressed", "that it works again and not that the recovery did not last"),
  ]),
];

function corrected(severity: Severity, first: IncidentEventKind, later: IncidentEventKind, belief: string): Escalation {
  return { first: { event: first, severity }, later: { event: later, severity }, topic: later, belief };
}
