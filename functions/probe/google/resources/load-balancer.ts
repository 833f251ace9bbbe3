/** The load balancer: URL map, backend services and the endpoint groups behind them. */
import { at, listAt, nameIn, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** An endpoint group behind a backend service. Source: Compute API v1, `networkEndpointGroups`. */
export interface EndpointGroup {
  /** `SERVERLESS`, another type of group, or `INSTANCE_GROUP`. */
  readonly type: string;
  readonly name: string;
  readonly region: string | undefined;
  /** The Cloud Run service; absent if a URL mask selects it. */
  readonly service: string | undefined;
  readonly masked: boolean;
}

/** The health check that a load balancer uses for a backend. */
export interface HealthCheck {
  readonly intervalSeconds: number;
  readonly unhealthyThreshold: number;
}

/** A backend service with the service that it routes to. Source: Compute API v1, `backendServices`. */
export interface Backend {
  readonly timeoutSeconds: number | undefined;
  readonly groups: readonly EndpointGroup[];
  readonly healthChecks: readonly HealthCheck[];
  /** Paths of its Cloud Armor policies. */
  readonly securityPolicies: readonly string[];
}

/** The host routing of a URL map. Source: Compute API v1, `urlMaps`. */
export interface UrlMap {
  /** Name of the backend service for hosts without a rule. */
  readonly fallback: string | undefined;
  readonly rules: readonly { readonly hosts: readonly string[]; readonly backends: readonly string[] }[];
}

const computeUrl = "https://compute.googleapis.com/compute/v1";

/** Reads the URL map. */
export function readUrlMap(
  reader: Reader,
  { project, load_balancer }: ConfigurationSettings,
): Promise<Read<UrlMap>> | undefined {
  if (load_balancer?.url_map === undefined) return undefined;
  const url = `${computeUrl}/projects/${project}/${scopeOf(load_balancer.region)}/urlMaps/${load_balancer.url_map}`;
  const about = { resource: load_balancer.url_map, component: load_balancer.component, project, url };
  return reader.one({ read: "url_map", ...about }, takeUrlMap);
}

/** Extracts the relevant fields from the answer. */
export function takeUrlMap(json: unknown): UrlMap {
  const matchers = new Map(listAt(json, "pathMatchers").map((one) => [textAt(one, "name"), one]));
  const service = (holder: unknown, key: string): readonly string[] => {
    const path = textAt(holder, key);
    return path === undefined ? [] : [nameIn(path)];
  };
  return {
    fallback: service(json, "defaultService")[0],
    rules: listAt(json, "hostRules").map((rule) => {
      const matcher = matchers.get(textAt(rule, "pathMatcher"));
      const paths = listAt(matcher, "pathRules").flatMap((path) => service(path, "service"));
      return { hosts: textsAt(rule, "hosts"), backends: [...service(matcher, "defaultService"), ...paths] };
    }),
  };
}

/** Reads the backend services, by name, each with the groups and health checks that it names. */
export async function readBackends(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<Backend>>> {
  const backends = settings.load_balancer?.backends ?? [];
  return new Map(
    await Promise.all(
      backends.map(
        async ({ name }): Promise<[string, Read<Backend>]> => [name, await readBackend(reader, settings, name)],
      ),
    ),
  );
}

async function readBackend(
  reader: Reader,
  { project, load_balancer }: ConfigurationSettings,
  name: string,
): Promise<Read<Backend>> {
  const scope = scopeOf(load_balancer?.region);
  const about = { component: load_balancer?.component, project };
  const url = `${computeUrl}/projects/${project}/${scope}/backendServices/${name}`;
  const read = await reader.one({ read: "backend_service", resource: name, url, ...about }, (json) => ({
    timeoutSeconds: numberAt(json, "timeoutSec"),
    groups: listAt(json, "backends").flatMap((backend) => textAt(backend, "group") ?? []),
    healthChecks: textsAt(json, "healthChecks"),
    securityPolicies: ["edgeSecurityPolicy", "securityPolicy"].flatMap((field) => {
      const policy = textAt(json, field);
      return policy === undefined ? [] : (pathOf(policy, "securityPolicies") ?? []);
    }),
  }));
  if ("refusal" in read) return read;
  const [groups, healthChecks] = await Promise.all([
    eachOf(read.value.groups, (group) => {
      const path = pathOf(group, "networkEndpointGroups");
      if (path === undefined) return Promise.resolve({ value: instanceGroup(group) });
      const url = `${computeUrl}/${path}`;
      return reader.one({ read: "endpoint_group", resource: nameIn(path), url, ...about }, takeEndpointGroup);
    }),
    eachOf(
      read.value.healthChecks.flatMap((check) => pathOf(check, "healthChecks") ?? []),
      (path) =>
        reader.one(
          { read: "health_check", resource: nameIn(path), url: `${computeUrl}/${path}`, ...about },
          (json) => ({
            intervalSeconds: numberAt(json, "checkIntervalSec") ?? 5,
            unhealthyThreshold: numberAt(json, "unhealthyThreshold") ?? 2,
          }),
        ),
    ),
  ]);
  if ("refusal" in groups) return groups;
  if ("refusal" in healthChecks) return healthChecks;
  const { timeoutSeconds, securityPolicies } = read.value;
  return { value: { timeoutSeconds, securityPolicies, groups: groups.value, healthChecks: healthChecks.value } };
}

/** Reads the address of the load balancer if a forwarding rule is configured. Source: Compute API v1, `forwardingRules`. */
export function readAddress(
  reader: Reader,
  { project, load_balancer }: ConfigurationSettings,
): Promise<Read<string | undefined>> | undefined {
  if (load_balancer?.forwarding_rule === undefined) return undefined;
  const { forwarding_rule: rule, region, component } = load_balancer;
  const url = `${computeUrl}/projects/${project}/${scopeOf(region)}/forwardingRules/${rule}`;
  const about = { resource: rule, component, project, url };
  return reader.one({ read: region === undefined ? "forwarding_rule" : "regional_forwarding_rule", ...about }, (json) =>
    textAt(json, "IPAddress"),
  );
}

/** Extracts the relevant fields from the answer. */
export function takeEndpointGroup(json: unknown): EndpointGroup {
  const run = at(json, "cloudRun");
  const region = textAt(json, "region");
  return {
    type: textAt(json, "networkEndpointType") ?? "unknown",
    name: textAt(json, "name") ?? "unnamed",
    region: region === undefined ? undefined : nameIn(region),
    service: textAt(run, "service"),
    masked: textAt(run, "urlMask") !== undefined,
  };
}

function instanceGroup(url: string): EndpointGroup {
  return { type: "INSTANCE_GROUP", name: nameIn(url), region: undefined, service: undefined, masked: false };
}

/** Returns the path of a resource from a URL that refers to it; `undefined` if it is not of that collection. */
function pathOf(url: string, collection: string): string | undefined {
  const [, path] = /^https:\/\/[a-z.]+\.googleapis\.com\/compute\/[a-z0-9]+\/(projects\/[\w./:-]+)$/.exec(url) ?? [];
  return path?.split("/").at(-2) === collection ? path : undefined;
}

function scopeOf(region: string | undefined): string {
  return region === undefined ? "global" : `regions/${region}`;
}

async function eachOf<T>(
  names: readonly string[],
  read: (name: string) => Promise<Read<T>>,
): Promise<Read<readonly T[]>> {
  const values: T[] = [];
  for (const one of await Promise.all(names.map(read))) {
    if ("refusal" in one) return one;
    values.push(one.value);
  }
  return { value: values };
}
