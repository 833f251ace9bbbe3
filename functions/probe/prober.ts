/**
 * The interface of a kind of probe. The handler implements what all kinds share: deadline, duration, closing, and the concealing of secrets
 * in texts from targets.
 */
import type { z } from "zod";
import type { SecretReference } from "../../shared/config/fields.ts";
import type { Role } from "../../shared/config/roles.ts";
import type { KeptHeartbeat } from "../../shared/documents/heartbeats.ts";
import type {
  Failure,
  Finding,
  Hop,
  ReportedChange,
  ReportedLogPattern,
  Signal,
  Unchecked,
} from "../../shared/messages/report.ts";
import type { MetricName } from "../../shared/metrics/catalogue.ts";
import type { DeclaredMetric } from "../../shared/metrics/yields.ts";
import type { GoogleApi } from "../../shared/ports.ts";
import type { ProbeFacts } from "../../shared/probe-facts.ts";
import type { GoogleReadName } from "./google/permissions.ts";
import type { GoogleResource, WatchedResource } from "./google/watched.ts";
import type { SeenFailure } from "./net/faults.ts";
import type { ReportText } from "./text/target-text.ts";

/** The external dependencies that a prober may use while it observes. */
export interface ProbeWorld {
  /** Aborted at the deadline of the probe. A prober then stops immediately and reports the current phase. */
  readonly signal: AbortSignal;
  /** Milliseconds left until the deadline. */
  remaining(): number;
  /** Monotonic milliseconds, with fractions, for measuring. */
  clock(): number;
  /** The time of day, in milliseconds since the epoch, for comparing with the dates of certificates. */
  now(): number;
  /** Resolves a text or a reference to a secret. Every secret resolved here is kept out of the report. */
  resolve(value: string | SecretReference): Promise<string>;
  /** Keeps a text out of the report that is as secret as a configured secret, such as a token that a target issues. */
  conceal(text: string): void;
  /** Reads the newest heartbeat. @throws Error if it cannot be read */
  lastBeat(name: string): Promise<KeptHeartbeat | undefined>;
  /**
   * Since when this probe has been part of the monitor, in milliseconds since the epoch; Infinity if it was only just added, `undefined` if
   * the monitor does not record it yet.
   * @throws Error if it cannot be read
   */
  awaitedSince(): Promise<number | undefined>;
  /** The diagnosis that the run belongs to: since when its subject has been failing, in milliseconds since the epoch. Absent in any other run. */
  readonly diagnosis?: Diagnosed | undefined;
  /** The resources in Google Cloud that the probes of the environment watch. */
  readonly resources: readonly WatchedResource[];
  /** Google's APIs, with the identity of the function. */
  readonly google: GoogleApi;
  /** Rejects an address before the connection. @throws ProbeFault @default permits all */
  readonly permit?: (address: string) => void;
  /** Registers a function that closes a resource when the probe ends, however it ends. */
  onClose(close: () => void): void;
}

/** The subject of a diagnosis. */
export interface Diagnosed {
  /** The first failure, in milliseconds since the epoch. */
  readonly since: number;
  /** The failing and the suspected components. */
  readonly about: readonly string[];
}

/** A part of a report in which texts may quote targets and are not opened yet. */
type Seen<T> = { readonly [Key in keyof T]: string extends T[Key] ? ReportText | Exclude<T[Key], string> : T[Key] };

/** A pattern in a log, with its texts not opened yet. */
export type SeenLogPattern = Omit<ReportedLogPattern, "pattern" | "means"> & {
  readonly pattern: ReportText;
  readonly means?: Omit<NonNullable<ReportedLogPattern["means"]>, "says" | "remedy"> & {
    readonly says: ReportText;
    readonly remedy: ReportText;
  };
};

