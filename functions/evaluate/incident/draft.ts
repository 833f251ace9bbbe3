/** An incident during a revision: its next state, and the events and requests to publish. */

import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { list } from "../../../shared/text/sentences.ts";
import { topics } from "../../../shared/topology.ts";
import type { Change as EnvironmentChange } from "../cause/knowledge/changes.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { Plan } from "../plan.ts";
import type { Change } from "../rules/alerts.ts";
import type { OperatorFields } from "./operator-edits.ts";
import { eventOf, type UpdateFields } from "./record/document.ts";
import { beganAfter, earliestIn } from "./record/onset.ts";
import { begunBy } from "./record/relapses.ts";
import type { Incident, KnownAlert, OutboxEntry, TimelineEntry } from "./state.ts";

/** Something that may concern incidents. */
export interface IncidentInput {
  /** Changes that a report or a tick made to a partition. */
  readonly changes: readonly Change[];
  /** A report that answers a validation. */
  readonly validation?: Report;
  /** A report that answers a diagnosis. */
  readonly diagnosis?: Report;
  /** The documents of open incidents as operators left them, by id. */
  readonly documents?: Readonly<Record<string, OperatorFields>>;
  /** Reported changes. */
  readonly reported?: readonly EnvironmentChange[];
  /** Facts about probes in the partitions, where a record must be complete at once; otherwise incidents see only changes. */
  readonly probes?: Readonly<Record<string, ProbeFact>>;
  /** The instant of a tick: what time owes is due then, and requests that nobody answered are made again. */
  readonly tickAt?: number;
}

/** Facts about the environment, including the new ones. */
export interface Facts {
  readonly probes: Readonly<Record<string, ProbeFact>>;
  readonly alerts: Readonly<Record<string, KnownAlert>>;
  /** Changes that were reported lately. @default none */
  readonly changes?: readonly EnvironmentChange[];
  /** The newest event time. */
  readonly watermark: number;
  /** The newest time known, be it of a measurement or of a tick: what has not changed until then is as it was. */
  readonly time: number;
  /** Remarks on alerts besides their state, by alert key. */
  readonly news: ReadonlyMap<string, Extract<Change, { what: "alert" }>>;
}

/** The most lines that a timeline keeps: the beginning and the end tell the story. */
const longestTimeline = 150;
/** The longest line, in characters. The document has room for the whole timeline twice: its own, and that of the postmortem. */
const longestLine = 700;

/** One incident while it is revised. */
export class Draft {
  incident: Incident;
  changed = false;
  readonly #events: ({ kind: IncidentEventKind; at: number; change: string } & UpdateFields)[] = [];
  readonly #requests: OutboxEntry[] = [];
  readonly #joined: string[] = [];

  constructor(incident: Incident, changed = false) {
    this.incident = incident;
    this.changed = changed;
  }

  set(fields: Partial<Incident>): void {
    this.incident = { ...this.incident, ...fields };
    this.changed = true;
  }

  /** Takes fields away. */
  without(
    ...fields: (
      | "recovery"
      | "recoveringAt"
      | "problem"
      | "misread"
      | "acknowledgedAt"
      | "acknowledgedBy"
      | "maintenance"
      | "silencedUntil"
      | "secondCause"
      | "resolvedAt"
    )[]
  ): void {
    const rest: Partial<Incident> = { ...this.incident };
    for (const field of fields) delete (rest as Record<string, unknown>)[field];
    this.incident = rest as Incident;
    this.changed = true;
  }

  /** Adds a line to the timeline, unless it says the same of the same instant: reports out of order can change a finding back and forth. */
  note(at: number, text: string): void {
    const line = bounded(text, [], longestLine);
    const { timeline } = this.incident;
    if (timeline.some((entry) => entry.at === at && entry.text === line)) return;
    this.set({ timeline: shortened([...timeline, { at, text: line }]) });
  }

