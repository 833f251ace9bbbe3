/** The load balancer: URL map, backend services and the endpoint groups behind them, and their checks. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import { spoken, startupAnswer, timeoutAnswer } from "../checks/cloud-run.ts";
import {
  type Answer,
  both,
  type Check,
  type CheckWords,
  type Expecting,
  expectation,
  judged,
} from "../configuration/check.ts";
import { at, listAt, nameIn, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { BackendSettings, ConfigurationSettings, ServiceSettings } from "../configuration/settings.ts";
import type { RunService } from "./cloud-run.ts";

/** What stands behind a backend service. Source: Compute API v1, `networkEndpointGroups`. */
export interface EndpointGroup {
  /** `SERVERLESS`, another type of group, or `INSTANCE_GROUP`. */
  readonly type: string;
  readonly name: string;
  readonly region: string | undefined;
  /** The Cloud Run service; absent where a mask of the URL chooses it. */
  readonly service: string | undefined;
  readonly masked: boolean;
}

/** How a load balancer finds out whether a backend works. */
export interface HealthCheck {
  readonly intervalSeconds: number;
  readonly unhealthyThreshold: number;
}

/** A backend service with what it leads to. Source: Compute API v1, `backendServices`. */
export interface Backend {
  readonly timeoutSeconds: number | undefined;
  readonly groups: readonly EndpointGroup[];
  readonly healthChecks: readonly HealthCheck[];
}

/** Where a URL map sends hosts. Source: Compute API v1, `urlMaps`. */
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

/** Takes of the answer what is looked at. */
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
  const { timeoutSeconds } = read.value;
  return { value: { timeoutSeconds, groups: groups.value, healthChecks: healthChecks.value } };
}

/** Takes of the answer what is looked at. */
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

/** The checks of the load balancer. */
export const loadBalancerChecks: readonly Check[] = [
  {
    name: "load_balancer_hosts",
    severity: "critical",
    title: "the URL map sends each of `hosts` to its backend service",
    why: "The URL map decides which backend service a host name reaches.",
    remedy: "Correct the host rules and path matchers of the URL map.",
    reads: ["url_map"],
    judge: ({ load_balancer }, { urlMap }) =>
      load_balancer?.url_map === undefined
        ? []
        : load_balancer.backends.flatMap(({ name, hosts }) =>
            hosts.length === 0
              ? []
              : judged({ resource: name, component: load_balancer.component }, urlMap, (map) =>
                  hostsAnswer(map, name, hosts),
                ),
          ),
  },
  backendCheck({
    name: "load_balancer_route",
    severity: "critical",
    title: "each backend service leads to its Cloud Run service, in its region",
    why: "A backend service that leads elsewhere, or nowhere, answers users with the wrong thing or with 502 and 503.",
    remedy: "Correct the network endpoint group behind the backend service.",
    reads: ["backend_service", "endpoint_group"],
    judge: (backend, { service }, settings) => routeAnswer(backend, service, settings),
  }),
  balancedCheck({
    name: "load_balancer_health_check",
    severity: "warning",
    title:
      "its health checks allow a start as long as `startup`; a serverless backend has none, and then the start-up probe of the service is judged",
    why: "A backend that is given too little time to start is taken for dead while it starts.",
    remedy: "Raise the interval or the unhealthy threshold of the health check.",
    wants: ({ startup }) => startup,
    judge: ([{ groups, healthChecks }, service], startup) => {
      if (isServerless(groups)) {
        const instead = "has no health check; its start-up probe allows";
        return inPlaceOf(startupAnswer(service, startup), instead, startupAdvice);
      }
      if (healthChecks.length === 0) return { ok: false, observed: "no health check", expected: "a health check" };
      const allowed = Math.min(...healthChecks.map((one) => one.intervalSeconds * one.unhealthyThreshold));
      const observed = `${spoken(allowed)} until it is taken for dead`;
      return { ok: allowed * 1_000 >= startup, observed, expected: `${spokenDuration(startup)} or more` };
    },
  }),
  balancedCheck({
    name: "load_balancer_timeout",
    severity: "warning",
    title:
      "its timeout is at least `request_timeout`, and `websocket`; a serverless backend has none, and then the request timeout of the service is judged",
    why: "What takes longer than the timeout of the backend is cut, WebSockets as well, even when they are in use.",
    remedy: "Raise the timeout of the backend service.",
    wants: ({ request_timeout = 0, websocket = 0 }) => Math.max(request_timeout, websocket) || undefined,
    judge: ([{ groups, timeoutSeconds = 30 }, service], longest) => {
      if (isServerless(groups)) {
        const instead = "has no timeout of its own; Cloud Run allows";
        return inPlaceOf(timeoutAnswer(service, longest), instead, timeoutAdvice);
      }
      const expected = `${spokenDuration(longest)} or more`;
      return { ok: timeoutSeconds * 1_000 >= longest, observed: `${spoken(timeoutSeconds)}`, expected };
    },
  }),
];