/** An assessed observation: the samples, and either success or the failure. Its texts are opened when the result is written. */
export interface Assessment {
  /** Absent when the probe succeeded. */
  readonly failure?: SeenFailure;
  readonly measurements: readonly {
    readonly metric: MetricName;
    readonly value: number;
    readonly labels?: Readonly<Record<string, ReportText>>;
  }[];
  readonly findings?: readonly Seen<Finding>[];
  /** Checks that could not be made. */
  readonly unchecked?: readonly Seen<Unchecked>[];
  /** Changes in the environment. */
  readonly changes?: readonly Seen<ReportedChange>[];
  /** Patterns in error logs. */
  readonly logPatterns?: readonly SeenLogPattern[];
  /** Every response, if there were redirects. */
  readonly hops?: readonly Seen<Hop>[];
  /** Whether the failure is final, without a second attempt: that would prove nothing, or repeat an action on the target. */
  readonly conclusive?: true;
  /** Whether the result is still unknown because nothing is due yet. */
  readonly pending?: true;
  /** Samples to keep if an immediate second attempt succeeds: this one hit a cold instance. */
  readonly ifCold?: Assessment["measurements"];
}

/** Resources that a probe requires to be deployed, in addition to the function. */
export interface Requirements {
  /** Log-based metrics that it reads, by name. */
  readonly logMetrics?: readonly string[];
  /** The Cloud SQL instance, `project:region:name`, to which it connects through Google's connector. */
  readonly cloudSqlInstance?: string | undefined;
  /** Whether it logs in to Cloud SQL with the function's own identity. */
  readonly cloudSqlLogin?: boolean;
  /** The reads that it makes from Google. @default all that its kind may make */
  readonly reads?: readonly GoogleReadName[];
}

/** One kind of probe: its settings, its observation (the only I/O) and its assessment (pure). */
export interface Prober<Settings, Observation> extends ProbeFacts {
  readonly kind: string;
  /** One sentence for the documentation and the JSON Schema. */
  readonly title: string;
  /** The settings of the kind, in addition to the fields that all probes share. A strict object with a description for every field. */
  readonly settings: z.ZodType<Settings, unknown>;
  /** Paths of component names in the settings, as in `services[].component`; the loader rejects unknown components. */
  readonly components?: readonly string[];
  /** A working example of the settings, in YAML, for the documentation. */
  readonly example: string;
  /** Additional notes for the documentation page, in Markdown. */
  readonly notes?: string;
  /** The role that a probe of this kind implies for its component. Absent if it implies none, because it can target anything. */
  readonly role?: Role;
  /** Whether it contacts no target: neither its success nor its failure shows whether the prober's own network works. @default false */
  readonly targetless?: boolean;
  /** Typical duration of a successful run, in seconds. */
  readonly usualSeconds: number;
  /** Maximum number of time series that one run reads from Cloud Monitoring, by which reading is billed. @default 0 */
  readonly seriesRead?: number | ((settings?: Settings) => number);
  /** Pages of log entries that one run reads while nothing fails. @default 0 */
  readonly logPagesRead?: number;
  /** Whether an uptime check of Cloud Monitoring could check the same. @default false */
  readonly uptimeCheck?: boolean;
  /** The typical failure of a probe of this kind, for scenarios that do not specify one. @default it cannot connect in time */
  readonly usualFailure?: Pick<Failure, "kind" | "phase" | "message" | "status">;
  /** The signal of a failure of the kind `unavailable`, if it is not a failing request. */
  readonly signal?: Signal;
  /** All reads that it may make from Google, with the identity of the function. @default none */
  readonly reads?: readonly GoogleReadName[];
  /** Returns what else must be deployed for a probe with these settings. @default nothing */
  requires?(settings: Settings): Requirements;
  /** Returns the resources in Google Cloud that a probe with these settings watches, to attribute their logs to its component. @default none */
  looksAt?(settings: Settings): readonly GoogleResource[];
  /** The name of the report that a probe waits for, of a kind that waits for reports. */
  awaits?(settings: Settings): string;
  /** Returns how long a probe with these settings keeps a connection open on purpose, in milliseconds. @default not at all */
  holds?(settings: Settings): number | undefined;
  /**
   * Returns the metrics that a probe with these settings can yield, in addition to those of every probe, with the label values that the
   * settings determine.
   * @param settings without them, all that the kind can yield, with what each `needs`
   */
  yields(settings?: Settings): readonly DeclaredMetric[];
  /** Never throws because of a target: a failure is part of the observation. */
  observe(settings: Settings, world: ProbeWorld): Promise<Observation>;
  assess(settings: Settings, seen: Observation): Assessment;
}

/** A prober whose types the registry does not need to know. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds with different settings; each is called only with its own
export type AnyProber = Prober<any, any>;
