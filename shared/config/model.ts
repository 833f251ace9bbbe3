/** The configuration as the functions see it: `monitor.yaml`, checked, with defaults filled in. Plain JSON, so that it can be compiled once. */
import type { IncidentEventKind } from "../messages/incident-event.ts";
import type { Signal, Vantage } from "../messages/report.ts";
import type { Severity } from "../messages/severity.ts";
import type { KeptFacts } from "../probe-facts.ts";
import type { SecretReference } from "./fields.ts";
import type { Audience } from "./notification.ts";
import type { ResolvedRole } from "./roles.ts";
import type { Template } from "./templates.ts";

/** A part of the environment. */
export interface Component {
  readonly name: string;
  readonly title: string;
  readonly layer: "platform" | "application";
  /** Role: as stated, or as inferred from the kinds of its probes. @default service or platform, by the layer */
  readonly role?: ResolvedRole;
  /** Names of the components that it depends on. */
  readonly dependsOn: readonly string[];
  /** Activities that its failure blocks, in the user's words. */
  readonly impact?: string;
  /** Team that must act when it is the root cause. */
  readonly team?: string;
}

/** A configured check of one target. */
export interface ConfiguredProbe extends KeptFacts {
  readonly name: string;
  readonly kind: string;
  readonly component: string;
  readonly vantage: Vantage;
  /** `every 1m`, or a cron expression of five fields. */
  readonly schedule: string;
  /** Probes of one vantage point and one schedule run together: `outside-1m`. */
  readonly group: string;
  readonly timeoutMs: number;
  /** Whether a failure is confirmed by an immediate second attempt. @default once */
  readonly recheck?: false;
  /**
   * The built-in rules of the probe; `false` for `alert: off`. `most`: the severity is stated, and the most that this probe's failure alone gives an
   * incident, whatever its component has as `impact`.
   */
  readonly alert: { readonly afterMs: number; readonly severity: Severity; readonly most?: Severity } | false;
  /** Settings of the kind, as written in the file, with defaults from `google_cloud`; references to secrets unresolved. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Effect of missing data on an alert: unchanged, firing, or cleared. */
export type MissingWord = "keep" | "fire" | "clear";

/** Rules that fire alerts. */
export interface Rule {
  readonly name: string;
  /** The component that it speaks of; without it, that of the probe that yields the metric. */
  readonly component?: string;
  readonly condition: string;
  readonly alertDurationMs: number;
  readonly clearDurationMs: number;
  /** Condition that clears the alert; by default, that `condition` no longer holds. */
  readonly clearCondition?: string;
  readonly severity: Severity;
  /** Policy for a silent source, and for all cases without one of their own. */
  readonly missing: MissingWord;
  /** Policy when the source reports but the series is gone. @default clear if `missing` is keep, else the same */
  readonly gone?: MissingWord;
  /** Policy for a ratio without a denominator. @default clear if `missing` is keep, else the same */
  readonly noTraffic?: MissingWord;
  /** `off`: an alert that flaps is not held. */
  readonly flapping?: "off";
  /** Signal; by default derived from the metric, its unit and the direction of the condition. */
  readonly signal?: Signal;
  /** How many probes of one component must agree; `any` by default. */
  readonly vantages?: "all" | "majority";
}

/** The normal range of a metric, as a comparison that is true when things are good. */
export interface Baseline {
  /** Name of a metric, or an alias such as `smd_phase_3_duration`. */
  readonly metric: string;
  /** As written: `<5.0s`, `100%`. */
  readonly expectation: string;
}

/** Simultaneous connections, and the limit for them. */
export interface Capacity {
  readonly services: readonly {
    /** A component. */
    readonly name: string;
    readonly maxInstances: number;
    /** Connections of each instance: those that it keeps, and those that it may open besides. */
    readonly pool: { readonly size: number; readonly overflow: number };
  }[];
  readonly database?: { readonly maxConnections: number; readonly reserved: number };
  readonly connector?: { readonly connections: number };
}

/** One stage of the validation of a recovery: its probes must succeed and keep to their baselines. */
export interface RecoveryStage {
  readonly name: string;
  readonly probes: readonly string[];
}

/** A place to tell people. */
export interface ConfiguredChannel {
  readonly name: string;
  readonly kind: string;
  /** Settings of the kind, as written in the file; references to secrets unresolved. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Readers of the channel. @default engineers */
  readonly audience?: Audience;
  /** Whether its readers may act on incidents from a notice. @default engineers may, and nobody else */
  readonly mayAct?: boolean;
  /** The most notices that it gets a minute, or each of its recipients. @default what its kind takes */
  readonly perMinute?: number;
}

/**
 * A route. A notification is sent to a channel if any route to it matches. Absent severities and components match everything; absent events
 * match all announcements.
 */
export interface Route {
  readonly channels: readonly string[];
  readonly severity?: readonly Severity[];
  readonly components?: readonly string[];
  readonly layers?: readonly ("platform" | "application")[];
  readonly teams?: readonly string[];
  readonly environments?: readonly string[];
  readonly events?: readonly IncidentEventKind[];
  readonly remindEveryMs?: number;
  readonly escalateAfterMs?: number;
}

/** A time in which work is planned: once, or again and again. */
export interface MaintenanceWindow {
  readonly name: string;
  /** Names of the components that are worked on; absent for all. */
  readonly components?: readonly string[];
  /** IANA zone of its times. */
  readonly timezone: string;
  /** Milliseconds since the epoch; `to` is exclusive. */
  readonly once?: { readonly from: number; readonly to: number };
  readonly weekly?: {
    /** Days on which it begins, 0 for Sunday. */
    readonly days: readonly number[];
    /** Minutes since midnight on the clock. An end that is not later than the start is on the next day. */
    readonly startMinute: number;
    readonly endMinute?: number;
    /** In place of an end. */
    readonly durationMs?: number;
  };
}

/** Location of the environment in Google Cloud. */
export interface GoogleCloud {
  /** Id of the project. */
  readonly project: string;
  readonly region?: string;
}

/** Availability targets for a month, as ratios from 0 to 1. */
export interface AvailabilityTargets {
  readonly target: number;
  /** Other targets, by component. */
  readonly components: Readonly<Record<string, number>>;
}

/** The sign of life that leaves for somewhere outside the project while the monitor works as a whole. */
export interface WatchdogSettings {
  readonly url: string | SecretReference;
  readonly everyMs: number;
  readonly method: "GET" | "POST";
  readonly allowPrivate: boolean;
}

/** All of `monitor.yaml`. */
export interface Configuration {
  readonly environment: string;
  readonly title: string;
  /** IANA zone in which people read times. */
  readonly timezone: string;
  /** Already filled into the settings `project` and `region` of the probes that have such and do not say otherwise. */
  readonly googleCloud?: GoogleCloud;
  readonly components: readonly Component[];
  readonly probes: readonly ConfiguredProbe[];
  /** A target known to be good, by vantage point: where it fails as well, the trouble is the prober's own. @default none */
  readonly control?: Readonly<Partial<Record<Vantage, ConfiguredProbe>>>;
  readonly rules: readonly Rule[];
  readonly baselines: readonly Baseline[];
  readonly capacity?: Capacity;
  readonly recovery: {
    readonly stages: readonly RecoveryStage[];
    /** Time after a resolution within which a relapse reopens the incident, in milliseconds. @default 30 minutes */
    readonly reopenWithinMs?: number;
  };
  readonly channels: readonly ConfiguredChannel[];
  readonly routes: readonly Route[];
  /** Words of one's own for notices, in the order in which they are looked for. Absent without any. */
  readonly templates?: readonly Template[];
  /** Link to an incident: a URL with `${incident}` for its id. @default its document in Google's console */
  readonly incidentUrl?: string;
  /** Absent without any. */
  readonly maintenance?: readonly MaintenanceWindow[];
  readonly watchdog?: WatchdogSettings;
  /** Names of the metrics that are exported for dashboards; `false` for none at all. Absent for those that the dashboards show. */
  readonly export?: readonly string[] | false;
  /** Absent in what was compiled before there were targets. */
  readonly availability?: AvailabilityTargets;
}
