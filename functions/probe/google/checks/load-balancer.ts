/** Checks of the load balancer. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import {
  both,
  type CheckDescription,
  type CheckOutcome,
  type ExpectationCheck,
  expectation,
  judgementsOf,
} from "../configuration/judgement.ts";
import type { BackendSettings, ConfigurationSettings, ServiceSettings } from "../configuration/settings.ts";
import type { RunService } from "../resources/cloud-run.ts";
import type { Backend, EndpointGroup, UrlMap } from "../resources/load-balancer.ts";
import { spoken, startupOutcome, timeoutOutcome } from "./cloud-run.ts";

/** The checks of the load balancer. */
export const loadBalancerChecks: readonly Check[] = [
  {
    name: "load_balancer_hosts",
    severity: "critical",
    tells: ["hits_some"],
    title: "the URL map routes each of `hosts` to its backend service",
    why: "The URL map determines which backend service a host name reaches.",
    remedy: "Correct the host rules and path matchers of the URL map: `gcloud compute url-maps edit`.",
    reads: ["url_map"],
    judge: ({ load_balancer }, { urlMap }) =>
      load_balancer?.url_map === undefined
        ? []
        : load_balancer.backends.flatMap(({ name, hosts }) =>
            hosts.length === 0
              ? []
              : judgementsOf({ resource: name, component: load_balancer.component }, urlMap, (map) =>
                  hostsOutcome(map, name, hosts, load_balancer.url_map ?? ""),
                ),
          ),
  },
  backendCheck({
    name: "load_balancer_route",
    severity: "critical",
    title: "each backend service routes to its Cloud Run service, in its region",
    why: "If a backend service routes to the wrong service, or to none, users get wrong responses or 502 and 503.",
    remedy:
      "Correct the network endpoint group behind the backend service: `gcloud compute backend-services describe RESOURCE`.",
    reads: ["backend_service", "endpoint_group"],
    judge: (backend, { service }, settings) => routeOutcome(backend, service, settings),
  }),
  balancedCheck({
    name: "load_balancer_health_check",
    severity: "warning",
    title:
      "its health checks allow a startup of `startup`; a serverless backend has none, so the startup probe of the service is checked instead",
    why: "A backend that is given too little time to start is considered unhealthy while it starts.",
    remedy: "Raise the interval or the unhealthy threshold of the health check.",
    wants: ({ startup }) => startup,
    judge: ([{ groups, healthChecks }, service], startup) => {
      if (isServerless(groups)) {
        const instead = "has no health check; its startup probe allows";
        return inPlaceOf(startupOutcome(service, startup), instead, startupAdvice);
      }
      if (healthChecks.length === 0) return { ok: false, observed: "no health check", expected: "a health check" };
      const allowed = Math.min(...healthChecks.map((one) => one.intervalSeconds * one.unhealthyThreshold));
      const observed = `${spoken(allowed)} until it is considered unhealthy`;
      return { ok: allowed * 1_000 >= startup, observed, expected: `${spokenDuration(startup)} or more` };
    },
  }),
  balancedCheck({
    name: "load_balancer_timeout",
    severity: "warning",
    tells: ["cuts_off", "hits_some"],
    title:
      "its timeout is at least `request_timeout` and `websocket`; a serverless backend has none, so the request timeout of the service is checked instead",
    why: "Requests that exceed the timeout of the backend are cut, including WebSockets that are in use.",
    remedy: "Raise the timeout of the backend service.",
    wants: ({ request_timeout = 0, websocket = 0 }) => Math.max(request_timeout, websocket) || undefined,
    judge: ([{ groups, timeoutSeconds = 30 }, service], longest) => {
      if (isServerless(groups)) {
        const instead = "has no timeout of its own; Cloud Run allows";
        return inPlaceOf(timeoutOutcome(service, longest), instead, timeoutAdvice);
      }
      const expected = `${spokenDuration(longest)} or more`;
      return { ok: timeoutSeconds * 1_000 >= longest, observed: `${spoken(timeoutSeconds)}`, expected };
    },
  }),
];

const startupAdvice = "Its backend is Cloud Run, whose own startup probe determines the limit: allow more time there.";
const timeoutAdvice = "Its backend is Cloud Run, whose request timeout determines the limit: raise that timeout.";

/** The setting of Cloud Run, for a serverless backend that has none itself. */
function inPlaceOf(answer: CheckOutcome, what: string, advice: string): CheckOutcome {
  if (answer === undefined || "unknown" in answer) return answer;
  return { ...answer, observed: `serverless: it ${what} ${answer.observed}`, ...(answer.ok ? {} : { advice }) };
}

function hostsOutcome(
  { fallback, rules }: UrlMap,
  backend: string,
  hosts: readonly string[],
  map: string,
): CheckOutcome {
  const wrong = hosts.flatMap((host) => {
    const rule = rules.find(({ hosts }) => hosts.includes(host)) ?? rules.find(({ hosts }) => hosts.some(covers(host)));
    const targets = rule?.backends ?? (fallback === undefined ? [] : [fallback]);
    return targets.includes(backend) ? [] : [`${host} goes to ${targets.slice(0, 3).join(", ") || "nothing"}`];
  });
  return {
    ok: wrong.length === 0,
    observed: wrong.length === 0 ? `reached by ${hosts.join(", ")}` : wrong.join(", "),
    expected: `reached by ${hosts.join(", ")}`,
    ...(wrong.length === 0
      ? {}
      : {
          advice: `Correct the host rules of the URL map: \`gcloud compute url-maps edit ${map}\`, so that they route to RESOURCE.`,
        }),
  };
}

/** Returns whether the pattern of a host rule, such as `*.example.com`, matches a host. */
function covers(host: string): (pattern: string) => boolean {
  return (pattern) => pattern === "*" || (pattern.startsWith("*") && host.endsWith(pattern.slice(1)));
}

function routeOutcome({ groups }: Backend, service: string, settings: ConfigurationSettings): CheckOutcome {
  const expected = `the Cloud Run service ${service}`;
  if (groups.length === 0) return { ok: false, observed: "nothing behind it", expected };
  if (groups.some(({ masked }) => masked))
    return {
      unknown: `The endpoint group ${groups.find(({ masked }) => masked)?.name} derives the service from the URL with a mask, so its target cannot be determined.`,
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

function backendCheck({
  judge,
  ...description
}: CheckDescription & {
  judge: (backend: Backend, wanted: BackendSettings, settings: ConfigurationSettings) => CheckOutcome;
}): Check {
  return {
    ...description,
    judge: (settings, { backends }) =>
      (settings.load_balancer?.backends ?? []).flatMap((wanted) =>
        judgementsOf(
          { resource: wanted.name, component: settings.load_balancer?.component },
          backends.get(wanted.name),
          (one) => judge(one, wanted, settings),
        ),
      ),
  };
}

/** A check of a backend service together with the service that it must route to. */
function balancedCheck<Wanted>({
  wants,
  judge,
  ...description
}: ExpectationCheck<readonly [Backend, RunService], ServiceSettings, Wanted>): Check {
  return {
    ...description,
    reads: ["backend_service", "endpoint_group", "health_check", "cloud_run"],
    judge: (settings, { backends, services }) =>
      (settings.load_balancer?.backends ?? []).flatMap(({ name, service }) => {
        const own = settings.services.find((one) => one.name === service);
        const wanted = own && expectation(wants, own, settings);
        if (wanted === undefined) return [];
        const subject = { resource: name, component: settings.load_balancer?.component };
        return judgementsOf(subject, both(backends.get(name), services.get(service)), (pair) =>
          judge(pair, wanted, settings),
        );
      }),
  };
}
