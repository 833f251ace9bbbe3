/** `pathkeeper routes`: shows who is notified of an incident, by component and severity. Nothing is sent. */
import type { Component, Configuration } from "../../shared/config/model.ts";
import { type IncidentEventKind, incidentEventKinds } from "../../shared/messages/incident-event.ts";
import { type Severity, severities } from "../../shared/messages/severity.ts";
import { announcements, routesTo } from "../../shared/routes.ts";
import { formatDuration } from "../../shared/text/units.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { table } from "../terminal/terminal.ts";

/** The command. */
export const routes: Command = defineCommand({
  summary: "Show who is notified of what: the channels of every component and severity, and the events sent to each",
  operand: configOperand,
  options: { ...configOption, json: { type: "boolean", default: false, help: "print every line as JSON" } },
  examples: [["routes production.yaml", "Show who would be notified of an incident"]],
  async run({ config, json }, terminal, operands) {
    const { configuration } = await configurationFor({ config: namedConfiguration(config, operands) });
    const lines = routedReadersOf(configuration);
    if (json) {
      terminal.print(JSON.stringify(lines, null, 2));
      return 0;
    }
    const head = ["cause", "severity", "channel", "hears"].map((cell) => terminal.paint("faint", cell));
    const rows = lines.flatMap(({ component, severity, readers }, index) => {
      const cause = lines[index - 1]?.component === component ? "" : component;
      if (readers.length === 0) return [[cause, severity, terminal.paint("warning", "nobody"), ""]];
      return readers.map((reader, at) => [
        at === 0 ? cause : "",
        at === 0 ? severity : "",
        reader.channel,
        receives(reader),
      ]);
    });
    terminal.print(...table([head, ...rows]));
    return 0;
  },
});

/** Events of an incident that are sent to a channel. */
export interface RoutedReader {
  readonly channel: string;
  readonly events: readonly IncidentEventKind[];
  /** The shortest interval of the routes, in seconds; absent if none has one. */
  readonly remind_every_seconds?: number;
  readonly escalate_after_seconds?: number;
}

/** Channels that are notified of an incident with this cause and severity. */
export interface RoutedReaders {
  readonly component: string;
  readonly severity: Severity;
  readonly readers: readonly RoutedReader[];
}

/** Returns the notified channels and their events for each component and severity, the most severe first. Pure. */
export function routedReadersOf(configuration: Configuration): RoutedReaders[] {
  return configuration.components.flatMap((component) =>
    severities.toReversed().map((severity) => ({
      component: component.name,
      severity,
      readers: configuration.channels.flatMap(({ name }) => readerOf(name, component, severity, configuration) ?? []),
    })),
  );
}

function readerOf(
  channel: string,
  { name, layer, team }: Component,
  severity: Severity,
  { routes: all, environment }: Configuration,
): RoutedReader | undefined {
  const sample = {
    severity,
    root_cause: name,
    components: [name],
    verdict: layer,
    environment,
    ...(team ? { team } : {}),
  };
  const bringing = incidentEventKinds.map((event) => ({ event, by: routesTo(channel, { ...sample, event }, all) }));
  const timed = (event: IncidentEventKind, wait: "remindEveryMs" | "escalateAfterMs"): number | undefined => {
    const waits = bringing
      .find((one) => one.event === event)
      ?.by.flatMap((route) => route[wait] ?? (route.events?.includes(event) ? 0 : []));
    return waits === undefined || waits.length === 0 ? undefined : Math.min(...waits) / 1_000;
  };
  const [remind, escalate] = [timed("reminder", "remindEveryMs"), timed("escalated", "escalateAfterMs")];
  const isDue = (event: IncidentEventKind): boolean =>
    (event !== "reminder" || remind !== undefined) && (event !== "escalated" || escalate !== undefined);
  const events = bringing.filter(({ event, by }) => by.length > 0 && isDue(event)).map(({ event }) => event);
  if (events.length === 0) return undefined;
  return {
    channel,
    events,
    ...(remind === undefined ? {} : { remind_every_seconds: remind }),
    ...(escalate === undefined ? {} : { escalate_after_seconds: escalate }),
  };
}

function receives({ events, remind_every_seconds: remind, escalate_after_seconds: escalate }: RoutedReader): string {
  const untimed = events.filter((event) => event !== "reminder" && event !== "escalated");
  const usual = announcements.filter((event) => event !== "reminder" && event !== "escalated");
  const isUsual = untimed.length === usual.length && usual.every((event) => untimed.includes(event));
  return [
    isUsual ? "all news" : untimed.join(", "),
    ...(remind ? [`again every ${formatDuration(remind * 1_000)}`] : []),
    ...(escalate ? [`again after ${formatDuration(escalate * 1_000)} if nobody has acknowledged`] : []),
  ].join("; ");
}
