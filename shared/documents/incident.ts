/**
 * The document of an incident in the collection `incidents`: one schema, by which it is written and read. What a person has broken or removed by
 * hand reads as empty; entries of lists that cannot be read are left out. The types are derived from it. docs/incidents.md explains every field.
 */
import { z } from "zod";
import type { Fields, Value } from "../ports.ts";
import { lazily } from "../runtime/lazily.ts";
import { namedRecord } from "../runtime/named-record.ts";

/** Name of the collection of incidents. Ids sort by time. */
export const incidentCollection = "incidents";

/** A whole document. Instants are timestamps; durations of a recovery are in seconds. */
export type IncidentDocument = z.output<ReturnType<typeof schema>>;

/** The fields that only operators and the notifier write, and the evaluator once: what is there stays. */
export type AttachedField =
  | "note"
  | "public_note"
  | "silenced_until"
  | "edited_by"
  | "edits"
  | "used_links"
  | "deliveries"
  | "told"
  | "postmortem";

/** The fields that the evaluator writes anew with every change. */
export type EvaluatorFields = Omit<IncidentDocument, AttachedField>;

/** One affected component: how it was affected, and from when until when. */
export type Affected = IncidentDocument["affected"][number];

/** One check that failed, a probe or a rule. */
export type SymptomRecord = IncidentDocument["symptoms"][number];

/** Something that a configuration check found wrong. */
export type FindingRecord = IncidentDocument["findings"][number];

/** Something that was changed in the environment. */
export type ChangeRecord = IncidentDocument["changes"][number];

/** A pattern in an error log. */
export type LogPatternRecord = IncidentDocument["log_patterns"][number];

/** Record of a recovery validation. */
export type RecoveryFields = NonNullable<IncidentDocument["recovery"]>;

/** Reads a document. Never fails. */
export function readIncident(fields: Fields): IncidentDocument {
  return schema().parse({ ...empty(), ...fields });
}

/** Reads who made which edits from the field `edits`. Never fails. */
export function readEdits(value: Value | undefined): NonNullable<IncidentDocument["edits"]> {
  return edits().safeParse(value ?? {}).data ?? {};
}

/** What an empty document reads as. Absent fields are filled in before parsing: to zod each would be an error, which is far dearer than a field. */
const empty = lazily(() => schema().parse({}));

const edits = lazily(() => namedRecord(z.string(), z.object({ by: z.string(), via: z.string() })));

