/** The records of a managed zone of Cloud DNS. */
import { at, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** The records of one name and type. Source: Cloud DNS API v1, `resourceRecordSets`. */
export interface DnsRecords {
  /** Without the trailing dot. */
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  /** Whether a routing policy selects the value, so that there is no single one. */
  readonly routed: boolean;
}

/** Reads all records of the zone. */
export function readZone(
  reader: Reader,
  { project: own, load_balancer }: ConfigurationSettings,
): Promise<Read<readonly DnsRecords[]>> | undefined {
  const { dns } = load_balancer ?? {};
  if (!dns) return undefined;
  const project = dns.project ?? own;
  const url = `https://dns.googleapis.com/dns/v1/projects/${project}/managedZones/${dns.zone}/rrsets?maxResults=500`;
  const component = dns.component ?? load_balancer?.component;
  return reader.list(
    { read: "dns_records", resource: dns.zone, component, project, url, entries: "rrsets" },
    (json): DnsRecords => ({
      name: undotted(textAt(json, "name") ?? ""),
      type: textAt(json, "type") ?? "",
      values: textsAt(json, "rrdatas").map(undotted),
      routed: at(json, "routingPolicy") !== undefined,
    }),
  );
}

function undotted(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}
