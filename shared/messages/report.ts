/** The report: results of one run of one probe group, one message on the topic `measurements`. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { namedRecord } from "../runtime/named-record.ts";
import { parseMessage } from "./parse.ts";
import type { Severity } from "./severity.ts";

/** Kinds of failure, alike for every prober. */
export const failureKinds = [
  "timeout",
  "refused",
  "reset",
  "dns",
  "tls",
  "http_status",
  "body",
  "protocol",
  "auth",
  "database",
  "sequence",
  "unavailable",
  "internal",
] as const;

/**
 * The phase of a failure to read what Google says of a target: a refused permission, an API that is not enabled, no answer. It speaks of the
 * reading, and neither for nor against the target.
 */
export const readingPhase = "google_api";

/** What went wrong, in a word that rules and the root cause analysis can rely on. */
export type FailureKind = (typeof failureKinds)[number];

/**
 * What bad news is about, whoever brings it: a failed request, slowness, a share of errors, something that is used up, a certificate, the
 * configuration, an event that the provider reports, or a report that did not come.
 */
export const signals = [
  "failing",
  "slow",
  "errors",
  "saturated",
  "certificate",
  "configuration",
  "event",
  "missing",
] as const;

/** One of them. */
export type Signal = (typeof signals)[number];

/**
 * Why a probe failed: the kind, the phase it failed in, and one sentence for people, already bounded and free of secrets. What a program
 * needs to know stands in fields and is never read from the sentence.
 */
export interface Failure {
  kind: FailureKind;
  phase: string;
  message: string;
  /** The HTTP status of the answer, where there was one. */
  status?: number | undefined;
  /** A code of the system, of TLS or of a protocol: an errno, an SQLSTATE, the code with which a WebSocket was closed. */
  code?: string | undefined;
  /** Absent: `failing`. */
  signal?: Signal | undefined;
  /** The step of several in which it happened; the message begins with it as well. */
  step?: string | undefined;
}

/** One sample of one series, in base units. The labels `probe`, `component` and `vantage` follow from the result and are not repeated. */
export interface Measurement {
  metric: string;
  value: number;
  labels: Record<string, string>;
}

/** One finding of a configuration check. */
export interface Finding {
  /** Stable name of the check. */
  check: string;
  ok: boolean;
  observed: string;
  expected: string;
  /** Why it matters, and what to do where it is not ok. */
  explanation: string;
  /** What to do where it is not ok, with the names of what it is about: one or two sentences, also the end of the explanation. */
  remedy?: string | undefined;
  /** What was looked at, by its name, where a probe looks at several things. */
  resource?: string | undefined;
  /** The component that it speaks of. Absent: that of the probe. */
  component?: string | undefined;
  /**
   * What it means when it is not ok. `critical`: something does not work because of it; `warning`: something will not work under load,
   * or some day; `info`: it is not as it should be, and nothing fails. Absent: the failure of the probe says it.
   */
  severity?: Severity | undefined;
}

/** Checks that could not be made, which says nothing of what they would have found. */
export interface Unchecked {
  checks: string[];
  /** What could not be looked at, by its name. */
  resource: string;
  /** The component that the checks speak of. Absent: that of the probe. */
  component?: string | undefined;
  /** Why, and what to do about it. */
  explanation: string;
}

/** One answer on the way of a request that was redirected. */
export interface Hop {
  /** Without query and fragment. */
  url: string;
  status: number;
  /** Seconds from nothing to its last byte. */
  duration: number;
}

/** One attempt at a probe that was tried again at once. */
export interface Attempt {
  /** RFC 3339 instant at which it started. */
  at: string;
  /** Seconds that it took. */
  duration: number;
  /** Absent when it succeeded. */
  failure?: Failure | undefined;
}