const schema = lazily(() => {
  const text = z.string().catch("");
  const maybe = z.string().nullable().catch(null);
  const number = z.number().catch(0);
  const perhaps = z.number().nullable().catch(null);
  const instant = z.date().nullable().catch(null);
  const texts = listOf(z.string());
  const stage = z.object({
    name: text,
    status: text,
    begun_at: instant,
    passed_at: instant,
    failed_at: instant,
    seconds: perhaps,
    attempts: number,
    unanswered: number,
    failures: texts,
  });
  return z.object({
    /** The summary for a person. Its name sorts before all others in the console. */
    _overview: texts,
    title: text,
    status: text,
    severity: text,
    priority: text,
    summary: text,
    impact: text,
    root_cause: z.string().catch("unknown"),
    root_cause_since: instant,
    causes: listOf(z.object({ component: z.string(), title: text, from: instant, until: instant })),
    also_broken: maybe,
    candidates: listOf(
      z.object({ component: z.string(), score: number, confidence: number, for: text, against: text }),
    ),
    pattern: maybe,
    verdict: text,
    confidence: number,
    team: maybe,
    evidence: texts,
    whys: texts,
    next_steps: texts,
    components: texts,
    component_states: namedRecord(z.string(), z.string()).catch({}),
    affected: listOf(
      z.object({
        component: z.string(),
        title: text,
        layer: maybe,
        impact: maybe,
        trouble: text,
        intermittent: z.boolean().catch(false),
        from: instant,
        until: instant,
        availability_target: number,
      }),
    ),
    symptoms: listOf(
      z.object({
        check: text,
        kind: text,
        component: text,
        vantage: maybe,
        since: z.date(),
        until: instant,
        times: number,
        showed: text,
        failures: listOf(
          z.object({
            showed: text,
            kind: text,
            phase: text,
            status: perhaps,
            code: maybe,
            from: z.date(),
            until: z.date(),
            count: number,
          }),
        ),
      }),
    ),
    findings: listOf(
      z.object({
        check: text,
        component: text,
        severity: text,
        says: text,
        since: instant,
        came_with_it: z.boolean().catch(false),
      }),
    ),
    /** Changes: those before the first failure, newest first, then those after it. */
    changes: listOf(
      z.object({
        at: z.date(),
        kind: text,
        /** A phrase without a subject: `deployed revision backend-00042`. */
        what: text,
        resource: maybe,
        /** None where it concerns the environment as a whole. */
        components: texts,
        by: maybe,
        link: maybe,
        revert: maybe,
        before_first_failure: z.boolean().catch(false),
        /** It fits the cause that is named: made to it shortly before it began to fail. */
        fits: z.boolean().catch(false),
      }),
    ),
    /** The change that fits the cause, in one sentence. */
    suspected_change: maybe,
    /** Patterns in the error logs, at most three, the most informative first. */
    log_patterns: listOf(
      z.object({
        component: text,
        resource: text,
        pattern: text,
        /** The whole of it as one sentence. */
        says: text,
        count: number,
        before: number,
        first_at: instant,
        last_at: instant,
        means: maybe,
      }),
    ),
    alerts: texts,
    drill: z
      .literal(true)
      .exactOptional()
      .catch(undefined as never),
    environment: text,
    first_failure_at: instant,
    opened_at: instant,
    opened_by: maybe,
    acknowledged_at: instant,
    /** Who acknowledged it and, if known, how; absent until then. */
    acknowledged_by: maybe,
    recovering_at: instant,
    resolved_at: instant,
    /** The incident before, where the same had failed too long ago to be opened again. */
    previous: maybe,
    /** The times in which it was over before it came back, oldest first. */
    relapses: listOf(
      z.object({ resolved_at: z.date(), failed_at: z.date(), reopened_at: instant, acknowledged_at: instant }),
    ),
    duration: maybe,
    recovery: z
      .object({
        status: text,
        begun_at: instant,
        ended_at: instant,
        seconds: perhaps,
        stages: listOf(stage),
        earlier: texts,
      })
      .nullable()
      .catch(null),
    timeline: texts,
    note: maybe,
    /** The note on the public status page. */
    public_note: z
      .string()
      .exactOptional()
      .catch(undefined as never),
    silenced_until: instant,
    /** Editor of a change that the evaluator has not read yet; the evaluator removes the name with that edit. */
    edited_by: maybe,
    /** Author and way of each of these edits, by the field that it changed, if a program recorded them. */
    edits: edits()
      .exactOptional()
      .catch(undefined as never),
    /** Links and messages of other services that have changed something and do not do so again, with when that was. */
    used_links: namedRecord(z.string(), z.date())
      .exactOptional()
      .catch(undefined as never),
    deliveries: namedRecord(z.string(), z.string()).catch({}),
    told: namedRecord(z.string(), namedRecord(z.string(), z.union([z.number(), z.date(), z.null()]))).catch({}),
    problem: maybe,
    postmortem: maybe,
  });
});

/** A list, without the entries that cannot be read; empty where it is none. */
function listOf<T>(entry: z.ZodType<T>): z.ZodType<T[]> {
  return z
    .array(z.unknown())
    .catch([])
    .transform((items) =>
      items.flatMap((item) => {
        const parsed = entry.safeParse(item);
        return parsed.success ? [parsed.data] : [];
      }),
    );
}
