/** What happened to an incident: one message on the topic `notifications`, and one line of `replay`. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";
import type { Severity } from "./severity.ts";

/** Whose trouble it is: of the platform, of the application, of the monitor itself, or not known. */
export type Verdict = "platform" | "application" | "monitor" | "unknown";

/** Urgency as teams speak of it: P0 is "everybody, now". */
export type Priority = "P0" | "P1" | "P2" | "P3";

/** Where an incident may stand, from its opening to its end. */
export const incidentStatuses = ["open", "acknowledged", "recovering", "resolved"] as const;

/** Where an incident stands. */
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

/** What happened. */
export type IncidentEventKind = (typeof incidentEventKinds)[number];

/** One possible cause. */
export interface EventCandidate {
  component: string;
  /** Roughly how many components' trouble it explains. */
  score: number;
  /** From 0 to 1. */
  confidence: number;
  /** What speaks most for it, and against it; each one sentence. */
  for: string;
  against: string;
}

/** One thing that happened to one incident, with the incident as it stood then, so that a notice tells one consistent moment. */
export interface IncidentEvent {
  v: 1;
  /** When it happened, by the time of the measurements, RFC 3339. */
  at: string;
  incident: string;
  event: IncidentEventKind;
  severity: Severity;
  /** The component that broke, or `unknown`. */
  root_cause: string;
  verdict: Verdict;
  /** From 0 to 1. */
  confidence: number;
  components: string[];
  alerts: string[];
  /** One sentence: what is broken and what it blocks. */
  summary: string;
  environment: string;
  /** Position among the events of this incident, from 1. */
  sequence: number;
  /** How often this kind of event has happened to this incident, this one included. */
  occurrence: number;
  /** One sentence: what changed with this event. */
  change: string;
  title: string;
  status: IncidentStatus;
  priority: Priority;
  impact: string;
  evidence: string[];
  whys: string[];
  /** What to look at next, most telling first; absent where nothing is proposed. */
  next_steps?: string[] | undefined;
  /** A second component that broke by itself; absent where there is none. */
  also_broken?: string | undefined;
  /** What it could be, the likeliest first; absent where nothing was weighed. */
  candidates?: EventCandidate[] | undefined;
  /** Who must act on the root cause; absent where that is not known. */
  team?: string | undefined;
  opened_at: string;
  first_failure_at: string;
  resolved_at?: string | undefined;
  /** How long it was over before it came back, in seconds: no part of the outage. Absent where it never came back. */
  good_seconds?: number | undefined;
  /** When it could be told again after maintenance or a silence; absent where nothing has muted it. */
  audible_since?: string | undefined;
  /** Nothing is broken: it is a fire drill. Absent in earnest. */
  drill?: true | undefined;
}

const incidentEventSchema = lazily(
  (): z.ZodType<IncidentEvent> =>
    z.object({
      v: z.literal(1),
      at: z.string(),
      incident: z.string().min(1),
      event: z.enum(incidentEventKinds),
      severity: z.enum(["info", "warning", "critical"]),
      root_cause: z.string(),
      verdict: z.enum(["platform", "application", "monitor", "unknown"]),
      confidence: z.number(),
      components: z.array(z.string()),
      alerts: z.array(z.string()),
      summary: z.string(),
      environment: z.string(),
      sequence: z.int().min(1),
      occurrence: z.int().min(1),
      change: z.string(),
      title: z.string(),
      status: z.enum(incidentStatuses),
      priority: z.enum(["P0", "P1", "P2", "P3"]),
      impact: z.string(),
      evidence: z.array(z.string()),
      whys: z.array(z.string()),
      next_steps: z.array(z.string()).optional(),
      also_broken: z.string().optional(),
      candidates: z
        .array(
          z.object({
            component: z.string(),
            score: z.number(),
            confidence: z.number(),
            for: z.string(),
            against: z.string(),
          }),
        )
        .optional(),
      team: z.string().optional(),
      opened_at: z.string(),
      first_failure_at: z.string(),
      resolved_at: z.string().optional(),
      good_seconds: z.number().optional(),
      audible_since: z.string().optional(),
      drill: z.literal(true).optional(),
    }),
);

/**
 * Reads an incident event from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseIncidentEvent(data: unknown): IncidentEvent {
  return parseMessage("incident event", incidentEventSchema(), data);
}