const startupAdvice =
  "Behind it stands Cloud Run, whose own start-up probe decides: make that one as patient as it can be.";
const timeoutAdvice = "Behind it stands Cloud Run, whose request timeout decides: raise that one.";

/** The answer of Cloud Run, for a backend that has nothing of the kind itself. */
function inPlaceOf(answer: Answer, what: string, advice: string): Answer {
  if (answer === undefined || "unknown" in answer) return answer;
  return { ...answer, observed: `serverless: it ${what} ${answer.observed}`, ...(answer.ok ? {} : { advice }) };
}

function hostsAnswer({ fallback, rules }: UrlMap, backend: string, hosts: readonly string[]): Answer {
  const wrong = hosts.flatMap((host) => {
    const rule = rules.find(({ hosts }) => hosts.includes(host)) ?? rules.find(({ hosts }) => hosts.some(covers(host)));
    const targets = rule?.backends ?? (fallback === undefined ? [] : [fallback]);
    return targets.includes(backend) ? [] : [`${host} goes to ${targets.slice(0, 3).join(", ") || "nothing"}`];
  });
  return {
    ok: wrong.length === 0,
    observed: wrong.length === 0 ? `reached by ${hosts.join(", ")}` : wrong.join(", "),
    expected: `reached by ${hosts.join(", ")}`,
  };
}

/** Whether the pattern of a host rule, such as `*.example.com`, is for a host. */
function covers(host: string): (pattern: string) => boolean {
  return (pattern) => pattern === "*" || (pattern.startsWith("*") && host.endsWith(pattern.slice(1)));
}

function routeAnswer({ groups }: Backend, service: string, settings: ConfigurationSettings): Answer {
  const expected = `the Cloud Run service ${service}`;
  if (groups.length === 0) return { ok: false, observed: "nothing behind it", expected };
  if (groups.some(({ masked }) => masked))
    return {
      unknown: `The endpoint group ${groups.find(({ masked }) => masked)?.name} takes the service from the URL by a mask, so where it leads cannot be told.`,
    };
  const region = settings.services.find(({ name }) => name === service)?.region ?? settings.region;
  const wrong = groups.filter((group) => group.service !== service || (group.region ?? region) !== region);
  const observed = (wrong.length === 0 ? groups : wrong).map((group) => placeOf(group, region)).join(", ");
  return { ok: wrong.length === 0, observed, expected: `${expected} in ${region}` };
}

function placeOf({ service, region, type, name }: EndpointGroup, usual: string): string {
  if (service === undefined)
    return `the ${type === "INSTANCE_GROUP" ? "instance group" : `group of type ${type}`} ${name}`;
  return `the Cloud Run service ${service} in ${region ?? usual}`;
}

function isServerless(groups: readonly EndpointGroup[]): boolean {
  return groups.length > 0 && groups.every(({ type }) => type === "SERVERLESS");
}

function instanceGroup(url: string): EndpointGroup {
  return { type: "INSTANCE_GROUP", name: nameIn(url), region: undefined, service: undefined, masked: false };
}

/** The path of a resource that another one names by its URL; `undefined` where it is none of that collection. */
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

function backendCheck({
  judge,
  ...words
}: CheckWords & {
  judge: (backend: Backend, wanted: BackendSettings, settings: ConfigurationSettings) => Answer;
}): Check {
  return {
    ...words,
    judge: (settings, { backends }) =>
      (settings.load_balancer?.backends ?? []).flatMap((wanted) =>
        judged(
          { resource: wanted.name, component: settings.load_balancer?.component },
          backends.get(wanted.name),
          (one) => judge(one, wanted, settings),
        ),
      ),
  };
}

/** A check of a backend service together with the service that it must lead to. */
function balancedCheck<Wanted>({
  wants,
  judge,
  ...words
}: Expecting<readonly [Backend, RunService], ServiceSettings, Wanted>): Check {
  return {
    ...words,
    reads: ["backend_service", "endpoint_group", "health_check", "cloud_run"],
    judge: (settings, { backends, services }) =>
      (settings.load_balancer?.backends ?? []).flatMap(({ name, service }) => {
        const own = settings.services.find((one) => one.name === service);
        const wanted = own && expectation(wants, own, settings);
        if (wanted === undefined) return [];
        const subject = { resource: name, component: settings.load_balancer?.component };
        return judged(subject, both(backends.get(name), services.get(service)), (pair) =>
          judge(pair, wanted, settings),
        );
      }),
  };
}
