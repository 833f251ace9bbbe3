/** Everything that one run of a `gcp_configuration` probe reads. */
import type { ProbeWorld } from "../../prober.ts";
import { type ArmorRule, readPolicies } from "../resources/armor.ts";
import { type Caller, readCallers, readInvokers } from "../resources/callers.ts";
import { type Certificate, readCertificates } from "../resources/certificates.ts";
import { type Peaks, type RunService, readPeaks, readServices } from "../resources/cloud-run.ts";
import { readCloudSql, type SqlInstance } from "../resources/cloud-sql.ts";
import { type DnsRecords, readZone } from "../resources/dns.ts";
import { type Nat, readNat, readNatDrops, readSubnets, type Subnet } from "../resources/egress.ts";
import { type Binding, readPolicy } from "../resources/iam.ts";
import { type Backend, readAddress, readBackends, readUrlMap, type UrlMap } from "../resources/load-balancer.ts";
import {
  type FirewallPolicies,
  type FirewallRule,
  type Peering,
  readFirewall,
  readFirewallPolicies,
  readPeerings,
} from "../resources/network.ts";
import { type Quota, readExceeded, readQuotas } from "../resources/quotas.ts";
import { type RedisInstance, readRedis, readRedisMemory } from "../resources/redis.ts";
import { readSecrets, type VersionState } from "../resources/secrets.ts";
import { readVpcConnector, type VpcConnector } from "../resources/vpc-connector.ts";
import type { Subject } from "./judgement.ts";
import { type Read, reader } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** The results of the reads, or the reasons for their refusal. Reads that the settings do not need are absent. */
export interface Observation {
  /** Time of the run, in milliseconds since the epoch. */
  readonly at: number;
  readonly vpcConnector?: Read<VpcConnector> | undefined;
  readonly cloudSql?: Read<SqlInstance> | undefined;
  /** Resources that may occur several times, by name. */
  readonly services: ReadonlyMap<string, Read<RunService>>;
  readonly policy?: Read<readonly Binding[]> | undefined;
  readonly urlMap?: Read<UrlMap> | undefined;
  readonly backends: ReadonlyMap<string, Read<Backend>>;
  readonly certificates: ReadonlyMap<string, Read<Certificate>>;
  readonly peerings?: Read<readonly Peering[]> | undefined;
  readonly firewall?: Read<readonly FirewallRule[]> | undefined;
  readonly firewallPolicies?: Read<FirewallPolicies> | undefined;
  readonly peaks?: Read<Peaks> | undefined;
  /** IAM policies of services, by service. */
  readonly invokers: ReadonlyMap<string, Read<readonly Binding[]>>;
  /** By `push/NAME` and `job/NAME`. */
  readonly callers: ReadonlyMap<string, Read<Caller>>;
  /** By `secret@version`. */
  readonly secrets: ReadonlyMap<string, Read<VersionState>>;
  /** By path. */
  readonly subnets: ReadonlyMap<string, Read<Subnet>>;
  /** Rules of Cloud Armor, by the path of their policy. */
  readonly armor: ReadonlyMap<string, Read<readonly ArmorRule[]>>;
  readonly nat?: Read<Nat> | undefined;
  readonly natDrops?: Read<number> | undefined;
  readonly address?: Read<string | undefined> | undefined;
  readonly zone?: Read<readonly DnsRecords[]> | undefined;
  readonly redis: ReadonlyMap<string, Read<RedisInstance>>;
  /** Share of its memory that an instance uses, by its path. */
  readonly redisMemory?: Read<ReadonlyMap<string, number>> | undefined;
  readonly quotas?: Read<readonly Quota[]> | undefined;
  readonly exceeded?: Read<readonly string[]> | undefined;
}

