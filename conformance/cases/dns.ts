/** Names that DNS does not resolve, each for a different reason. */
import { dnsServer, type Zone } from "../../shared/net/dns.fixtures.ts";
import type { Case, Verdict } from "../case.ts";
import { okText } from "../stand.ts";

/** A name for which the server gives this answer. */
const named = (name: string, zone: Zone, verdict: Verdict, timeoutMs?: number): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const server = await dnsServer(zone);
    stand.onStop(() => server.stop());
    const port = await stand.says(okText);
    return { protocol: "http", url: `http://shop.conformance.test:${port}/`, resolver: server.address };
  },
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

const of = (answer: Zone[string]): Zone => ({ "shop.conformance.test": answer });
const bad = (says: RegExp, phase = "dns"): Verdict => ({ kind: "dns", phase, says });

/** The cases. */
export const dnsCases: readonly Case[] = [
  named("has an address", of(["127.0.0.1"]), "up"),
  named(
    "has an address of each kind, and no answer for IPv6",
    { ...of(["127.0.0.1"]), "AAAA shop.conformance.test": "silent" },
    "up",
    5_000,
  ),
  named("does not exist", of("NXDOMAIN"), bad(/the name of shop\.conformance\.test:\d+ does not exist \(NXDOMAIN\)/)),
  named("exists and has no address", of([]), bad(/the name of shop\.conformance\.test:\d+ exists, and has no address/)),
  named("makes its server fail", of("SERVFAIL"), bad(/the DNS server failed \(SERVFAIL\)/)),
  named("is refused by its server", of("REFUSED"), bad(/the DNS server refused to answer \(REFUSED\)/)),
  named("is not understood by its server", of("FORMERR"), bad(/the DNS server gave no valid answer/)),
  named(
    "is not answered",
    of("silent"),
    {
      kind: "timeout",
      phase: "dns",
      says: /timed out while looking up the name of shop\.conformance\.test:\d+: no DNS server answered/,
    },
    300,
  ),
  {
    name: "has an address where nothing listens",
    verdict: {
      kind: "refused",
      phase: "connect",
      says: /shop\.conformance\.test:\d+ \(127\.0\.0\.1\) refused the connection/,
    },
    serve: async (stand) => {
      const server = await dnsServer(of(["127.0.0.1"]));
      stand.onStop(() => server.stop());
      return {
        protocol: "http",
        url: `http://shop.conformance.test:${await stand.closedPort()}/`,
        resolver: server.address,
      };
    },
  },
];
