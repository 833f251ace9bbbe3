/** An event of an incident: one message on the topic `notifications`, and one line of `replay`. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";
import { severities } from "./severity.ts";

const verdicts = ["platform", "application", "monitor", "unknown"] as const;

/** Which layer is responsible: the platform, of the application, of the monitor itself, or not known. */
export type Verdict = (typeof verdicts)[number];

const priorities = ["P0", "P1", "P2", "P3"] as const;

/** Urgency as teams speak of it: P0 is "everybody, now". */
export type Priority = (typeof priorities)[number];

/** States of an incident, from opening to resolution. */
export const incidentStatuses = ["open", "acknowledged", "recovering", "resolved"] as const;

/** State of an incident. */
export type IncidentStatus = (typeof incidentStatuses)[number];

/** Everything that can happen to an incident. */
export const incidentEventKinds = [
  "opened",
  "joined",
  "severity_raised",
  "root_cause_changed",
  "acknowledged",
  "recovering",
  "regressed",
  "resolved",
  "reminder",
  "escalated",
  "status_update",
] as const;

/** Kind of the event. */
export type IncidentEventKind = (typeof incidentEventKinds)[number];

const eventCandidate = lazily(() =>
  z.object({
    component: z.string(),
    /** Roughly how many components' trouble it explains. */
    score: z.number(),
    /** From 0 to 1. */
    confidence: z.number(),
    /** Strongest evidence for it; one sentence. */
    for: z.string(),
    /** Strongest evidence against it; one sentence. */
    against: z.string(),
  }),
);

/** One possible cause. */
export type EventCandidate = z.output<ReturnType<typeof eventCandidate>>;

const incidentEventSchema = lazily(() =>
  z.object({
    v: z.literal(1),
    /** When it happened, by the time of the measurements, RFC 3339. */
    at: z.string(),
    incident: z.string().min(1),
    event: z.enum(incidentEventKinds),
    severity: z.enum(severities),
    /** The component that broke, or `unknown`. */
    root_cause: z.string(),
    verdict: z.enum(verdicts),
    /** From 0 to 1. */
    confidence: z.number(),
    components: z.array(z.string()),
    alerts: z.array(z.string()),
    /** One sentence: what is broken and what it blocks. */
    summary: z.string(),
    environment: z.string(),
    /** Position among the events of this incident, from 1. */
    sequence: z.int().min(1),
    /** Sequence number of this kind of event for this incident, starting at 1. */
    occurrence: z.int().min(1),
    /** One sentence: what changed with this event. */
    change: z.string(),
    title: z.string(),
    status: z.enum(incidentStatuses),
    priority: z.enum(priorities),
    impact: z.string(),
    evidence: z.array(z.string()),
    whys: z.array(z.string()),
    /** Next steps, most useful first; absent if none is proposed. */
    next_steps: z.array(z.string()).optional(),
    /** A second component that broke by itself; absent where there is none. */
    also_broken: z.string().optional(),
    /** Possible causes, the likeliest first; absent if none was weighed. */
    candidates: z.array(eventCandidate()).optional(),
    /** The change that fits the root cause, in one sentence; absent where none does. */
    suspected_change: z.string().optional(),
    /** Set if a status update reports a newly found change. Such an update is for engineers only. */
    news: z.literal("change").optional(),
    /** Notes by people since the last daily update, oldest first. Only daily updates have them. */
    tried: z.array(z.string()).optional(),
    /** Owner of the root cause; absent if unknown. */
    team: z.string().optional(),
    /** Who acknowledged it and, if known, how; absent until then. */
    acknowledged_by: z.string().optional(),
    opened_at: z.string(),
    first_failure_at: z.string(),
    resolved_at: z.string().optional(),
    /** Time between resolution and relapse in seconds, which is not part of the outage. Absent if it never relapsed. */
    good_seconds: z.number().optional(),
    /** Time at which muting by maintenance or a silence ended; absent if nothing has muted it. */
    audible_since: z.string().optional(),
    /** Nothing is broken: it is a fire drill. Absent in earnest. */
    drill: z.literal(true).optional(),
  }),
);

/** One thing that happened to one incident, with the incident as it stood then, so that a notice tells one consistent moment. */
export type IncidentEvent = z.output<ReturnType<typeof incidentEventSchema>>;

/**
 * Reads an incident event from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseIncidentEvent(data: unknown): IncidentEvent {
  return parseMessage("incident event", incidentEventSchema(), data);
}
