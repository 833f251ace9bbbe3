/** Relations between the resources found: the databases that services use, the services behind each host, and calls between services. */
import type {
  Found,
  FoundCache,
  FoundCertificate,
  FoundDatabase,
  FoundForwardingRule,
  FoundService,
  FoundUrlMap,
} from "./found.ts";
import { hostName, hostOf } from "./reading.ts";

/** Connection type between a service and a database. */
export type DatabaseAccess = "socket" | "private" | "library";

/** A service uses a database. */
export interface DatabaseUse {
  readonly service: FoundService;
  readonly database: FoundDatabase;
  readonly way: DatabaseAccess;
  /** Evidence for the relation, if nothing names the database. */
  readonly assumed: string | undefined;
}

/** A host and what a load balancer sends it to. */
export interface HostRoute {
  readonly host: string;
  /** The path of the backend service or bucket. */
  readonly backend: string;
  /** The Cloud Run service behind it, where it is one that was found. */
  readonly service: FoundService | undefined;
}

/** An external load balancer. */
export interface Balancer {
  readonly urlMap: FoundUrlMap;
  /** Its front end; the one that speaks TLS where it has both. */
  readonly front: FoundForwardingRule;
  readonly secure: boolean;
  readonly routes: readonly HostRoute[];
  /** Backend services with the services behind them. */
  readonly backends: readonly { readonly name: string; readonly service: FoundService }[];
  readonly certificates: readonly FoundCertificate[];
}

/** All of it. */
export interface Relations {
  readonly databases: readonly DatabaseUse[];
  readonly caches: readonly { readonly service: FoundService; readonly cache: FoundCache }[];
  readonly calls: readonly { readonly caller: FoundService; readonly called: FoundService }[];
  readonly balancers: readonly Balancer[];
}

/** Finds out how it hangs together. */
export function relationsOf(found: Found): Relations {
  const balancers = balancersOf(found);
  return {
    databases: found.services.flatMap((service) => databaseUses(service, found)),
    caches: found.services.flatMap((service) => cacheUses(service, found).map((cache) => ({ service, cache }))),
    calls: found.services.flatMap((caller) =>
      found.services
        .filter((called) => called !== caller && hostsOf(called, balancers).some((host) => caller.mentions.has(host)))
        .map((called) => ({ caller, called })),
    ),
    balancers,
  };
}

/** The hosts under which a service is reached. */
export function hostsOf({ name, region, url }: FoundService, balancers: readonly Balancer[]): string[] {
  const routed = balancers
    .flatMap(({ routes }) => routes)
    .filter(({ service }) => service?.name === name && service.region === region)
    .map(({ host }) => host);
  const own = hostOf(url);
  return [...new Set([...routed, ...(own === undefined ? [] : [own])])];
}

/** Names of variables that speak of a database, by convention. */
const ofDatabase = /(^|_)(DATABASE|DB|POSTGRES|POSTGRESQL|PG|MYSQL|SQL)(_|$)|^PG(HOST|USER|PASSWORD|DATABASE)$/i;
/** Names of variables that speak of Redis. */
const ofCache = /(^|_)(REDIS|VALKEY|MEMORYSTORE)(_|$)/i;
/** Roles with which nothing is done but connecting to Cloud SQL. */
const connecting: ReadonlySet<string> = new Set(["roles/cloudsql.client", "roles/cloudsql.instanceUser"]);

function databaseUses(service: FoundService, { databases, bindings }: Found): DatabaseUse[] {
  const named = databases.flatMap((database): DatabaseUse[] => {
    const { connectionName = "", privateAddress = "" } = database;
    if (service.attached.includes(connectionName)) return [{ service, database, way: "socket", assumed: undefined }];
    if (service.mentions.has(privateAddress)) return [{ service, database, way: "private", assumed: undefined }];
    if (service.mentions.has(connectionName)) return [{ service, database, way: "library", assumed: undefined }];
    return [];
  });
  const [only, ...others] = databases;
  if (named.length > 0 || only === undefined || others.length > 0) return named;
  const role = bindings.find(
    (binding) => connecting.has(binding.role) && binding.accounts.includes(service.run.serviceAccount ?? ""),
  )?.role;
  const variable = service.env.find((name) => ofDatabase.test(name));
  if (role === undefined && variable === undefined) return [];
  const assumed = role === undefined ? `its variable ${variable}` : `${role} of its service account`;
  const isInside = service.run.connector !== undefined || service.run.directVpc;
  const way = only.privateAddress !== undefined && isInside ? "private" : "library";
  return [{ service, database: only, way, assumed }];
}

