/** The form of a file of whole-path tests. What its sentences and series mean, `statement.ts` and `series.ts` say. */
import { z } from "zod";
import { duration } from "../../../shared/config/fields.ts";
import {
  type IncidentEventKind,
  incidentEventKinds,
  incidentStatuses,
} from "../../../shared/messages/incident-event.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { parseDuration } from "../../../shared/text/units.ts";

/** The top of a file; durations in milliseconds. */
export interface TestFile {
  readonly config?: string | Readonly<Record<string, unknown>> | undefined;
  readonly override?: Readonly<Record<string, unknown>> | undefined;
  readonly start?: string | undefined;
  readonly interval?: number | undefined;
  readonly healthy: Readonly<Record<string, string | number>>;
  readonly tests: readonly TestEntry[];
}

/** One test. */
export interface TestEntry {
  readonly name: string;
  readonly source?: string | undefined;
  readonly override?: Readonly<Record<string, unknown>> | undefined;
  readonly timeline: Readonly<Record<string, string | readonly string[]>>;
  readonly series: Readonly<Record<string, string>>;
  readonly until?: number | undefined;
  readonly expect: "silence" | Expectations;
}

/** Expectations of a test. */
export interface Expectations {
  readonly incidents?: number | readonly ExpectedIncident[] | undefined;
  readonly alerts?: Readonly<Record<string, Readonly<Record<string, "pending" | "firing" | "inactive">>>> | undefined;
  readonly notifications?: Readonly<Record<string, "any" | readonly ExpectedNotice[]>> | undefined;
  readonly suppressed?: readonly ExpectedSuppression[] | undefined;
}

/** Expected state of an incident, at the end unless another instant is given. */
export interface ExpectedIncident {
  readonly root_cause?: string | readonly string[] | undefined;
  readonly verdict?: string | readonly string[] | undefined;
  readonly severity?: string | readonly string[] | undefined;
  readonly priority?: string | readonly string[] | undefined;
  readonly status?: string | readonly string[] | undefined;
  readonly opened_within?: Within | undefined;
  readonly resolved_within?: Within | undefined;
  readonly also_broken?: string | undefined;
  readonly components?: readonly string[] | undefined;
  readonly alerts?: readonly string[] | undefined;
  readonly events?: readonly (IncidentEventKind | "...")[] | undefined;
  readonly title?: string | readonly string[] | undefined;
  readonly summary?: string | readonly string[] | undefined;
  readonly impact?: string | readonly string[] | undefined;
  readonly evidence?: string | readonly string[] | undefined;
  readonly timeline?: string | readonly string[] | undefined;
  readonly postmortem?: string | readonly string[] | undefined;
  readonly whys?: string | readonly string[] | undefined;
  readonly next_steps?: string | readonly string[] | undefined;
  readonly first_step?: string | readonly string[] | undefined;
  readonly never_says?: string | readonly string[] | undefined;
  /** Texts and values that it must not contain. */
  readonly not?: Excluded | undefined;
  /** Keys such as `at 12m`: what its document says then. */
  readonly moments: Readonly<Record<string, Moment>>;
}

/** Texts that an incident must not contain, by its fields; components and alerts that must not belong to it. */
export type Excluded = Readonly<
  Pick<
    ExpectedIncident,
    "title" | "summary" | "impact" | "evidence" | "timeline" | "postmortem" | "components" | "alerts" | "root_cause"
  >
>;

/** Expected content of the document of an incident at an instant. */
export type Moment = Readonly<
  Partial<Pick<ExpectedIncident, "root_cause" | "verdict" | "severity" | "priority" | "status">>
>;

/** A time after an instant of the timeline, in milliseconds; without `after`, after the trouble begins or ends. */
export interface Within {
  readonly within: number;
  readonly after?: number | undefined;
}

/** One notice that a channel is expected to have delivered. */
export type ExpectedNotice =
  | IncidentEventKind
  | "..."
  | {
      readonly event: IncidentEventKind;
      readonly text?: string | readonly string[] | undefined;
      readonly not?: string | readonly string[] | undefined;
      readonly within?: Within | undefined;
    };

/** One notice that is expected not to be sent. */
export interface ExpectedSuppression {
  readonly channel: string;
  readonly event?: IncidentEventKind | undefined;
  readonly reason?: string | undefined;
}

