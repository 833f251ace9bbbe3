/** Everything that one run of a `gcp_configuration` probe reads. */
import type { ProbeWorld } from "../../prober.ts";
import { type Certificate, readCertificates } from "../resources/certificates.ts";
import { type RunService, readServices } from "../resources/cloud-run.ts";
import { readCloudSql, type SqlInstance } from "../resources/cloud-sql.ts";
import { type Binding, readPolicy } from "../resources/iam.ts";
import { type Backend, readBackends, readUrlMap, type UrlMap } from "../resources/load-balancer.ts";
import { type FirewallRule, type Peering, readFirewall, readPeerings } from "../resources/network.ts";
import { readVpcConnector, type VpcConnector } from "../resources/vpc-connector.ts";
import type { Subject } from "./judgement.ts";
import { type Read, reader } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** What was read, or why not; what the settings do not ask for is absent. */
export interface Observation {
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  readonly vpcConnector?: Read<VpcConnector> | undefined;
  readonly cloudSql?: Read<SqlInstance> | undefined;
  /** By name, as all that there may be several of. */
  readonly services: ReadonlyMap<string, Read<RunService>>;
  readonly policy?: Read<readonly Binding[]> | undefined;
  readonly urlMap?: Read<UrlMap> | undefined;
  readonly backends: ReadonlyMap<string, Read<Backend>>;
  readonly certificates: ReadonlyMap<string, Read<Certificate>>;
  readonly peerings?: Read<readonly Peering[]> | undefined;
  readonly firewall?: Read<readonly FirewallRule[]> | undefined;
}

/** Reads everything at once. Nothing that Google answers makes it throw. */
export async function observe(settings: ConfigurationSettings, world: ProbeWorld): Promise<Observation> {
  const read = reader(world);
  const [vpcConnector, cloudSql, services, policy, urlMap, backends, certificates, peerings, firewall] =
    await Promise.all([
      readVpcConnector(read, settings),
      readCloudSql(read, settings),
      readServices(read, settings),
      readPolicy(read, settings),
      readUrlMap(read, settings),
      readBackends(read, settings),
      readCertificates(read, settings),
      readPeerings(read, settings),
      readFirewall(read, settings),
    ]);
  const at = world.now();
  return { at, vpcConnector, cloudSql, services, policy, urlMap, backends, certificates, peerings, firewall };
}

/** Every read of an observation, with what it is of. */
export function readsIn(
  settings: ConfigurationSettings,
  seen: Observation,
): readonly (readonly [Subject, Read<unknown>])[] {
  const { vpc_connector, cloud_sql, services, load_balancer, certificates, network, project } = settings;
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
  ];
  return reads.flatMap(([subject, read]) => (read === undefined ? [] : [[subject, read] as const]));
}
