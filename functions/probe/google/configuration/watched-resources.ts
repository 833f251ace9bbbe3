/** The resources that a `gcp_configuration` probe watches, each with the component that its findings refer to. */
import { computeResource, type GoogleResource, runService, sqlInstance } from "../watched.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** Returns every resource in the settings, in the form in which Google's logs name it. */
export function resourcesIn(settings: ConfigurationSettings): GoogleResource[] {
  const { project, region, vpc_connector: connector, cloud_sql: sql, services, redis, network, nat } = settings;
  const { load_balancer: balancer, certificates } = settings;
  return [
    ...services.map(({ name, region: own, component }) => runService(name, project, own ?? region, component)),
    ...services.flatMap(({ service_account: name, component }): GoogleResource[] =>
      name === undefined ? [] : [{ api: "iam.googleapis.com", collection: "serviceAccounts", name, component }],
    ),
    ...(connector === undefined
      ? []
      : [inProject("vpcaccess.googleapis.com", "connectors", connector.name, connector)]),
    ...(sql === undefined ? [] : [sqlInstance(sql.instance, project, sql.component)]),
    ...redis.map((one) => inProject("redis.googleapis.com", "instances", one.instance, one)),
    ...computeResource("networks", network?.name, network?.project ?? project, network?.component),
    ...computeResource("routers", nat?.router, project, nat?.component),
    ...computeResource("urlMaps", balancer?.url_map, project, balancer?.component),
    ...computeResource("forwardingRules", balancer?.forwarding_rule, project, balancer?.component),
    ...(balancer?.backends ?? []).flatMap(({ name }) =>
      computeResource("backendServices", name, project, balancer?.component),
    ),
    ...(balancer?.dns === undefined
      ? []
      : [
          inProject("dns.googleapis.com", "managedZones", balancer.dns.zone, {
            component: balancer.dns.component ?? balancer.component,
          }),
        ]),
    ...(certificates?.compute ?? []).flatMap((name) =>
      computeResource("sslCertificates", name, project, certificates?.component),
    ),
    ...(certificates?.certificate_manager ?? []).map((name) =>
      inProject("certificatemanager.googleapis.com", "certificates", name, { component: certificates?.component }),
    ),
  ];
}

function inProject(
  api: string,
  collection: string,
  name: string,
  { component }: { readonly component?: string | undefined },
): GoogleResource {
  return { api, collection, name, component };
}