const text = z.string().min(1);
const texts = z.union([text, z.array(text).min(1)], { error: "must be a text or a list of texts" });
const configuration = namedRecord(z.string(), z.unknown());

/** `3m`, or `3m after 25m`. */
const within: z.ZodType<Within, string> = z
  .string({ error: "must be a duration such as 3m, or 3m after 25m" })
  .transform((value, context) => {
    const [, time = "", anchor] = /^(\S+)(?: after (\S+))?$/.exec(value.trim()) ?? [];
    const [limit, after] = [parseDuration(time), anchor === undefined ? undefined : parseDuration(anchor)];
    if (limit === undefined || (anchor !== undefined && after === undefined)) {
      context.issues.push({
        code: "custom",
        message: `invalid value "${value}": write 3m, or 3m after 25m`,
        input: value,
      });
      return z.NEVER;
    }
    return { within: limit, ...(after === undefined ? {} : { after }) };
  });

const event = z.enum(incidentEventKinds);
const eventOrMore = z.enum([...incidentEventKinds, "..."]);

/** One of some words, or a list of them. */
function anyOf(choices: readonly string[]) {
  const one = z.enum(choices as [string, ...string[]]);
  return z
    .union([one, z.array(one).min(1)], { error: `must be one of ${choices.join(", ")}, or a list of them` })
    .optional();
}

const moment = {
  root_cause: texts.optional().describe("The component that broke, unknown, or a list of which any will do."),
  verdict: anyOf(["platform", "application", "monitor", "unknown"]).describe(
    "The layer that is responsible, or a list of which any will do.",
  ),
  severity: anyOf(["info", "warning", "critical"]).describe("How bad it is, or a list of which any will do."),
  priority: anyOf(["P0", "P1", "P2", "P3"]).describe("How urgent it is, or a list of which any will do."),
  status: anyOf(incidentStatuses).describe("Where it stands, or a list of which any will do."),
};

const incident: z.ZodType<Omit<ExpectedIncident, "moments">, unknown> = z.strictObject({
  ...moment,
  opened_within: within.optional().describe("How soon after the trouble began it is open: 3m, or 3m after 25m."),
  resolved_within: within.optional().describe("How soon after the trouble ended it is resolved: 8m, or 8m after 40m."),
  also_broken: text.optional().describe("A second component that broke by itself."),
  components: z.array(text).optional().describe("Components that are affected, these at least."),
  alerts: z.array(text).optional().describe("Names of the rules whose alerts belong to it, these at least."),
  events: z.array(eventOrMore).optional().describe("Everything that happens to it, in order; ... stands for anything."),
  title: texts.optional().describe("Texts that its title contains."),
  summary: texts.optional().describe("Texts that its summary contains."),
  impact: texts.optional().describe("Texts that its impact contains."),
  evidence: texts.optional().describe("Texts that its evidence contains."),
  timeline: texts.optional().describe("Texts that its timeline contains."),
  postmortem: texts.optional().describe("Texts that its postmortem contains, as Markdown."),
  whys: texts.optional().describe("Texts that its chain of whys contains."),
  next_steps: texts.optional().describe("Texts that its next steps contain."),
  first_step: texts.optional().describe("Texts that the first of its next steps contains."),
  never_says: texts
    .optional()
    .describe("Texts that stand nowhere in what people are told of it, in capital letters or small ones."),
  not: z
    .strictObject({
      root_cause: texts.optional().describe("Components that must not be its cause."),
      components: z.array(text).optional().describe("Components that must not be affected."),
      alerts: z.array(text).optional().describe("Names of rules whose alerts must not belong to it."),
      title: texts.optional().describe("Texts that its title must not contain."),
      summary: texts.optional().describe("Texts that its summary must not contain."),
      impact: texts.optional().describe("Texts that its impact must not contain."),
      evidence: texts.optional().describe("Texts that its evidence must not contain."),
      timeline: texts.optional().describe("Texts that its timeline must not contain."),
      postmortem: texts.optional().describe("Texts that its postmortem must not contain."),
    })
    .optional()
    .describe("The same fields with what must not be in them."),
});

/** The keys of an expected incident that are not instants. */
export const incidentEntry: typeof incident = incident;

