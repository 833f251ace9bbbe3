/** Computes the values that Terraform needs from a configuration, with the code that the functions themselves use. */
import { answersKey } from "../../functions/notify/answer/link.ts";
import { channels as channelKinds } from "../../functions/notify/channels/index.ts";
import { type GoogleRead, googleReads } from "../../functions/probe/google/permissions.ts";
import type { Requirements } from "../../functions/probe/prober.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration, ConfiguredChannel, ConfiguredProbe } from "../../shared/config/model.ts";
import { groupsWithRounds, triggerCron } from "../../shared/config/schedule.ts";
import { isSecretReference, placeholderSecrets } from "../../shared/config/secret-reference.ts";
import type { CloudSqlGrant, DeployedFunction, Deployment } from "../../shared/deployment/deployment.ts";
import { compositeIndexes, expiringCollections, unindexedFields } from "../../shared/documents/indexes.ts";
import { isStatusPage } from "../../shared/messages/pages-due.ts";
import { scheduledRequest } from "../../shared/messages/probe-request.ts";
import type { Vantage } from "../../shared/messages/report.ts";
import type { Tick } from "../../shared/messages/tick.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { publications, type Subscription, subscriptionsWith, topics } from "../../shared/topology.ts";
import { alarmWindows, tickSchedule } from "./alarms.ts";

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
