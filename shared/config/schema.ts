/** The form of `monitor.yaml`: the keys of every section. What a kind of probe or channel reads besides, its registry says. */
import { z } from "zod";
import { incidentUrl } from "../incident-link.ts";
import type { IncidentEventKind } from "../messages/incident-event.ts";
import { signals } from "../messages/report.ts";
import { unfilledMark, urlMistake } from "../net/written-address.ts";
import type { SelfDescribing } from "../probe-facts.ts";
import { namedRecord } from "../runtime/named-record.ts";
import {
  durationBetween,
  entryName,
  googleProject,
  googleRegion,
  line,
  longestAlertMs,
  names,
  percentage,
  severity,
  text,
  textOrSecret,
  timeZone,
  timeZoneExamples,
} from "./fields.ts";
import { type Role, roleNames } from "./roles.ts";
import { scheduleProblem } from "./schedule.ts";
import { isSecretReference } from "./secret-reference.ts";

/** A kind of probe or channel, as far as the configuration is concerned. */
export interface Kind {
  readonly kind: string;
  /** One sentence for editors. */
  readonly title: string;
  /** A strict object: what the kind reads besides the keys that all share. */
  readonly settings: z.ZodType;
  /** Settings that hold component names: keys joined by dots, `[]` for each entry of a list. */
  readonly components?: readonly string[] | undefined;
  /** Of a kind of channel: the setting of which each channel needs a value of its own, because two would write over each other. */
  readonly owns?: string | undefined;
  /** Of a kind of channel: whether everybody reads it, and so no cause. */
  readonly public?: true | undefined;
  /** For a kind of channel: why one with these settings gets no notification of an event. */
  // biome-ignore lint/suspicious/noExplicitAny: each kind is asked only about its own settings
  omits?(settings: any, event: IncidentEventKind): string | undefined;
  /** Of a kind of channel: returns warnings about valid settings, each with its key. */
  // biome-ignore lint/suspicious/noExplicitAny: each kind is asked only about its own settings
  warnings?(settings: any): readonly { readonly key: string; readonly message: string }[];
}

/** A kind of probe, with what the configuration keeps of it for functions that do not know kinds. */
export interface ProbeKind extends Kind, SelfDescribing {
  /** Role that it suggests for its component; absent if none. */
  readonly role?: Role | undefined;
}

/** A mistake inside a text of the file. */
export interface Mistake {
  readonly message: string;
  /** Start of the mistake, in characters of the text; absent if the whole text is invalid. */
  readonly offset?: number | undefined;
  readonly length?: number | undefined;
  readonly suggestion?: string | undefined;
}

/** The series that one part of a condition reads. */
export interface Selection {
  readonly metric: string;
  readonly matchers: Readonly<Record<string, string>>;
  /** Lookback, in milliseconds. @default the newest value only */
  readonly windowMs?: number;
}

/** Vocabulary of the functions: kinds, conditions and baselines. Passed as an argument, because `shared` imports no function. */
export interface Vocabulary {
  readonly probers: Readonly<Record<string, ProbeKind>>;
  readonly channels: Readonly<Record<string, Kind>>;
  /** Returns the problem with a condition. */
  checkCondition(text: string, windowMs: number): Mistake | undefined;
  /** The series that a right condition reads: metrics, with the labels that they must have. */
  conditionSelectors(text: string, windowMs: number): readonly Selection[];
  /** Returns warnings about a valid condition: it, or a part of it, is never or always true. */
  conditionWarnings(text: string, windowMs: number): readonly Mistake[];
  /** Returns whether a valid condition aggregates series of several components. */
  mergesComponents(text: string, windowMs: number): boolean;
  /** Returns whether a valid all-clear condition implies the condition of the alert. */
  neverClears(condition: string, clear: string, windowMs: number): boolean;
  /** A right condition in one form, the same for those that mean the same. */
  conditionForm(text: string, windowMs: number): string;
  /** Returns the problem with a baseline: in its name if there is no offset, otherwise in the expectation. */
  checkBaseline(metric: string, expectation: string): Mistake | undefined;
  /** The series that a right baseline speaks of. */
  baselineSelector(metric: string, expectation: string): Selection;
}

