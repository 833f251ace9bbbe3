/** Computes the values that Terraform needs from a configuration, with the code that the functions themselves use. */
import { answersKey } from "../../functions/notify/answer/link.ts";
import { channels as channelKinds } from "../../functions/notify/channels/index.ts";
import { type GoogleRead, googleReads } from "../../functions/probe/google/permissions.ts";
import type { Requirements } from "../../functions/probe/prober.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration, ConfiguredChannel, ConfiguredProbe } from "../../shared/config/model.ts";
import { groupsWithRounds, triggerCron } from "../../shared/config/schedule.ts";
import { isSecretReference, placeholderSecrets } from "../../shared/config/secret-reference.ts";
import {
  type CompositeIndex,
  compositeIndexes,
  expiringCollections,
  unindexedFields,
} from "../../shared/documents/indexes.ts";
import { isStatusPage } from "../../shared/messages/pages-due.ts";
import { scheduledRequest } from "../../shared/messages/probe-request.ts";
import type { Vantage } from "../../shared/messages/report.ts";
import type { Tick } from "../../shared/messages/tick.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import type { OutgoingMessage } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import {
  type PushSubscription,
  publications,
  type Subscription,
  subscriptionsWith,
  type Topic,
  topics,
} from "../../shared/topology.ts";
import { type AlarmWindows, alarmWindows, tickSchedule } from "./alarms.ts";

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

/** Works out the deployment of a configuration. @param sha256 of the file that it was read from */
export function deploymentOf(configuration: Configuration, sha256: string): Deployment {
  const { environment, title, components, probes, channels } = configuration;
  const tick: Tick = { v: 1, environment };
  const groups = new Map(probes.map((probe) => [probe.group, probe]));
  const vantages = (["inside", "outside"] as const).filter((vantage) =>
    probes.some((probe) => probe.vantage === vantage),
  );
  const functionOf = ({ target, vantage }: Subscription): DeployedFunction[] => {
    if (target !== "probe") return [target];
    return vantages.filter((used) => used === vantage).map((used) => `probe-${used}` as const);
  };
  // The control probe of a vantage point runs where its probes run.
  const probed = (vantage: Vantage): string[] =>
    secretsIn([...probes.filter((probe) => probe.vantage === vantage), configuration.control?.[vantage]]);
  const permitted = (vantage: Vantage): string[] =>
    unique(readsOf(probes.filter((probe) => probe.vantage === vantage)).map(({ permission }) => permission));
  const cloudSql = cloudSqlGrants(probes);
  const deployed = subscriptionsWith(groupsWithRounds(probes)).flatMap((subscription) => {
    const { target: _target, vantage: _vantage, ...rest } = subscription;
    return functionOf(subscription).map((name) => ({ ...rest, function: name }));
  });
  return {
    environment,
    title,
    config_sha256: sha256,
    vantages,
    schedules: [
      ...[...groups.values()].map((probe) => ({
        name: probe.group,
        cron: triggerCron(probe.schedule),
        topic: topics.probeRequests,
        message: scheduledRequest(environment, probe),
      })),
      { name: "tick", cron: tickSchedule, topic: topics.ticks, message: { data: tick } },
    ],
    topics: Object.values(topics),
    subscriptions: deployed,
    alarms: alarmWindows(configuration, deployed),
    secrets: {
      "probe-inside": probed("inside"),
      "probe-outside": probed("outside"),
      evaluate: secretsIn(withoutThese(configuration, ["probes", "control", "channels"])),
      notify: secretsIn(channels.map(outgoingSettings), placeholderSecrets),
    },
    answers: {
      key: answersKey,
      secrets: secretsIn(channels.map(incomingSecret), placeholderSecrets),
      channels: channels.filter((channel) => incomingSecret(channel) !== undefined).map(({ name }) => name),
    },
    publishes: publications,
    readers: vantages
      .filter((vantage) => probes.some((probe) => probe.vantage === vantage && probe.awaits !== undefined))
      .map((vantage) => `probe-${vantage}` as const),
    stores: ["evaluate", "notify"],
    apis: unique([
      ...readsOf(probes).map(({ api }) => api),
      ...(cloudSql.length > 0 ? ["sqladmin.googleapis.com"] : []),
    ]),
    cloud_sql: cloudSql,
    permissions: { "probe-inside": permitted("inside"), "probe-outside": permitted("outside") },
    unindexed: unindexedFields,
    indexes: compositeIndexes,
    expiring: expiringCollections,
    status_pages: unique(channels.filter(isStatusPage).map(({ settings }) => String(settings["bucket"]))),
    components: components.map(({ name, title: called, layer }) => ({ name, title: called, layer })),
    probes: probes.map((probe) => {
      const { name, kind, component, vantage } = probe;
      return { name, kind, component, vantage, secrets: secretsIn(probe.settings) };
    }),
    log_metrics: unique(probes.flatMap((probe) => requirementsOf(probe).logMetrics ?? [])),
    exports: exportsOf(configuration) ?? null,
  };
}

