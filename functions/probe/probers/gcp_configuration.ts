/** The prober `gcp_configuration`: checks whether the platform is configured as the application needs it. It only reads. */
import { type Failure, type Finding, readingPhase } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { findingsOf } from "../google/configuration/check.ts";
import { checks } from "../google/configuration/checks.ts";
import { neededReads } from "../google/configuration/needs.ts";
import { configurationNotes } from "../google/configuration/notes.ts";
import { type Observation, observe, readsIn } from "../google/configuration/observation.ts";
import type { Refusal } from "../google/configuration/read.ts";
import {
  type ConfigurationSettings,
  componentSettings,
  configurationSettings,
} from "../google/configuration/settings.ts";
import { resourcesIn } from "../google/configuration/watched-resources.ts";
import { configurationReads } from "../google/permissions.ts";
import type { Assessment, Prober } from "../prober.ts";
import { always } from "../yields.ts";

/** Created on first use: a function with validated settings never needs it. */
const settings = lazily(() => configurationSettings(checks.map(({ name }) => name)));

/** The prober `gcp_configuration`. */
export const gcpConfiguration: Prober<ConfigurationSettings, Observation> = {
  kind: "gcp_configuration",
  title:
    "Reads and checks the configuration of the connector, database, services, load balancer, certificates, network, NAT, Redis and quotas, each by itself and in combination.",
  reach: "control_plane",
  get settings() {
    return settings();
  },
  components: componentSettings,
  // A valid configuration does not prove that the resources work.
  secondhand: true,
  example: `schedule: "*/15 * * * *"
timeout: 30s
project: shop-staging
region: us-central1
vpc_connector: { name: shop-connector, max_instances: 10, connections: 200 }
cloud_sql:
  instance: shop-postgres
  availability: regional
  max_connections: 100
services:
  - name: shop-backend
    callers: { push_subscriptions: [orders-to-backend] }
    startup: 240s
    websocket: 1h
    memory: 1Gi
    env: [DATABASE_URL]
    database: { way: private, pool: { size: 5, overflow: 5 }, timeout: 35s }
load_balancer:
  url_map: shop
  backends:
    - { name: shop-backend, service: shop-backend, hosts: [api.shop.example] }
  forwarding_rule: shop-https
  dns: { zone: shop-zone }
certificates: { certificate_manager: [shop], domains: [api.shop.example] }
network: { name: default }
nat: { name: shop-nat, router: shop-router }
redis:
  - { instance: shop-cache, availability: standard }
quotas: {}
ignore: [cloud_sql_maintenance_window]
`,
  notes: configurationNotes(),
  environmentWide: true,
  usualSeconds: 1.5,
  // For a few services, a cache, a NAT gateway and the quotas.
  seriesRead: 8,
  signal: "configuration",
  reads: configurationReads,
  requires: (settings) => ({ reads: neededReads(settings) }),
  looksAt: resourcesIn,
  yields: (settings) => [
    {
      metric: "configuration_ok",
      ...(settings === undefined ? {} : { labels: { check: madeWith(settings).map(({ name }) => name) } }),
    },
    ...always("configuration_unchecked"),
  ],

  observe,

  assess(settings, seen) {
    const { findings, unchecked } = findingsOf(madeWith(settings), settings, seen);
    const broken = brokenOf(findings);
    const failure = broken ?? blindOf(settings, seen);
    return {
      ...(failure ? { failure } : {}),
      // A recheck a second later would find the same configuration.
      ...(broken ? { conclusive: true } : {}),
      measurements: [
        ...findings.map(measured),
        { metric: "configuration_unchecked", value: new Set(unchecked.map(({ resource }) => resource)).size },
      ],
      findings: findings.toSorted((a, b) => Number(a.ok) - Number(b.ok) || rank(a) - rank(b)),
      unchecked,
    };
  },
};

/** The checks that these settings do not ignore. */
function madeWith({ ignore }: ConfigurationSettings): typeof checks {
  return checks.filter(({ name }) => !ignore.includes(name));
}

function measured({ check, ok, resource = "", severity = "warning" }: Finding): Assessment["measurements"][number] {
  return { metric: "configuration_ok", value: ok ? 1 : 0, labels: { check, resource, severity } };
}

function rank({ severity = "warning" }: Finding): number {
  return ["critical", "warning", "info"].indexOf(severity);
}

/** The probe fails for critical findings only. Less severe ones are reported, and can be used in rules. */
function brokenOf(findings: readonly Finding[]): Failure | undefined {
  const broken = findings.filter(({ ok, severity }) => !ok && severity === "critical");
  const [first] = broken;
  if (!first) return undefined;
  const others = broken.length === 1 ? "" : `; ${broken.length - 1} more`;
  const message = `${first.check} of ${first.resource}: ${first.observed}, expected ${first.expected}${others}`;
  return { kind: "unavailable", phase: "configuration", message, signal: "configuration" };
}

/** A probe that could read nothing at all has no result. */
function blindOf(settings: ConfigurationSettings, seen: Observation): Failure | undefined {
  const reads = readsIn(settings, seen).map(([, read]) => read);
  const refusals = reads.flatMap((read) => ("refusal" in read ? [read.refusal] : []));
  const [first] = refusals;
  if (!first || refusals.length < reads.length) return undefined;
  if (refusals.every(({ reason }) => reason === "time"))
    return {
      kind: "timeout",
      phase: readingPhase,
      message: "the probe timed out while reading the configuration",
    };
  return { kind: kinds[first.reason], phase: readingPhase, message: first.explanation };
}

const kinds: Readonly<Record<Refusal["reason"], Failure["kind"]>> = {
  missing: "unavailable",
  permission: "auth",
  disabled: "auth",
  identity: "auth",
  time: "timeout",
  unavailable: "unavailable",
};
