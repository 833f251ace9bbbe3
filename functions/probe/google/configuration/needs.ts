/** The reads that the settings of a `gcp_configuration` probe require, and no more. */
import type { GoogleReadName } from "../permissions.ts";
import { wantedRoles } from "../resources/cloud-run.ts";
import type { Subject } from "./judgement.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** Returns the reads that these settings require. */
export function neededReads(settings: ConfigurationSettings): readonly GoogleReadName[] {
  const { services, load_balancer: balancer, certificates, network, nat, redis, quotas } = settings;
  const callers = services.flatMap((service) => service.callers ?? []);
  const address = balancer?.region === undefined ? "forwarding_rule" : "regional_forwarding_rule";
  const needs: readonly (readonly [boolean, readonly GoogleReadName[]])[] = [
    [settings.vpc_connector !== undefined, ["vpc_connector"]],
    [settings.cloud_sql !== undefined, ["cloud_sql"]],
    [services.length > 0, ["cloud_run", "secret_version", "time_series", "subnet"]],
    [callers.length > 0 || services.some((service) => wantedRoles(service).length > 0), ["iam_policy"]],
    [callers.length > 0, ["run_policy"]],
    [callers.some(({ push_subscriptions }) => push_subscriptions.length > 0), ["push_subscription"]],
    [callers.some(({ scheduler_jobs }) => scheduler_jobs.length > 0), ["scheduler_job"]],
    [balancer?.url_map !== undefined, ["url_map"]],
    [(balancer?.backends ?? []).length > 0, ["backend_service", "endpoint_group", "health_check", "security_policy"]],
    [balancer?.forwarding_rule !== undefined, [address]],
    [balancer?.dns !== undefined, ["dns_records"]],
    [(certificates?.compute ?? []).length > 0, ["compute_certificate"]],
    [(certificates?.certificate_manager ?? []).length > 0, ["managed_certificate"]],
    [network !== undefined, ["network", "firewall_rules", "effective_firewalls"]],
    [nat !== undefined, ["router", "time_series"]],
    [redis.length > 0, ["redis", "time_series"]],
    [quotas !== undefined, ["region_quotas", "time_series"]],
  ];
  return [...new Set(needs.flatMap(([applies, names]) => (applies ? names : [])))];
}

/** Returns the subjects of a check with these reads, according to the settings: the resources of its first read. */
export function subjectsOf([first]: readonly GoogleReadName[], settings: ConfigurationSettings): readonly Subject[] {
  const { vpc_connector, cloud_sql, services, load_balancer, certificates, network, nat, redis } = settings;
  switch (first) {
    case "vpc_connector":
      return vpc_connector ? [{ resource: vpc_connector.name, component: vpc_connector.component }] : [];
    case "cloud_sql":
      return cloud_sql ? [{ resource: cloud_sql.instance, component: cloud_sql.component }] : [];
    case "cloud_run":
      return services.map(({ name, component }) => ({ resource: name, component }));
    case "url_map":
    case "backend_service":
      return (load_balancer?.backends ?? []).map(({ name }) => ({
        resource: name,
        component: load_balancer?.component,
      }));
    case "compute_certificate": {
      const { compute = [], certificate_manager = [], component } = certificates ?? {};
      return [...compute, ...certificate_manager].map((resource) => ({ resource, component }));
    }
    case "network":
    case "firewall_rules":
      return network ? [{ resource: network.name, component: network.component }] : [];
    case "router":
      return nat ? [{ resource: nat.name, component: nat.component }] : [];
    case "redis":
      return redis.map(({ instance, component }) => ({ resource: instance, component }));
    default:
      return [];
  }
}