/** The setting that holds the secret of what a channel takes in, and its value; `undefined` where it takes nothing in. */
function incomingSecret({ kind, settings }: ConfiguredChannel): unknown {
  const setting = ownEntry(channelKinds, kind)?.incoming?.setting;
  return setting === undefined ? undefined : ownEntry(settings, setting);
}

/** The settings that a channel sends by: what it takes in is somebody else's secret. */
function outgoingSettings({ kind, settings }: ConfiguredChannel): unknown {
  const setting = ownEntry(channelKinds, kind)?.incoming?.setting;
  return Object.entries(settings).flatMap(([name, value]) => (name === setting ? [] : [value]));
}

/** The way of Google's connectors asks the control plane for a certificate; a login by IAM needs the right to log in. */
function cloudSqlGrants(probes: Configuration["probes"]): CloudSqlGrant[] {
  const grants = probes.flatMap((probe): CloudSqlGrant[] => {
    const { cloudSqlInstance: instance, cloudSqlLogin: iam } = requirementsOf(probe);
    const to = { function: `probe-${probe.vantage}`, project: instance?.split(":")[0] ?? null } as const;
    return [
      ...(instance === undefined ? [] : [{ ...to, role: "roles/cloudsql.client" } as const]),
      ...(iam === true ? [{ ...to, role: "roles/cloudsql.instanceUser" } as const] : []),
    ];
  });
  return [...new Map(grants.map((grant) => [Object.values(grant).join(" "), grant])).values()];
}

/** Returns the resources that a probe needs besides its function. */
function requirementsOf({ kind, settings }: ConfiguredProbe): Requirements {
  const prober = ownEntry(probers, kind);
  return prober?.requires?.(prober.settings.parse(settings)) ?? {};
}

/** Returns the Google APIs and roles that the probers of these probes need. */
function readsOf(probes: Configuration["probes"]): GoogleRead[] {
  return probes.flatMap((probe) => {
    const names = requirementsOf(probe).reads ?? ownEntry(probers, probe.kind)?.reads ?? [];
    return names.map((name) => googleReads[name]);
  });
}

/**
 * Names of all secrets that a part of the configuration refers to, each once, in order.
 * @param inText the secrets that a text refers to. @default none: only channels have placeholders in their texts
 */
export function secretsIn(part: unknown, inText: (text: string) => readonly string[] = () => []): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (isSecretReference(value)) found.add(value.secret);
    else if (typeof value === "string") for (const secret of inText(value)) found.add(secret);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  look(part);
  return [...found].sort();
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function withoutThese(configuration: Configuration, keys: readonly (keyof Configuration)[]): unknown {
  return Object.fromEntries(Object.entries(configuration).filter(([key]) => !keys.some((other) => other === key)));
}
