/** Checks of the egress of services: addresses for Direct VPC egress, and ports of Cloud NAT. */
import { usableAddresses } from "../configuration/addresses.ts";
import type { Check } from "../configuration/check.ts";
import {
  allOf,
  type CheckDescription,
  type CheckOutcome,
  judgementsOf,
  unknownOutcome,
} from "../configuration/judgement.ts";
import type { Observation } from "../configuration/observation.ts";
import type { ConfigurationSettings, NatSettings } from "../configuration/settings.ts";
import { type Nat, type Subnet, subnetPath } from "../resources/egress.ts";
import { serviceCheck, spoken, usualMaximum } from "./cloud-run.ts";

/** Addresses that Cloud Run uses for one instance with Direct VPC egress in steady state. */
const addressesOfInstance = 2;
/** Addresses that Cloud Run reserves at once when a service scales out. */
const addressBlock = 16;
/** Usable addresses of the smallest subnet that Cloud Run accepts, a /26. */
const minAddresses = 60;
/** Seconds that the first connection of a new instance may take with Direct VPC egress: a minute or more, according to Google. */
const firstConnection = 120;

/** The checks. */
export const egressChecks: readonly Check[] = [
  subnetCheck({
    name: "subnet_size",
    severity: "warning",
    tells: ["hits_some"],
    title:
      "a subnet of Direct VPC egress is a /26 or larger, and has two addresses for each instance that its services may scale to",
    why: "Cloud Run uses two addresses of the subnet for each instance, and more while a new revision replaces an old one.",
    remedy:
      "Give it a larger range (`gcloud compute networks subnets expand-ip-range RESOURCE --region=REGION`), or lower the maximum number of instances.",
    judge: ({ range }, instances) => {
      const usable = range === undefined ? undefined : usableAddresses(range);
      if (usable === undefined) return unknownOutcome("what address range it has");
      const wanted = Math.max(minAddresses, addressesOfInstance * instances);
      const expected = `${wanted} or more, for ${instances} instances`;
      return { ok: usable >= wanted, observed: `${usable} addresses (${range})`, expected };
    },
  }),
  subnetCheck({
    name: "subnet_free",
    severity: "critical",
    tells: ["hits_some"],
    title: "a subnet of Direct VPC egress has free addresses: Cloud Run reserves 16 at once",
    why: "An instance does not start if its subnet has no free address.",
    remedy:
      "Give it a larger range (`gcloud compute networks subnets expand-ip-range RESOURCE --region=REGION`), or move services to another subnet.",
    judge: ({ free }) => {
      if (free === undefined) return unknownOutcome("how many of its addresses are free");
      return { ok: free >= addressBlock, observed: `${free} free`, expected: `${addressBlock} or more` };
    },
  }),
  serviceCheck({
    name: "direct_vpc_first_connection",
    severity: "warning",
    title: "the startup probe of a service with Direct VPC egress waits two minutes for the first connection",
    why: "With Direct VPC egress, the first connections of a new instance can take a minute or more. If its startup probe gives up sooner, the instance is killed repeatedly.",
    remedy: "Use an HTTP startup probe that succeeds once the database is reachable, and allow it 120 s or more.",
    judge: ({ directVpc, startupSeconds, startsByTcp }) => {
      if (!directVpc) return undefined;
      const how = startsByTcp ? ", with a TCP probe, which does not wait for the network" : "";
      return {
        ok: startupSeconds >= firstConnection,
        observed: `${spoken(startupSeconds)} to start${how}`,
        expected: `${spoken(firstConnection)} or more`,
      };
    },
  }),
  natCheck({
    name: "nat_gateway",
    severity: "critical",
    tells: ["hits_some"],
    title: "the NAT gateway exists on its router",
    why: "Machines without a public address, and all traffic that goes through the VPC, reach the internet only through NAT.",
    remedy: "Recreate the gateway: `gcloud compute routers nats create RESOURCE --region=REGION`.",
    judge: ({ exists }, { name, router }) => ({
      ok: exists,
      observed: exists ? `${name} on ${router}` : `no gateway ${name} on ${router}`,
      expected: `${name} on ${router}`,
    }),
  }),
  natCheck({
    name: "nat_addresses",
    severity: "critical",
    tells: ["hits_some"],
    title: "the NAT gateway has enough addresses to give every instance its ports",
    why: "Each address of a gateway has 64,512 ports. Without a free port, no connection to the internet can be opened.",
    remedy:
      "Add addresses: `gcloud compute routers nats update RESOURCE --region=REGION`, with --nat-external-ip-pool.",
    judge: ({ exists, missingAddresses }) => {
      if (!exists) return undefined;
      const observed = missingAddresses === 0 ? "enough addresses" : `${missingAddresses} more addresses needed`;
      return { ok: missingAddresses === 0, observed, expected: "enough addresses" };
    },
  }),
  natCheck({
    name: "nat_ports",
    severity: "warning",
    tells: ["hits_some"],
    title: "one instance can get `min_ports` ports, statically or by dynamic allocation",
    why: "Each connection to the same address and port on the internet uses a port, and holds it for a while after it ends.",
    remedy:
      "Allow more ports: `gcloud compute routers nats update RESOURCE --region=REGION --enable-dynamic-port-allocation`, with --max-ports-per-vm.",
    judge: ({ exists, maxPorts, dynamicPorts }, { min_ports }) => {
      if (min_ports === undefined || !exists) return undefined;
      const observed = `${dynamicPorts ? "up to " : ""}${maxPorts} ports`;
      return { ok: maxPorts >= min_ports, observed, expected: `${min_ports} or more` };
    },
  }),
  {
    name: "nat_drops",
    severity: "critical",
    tells: ["hits_some"],
    title: "the NAT gateway dropped no packets for lack of ports in the last 15 minutes",
    why: "If no port is free, packets are dropped silently: connections to the internet time out.",
    remedy:
      "Give instances more ports (`gcloud compute routers nats update RESOURCE --region=REGION`, with --min-ports-per-vm), and reuse connections.",
    reads: ["time_series"],
    judge: ({ nat }, { natDrops }) =>
      nat
        ? judgementsOf({ resource: nat.name, component: nat.component }, natDrops, (dropped) => ({
            ok: dropped === 0,
            observed: `${dropped} packets dropped`,
            expected: "none",
          }))
        : [],
  },
];