  /** Remembers to tell people; the notice shows the incident as it stands when all of this revision is done. */
  announce(kind: IncidentEventKind, at: number, change: string, more: UpdateFields = {}): void {
    // Findings made at the end go into the record only. After an all-clear only a relapse is published.
    if (this.#events.at(-1)?.kind !== "resolved") this.#events.push({ kind, at, change, ...more });
    this.note(at, change);
  }

  /** Remembers to tell engineers that a change was found which fits the cause. */
  announceChange(at: number, change: string): void {
    this.announce("status_update", at, change, { news: "change" });
  }

  request(entries: readonly OutboxEntry[]): void {
    this.#requests.push(...entries);
  }

  /** Takes an alert in. People hear of it unless it was part of the incident before. */
  join(alert: KnownAlert): void {
    const { key, rule, component } = alert;
    if (ownEntry(this.incident.alerts, key) === undefined) this.#joined.push(rule);
    this.set({
      alerts: { ...this.incident.alerts, [key]: { rule, component, firing: true } },
      ...begunBy(this.incident, beganAfter(alert, earliestIn(this.incident))),
    });
  }

  /** Tells once of all the alerts that joined. */
  announceJoined(at: number): void {
    const rules = [...new Set(this.#joined.splice(0))].map((rule) => `"${rule}"`);
    if (rules.length === 0) return;
    this.announce("joined", at, `${list(rules)} joined: part of the same outage.`);
  }

  /** Goes on with alerts whose rules were renamed. */
  rename(changes: Facts["news"]): void {
    for (const { key, formerly, alert } of changes.values()) {
      const known = formerly === undefined ? undefined : ownEntry(this.incident.alerts, formerly);
      if (formerly === undefined || known === undefined || alert === undefined) continue;
      const alerts = renamedKey(this.incident.alerts, formerly, key);
      const symptoms = renamedKey(this.incident.symptoms, `alert/${formerly}`, `alert/${key}`);
      this.set({ alerts: { ...alerts, [key]: { ...known, rule: alert.rule } }, symptoms });
      this.#noteName(alert.firedAt ?? alert.since, known.rule, alert.rule);
    }
  }

  /** Notes the new name of a rule. During a deployment instances of both versions name it by turns: a name that comes back takes its change out of the record. */
  #noteName(at: number, before: string, after: string): void {
    const text = (from: string, to: string): string => `The rule "${from}" was renamed to "${to}".`;
    const { timeline } = this.incident;
    const undone = timeline.findLastIndex((entry) => entry.text === text(after, before));
    if (undone === -1) this.note(at, text(before, after));
    else this.set({ timeline: timeline.toSpliced(undone, 1) });
  }

  finish(plan: Plan): OutboxEntry[] {
    const counts = { ...this.incident.events };
    let sequence = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const announced = this.#events.map(({ kind, ...event }) => {
      const occurrence = (counts[kind] ?? 0) + 1;
      counts[kind] = occurrence;
      sequence += 1;
      return { kind, ...event, occurrence, sequence };
    });
    if (announced.length > 0) this.set({ events: counts });
    const { environment } = plan.configuration;
    return [
      ...this.#requests,
      ...announced.map(({ kind, ...rest }) => ({
        id: `${this.incident.id}:${kind}-${rest.occurrence}`,
        topic: topics.notifications,
        message: {
          data: eventOf(this.incident, kind, rest, plan),
          attributes: { environment, event: kind, incident: this.incident.id, severity: this.incident.severity },
        },
      })),
    ];
  }
}

function renamedKey<T>(record: Readonly<Record<string, T>>, from: string, to: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key === from ? to : key, value]));
}

function shortened(timeline: readonly TimelineEntry[]): readonly TimelineEntry[] {
  return timeline.length <= longestTimeline
    ? timeline
    : [...timeline.slice(0, 50), ...timeline.slice(51 - longestTimeline)];
}
