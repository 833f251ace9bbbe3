/** The configuration checks: what was found is what is expected, so that a change for the worse is seen. */
import type { Settings } from "../draft.ts";
import type { FoundCertificate, FoundConnector, FoundDatabase, FoundService } from "../found.ts";
import { type Balancer, hostsOf, type Relations } from "../relations.ts";
import {
  balancerComponent,
  type Context,
  cacheComponent,
  certificateComponent,
  connectorComponent,
  databaseComponent,
  serviceComponent,
} from "./keys.ts";
import { connectorOf, elsewhere } from "./network.ts";

/** Resources that one probe checks: at most one of each single-valued kind. */
interface Group {
  readonly connector: FoundConnector | undefined;
  readonly database: FoundDatabase | undefined;
  readonly balancer: Balancer | undefined;
  readonly services: FoundService[];
}

/** Adds the checks, in as many probes as there are connectors, databases or load balancers. */
export function draftConfiguration(context: Context, relations: Relations): void {
  const { found, draft } = context;
  const groups = groupsOf(context, relations);
  if (groups.length === 0 || found.region === undefined) return;
  const component = draft.component("configuration", "configuration");
  draft.addComponent(component, { title: "Configuration", layer: "platform" }, [
    "The configuration of all resources. Each finding refers to the component that it concerns.",
  ]);
  for (const [index, group] of groups.entries()) {
    const settings = settingsOf(group, index === 0, context, relations);
    if (Object.keys(settings).length === 0) continue;
    draft.addProbe(
      "configuration",
      { kind: "gcp_configuration", component, schedule: "every 5m", timeout: "30s", alert: "off", ...settings },
      index === 0
        ? [
            "Checks that the platform is configured as the application needs it, without settings that are known to cause failures. It only reads. The expected values are those found: raise them where you need more.",
          ]
        : [],
    );
  }
  const asked = { component, schedule: "every 5m", timeout: "20s", alert: "off" };
  draft.addProbe("what-changed", { kind: "audit_logs", ...asked }, [
    "Recent changes and error logs, read when an incident opens. The scheduled runs only verify the permissions.",
  ]);
  draft.addProbe("what-the-logs-say", { kind: "error_logs", ...asked });
  draft.addRule("Configuration Risky", {
    component,
    condition: 'configuration_ok{severity="warning"} == 0',
    alert_duration: "1h",
    severity: "info",
  });
  draft.addRule("Configuration Cannot Be Read", {
    component,
    condition: "configuration_unchecked > 0",
    alert_duration: "1h",
    severity: "warning",
  });
}

function groupsOf({ found }: Context, { balancers, databases: uses }: Relations): Group[] {
  const { connectors, databases, services } = found;
  // A connector that could not be listed, but that a service names, is checked as well.
  const named = services.flatMap((service) => connectorOf(service, found) ?? []);
  const all = [...connectors, ...named].filter(
    // The checks look for a connector in the region of the probe.
    (one, index, list) => one.region === found.region && list.findIndex(({ name }) => name === one.name) === index,
  );
  const count = Math.max(all.length, databases.length, balancers.length, services.length > 0 ? 1 : 0);
  const groups = Array.from(
    { length: count },
    (_, index): Group => ({
      connector: all[index],
      database: databases[index],
      balancer: balancers[index],
      services: [],
    }),
  );
  for (const service of services) {
    const database = uses.find((use) => use.service === service)?.database;
    const connector = connectorOf(service, found)?.name;
    // Services of one name in two regions are checked by two probes.
    const free = groups.filter((group) => !group.services.some(({ name }) => name === service.name));
    const place =
      free.find((group) => database !== undefined && group.database === database) ??
      free.find((group) => connector !== undefined && group.connector?.name === connector) ??
      free[0];
    if (place !== undefined) place.services.push(service);
    else groups.push({ connector: undefined, database: undefined, balancer: undefined, services: [service] });
  }
  return groups;
}