/** The result of one probe. */
export interface ProbeResult {
  probe: string;
  component: string;
  /** RFC 3339 instant at which this probe first started; the time of its measurements, also where it was tried again. */
  at: string;
  success: boolean;
  failure?: Failure | undefined;
  /** Nothing is known of the target yet: what is waited for is not due. */
  pending?: true | undefined;
  measurements: Measurement[];
  findings?: Finding[] | undefined;
  unchecked?: Unchecked[] | undefined;
  /** Every answer in turn, the last one included, where a request was redirected. */
  hops?: Hop[] | undefined;
  /** All attempts, where there was more than one: the last of them is the result. */
  attempts?: Attempt[] | undefined;
}

/**
 * Whether a result says anything of its target. What is not due yet says nothing, and neither does a probe that could not run, for want of a
 * secret or of a right setting: that is the monitor's own trouble.
 */
export function isTelling({ failure, pending }: Pick<ProbeResult, "failure" | "pending">): boolean {
  return pending !== true && failure?.kind !== "internal";
}

/** Why the probes ran. */
export type Trigger = "schedule" | "diagnosis" | "validation";

/** Results of one run of one probe group. `report` is the idempotency key: the same run always carries the same. */
export interface Report {
  v: 1;
  report: string;
  environment: string;
  vantage: Vantage;
  group: string;
  trigger: Trigger;
  started_at: string;
  finished_at: string;
  results: ProbeResult[];
  /** The request that this run answers, for runs that were asked for: a diagnosis or a validation. */
  request?: string | undefined;
  /** The control probe failed: the trouble is the prober's own, and nobody is judged by this report. */
  prober_unhealthy?: string | undefined;
  /** The first run of a new instance of the function: what it measured may be slow by itself. */
  cold_start?: boolean | undefined;
}

/** Where a probe runs from: `inside` the VPC, through the connector, or `outside`. */
export type Vantage = "inside" | "outside";

const reportSchema = lazily((): z.ZodType<Report> => {
  const instant: z.ZodString = z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), "must be an RFC 3339 instant");
  const failure: z.ZodType<Failure> = z.object({
    kind: z.enum(failureKinds),
    phase: z.string(),
    message: z.string(),
    status: z.int().optional(),
    code: z.string().max(60).optional(),
    signal: z.enum(signals).optional(),
    step: z.string().optional(),
  });
  return z.object({
    v: z.literal(1),
    report: z.string().min(1),
    environment: z.string(),
    vantage: z.enum(["inside", "outside"]),
    group: z.string(),
    trigger: z.enum(["schedule", "diagnosis", "validation"]),
    started_at: instant,
    finished_at: instant,
    results: z.array(
      z.object({
        probe: z.string(),
        component: z.string(),
        at: instant,
        success: z.boolean(),
        failure: failure.optional(),
        pending: z.literal(true).optional(),
        measurements: z.array(
          z.object({ metric: z.string(), value: z.number(), labels: namedRecord(z.string(), z.string()) }),
        ),
        findings: z
          .array(
            z.object({
              check: z.string(),
              ok: z.boolean(),
              observed: z.string(),
              expected: z.string(),
              explanation: z.string(),
              remedy: z.string().optional(),
              resource: z.string().optional(),
              component: z.string().optional(),
              severity: z.enum(["info", "warning", "critical"]).optional(),
            }),
          )
          .optional(),
        unchecked: z
          .array(
            z.object({
              checks: z.array(z.string()),
              resource: z.string(),
              component: z.string().optional(),
              explanation: z.string(),
            }),
          )
          .optional(),
        hops: z.array(z.object({ url: z.string(), status: z.number(), duration: z.number() })).optional(),
        attempts: z.array(z.object({ at: instant, duration: z.number(), failure: failure.optional() })).optional(),
      }),
    ),
    request: z.string().optional(),
    prober_unhealthy: z.string().optional(),
    cold_start: z.boolean().optional(),
  });
});

/**
 * Reads a report from the data of a message.
 * @throws Error that says which field is wrong
 */
export function parseReport(data: unknown): Report {
  return parseMessage("report", reportSchema(), data);
}
