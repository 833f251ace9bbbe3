/** Checks of quotas. */
import type { Check } from "../configuration/check.ts";
import { judgementsOf } from "../configuration/judgement.ts";

/** The checks. */
export const quotaChecks: readonly Check[] = [
  {
    name: "quota_near_limit",
    severity: "warning",
    title: "the usage of every Compute Engine quota in the region is below `near` of its limit",
    why: "When a quota is exhausted, no more addresses, machines or rules can be created.",
    remedy: "Delete unused resources, or request a higher quota under IAM & Admin, Quotas.",
    reads: ["region_quotas"],
    judge: ({ quotas, region }, seen) =>
      quotas
        ? judgementsOf({ resource: region, component: quotas.component }, seen.quotas, (all) => {
            const near = all.filter(({ usage, limit }) => limit > 0 && usage / limit >= quotas.near);
            const shown = near.map(({ metric, usage, limit }) => `${metric} ${usage} of ${limit}`);
            const observed = near.length === 0 ? "none near its limit" : shown.slice(0, 5).join(", ");
            return {
              ok: near.length === 0,
              observed,
              expected: `less than ${Math.round(100 * quotas.near)} % of each`,
            };
          })
        : [],
  },
  {
    name: "quota_exceeded",
    severity: "warning",
    title: "no API in `services` refused a request for lack of quota in the last 15 minutes",
    why: "Requests beyond a quota are refused with 429: the caller waits, retries or fails.",
    remedy:
      "Find the caller, increase the backoff between its retries, or request a higher quota under IAM & Admin, Quotas.",
    reads: ["time_series"],
    judge: ({ quotas, project }, { exceeded }) =>
      quotas
        ? judgementsOf({ resource: project, component: quotas.component }, exceeded, (names) => ({
            ok: names.length === 0,
            observed: names.length === 0 ? "none exceeded" : `exceeded: ${names.slice(0, 3).join(", ")}`,
            expected: "none exceeded",
          }))
        : [],
  },
];
