/** Compute Engine API of the demo: load balancer, network, NAT gateway and quotas, as single resources and in lists. */
import type { DemoFaults } from "../faults.ts";
import { address, controlPlaneNames, demoHosts, services } from "./names.ts";

/** The resources of Compute Engine, by their paths. @param port where the load balancer listens */
export function computeResources(
  project: string,
  region: string,
  port: number,
  faults: () => DemoFaults,
): Readonly<Record<string, () => unknown>> {
  const compute = `https://www.googleapis.com/compute/v1/projects/${project}`;
  return {
    ...aggregating(
      `/compute/v1/projects/${project}/`,
      {
        ...balancingParts(project, region, compute, port),
        ...routersOf(`/compute/v1/projects/${project}/regions/${region}`, compute),
      },
      [
        "forwardingRules",
        "targetHttpsProxies",
        "targetHttpProxies",
        "urlMaps",
        "backendServices",
        "networkEndpointGroups",
        "sslCertificates",
        "routers",
      ],
    ),
    [`/compute/v1/projects/${project}/global/networks/default`]: () => ({
      kind: "compute#network",
      name: "default",
      peerings: [
        {
          name: "servicenetworking-googleapis-com",
          network: "https://www.googleapis.com/compute/v1/projects/speckle-tp/global/networks/servicenetworking",
          state: "ACTIVE",
          stateDetails: "[2026-01-01T00:00:00.000-07:00]: Connected.",
          exchangeSubnetRoutes: true,
        },
      ],
    }),
    [`/compute/v1/projects/${project}/global/networks/default/getEffectiveFirewalls`]: () => ({
      firewalls: [],
      firewallPolicys: [],
    }),
    [`/compute/v1/projects/${project}/global/firewalls`]: () => ({
      kind: "compute#firewallList",
      items: firewallRules(faults(), `${compute}/global/networks/default`),
    }),
    [`/compute/v1/projects/${project}/global/securityPolicies/${controlPlaneNames.armor}`]: () => ({
      kind: "compute#securityPolicy",
      name: controlPlaneNames.armor,
      rules: [
        {
          priority: 2_147_483_647,
          action: "allow",
          match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } },
        },
      ],
    }),
    ...natOf(`/compute/v1/projects/${project}/regions/${region}`),
  };
}

/** The load balancer: its front end, its proxy, its URL map, and what it leads to, by their paths. */
function balancingParts(
  project: string,
  region: string,
  compute: string,
  port: number,
): Readonly<Record<string, () => unknown>> {
  const own = `/compute/v1/projects/${project}/global`;
  return {
    [`${own}/forwardingRules/demo-https`]: () => ({
      kind: "compute#forwardingRule",
      name: "demo-https",
      IPAddress: address,
      IPProtocol: "TCP",
      portRange: `${port}-${port}`,
      loadBalancingScheme: "EXTERNAL_MANAGED",
      target: `${compute}/global/targetHttpsProxies/demo-proxy`,
    }),
    [`${own}/targetHttpsProxies/demo-proxy`]: () => ({
      kind: "compute#targetHttpsProxy",
      name: "demo-proxy",
      urlMap: `${compute}/global/urlMaps/${controlPlaneNames.urlMap}`,
      certificateMap: `//certificatemanager.googleapis.com/projects/${project}/locations/global/certificateMaps/demo`,
    }),
    [`${own}/urlMaps/${controlPlaneNames.urlMap}`]: () => ({
      kind: "compute#urlMap",
      name: controlPlaneNames.urlMap,
      defaultService: `${compute}/global/backendBuckets/demo-website`,
      hostRules: services.map((name) => ({ hosts: [demoHosts[name]], pathMatcher: name })),
      pathMatchers: services.map((name) => ({
        name,
        defaultService: `${compute}/global/backendServices/demo-${name}`,
      })),
    }),
    ...Object.fromEntries(services.flatMap((name) => balancing(name, project, region, compute))),
  };
}