const schedule = z
  .string({ error: "must be a schedule such as every 1m, or a cron expression" })
  .superRefine((value, context) => {
    const message = scheduleProblem(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** The longest that one probe may take, in milliseconds: its whole group must answer before the request is delivered again. */
export const longestTimeoutMs = 90_000;

/** An entry of `components`. */
export const componentEntry = z.strictObject({
  title: line().optional().describe("What people call it. Default: its name."),
  layer: z
    .enum(["platform", "application"])
    .describe("The layer that is responsible when it fails by itself: platform or application."),
  role: z
    .enum(roleNames as [Role, ...Role[]])
    .optional()
    .describe(
      "What part it plays. Default: what the kinds of its probes tell, else service or platform by its layer; never its name.",
    ),
  depends_on: z.array(z.string()).default([]).describe("What it fails with: names of components."),
  impact: text().optional().describe("What its failure blocks, in words for everybody."),
  team: line().optional().describe("Who must act when it is the cause."),
});

/** One entry of `components`. */
export type ComponentEntry = z.output<typeof componentEntry>;

/** The keys that all probes share. */
export const probeEntry = z.strictObject({
  kind: z.string().describe("What kind of check it is."),
  component: z.string().describe("The component whose health it shows."),
  vantage: z.enum(["outside", "inside"]).default("outside").describe("Where it runs: outside or inside the VPC."),
  schedule: schedule
    .default("every 1m")
    .describe("every 1m, or a cron expression of five fields, in UTC.")
    .meta({ examples: ["every 1m", "every 15s", "*/15 * * * *"] }),
  timeout: durationBetween(1, longestTimeoutMs)
    .optional()
    .describe("When it is given up. Default: 10s, or its interval where that is shorter."),
  alert: z
    .literal(["off", false], { error: "must be off; remove the key to keep the built-in rule" })
    .optional()
    .describe("off: no built-in rule for this probe."),
  alert_after: durationBetween(0, longestAlertMs)
    .prefault("2m")
    .describe("How long it must fail before its built-in rule fires. Default: 2m."),
  recheck: z
    .literal(["once", "off", false], { error: "must be once or off" })
    .default("once")
    .describe("Whether a time-out or an unreachable target is checked again at once before it counts: once or off."),
  severity: severity()
    .optional()
    .describe(
      "Severity of its built-in rules, and the most that its failure alone gives an incident. Default: critical for what users touch, warning for the rest, and critical where its component has an impact.",
    ),
});

/** Fields of every entry of `probes` besides the settings of its kind; durations in milliseconds. */
export type ProbeEntry = z.output<typeof probeEntry>;

/** Fields of a control probe besides the settings of its kind. */
export const controlEntry = z.strictObject({
  kind: z.string().describe("What kind of check it is."),
  timeout: durationBetween(1, 30_000).prefault("5s").describe("When it is given up. Default: 5s."),
});

/** Fields of a control probe besides the settings of its kind; durations in milliseconds. */
export type ControlEntry = z.output<typeof controlEntry>;

/** A control probe, or off, for each vantage point. */
export const controlByVantage = z.strictObject({
  outside: z.unknown().optional(),
  inside: z.unknown().optional(),
});

const missingWord = z.enum(["keep", "fire", "clear"], { error: "must be keep, fire or clear" });

const missingByCause = z.strictObject({
  source: missingWord.optional().describe("Nothing is measured: the probe is silent, or it fails. Default: keep."),
  series: missingWord.optional().describe("The probe reports, and the series is gone. Default: clear."),
  traffic: missingWord.optional().describe("There is nothing to have a share of. Default: clear."),
});

/** An entry of `monitoring_rules`. */
export const ruleEntry = z.strictObject({
  name: line().max(200).describe("What the alert is called."),
  component: z.string().optional().describe("What it speaks of. Default: the component of the probe with the metric."),
  condition: text()
    .describe("True when things are bad.")
    .meta({ examples: ["vpc_connector_utilization > 70%", "avg(database_connection_time, 3m) > 25s"] }),
  alert_duration: durationBetween(0, longestAlertMs)
    .prefault("0s")
    .describe("How long the condition must hold before it fires. Default: 0s."),
  clear_duration: durationBetween(0, longestAlertMs)
    .optional()
    .describe("How long it must be good before the alert resolves. Default: alert_duration."),
  clear_condition: text()
    .optional()
    .describe("True when it is over. Default: as soon as the condition does not hold.")
    .meta({ examples: ["vpc_connector_utilization < 60%"] }),
  severity: severity().describe("info, warning or critical."),
  missing: z
    .union([missingWord, missingByCause], {
      error: "must be keep, fire or clear, or a map such as { source: keep, series: clear, traffic: clear }",
    })
    .optional()
    .describe(
      "What missing data means: keep, fire or clear, for all causes or for each: source, series, traffic. Default: { source: keep, series: clear, traffic: clear }.",
    ),
  flapping: z
    .literal(["off", false], { error: "must be off; remove the key to hold an alert that flaps" })
    .optional()
    .describe("off: an alert that flaps is not held until it calms."),
  vantages: z
    .enum(["any", "all", "majority"])
    .default("any")
    .describe("How many of the probes of one component must agree that it is bad. Default: any."),
  signal: z
    .enum(signals)
    .optional()
    .describe(
      "What it is about, for the search for a cause. Default: what the metric, its unit and the direction of the condition say.",
    ),
});

/** One entry of `monitoring_rules`; durations in milliseconds. */
export type RuleEntry = z.output<typeof ruleEntry>;

const stageEntry = z.strictObject({
  name: line().describe("What the stage is called."),
  probes: names().describe("Names of the probes that must succeed and keep to their baselines."),
});

/** One entry of `recovery.stages`. */
export type StageEntry = z.output<typeof stageEntry>;

/** Location of the environment in Google Cloud. Probe settings with the name of one of its keys default to it. */
export const googleCloudEntry = z.strictObject({
  project: googleProject().describe("Id of the project, such as shop-staging."),
  region: googleRegion().optional().describe("Region, such as us-central1."),
});

const poolEntry = z
  .strictObject({
    size: z.int().min(1).describe("Connections that it keeps."),
    overflow: z.int().min(0).default(0).describe("Additional connections that it may open. Default: 0."),
  })
  .describe("The connection pool of each instance.");

/** `capacity`: what may connect at once, and what it must fit into. */
export const capacityEntry = z.strictObject({
  services: namedRecord(
    z.string(),
    z.strictObject({
      max_instances: z.int().min(1).describe("The most instances that it scales to."),
      pool: poolEntry,
    }),
  ).describe("What opens connections, by the name of its component."),
  database: z
    .strictObject({
      max_connections: z.int().min(1).describe("max_connections of the database."),
      reserved: z.int().min(0).default(3).describe("How many of them are kept for superusers. Default: 3."),
    })
    .optional()
    .describe("The database that all of them connect to."),
  connector: z
    .strictObject({
      connections: z.int().min(1).default(50).describe("Connections at once that it is trusted with. Default: 50."),
    })
    .optional()
    .describe("The VPC connector that all of it goes through."),
});

/** `capacity`. */
export type CapacityEntry = z.output<typeof capacityEntry>;

const watchdog = z
  .strictObject({
    url: textOrSecret().describe("Where it goes: the address that a service such as healthchecks.io gave. HTTPS only."),
    every: durationBetween(60_000).prefault("5m").describe("How often, at most. Default: 5m."),
    method: z.enum(["GET", "POST"]).default("GET").describe("GET or POST. Default: GET."),
    allow_private: z
      .boolean()
      .default(false)
      .describe("Whether plain HTTP and a private address are allowed. Default: false."),
  })
  .superRefine(({ url, allow_private }, context) => {
    if (isSecretReference(url)) return;
    if (/^https:/.test(url) || (allow_private && /^http:/.test(url))) {
      const message = urlMistake(url, ["https", "http"]) ?? unfilledMark(url);
      if (message !== undefined) context.addIssue({ code: "custom", path: ["url"], message });
      return;
    }
    const instead = "write https://host/path, or a secret that holds it";
    context.issues.push({
      code: "custom",
      path: ["url"],
      message: /^http:/.test(url)
        ? `the address must start with https://: ${instead}`
        : `is not a valid address: ${instead}`,
      input: url,
    });
  });

/** The section `watchdog`; durations in milliseconds. */
export type WatchdogEntry = z.output<typeof watchdog>;

/** The whole file, with the entries of its sections unread. */
export const outline = z.strictObject({
  environment: entryName().describe("Name of the watched environment, such as shop-staging."),
  title: line().optional().describe("What people call the environment. Default: its name."),
  timezone: timeZone()
    .default("Etc/UTC")
    .describe("IANA zone in which people read times. Schedules are in UTC. Default: Etc/UTC.")
    .meta(timeZoneExamples),
  google_cloud: googleCloudEntry
    .optional()
    .describe("Where in Google Cloud the environment runs: the default for project and region of all probes.")
    .meta({ examples: [{ project: "shop-staging", region: "us-central1" }] }),
  components: namedRecord(z.string(), z.unknown()).default({}).describe("The components of the environment, by name."),
  probes: namedRecord(z.string(), z.unknown()).default({}).describe("The probes, by name."),
  control: z
    .unknown()
    .optional()
    .describe(
      "A control target that is known to be good, for both vantage points or for each, or off. While it fails too, no target is judged.",
    ),
  monitoring_rules: z.array(z.unknown()).default([]).describe("Rules that fire alerts."),
  baselines: namedRecord(z.string(), z.string())
    .default({})
    .describe("The normal range of a metric: a comparison that is true when things are good.")
    .meta({ examples: [{ database_connection_time: "<5.0s", websocket_connection_success: "100%" }] }),
  capacity: capacityEntry
    .optional()
    .describe("Possible simultaneous connections, and the limits they must stay within."),
  recovery: z
    .strictObject({
      stages: z.array(stageEntry).default([]).describe("The stages, in order."),
      reopen_within: durationBetween(0, 86_400_000)
        .optional()
        .describe(
          "How long after its resolution an incident is opened again when the same fails. Default: 30m; 0s for never.",
        ),
    })
    .default({ stages: [] })
    .describe("How a recovery is validated."),
  channels: namedRecord(z.string(), z.unknown()).default({}).describe("Where notifications are sent, by name."),
  routes: z
    .array(z.unknown())
    .default([])
    .describe("Which notifications go to which channels. Every matching route applies."),
  templates: z
    .array(z.unknown())
    .default([])
    .describe("Custom texts for notifications. For each part, the first matching template that has it applies."),
  incident_url: incidentUrl
    .optional()
    .describe("The link to an incident, with ${incident} for its id. Default: its document in Google's console.")
    .meta({ examples: ["https://status.example.com/incidents/${incident}"] }),
  maintenance: z
    .array(z.unknown())
    .default([])
    .describe("Planned maintenance of components: notifications about incidents in a window wait until it ends."),
  export: z
    .union([z.array(z.string()), z.literal(["off", false])], { error: "must be a list of metrics, or off" })
    .optional()
    .describe("Metrics that are exported for dashboards, or off. Default: those that the dashboards show.")
    .meta({ examples: [["probe_success", "golden_path_e2e_time"]] }),
  watchdog: watchdog
    .optional()
    .describe("A request that is sent regularly as long as the whole monitor works (dead man's switch)."),
  availability: z
    .strictObject({
      target: percentage().prefault("99%").describe("How much of a month every component is to be up. Default: 99%."),
      components: namedRecord(z.string(), percentage()).default({}).describe("Other targets, by component."),
    })
    .prefault({})
    .describe("Availability targets, from which error budgets follow.")
    .meta({ examples: [{ target: "99%", components: { backend: "99.9%" } }] }),
});

/** The top of the file; its sections are read entry by entry. */
export type Outline = z.output<typeof outline>;

/** Names of the keys of a section's entries. */
export function keysOf(entry: z.ZodType): string[] {
  return entry instanceof z.ZodObject ? Object.keys(entry.shape) : [];
}