function settingsOf(group: Group, isFirst: boolean, context: Context, relations: Relations): Settings {
  const { found, draft } = context;
  const { connector, database, balancer, services } = group;
  const checked = (name: string, component: string): void =>
    draft.addRule(`${component} Is Misconfigured`, {
      component,
      condition: `configuration_ok{resource="${name}", severity="critical"} == 0`,
      severity: "warning",
    });
  const settings: Record<string, unknown> = {};
  if (connector !== undefined) {
    const component = connectorComponent(connector, draft);
    settings["vpc_connector"] = { name: connector.name, component };
    checked(connector.name, component);
  }
  if (database !== undefined) {
    const component = databaseComponent(database, draft);
    settings["cloud_sql"] = databaseSettings(database, component);
    checked(database.name, component);
  }
  if (services.length > 0) {
    settings["services"] = services.map((service) => {
      const component = serviceComponent(service, draft);
      checked(service.name, component);
      return serviceSettings(service, component, group, context, relations);
    });
  }
  if (balancer !== undefined) {
    const component = balancerComponent(balancer, draft);
    settings["load_balancer"] = balancerSettings(balancer, component, context);
    checked(balancer.urlMap.name, component);
    if (balancer.certificates.length > 0) {
      const own = certificateComponent(balancer, draft);
      settings["certificates"] = certificateSettings(balancer.certificates, own);
      for (const { name } of balancer.certificates)
        draft.addRule(`Certificate ${name} Is Not Healthy`, {
          component: own,
          condition: `configuration_ok{resource="${name}", severity="critical"} == 0`,
          severity: "warning",
        });
    }
  }
  if (database?.network !== undefined) {
    const component =
      connector === undefined ? databaseComponent(database, draft) : connectorComponent(connector, draft);
    const { network, networkProject } = database;
    const isShared = networkProject !== undefined && networkProject !== found.project;
    settings["network"] = { name: network, component, ...(isShared ? { project: networkProject } : {}) };
  }
  if (!isFirst) return settings;
  const [gateway] = found.gateways;
  if (gateway !== undefined)
    settings["nat"] = { name: gateway.name, router: gateway.router, ...elsewhere(gateway.region, found) };
  if (found.caches.length > 0)
    settings["redis"] = found.caches.map((cache) => ({
      instance: cache.name,
      component: cacheComponent(cache, draft),
      ...elsewhere(cache.region, found),
      ...(cache.tier === undefined ? {} : { availability: cache.tier }),
    }));
  // Quotas are those of Compute Engine, whose other lists were read.
  if (Object.keys(settings).length > 0 && found.seen.has("URL maps of load balancers")) settings["quotas"] = {};
  return settings;
}

function databaseSettings({ name, sql }: FoundDatabase, component: string): Settings {
  const availability = { ZONAL: "zonal", REGIONAL: "regional" }[sql.availability === "REGIONAL" ? "REGIONAL" : "ZONAL"];
  const set = Number(sql.flags.get("max_connections"));
  return {
    instance: name,
    component,
    ...(sql.tier === undefined ? {} : { tier: sql.tier }),
    ...(sql.availability === undefined ? {} : { availability }),
    ...(Number.isInteger(set) && set > 0 ? { max_connections: set } : {}),
  };
}

