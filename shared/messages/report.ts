/** The report: results of one run of one probe group, one message on the topic `measurements`. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { namedRecord } from "../runtime/named-record.ts";
import { parseMessage } from "./parse.ts";
import { severities } from "./severity.ts";

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

/**
 * The phase of a failure to get what proves who we are: no token from a token endpoint, or none of Google. It speaks of the giver of tokens or
 * of our own settings, and neither for nor against the target.
 */
export const identityPhase = "identity";

/** Kind of failure, which rules and root-cause analysis rely on. */
export type FailureKind = (typeof failureKinds)[number];

/**
 * Signal: the subject of bad news, whatever its source: a failed request, slowness, an error ratio, saturation, a certificate, the
 * configuration, an event that the provider reports, or a missing report.
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

/** Parts of Google that can answer in place of an application. */
export const googleAnswerers = ["cloud-run", "load-balancer", "front-end", "iap", "cloud-armor"] as const;

const failureSchema = lazily(() =>
  z.object({
    kind: z.enum(failureKinds),
    phase: z.string(),
    message: z.string(),
    /** The HTTP status of the answer, where there was one. */
    status: z.int().optional(),
    /** A code of the system, of TLS or of a protocol: an errno, an SQLSTATE, the code with which a WebSocket was closed. */
    code: z.string().max(60).optional(),
    /**
     * The part of Google that answered in place of the application: Cloud Run, a load balancer, a front end, Identity-Aware Proxy or Cloud
     * Armor. Absent if the application may have answered itself.
     */
    answered_by: z.enum(googleAnswerers).optional(),
    /** Absent: `failing`. */
    signal: z.enum(signals).optional(),
    /** The step of several in which it happened; the message begins with it as well. */
    step: z.string().optional(),
  }),
);

/**
 * Why a probe failed: the kind, the phase it failed in, and one sentence for people, already bounded and free of secrets. What a program
 * needs to know stands in fields and is never read from the sentence.
 */
export type Failure = z.output<ReturnType<typeof failureSchema>>;

const measurementSchema = lazily(() =>
  z.object({ metric: z.string(), value: z.number(), labels: namedRecord(z.string(), z.string()) }),
);

/** One sample of one series, in base units. The labels `probe`, `component` and `vantage` follow from the result and are not repeated. */
export type Measurement = z.output<ReturnType<typeof measurementSchema>>;

/**
 * Meaning of a failed configuration check beyond that something is wrong: the component has no path to a dependency; it cuts off long
 * connections; it was redeployed; it affects some clients only; it is a Serverless VPC Access connector.
 */
export const findingMeanings = ["no_path", "cuts_off", "deployed", "hits_some", "serverless_connector"] as const;

/** One of them. */
export type FindingMeaning = (typeof findingMeanings)[number];

const findingSchema = lazily(() =>
  z.object({
    /** Stable name of the check. */
    check: z.string(),
    ok: z.boolean(),
    observed: z.string(),
    expected: z.string(),
    /** Why it matters, and what to do where it is not ok. */
    explanation: z.string(),
    /** Remedy if it is not ok, with the names involved: one or two sentences, also the end of the explanation. */
    remedy: z.string().optional(),
    /** Name of the checked resource, if a probe checks several. */
    resource: z.string().optional(),
    /** The component that it speaks of. Absent: that of the probe. */
    component: z.string().optional(),
    /**
     * Importance if it is not ok. `critical`: it breaks something; `warning`: it will break something under load or in time; `info`: it
     * deviates, and nothing fails. Absent: the failure of the probe says it.
     */
    severity: z.enum(severities).optional(),
    /** Meaning for the component if it is not ok. Absent: nothing more. */
    tells: z.array(z.enum(findingMeanings)).optional(),
  }),
);

/** One finding of a configuration check. */
export type Finding = z.output<ReturnType<typeof findingSchema>>;

const uncheckedSchema = lazily(() =>
  z.object({
    checks: z.array(z.string()),
    /** Name of the resource that could not be checked. */
    resource: z.string(),
    /** The component that the checks speak of. Absent: that of the probe. */
    component: z.string().optional(),
    /** Why, and what to do about it. */
    explanation: z.string(),
  }),
);

/** Checks that could not be made, which says nothing of what they would have found. */
export type Unchecked = z.output<ReturnType<typeof uncheckedSchema>>;

/** The subject of a change of the environment. */
export const changeKinds = [
  "deployment",
  "traffic",
  "settings",
  "maintenance",
  "failover",
  "network",
  "firewall",
  "iam",
  "secret",
  "certificate",
  "dns",
  "quota",
  "policy",
  "other",
] as const;

/** One of them. */
export type ChangeKind = (typeof changeKinds)[number];

const changeSchema = lazily(() =>
  z.object({
    /** Identifies it: the same change is read again by later runs. */
    id: z.string().min(1).max(200),
    /** RFC 3339 instant at which it was made. */
    at: instant(),
    kind: z.enum(changeKinds),
    /** The change as a phrase without a subject: `deployed revision backend-00042`. */
    what: z.string(),
    /** The changed resource: `Cloud Run service backend`. */
    resource: z.string().optional(),
    /** The components that it touches; none where it concerns the environment as a whole, or that is not known. */
    components: z.array(z.string()),
    /** It is known to concern none of the environment. */
    elsewhere: z.literal(true).optional(),
    /** The author, only if principals may be shown. */
    by: z.string().optional(),
    /** URL of its record, a page of the provider's console. */
    link: z.string().optional(),
    /** How to revert it, in one sentence. Nothing is reverted automatically. */
    revert: z.string().optional(),
  }),
);