/** Makes all reads concurrently. No answer from Google makes it throw. */
export async function observe(settings: ConfigurationSettings, world: ProbeWorld): Promise<Observation> {
  const read = reader(world);
  const services = readServices(read, settings);
  const backends = readBackends(read, settings);
  const seen = await resolved({
    vpcConnector: readVpcConnector(read, settings),
    cloudSql: readCloudSql(read, settings),
    services,
    policy: readPolicy(read, settings),
    urlMap: readUrlMap(read, settings),
    backends,
    certificates: readCertificates(read, settings),
    peerings: readPeerings(read, settings),
    firewall: readFirewall(read, settings),
    firewallPolicies: readFirewallPolicies(read, settings),
    peaks: readPeaks(read, settings),
    invokers: readInvokers(read, settings),
    callers: readCallers(read, settings),
    secrets: services.then((known) => readSecrets(read, settings, known)),
    subnets: services.then((known) => readSubnets(read, settings, known)),
    armor: backends.then((known) => readPolicies(read, settings, known)),
    nat: readNat(read, settings),
    natDrops: readNatDrops(read, settings),
    address: readAddress(read, settings),
    zone: readZone(read, settings),
    redis: readRedis(read, settings),
    redisMemory: readRedisMemory(read, settings),
    quotas: readQuotas(read, settings),
    exceeded: readExceeded(read, settings),
  });
  return { at: world.now(), ...seen };
}

/** Returns an object of the results of another object's promises. */
async function resolved<T extends object>(promises: T): Promise<{ [Key in keyof T]: Awaited<T[Key]> }> {
  const entries = Object.entries(promises).map(async ([key, promise]) => [key, await promise] as const);
  return Object.fromEntries(await Promise.all(entries)) as { [Key in keyof T]: Awaited<T[Key]> };
}

/** Every read of an observation, with its resource. */
export function readsIn(
  settings: ConfigurationSettings,
  seen: Observation,
): readonly (readonly [Subject, Read<unknown>])[] {
  const { vpc_connector, cloud_sql, services, load_balancer, certificates, network, nat, project } = settings;
  const each = (names: readonly string[], reads: ReadonlyMap<string, Read<unknown>>, component: string | undefined) =>
    names.map((name) => [{ resource: name, component }, reads.get(name)] as const);
  const reads: readonly (readonly [Subject, Read<unknown> | undefined])[] = [
    [{ resource: vpc_connector?.name ?? "", component: vpc_connector?.component }, seen.vpcConnector],
    [{ resource: cloud_sql?.instance ?? "", component: cloud_sql?.component }, seen.cloudSql],
    ...services.flatMap(({ name, component }) => each([name], seen.services, component)),
    [{ resource: project }, seen.policy],
    [{ resource: load_balancer?.url_map ?? "", component: load_balancer?.component }, seen.urlMap],
    ...each(
      (load_balancer?.backends ?? []).map(({ name }) => name),
      seen.backends,
      load_balancer?.component,
    ),
    ...each([...seen.certificates.keys()], seen.certificates, certificates?.component),
    [{ resource: network?.name ?? "", component: network?.component }, seen.peerings],
    ...services.flatMap(({ callers, component }) => [
      ...(callers?.push_subscriptions ?? []).map(
        (name) => [{ resource: name, component }, seen.callers.get(`push/${name}`)] as const,
      ),
      ...(callers?.scheduler_jobs ?? []).map(
        (name) => [{ resource: name, component }, seen.callers.get(`job/${name}`)] as const,
      ),
    ]),
    [{ resource: nat?.router ?? "", component: nat?.component }, seen.nat],
    [{ resource: load_balancer?.forwarding_rule ?? "", component: load_balancer?.component }, seen.address],
    [
      {
        resource: load_balancer?.dns?.zone ?? "",
        component: load_balancer?.dns?.component ?? load_balancer?.component,
      },
      seen.zone,
    ],
    ...settings.redis.flatMap(({ instance, component }) => each([instance], seen.redis, component)),
    [{ resource: settings.region, component: settings.quotas?.component }, seen.quotas],
  ];
  return reads.flatMap(([subject, read]) => (read === undefined ? [] : [[subject, read] as const]));
}