function natCheck({
  judge,
  ...description
}: Omit<CheckDescription, "reads"> & { judge: (nat: Nat, wanted: NatSettings) => CheckOutcome }): Check {
  return {
    ...description,
    reads: ["router"],
    judge: ({ nat: wanted }, { nat }) =>
      wanted
        ? judgementsOf({ resource: wanted.name, component: wanted.component }, nat, (one) => judge(one, wanted))
        : [],
  };
}

/** A check of a subnet with the instances that the services in it may scale to, together. */
function subnetCheck({
  judge,
  ...description
}: Omit<CheckDescription, "reads"> & { judge: (subnet: Subnet, instances: number) => CheckOutcome }): Check {
  return {
    ...description,
    reads: ["cloud_run", "subnet"],
    judge: (settings, seen) => {
      const instances = instancesBySubnet(settings, seen);
      // Only the services determine which subnets there are.
      const unread = allOf(settings.services.map(({ name }) => seen.services.get(name)));
      if (settings.direct_vpc && unread !== undefined && "refusal" in unread && instances.size === 0)
        return judgementsOf({ resource: settings.project }, unread, () => undefined);
      return [...seen.subnets].flatMap(([path, read]) =>
        judgementsOf({ resource: nameOf(path), component: settings.direct_vpc?.component }, read, (subnet) =>
          judge(subnet, instances.get(path) ?? 0),
        ),
      );
    },
  };
}

function instancesBySubnet(settings: ConfigurationSettings, { services }: Observation): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const own of settings.services) {
    const read = services.get(own.name);
    if (read === undefined || "refusal" in read) continue;
    const path = subnetPath(read.value, own, settings);
    if (path !== undefined) most.set(path, (most.get(path) ?? 0) + (read.value.maxInstances ?? usualMaximum));
  }
  return most;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
