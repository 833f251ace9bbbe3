/** Derives the inputs of a deployment from a configuration, in the form of the file `deployment.json`. */
import type { CompositeIndex } from "../documents/indexes.ts";
import type { Vantage } from "../messages/report.ts";
import type { OutgoingMessage } from "../ports.ts";
import type { PushSubscription, publications, Topic } from "../topology.ts";

/** A job of Cloud Scheduler: all probes of one vantage point and one schedule, or the tick. */
export interface Schedule {
  /** Name of the group, or `tick`. */
  readonly name: string;
  /** In UTC. */
  readonly cron: string;
  readonly topic: Topic;
  readonly message: OutgoingMessage;
}

/** A function as it is deployed: the probe function once for each vantage point. */
export type DeployedFunction = "probe-inside" | "probe-outside" | "evaluate" | "notify";

/** A push subscription with the function that it pushes to. */
export interface DeployedSubscription extends PushSubscription {
  readonly function: DeployedFunction;
}

/** A role that a function needs to come to an instance of Cloud SQL. */
export interface CloudSqlGrant {
  readonly function: DeployedFunction;
  /** The project of the instance; `null` where the configuration does not say, and the watched one is meant. */
  readonly project: string | null;
  readonly role: "roles/cloudsql.client" | "roles/cloudsql.instanceUser";
}

/** Everything that follows from the configuration; the file `deployment.json` beside the bundles. */
export interface Deployment {
  readonly environment: string;
  readonly title: string;
  /** SHA-256 of the file that it was made from, in hexadecimal. */
  readonly config_sha256: string;
  /** Version of Pathkeeper that built the bundles, where a build wrote it. */
  readonly version?: string;
  /** US dollars of a month after the free tiers, where the build estimated them. */
  readonly monthly_cost?: number;
  readonly vantages: readonly Vantage[];
  readonly schedules: readonly Schedule[];
  readonly topics: readonly string[];
  readonly subscriptions: readonly DeployedSubscription[];
  /** Windows of the alarms on the monitor itself. */
  readonly alarms: AlarmWindows;
  /** Names of the secrets that each function reads. */
  readonly secrets: Readonly<Record<DeployedFunction, readonly string[]>>;
  /** Answers to notices: the secret that signs links, those that prove what services send, and the channels that they send it to. */
  readonly answers: {
    readonly key: string;
    readonly secrets: readonly string[];
    readonly channels: readonly string[];
  };
  /** Topics that each function publishes to. */
  readonly publishes: Readonly<Record<keyof typeof publications, readonly string[]>>;
  /** Functions that only read documents: those with probes that wait for heartbeats. */
  readonly readers: readonly DeployedFunction[];
  /** Functions that read and write documents. */
  readonly stores: readonly DeployedFunction[];
  /** Names of the metrics from the log that probes read. */
  readonly log_metrics: readonly string[];
  /** Metrics that are exported to Cloud Monitoring besides the monitor's own; `null` where nothing is. */
  readonly exports: readonly string[] | null;
  /** APIs that the probes ask, and the permissions that they need for it. */
  readonly apis: readonly string[];
  readonly permissions: Readonly<Record<"probe-inside" | "probe-outside", readonly string[]>>;
  /** Roles that ways into Cloud SQL need, each once. */
  readonly cloud_sql: readonly CloudSqlGrant[];
  readonly unindexed: readonly { readonly collection: string; readonly field: string }[];
  readonly indexes: readonly CompositeIndex[];
  /** Collections whose documents go by themselves, with the field that says when. */
  readonly expiring: Readonly<Record<string, string>>;
  /** Buckets that status pages are written to. */
  readonly status_pages: readonly string[];
  readonly components: readonly { readonly name: string; readonly title: string; readonly layer: string }[];
  readonly probes: readonly {
    readonly name: string;
    readonly kind: string;
    readonly component: string;
    readonly vantage: Vantage;
    /** Names of the secrets that it reads. */
    readonly secrets: readonly string[];
  }[];
}

/** The wait of an alarm on missing data: nothing within the alignment, for the duration. */
export interface SilenceWindow {
  readonly alignment_seconds: number;
  readonly duration_seconds: number;
  /** Both together, in words. */
  readonly silence: string;
}

/** The alarm that nothing is measured. */
export interface MeasurementsAlarm extends SilenceWindow {
  /** The source of the count: Pub/Sub, or the evaluator if the schedules pause for longer than Cloud Monitoring looks back. */
  readonly watched_by: "pubsub" | "evaluator";
  /** The longest time in which the schedules have no run. */
  readonly gap_seconds: number;
  /** Maximum age of the newest report, as exported by the evaluator. */
  readonly age_seconds: number;
}

/** Push subscriptions whose messages may wait equally long. */
export interface WaitingAlarm {
  readonly age_seconds: number;
  readonly subscriptions: readonly string[];
}

/** Windows of the alarms. */
export interface AlarmWindows {
  /** `null` where there is nothing to measure, or where only the evaluator would know and it exports nothing. */
  readonly no_measurements: MeasurementsAlarm | null;
  readonly evaluator_silent: SilenceWindow;
  readonly waiting: readonly WaitingAlarm[];
}
