/** Egress of services: the subnets of Direct VPC egress, and the Cloud NAT gateway to the internet. */
import { flagAt, listAt, nameIn, numberAt, textAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings, ServiceSettings } from "../configuration/settings.ts";
import type { RunService } from "./cloud-run.ts";

const computeUrl = "https://compute.googleapis.com/compute/v1";

/** A subnet, with the fields that are checked. Source: Compute API v1, `subnetworks` with the view WITH_UTILIZATION. */
export interface Subnet {
  readonly name: string;
  /** Its primary IPv4 range. */
  readonly range: string | undefined;
  /** Free addresses of the primary range. */
  readonly free: number | undefined;
}

/** A NAT gateway with its status. Source: Compute API v1, `routers` and `routers.getRouterStatus`. */
export interface Nat {
  /** Whether a gateway of that name exists on the router. */
  readonly exists: boolean;
  readonly dynamicPorts: boolean;
  /** Ports of one instance: the minimum, and the maximum. */
  readonly minPorts: number;
  readonly maxPorts: number;
  /** Number of missing addresses for every instance to get its ports, if addresses are assigned manually. */
  readonly missingAddresses: number;
}

/** Lookback for dropped packets, in milliseconds. */
export const dropWindow = 900_000;

/** Reads the subnets that services with Direct VPC egress take their addresses from, by path. */
export async function readSubnets(
  reader: Reader,
  settings: ConfigurationSettings,
  services: ReadonlyMap<string, Read<RunService>>,
): Promise<ReadonlyMap<string, Read<Subnet>>> {
  const paths = settings.services.flatMap((own) => {
    const read = services.get(own.name);
    return read && "value" in read ? (subnetPath(read.value, own, settings) ?? []) : [];
  });
  const component = settings.direct_vpc?.component;
  return new Map(
    await Promise.all(
      [...new Set(paths)].map(async (path): Promise<[string, Read<Subnet>]> => {
        const about = { resource: nameIn(path), component, project: path.split("/")[1] ?? settings.project };
        const url = `${computeUrl}/${path}?views=WITH_UTILIZATION`;
        return [path, await reader.one({ read: "subnet", ...about, url }, takeSubnet)];
      }),
    ),
  );
}

/** Returns the path of the subnet of a service: `projects/P/regions/R/subnetworks/S`; `undefined` without Direct VPC egress. */
export function subnetPath(
  { subnet }: RunService,
  own: ServiceSettings,
  { project, region, network }: ConfigurationSettings,
): string | undefined {
  if (subnet === undefined) return undefined;
  const [whole] = /projects\/[\w.:-]+\/regions\/[\w-]+\/subnetworks\/[\w-]+$/.exec(subnet) ?? [];
  if (whole !== undefined) return whole;
  return `projects/${network?.project ?? project}/regions/${own.region ?? region}/subnetworks/${nameIn(subnet)}`;
}

/** Extracts the relevant fields from the answer. */
export function takeSubnet(json: unknown): Subnet {
  // The primary range has no name.
  const ranges = listAt(json, "utilizationDetails", "ipv4Utilizations");
  const primary = ranges.find((one) => textAt(one, "rangeName") === undefined);
  return {
    name: textAt(json, "name") ?? "unnamed",
    range: textAt(json, "ipCidrRange"),
    free: numberAt(primary, "totalFreeIp"),
  };
}

/** Reads the gateway and its state. */
export async function readNat(
  reader: Reader,
  { project, region, nat }: ConfigurationSettings,
): Promise<Read<Nat> | undefined> {
  if (!nat) return undefined;
  const url = `${computeUrl}/projects/${project}/regions/${nat.region ?? region}/routers/${nat.router}`;
  const about = { read: "router", resource: nat.router, component: nat.component, project } as const;
  const isIt = (one: unknown): boolean => textAt(one, "name") === nat.name;
  const [router, status] = await Promise.all([
    reader.one({ ...about, url }, (json) => takeNat(listAt(json, "nats").find(isIt))),
    reader.one({ ...about, url: `${url}/getRouterStatus` }, (json) =>
      numberAt(listAt(json, "result", "natStatus").find(isIt), "minExtraNatIpsNeeded"),
    ),
  ]);
  if ("refusal" in router) return router;
  if ("refusal" in status) return status;
  return { value: { ...router.value, missingAddresses: status.value ?? 0 } };
}

function takeNat(json: unknown): Omit<Nat, "missingAddresses"> {
  const minPorts = numberAt(json, "minPortsPerVm") ?? 64;
  const dynamicPorts = flagAt(json, "enableDynamicPortAllocation") === true;
  return {
    exists: json !== undefined,
    dynamicPorts,
    minPorts,
    maxPorts: dynamicPorts ? (numberAt(json, "maxPortsPerVm") ?? 65_536) : minPorts,
  };
}

/** Reads how many packets the gateway has dropped for lack of ports or addresses. */
export async function readNatDrops(
  reader: Reader,
  { project, nat }: ConfigurationSettings,
): Promise<Read<number> | undefined> {
  if (!nat) return undefined;
  const read = await reader.figures(
    { what: "the packets dropped by the NAT gateway", resource: nat.name, component: nat.component, project },
    {
      metricType: "router.googleapis.com/nat/dropped_sent_packets_count",
      resourceType: "nat_gateway",
      where: { "resource.labels.gateway_name": nat.name, "metric.labels.reason": "OUT_OF_RESOURCES" },
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_SUM",
      periodMs: dropWindow,
      delayMs: 240_000,
    },
  );
  return "refusal" in read ? read : { value: read.value[0]?.value ?? 0 };
}