/** Expectations of an incident at an instant. */
export const momentEntry: z.ZodType<Moment, unknown> = z.strictObject(moment);

const notice: z.ZodType<ExpectedNotice, unknown> = z.union([
  eventOrMore,
  z.strictObject({
    event: event.describe("What happened."),
    text: texts.optional().describe("Texts that the notice contains."),
    not: texts.optional().describe("Texts that it must not contain."),
    within: within.optional().describe("How soon after the trouble began it is delivered: 3m, or 3m after 25m."),
  }),
]);

/** Expectations of a test, with unparsed incidents. */
export const expectEntry: z.ZodType<Omit<Expectations, "incidents"> & { incidents?: unknown }, unknown> =
  z.strictObject({
    incidents: z
      .union([z.int().min(0), z.array(namedRecord(z.string(), z.unknown()))], {
        error: "must be a list, or how many there are",
      })
      .optional()
      .describe("Exactly these incidents, oldest first; a number stands for how many."),
    alerts: namedRecord(z.string(), namedRecord(z.string(), z.enum(["pending", "firing", "inactive"])))
      .optional()
      .describe("By instants such as at 12m: what alerts are, by the name of their rule."),
    notifications: namedRecord(
      z.string(),
      z.union([z.literal("any"), z.array(notice)], { error: "must be a list of events, or any" }),
    )
      .optional()
      .describe(
        "What each channel delivers, in order. Channels that are not named deliver nothing; any stands for whatever.",
      ),
    suppressed: z
      .array(
        z.strictObject({
          channel: text.describe("The channel that is not told."),
          event: event.optional().describe("The event that it is not told of."),
          reason: text.optional().describe("A text that the reason contains."),
        }),
      )
      .optional()
      .describe("Notices that are not sent, these at least."),
  });

/** One entry of `tests`, with what it expects unread. */
export const testEntry: z.ZodType<Omit<TestEntry, "expect"> & { expect: unknown }, unknown> = z.strictObject({
  name: text.describe("What happens and what is expected of the monitor, in one line."),
  source: z
    .string()
    .regex(/^https?:\/\/\S+$/, { error: "must be an address that begins with https://" })
    .optional()
    .describe("Where such an outage was reported."),
  override: configuration.optional().describe("Changes to the configuration for this test alone."),
  timeline: namedRecord(
    z.string(),
    z.union([text, z.array(text)], {
      error: "must be a sentence or a list of sentences; inside { }, quote a value that contains a comma",
    }),
  )
    .default({})
    .describe("What happens: by from 10m to 40m what is the case then, by at 12m what somebody does."),
  series: namedRecord(
    z.string(),
    z.string({
      error: "must be a series such as ok x10, fail x5; inside { }, quote a value that contains a comma",
    }),
  )
    .default({})
    .describe("Exact points, by the name of a probe or of a metric."),
  until: duration().optional().describe("How long the test lasts. Default: 30m after the last instant that it names."),
  expect: z
    .union([z.literal("silence"), namedRecord(z.string(), z.unknown())], {
      error: "must be silence, or a map of what is expected",
    })
    .describe("silence: no incident and no notice. Otherwise what is expected."),
});

/** A file, with its tests unread. */
export const fileEntry: z.ZodType<Omit<TestFile, "tests"> & { tests: readonly unknown[] }, unknown> = z.strictObject({
  config: z
    .union([text, configuration], { error: "must be the path of a configuration file, or a configuration" })
    .optional()
    .describe(
      "The configuration: a path from this file on, or all of it in place. Default: monitor.yaml beside this file.",
    ),
  override: configuration
    .optional()
    .describe("Changes to the configuration: maps are merged, all else is replaced, null removes."),
  start: z
    .string()
    .refine((value) => z.iso.datetime({ offset: true }).safeParse(value).success, {
      error: "must be an instant such as 2025-09-16T12:00:00Z",
    })
    .optional()
    .describe("When the tests begin. Default: 2025-09-16T12:00:00Z."),
  interval: duration()
    .optional()
    .describe("The time between the points of series. Default: a point is a run of the probe."),
  healthy: namedRecord(z.string(), z.union([z.string(), z.number()]))
    .default({})
    .describe("What metrics are in health. Default: values that no rule and no baseline minds."),
  tests: z.array(z.unknown()).min(1).describe("The tests."),
});