/** Resources by their paths, and the aggregated lists of their collections, each by the scopes that there are. */
function aggregating(
  root: string,
  resources: Readonly<Record<string, () => unknown>>,
  collections: readonly string[],
): Record<string, () => unknown> {
  const lists = collections.map((collection): [string, () => unknown] => [
    `${root}aggregated/${collection}`,
    () => {
      const own = Object.entries(resources).filter(([path]) => path.split("/").at(-2) === collection);
      const scopes = Map.groupBy(own, ([path]) => path.slice(root.length).split("/").slice(0, -2).join("/"));
      const warning = { code: "NO_RESULTS_ON_PAGE", message: "There are no results for scope 'global' on this page." };
      const found = [...scopes].map(([scope, entries]) => [
        scope,
        { [collection]: entries.map(([, entry]) => entry()) },
      ]);
      return { items: found.length === 0 ? { global: { warning } } : Object.fromEntries(found) };
    },
  ]);
  return { ...resources, ...Object.fromEntries(lists) };
}

/** The router with the NAT gateway, by its path. */
function routersOf(region: string, compute: string): Record<string, () => unknown> {
  const { nat: name, router } = controlPlaneNames;
  return {
    [`${region}/routers/${router}`]: () => ({
      kind: "compute#router",
      name: router,
      region: `${compute}/regions/${region.slice(region.lastIndexOf("/") + 1)}`,
      nats: [
        {
          name,
          natIpAllocateOption: "AUTO_ONLY",
          sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
          minPortsPerVm: 64,
        },
      ],
    }),
  };
}

/** The state of the NAT gateway, and the quotas of the region, by their paths. */
function natOf(region: string): Record<string, () => unknown> {
  const { nat: name, router } = controlPlaneNames;
  return {
    [`${region}/routers/${router}/getRouterStatus`]: () => ({
      kind: "compute#routerStatusResponse",
      result: { natStatus: [{ name, numVmEndpointsWithNatMappings: 2, autoAllocatedNatIps: ["192.0.2.81"] }] },
    }),
    [region]: () => ({
      kind: "compute#region",
      status: "UP",
      quotas: [
        { metric: "IN_USE_ADDRESSES", limit: 8, usage: 2 },
        { metric: "CPUS", limit: 24, usage: 0 },
      ],
    }),
  };
}

/** A backend service and the endpoint group behind it, by their paths. */
function balancing(name: string, project: string, region: string, compute: string): [string, () => unknown][] {
  const group = `regions/${region}/networkEndpointGroups/demo-${name}`;
  return [
    [
      `/compute/v1/projects/${project}/global/backendServices/demo-${name}`,
      () => ({
        kind: "compute#backendService",
        name: `demo-${name}`,
        protocol: "HTTPS",
        loadBalancingScheme: "EXTERNAL_MANAGED",
        securityPolicy: `${compute}/global/securityPolicies/${controlPlaneNames.armor}`,
        backends: [{ group: `${compute}/${group}`, balancingMode: "UTILIZATION", capacityScaler: 1 }],
      }),
    ],
    [
      `/compute/v1/projects/${project}/${group}`,
      () => ({
        kind: "compute#networkEndpointGroup",
        name: `demo-${name}`,
        networkEndpointType: "SERVERLESS",
        region: `${compute}/regions/${region}`,
        cloudRun: { service: name },
      }),
    ],
  ];
}

/** The firewall rules: none, or the one that was created in the connector's way. */
function firewallRules({ change }: DemoFaults, network: string): readonly object[] {
  if (change !== "firewall") return [];
  const ranges = { direction: "EGRESS", priority: 900, destinationRanges: ["10.77.0.0/16"] };
  return [
    {
      kind: "compute#firewall",
      name: "lock-down",
      network,
      ...ranges,
      denied: [{ IPProtocol: "all" }],
      disabled: false,
    },
  ];
}