/** Something that was changed in the environment: a deployment, a role, a firewall rule, maintenance by the provider. */
export type ReportedChange = z.output<ReturnType<typeof changeSchema>>;

const logPatternSchema = lazily(() =>
  z.object({
    /** The message with numbers, ids and addresses as placeholders, such as `connect to <*> timed out`. */
    pattern: z.string(),
    /** Whose log it stands in: `Cloud Run service backend`. */
    resource: z.string(),
    component: z.string(),
    /** Number of entries from `first_at` to `last_at`. */
    count: z.int().min(1),
    first_at: instant(),
    last_at: instant(),
    /** Number of entries in the period before that, and the length of that period in seconds. */
    before: z.int().min(0),
    before_seconds: z.number().min(0),
    /** Not all entries were read: there are at least so many. Absent: these are all. */
    at_least: z.literal(true).optional(),
    /** Meaning of a known message of the provider. Absent if the message is unknown. */
    means: z
      .object({
        /** Stable name of what is known. */
        name: z.string(),
        /** The cause, in one sentence. */
        says: z.string(),
        /** The command or setting that fixes it, in a sentence. */
        remedy: z.string(),
        /** Roles of components that are to blame; the nearest that the component needs. Absent: the component itself. */
        blames: z.array(z.string()).optional(),
        /** Whether the message can be a consequence of a failure elsewhere, such as a failed start: then it explains, but proves no cause. */
        is_symptom: z.literal(true).optional(),
      })
      .optional(),
  }),
);

/** A pattern in an error log. */
export type ReportedLogPattern = z.output<ReturnType<typeof logPatternSchema>>;

const hopSchema = lazily(() =>
  z.object({
    /** Without query and fragment. */
    url: z.string(),
    status: z.number(),
    /** Seconds from nothing to its last byte. */
    duration: z.number(),
  }),
);

/** One answer on the way of a request that was redirected. */
export type Hop = z.output<ReturnType<typeof hopSchema>>;

const instant = lazily(() =>
  z.string().refine((text) => !Number.isNaN(Date.parse(text)), "must be an RFC 3339 instant"),
);

const attemptSchema = lazily(() =>
  z.object({
    /** RFC 3339 instant at which it started. */
    at: instant(),
    /** Seconds that it took. */
    duration: z.number(),
    /** Absent when it succeeded. */
    failure: failureSchema().optional(),
  }),
);

/** One attempt at a probe that was tried again at once. */
export type Attempt = z.output<ReturnType<typeof attemptSchema>>;

const resultSchema = lazily(() =>
  z.object({
    probe: z.string(),
    component: z.string(),
    /** RFC 3339 instant at which this probe first started; the time of its measurements, also where it was tried again. */
    at: instant(),
    success: z.boolean(),
    failure: failureSchema().optional(),
    /** Nothing is known of the target yet: what is waited for is not due. */
    pending: z.literal(true).optional(),
    measurements: z.array(measurementSchema()),
    findings: z.array(findingSchema()).optional(),
    unchecked: z.array(uncheckedSchema()).optional(),
    /** Changes of the environment, newest first. Absent if the probe does not read them, or could not. */
    changes: z.array(changeSchema()).optional(),
    /** Patterns in the error logs, the most informative first. Absent if the probe does not read them, or could not. */
    log_patterns: z.array(logPatternSchema()).optional(),
    /** Every answer in turn, the last one included, where a request was redirected. */
    hops: z.array(hopSchema()).optional(),
    /** All attempts, where there was more than one: the last of them is the result. */
    attempts: z.array(attemptSchema()).optional(),
  }),
);

/** The result of one probe. */
export type ProbeResult = z.output<ReturnType<typeof resultSchema>>;

/**
 * Returns whether a result says anything about its target. A pending result does not, and neither does one of a probe that could not run for
 * lack of a secret, a valid setting or a token: that is trouble of the monitor.
 */
export function isConclusive({ failure, pending }: Pick<ProbeResult, "failure" | "pending">): boolean {
  return pending !== true && !isMonitorFailure(failure);
}

/** Returns whether a failure is trouble of the monitor and says nothing about the target. */
export function isMonitorFailure(failure: Pick<Failure, "kind" | "phase"> | undefined): boolean {
  return failure?.kind === "internal" || failure?.phase === identityPhase;
}

/** Everything for which probes run. */
export const triggers = ["schedule", "diagnosis", "validation", "canary"] as const;

/** Why the probes ran. */
export type Trigger = (typeof triggers)[number];

/** The places from which probes run. */
export const vantages = ["inside", "outside"] as const;

/** Where a probe runs: `inside` the VPC, through the connector, or `outside`. */
export type Vantage = (typeof vantages)[number];

const reportSchema = lazily(() =>
  z.object({
    v: z.literal(1),
    report: z.string().min(1),
    environment: z.string(),
    vantage: z.enum(vantages),
    group: z.string(),
    trigger: z.enum(triggers),
    started_at: instant(),
    finished_at: instant(),
    results: z.array(resultSchema()),
    /** The request that this run answers, for runs that were asked for: a diagnosis, a validation or a canary. */
    request: z.string().optional(),
    /** The control probe failed: the prober itself is in trouble, and this report judges no target. */
    prober_unhealthy: z.string().optional(),
    /** The first run of a new instance of the function: what it measured may be slow by itself. */
    cold_start: z.boolean().optional(),
  }),
);

/** Results of one run of one probe group. `report` is the idempotency key: the same run always carries the same. */
export type Report = z.output<ReturnType<typeof reportSchema>>;

/**
 * Reads a report from the data of a message.
 * @throws Error that says which field is wrong
 */
export function parseReport(data: unknown): Report {
  return parseMessage("report", reportSchema(), data);
}
