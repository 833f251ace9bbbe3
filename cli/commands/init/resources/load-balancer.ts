/** The parts of load balancers: forwarding rules, proxies, URL maps, backends and the groups behind them, global and regional ones. */
import { listAt, textAt, textsAt } from "../../../../functions/probe/google/configuration/json.ts";
import { takeEndpointGroup } from "../../../../functions/probe/google/resources/load-balancer.ts";
import type { FoundBackend, FoundForwardingRule, FoundGroup, FoundProxy, FoundUrlMap } from "../found.ts";
import { aggregated, computePart, computePath, type Reading, resourceName } from "../reading.ts";

function listing<T>(
  collection: string,
  what: string,
  take: Reading<T>["take"],
  permission: string = `compute.${collection}.list`,
): Reading<T> {
  return {
    what,
    api: "compute.googleapis.com",
    permission,
    role: "roles/compute.networkViewer",
    scope: "project",
    request: ({ project }) => ({
      url: `https://compute.googleapis.com/compute/v1/projects/${project}/aggregated/${collection}?maxResults=500`,
    }),
    entries: (answer) => aggregated(answer, collection),
    take,
  };
}

/** Front ends. Source: Compute API v1, `forwardingRules`. */
export const forwardingRules: Reading<FoundForwardingRule> = listing(
  "forwardingRules",
  "forwarding rules of load balancers",
  (entry) => {
    const part = computePart(entry, "forwardingRules");
    const proxy = computePath(textAt(entry, "target"));
    if (part === undefined || proxy === undefined) return undefined;
    const port = Number(/^\d+/.exec(textAt(entry, "portRange") ?? "")?.[0]);
    return {
      ...part,
      address: textAt(entry, "IPAddress"),
      port: port > 0 && port < 65_536 ? port : 443,
      external: /^EXTERNAL/.test(textAt(entry, "loadBalancingScheme") ?? "EXTERNAL"),
      proxy,
    };
  },
);

const proxies = (collection: "targetHttpsProxies" | "targetHttpProxies", what: string): Reading<FoundProxy> =>
  listing(collection, what, (entry) => {
    const part = computePart(entry, collection);
    const urlMap = computePath(textAt(entry, "urlMap"));
    if (part === undefined || urlMap === undefined) return undefined;
    const certificates = textsAt(entry, "sslCertificates");
    return {
      ...part,
      secure: collection === "targetHttpsProxies",
      urlMap,
      certificates: certificates.flatMap((one) =>
        computePath(one)?.startsWith("global/sslCertificates/") ? (resourceName(one) ?? []) : [],
      ),
      usesCertificateManager:
        textAt(entry, "certificateMap") !== undefined ||
        listAt(entry, "certificateManagerCertificates").length > 0 ||
        certificates.some((one) => one.includes("certificatemanager.googleapis.com")),
    };
  });

/** Proxies that speak TLS, and those that do not. Source: Compute API v1, `targetHttpsProxies`, `targetHttpProxies`. */
export const httpsProxies: Reading<FoundProxy> = proxies("targetHttpsProxies", "HTTPS proxies of load balancers");
export const httpProxies: Reading<FoundProxy> = proxies("targetHttpProxies", "HTTP proxies of load balancers");

/** URL maps. Source: Compute API v1, `urlMaps`. */
export const urlMaps: Reading<FoundUrlMap> = listing("urlMaps", "URL maps of load balancers", (entry) => {
  const part = computePart(entry, "urlMaps");
  if (part === undefined) return undefined;
  const matchers = new Map(listAt(entry, "pathMatchers").map((one) => [textAt(one, "name"), one]));
  const backendAt = (holder: unknown, key: string): string[] => {
    const path = computePath(textAt(holder, key));
    return path === undefined ? [] : [path];
  };
  return {
    ...part,
    fallback: backendAt(entry, "defaultService")[0],
    rules: listAt(entry, "hostRules").map((rule) => {
      const matcher = matchers.get(textAt(rule, "pathMatcher"));
      const paths = listAt(matcher, "pathRules").flatMap((path) => backendAt(path, "service"));
      return { hosts: textsAt(rule, "hosts"), backends: [...backendAt(matcher, "defaultService"), ...paths] };
    }),
  };
});

/** Backend services. Source: Compute API v1, `backendServices`. */
export const backendServices: Reading<FoundBackend> = listing(
  "backendServices",
  "backend services of load balancers",
  (entry) => {
    const part = computePart(entry, "backendServices");
    if (part === undefined) return undefined;
    const groups = listAt(entry, "backends").flatMap((backend) => computePath(textAt(backend, "group")) ?? []);
    return { ...part, groups };
  },
);

/** Groups of endpoints, of which the serverless ones lead to services. Source: Compute API v1, `networkEndpointGroups`. */
export const endpointGroups: Reading<FoundGroup> = listing(
  "networkEndpointGroups",
  "network endpoint groups",
  (entry) => {
    const part = computePart(entry, "networkEndpointGroups");
    return part && { ...part, service: resourceName(takeEndpointGroup(entry).service) };
  },
);
