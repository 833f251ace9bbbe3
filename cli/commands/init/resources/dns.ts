/** Managed zones of Cloud DNS. */
import { listAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import type { FoundZone } from "../found.ts";
import { hostName, type Reading, resourceName } from "../reading.ts";

/** Public zones. Source: Cloud DNS API v1, `managedZones`. */
export const dnsZones: Reading<FoundZone> = {
  what: "DNS zones",
  api: "dns.googleapis.com",
  permission: "dns.managedZones.list",
  role: "roles/dns.reader",
  scope: "project",
  request: ({ project }) => ({
    url: `https://dns.googleapis.com/dns/v1/projects/${project}/managedZones?maxResults=500`,
  }),
  entries: (answer) => listAt(answer, "managedZones"),
  take(entry) {
    const [name, domain] = [resourceName(textAt(entry, "name")), hostName(textAt(entry, "dnsName"))];
    if (name === undefined || domain === undefined || textAt(entry, "visibility") === "private") return undefined;
    return { name, domain };
  },
};