function serviceSettings(
  service: FoundService,
  component: string,
  group: Group,
  { found, draft }: Context,
  relations: Relations,
): Settings {
  const { run } = service;
  const use = relations.databases.find((one) => one.service === service && one.database === group.database);
  const held = found.bindings.filter(({ accounts }) => accounts.includes(run.serviceAccount ?? ""));
  const roles = held.map(({ role }) => role).filter((role) => /^roles\/cloudsql\.[a-zA-Z]+$/.test(role));
  const way = run.connector === undefined ? (run.directVpc ? "direct" : "none") : "connector";
  const ingress = {
    INGRESS_TRAFFIC_ALL: "all",
    INGRESS_TRAFFIC_INTERNAL_ONLY: "internal",
    INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: "internal-and-load-balancing",
  };
  const callers = callersOf(service, group, { found, draft }, relations);
  return {
    name: service.name,
    component,
    ...elsewhere(service.region, found),
    // The longest that Cloud Run lets a start take is 480 s.
    startup: `${Math.max(1, Math.min(480, Math.floor(run.startupSeconds)))}s`,
    ...(run.requestTimeoutSeconds === undefined || run.requestTimeoutSeconds < 1
      ? {}
      : { request_timeout: `${Math.floor(run.requestTimeoutSeconds)}s` }),
    ...(service.cpu === undefined ? {} : { cpu: service.cpu }),
    ...(service.memory === undefined ? {} : { memory: service.memory }),
    ...Object.fromEntries(
      Object.entries(ingress).flatMap(([name, word]) => (name === run.ingress ? [["ingress", word]] : [])),
    ),
    ...(run.serviceAccount === undefined ? {} : { service_account: run.serviceAccount }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(service.env.length === 0 ? {} : { env: service.env }),
    vpc_access: way,
    ...(way === "none" ? {} : { egress: run.allTraffic ? "all-traffic" : "private-ranges-only" }),
    ...(use === undefined ? {} : { database: { way: use.way } }),
    ...(callers === undefined ? {} : { callers }),
  };
}

/** Returns the callers of a service that checks its callers; `undefined` if none are known. */
function callersOf(
  service: FoundService,
  { services }: Group,
  { found }: Context,
  { balancers, calls }: Relations,
): Settings | undefined {
  const { name, region, run } = service;
  const invokers = found.invokers.get(`${region}/${name}`);
  if (invokers?.everyone) return { everyone: true };
  if (!run.invokersChecked) return undefined;
  const hosts = new Set(hostsOf(service, balancers));
  const calling = found.callers.filter(({ host }) => hosts.has(host));
  const named = calling.filter((one) => one.kind === "push_subscription").map((one) => one.name);
  // The checks look for a job in the region of the service.
  const jobs = calling.filter((one) => one.kind === "scheduler_job" && one.region === region).map((one) => one.name);
  const accounts = new Set(invokers?.accounts ?? []);
  const own = services.filter(
    (other) =>
      other !== service &&
      (calls.some(({ caller, called }) => caller === other && called === service) ||
        accounts.has(other.run.serviceAccount ?? "")),
  );
  const settings = {
    ...(own.length === 0 ? {} : { services: [...new Set(own.map((one) => one.name))] }),
    ...(named.length === 0 ? {} : { push_subscriptions: named }),
    ...(jobs.length === 0 ? {} : { scheduler_jobs: jobs }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

function balancerSettings(balancer: Balancer, component: string, { found }: Context): Settings {
  const { urlMap, front, backends, routes } = balancer;
  const zone = found.zones.find(({ domain }) =>
    routes.some(({ host }) => host === domain || host.endsWith(`.${domain}`)),
  );
  return {
    component,
    url_map: urlMap.name,
    ...(urlMap.region === undefined ? {} : { region: urlMap.region }),
    forwarding_rule: front.name,
    ...(zone === undefined ? {} : { dns: { zone: zone.name } }),
    ...(backends.length === 0
      ? {}
      : {
          backends: backends.map(({ name, service }) => ({
            name,
            service: service.name,
            hosts: routes.filter(({ backend }) => backend.endsWith(`/backendServices/${name}`)).map(({ host }) => host),
          })),
        }),
  };
}

function certificateSettings(certificates: readonly FoundCertificate[], component: string): Settings {
  const names = (of: FoundCertificate["of"]): string[] =>
    certificates.filter((certificate) => certificate.of === of).map(({ name }) => name);
  const [compute, managed] = [names("compute"), names("certificate_manager")];
  const domains = [...new Set(certificates.flatMap((certificate) => certificate.domains))];
  return {
    component,
    ...(compute.length === 0 ? {} : { compute }),
    ...(managed.length === 0 ? {} : { certificate_manager: managed }),
    ...(domains.length === 0 ? {} : { domains }),
  };
}
