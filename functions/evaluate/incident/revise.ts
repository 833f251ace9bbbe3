/**
 * Incidents: what a change of alerts and probes means for the outages that are open. Pure: `revise` takes the state of the environment
 * and what happened, and returns the next state, with the messages to send in its outbox.
 */
import { deliveryCountsOf } from "../../../shared/documents/delivery-summary.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { reopenWithin } from "../../../shared/reopen-within.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { topics } from "../../../shared/topology.ts";
import { isDrill } from "../monitor/drill.ts";
import { isOfMonitor } from "../monitor/incident-text.ts";
import type { Plan } from "../plan.ts";
import { nextInquiry, withAnswer } from "./diagnosis-request.ts";
import type { Draft, Facts, IncidentInput } from "./draft.ts";
import { factsAfter, withoutRecordedLedgers } from "./facts.ts";
import { applyEdit, follow } from "./lifecycle.ts";
import { type Placed, placed } from "./membership/place.ts";
import { reopenableAfter } from "./membership/relapse.ts";
import { followMuting } from "./muting.ts";
import { followSecondCause, observe } from "./observe.ts";
import type { OperatorFields } from "./operator-edits.ts";
import { dueReminders } from "./reminders.ts";
import type { EnvironmentState, Incident, OutboxEntry } from "./state.ts";

/** The next state, and the incidents that are not what they were. */
export interface Revised extends Omit<Placed, "drafts" | "lateData"> {
  readonly environment: EnvironmentState;
  readonly changed: readonly Incident[];
}

/**
 * Revises the incidents.
 * @param now current time, for requests to others; all published texts use the time of the measurements
 * @param avoid ids that must not be given to a new incident
 */
export function revise(
  environment: EnvironmentState,
  input: IncidentInput,
  plan: Plan,
  now: number,
  avoid: ReadonlySet<string> = new Set(),
): Revised {
  const { facts, started } = factsAfter(environment, input, plan);
  const { time, probes, alerts, watermark } = facts;
  const { drafts, opened, reopened, lateData, afterwards } = placed(environment, started, facts, plan, avoid);
  for (const draft of drafts.values()) {
    // Components that were there from the start did not join.
    if (!opened.includes(draft.incident.id)) draft.announceJoined(watermark);
    const document = ownEntry(input.documents, draft.incident.id);
    if (document) applyEdit(draft, document, facts.watermark, now);
    if (input.diagnosis) takeDiagnosis(draft, input.diagnosis, facts, plan);
    observe(draft, facts, plan);
    followSecondCause(draft, time, plan);
    follow(draft, facts, input, plan, now);
    followMuting(draft, document, plan, input.tickAt ?? facts.watermark);
    remind(draft, document, input.tickAt, plan);
    inquire(draft, input.tickAt, plan, now);
  }

  const outbox = [...environment.outbox];
  const incidents: Record<string, Incident> = {};
  for (const draft of drafts.values()) {
    outbox.push(...draft.finish(plan));
    // Nobody waits any more for what a resolved incident has asked.
    if (draft.incident.status === "resolved") withdraw(draft.incident.id, outbox);
    if (draft.incident.status !== "resolved") setEntry(incidents, draft.incident.id, draft.incident);
  }
  const changed = [...drafts.values()].filter((draft) => draft.changed).map(({ incident }) => incident);
  const reopenable = reopenableAfter(
    environment.reopenable,
    [...drafts.values()].map(({ incident }) => incident),
    time,
    reopenWithin(plan.configuration),
  );
  const unrecorded = withoutRecordedLedgers(probes, Object.values(incidents));
  const revised: EnvironmentState = {
    ...{ v: 1, probes: unrecorded, alerts, incidents, outbox, watermark },
    ...(facts.changes && facts.changes.length > 0 ? { changes: facts.changes } : {}),
    ...(reopenable.length > 0 ? { reopenable } : {}),
    ...(Object.keys(lateData).length > 0 ? { lateData } : {}),
  };
  return { environment: revised, changed, opened, reopened, afterwards };
}

/** Tells what is due because time has passed. */
function remind(draft: Draft, document: OperatorFields = {}, tickAt: number | undefined, plan: Plan): void {
  if (tickAt === undefined || draft.incident.status === "resolved" || isDrill(draft.incident)) return;
  // A muted incident is published when muting ends, not now.
  if (draft.incident.maintenance !== undefined || draft.incident.silencedUntil !== undefined) return;
  const notifiedAt = Object.entries(deliveryCountsOf(document)).flatMap(([channel, { lastAt }]) =>
    lastAt === undefined ? [] : [[channel, lastAt.getTime()] as const],
  );
  const { routes } = plan.configuration;
  for (const { kind, change, tried, remember } of dueReminders(
    draft.incident,
    routes,
    tickAt,
    Object.fromEntries(notifiedAt),
  )) {
    draft.set(remember);
    draft.announce(kind, tickAt, change, tried === undefined ? {} : { tried });
  }
}

function withdraw(incident: string, outbox: OutboxEntry[]): void {
  const isAsked = ({ id, topic }: OutboxEntry): boolean =>
    topic === topics.probeRequests && id.startsWith(`${incident}/`);
  for (let i = outbox.length - 1; i >= 0; i--) if (isAsked(outbox[i] as OutboxEntry)) outbox.splice(i, 1);
}

/** Takes what a diagnosis has found into the incident, where it concerns it. */
function takeDiagnosis(draft: Draft, report: Report, facts: Facts, plan: Plan): void {
  const { diagnosisRequest: request, status, firstFailureAt } = draft.incident;
  if (request === undefined || status === "resolved") return;
  const answered = withAnswer(request, report, facts, firstFailureAt, plan);
  if (answered !== request) draft.set({ diagnosisRequest: answered });
}

/** Asks for what would tell more of the cause: at once when the incident opens, later with each tick. */
function inquire(draft: Draft, tickAt: number | undefined, plan: Plan, now: number): void {
  const { diagnosisRequest: request, status, recovery } = draft.incident;
  if (
    isOfMonitor(draft.incident) ||
    status === "resolved" ||
    recovery !== undefined ||
    (request !== undefined && tickAt === undefined)
  )
    return;
  const next = nextInquiry(draft.incident, plan, now);
  if (next === undefined) return;
  draft.set({ diagnosisRequest: next.request });
  draft.request(next.requests);
}