function cacheUses({ mentions, env, run }: FoundService, { caches }: Found): FoundCache[] {
  const named = caches.filter(({ host }) => host !== undefined && mentions.has(host));
  const withPort = caches.filter(({ host, port }) => mentions.has(`${host}:${port}`));
  const [only, ...others] = caches;
  const all = [...new Set([...named, ...withPort])];
  if (all.length > 0 || only === undefined || others.length > 0) return all;
  const isInside = run.connector !== undefined || run.directVpc;
  return isInside && env.some((name) => ofCache.test(name)) ? [only] : [];
}

function balancersOf(found: Found): Balancer[] {
  return found.urlMaps.flatMap((urlMap): Balancer[] => {
    const proxies = found.proxies.filter((proxy) => proxy.urlMap === urlMap.path);
    const secure = proxies.filter((proxy) => proxy.secure);
    const speaking = secure.length > 0 ? secure : proxies;
    const fronts = found.forwardingRules.filter(
      ({ external, proxy }) => external && speaking.some(({ path }) => path === proxy),
    );
    const [front] = fronts;
    const wanted = [urlMap.fallback, ...urlMap.rules.flatMap(({ backends }) => backends)];
    const paths = new Set(wanted.filter((path) => path !== undefined));
    // One that only redirects to another has no backends.
    if (front === undefined || paths.size === 0) return [];
    const certificates = certificatesOf(urlMap, secure, found);
    return [
      {
        urlMap,
        front,
        secure: secure.length > 0,
        routes: routesOf(urlMap, certificates, found),
        backends: [...paths].flatMap((path) => {
          const service = serviceBehind(path, found);
          return service === undefined ? [] : [{ name: path.slice(path.lastIndexOf("/") + 1), service }];
        }),
        certificates,
      },
    ];
  });
}

function certificatesOf(
  { rules }: FoundUrlMap,
  proxies: Found["proxies"],
  { certificates }: Found,
): FoundCertificate[] {
  const named = new Set(proxies.flatMap((proxy) => proxy.certificates));
  const compute = certificates.filter(({ of, name }) => of === "compute" && named.has(name));
  if (!proxies.some(({ usesCertificateManager }) => usesCertificateManager)) return compute;
  const managed = certificates.filter(({ of }) => of === "certificate_manager");
  const hosts = rules.flatMap((rule) => rule.hosts).flatMap((host) => hostName(host) ?? []);
  const fitting = managed.filter(({ domains }) => domains.some((domain) => hosts.some((host) => covers(domain, host))));
  return [...compute, ...(fitting.length > 0 ? fitting : managed)];
}

/** Returns true if a certificate for a domain is valid for a host. */
function covers(domain: string, host: string): boolean {
  return domain.startsWith("*.") ? host.slice(host.indexOf(".")) === domain.slice(1) : domain === host;
}

function routesOf(
  { rules, fallback }: FoundUrlMap,
  certificates: readonly FoundCertificate[],
  found: Found,
): HostRoute[] {
  const routes = new Map<string, HostRoute>();
  const add = (host: string | undefined, backend: string | undefined): void => {
    if (host === undefined || backend === undefined || routes.has(host)) return;
    routes.set(host, { host, backend, service: serviceBehind(backend, found) });
  };
  for (const { hosts, backends } of rules) for (const host of hosts) add(hostName(host), backends[0]);
  const wildcards = rules.flatMap(({ hosts, backends }) =>
    hosts.filter((host) => host.startsWith("*")).map((host) => ({ host, backend: backends[0] })),
  );
  // Hosts without a rule of their own are known by the certificates.
  for (const domain of certificates.flatMap(({ domains }) => domains)) {
    const host = hostName(domain);
    const wildcard = wildcards.find((rule) => rule.host === "*" || host?.endsWith(rule.host.slice(1)));
    add(host, wildcard?.backend ?? fallback);
  }
  return [...routes.values()];
}

function serviceBehind(backend: string, { backends, groups, services }: Found): FoundService | undefined {
  const paths = backends.find(({ path }) => path === backend)?.groups ?? [];
  const group = groups.find(({ path, service }) => service !== undefined && paths.includes(path));
  return services.find(({ name, region }) => name === group?.service && region === group?.region);
}
