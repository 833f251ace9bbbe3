/** Every configuration check, in the order in which findings are reported. */

import { armorChecks } from "../checks/armor.ts";
import { certificateChecks } from "../checks/certificates.ts";
import { cloudRunChecks } from "../checks/cloud-run.ts";
import { cloudSqlChecks } from "../checks/cloud-sql.ts";
import { combinationChecks } from "../checks/combinations.ts";
import { dnsChecks } from "../checks/dns.ts";
import { egressChecks } from "../checks/egress.ts";
import { iamChecks } from "../checks/iam.ts";
import { loadBalancerChecks } from "../checks/load-balancer.ts";
import { networkChecks } from "../checks/network.ts";
import { quotaChecks } from "../checks/quotas.ts";
import { redisChecks } from "../checks/redis.ts";
import { secretChecks } from "../checks/secrets.ts";
import { vpcConnectorChecks } from "../checks/vpc-connector.ts";
import type { Check } from "./check.ts";
import { judgementsOf } from "./judgement.ts";
import { readsIn } from "./observation.ts";

const existence: Check = {
  name: "resource_exists",
  severity: "critical",
  title: "every resource named in the settings exists; a missing resource gets no other checks",
  why: "A missing resource can neither be used nor checked.",
  remedy: "Create it, or correct its name in the settings of this probe.",
  reads: [
    "vpc_connector",
    "cloud_sql",
    "cloud_run",
    "url_map",
    "backend_service",
    "endpoint_group",
    "compute_certificate",
    "managed_certificate",
    "network",
    "push_subscription",
    "scheduler_job",
    "router",
    "forwarding_rule",
    "regional_forwarding_rule",
    "dns_records",
    "region_quotas",
    "redis",
  ],
  judge: (settings, seen) =>
    readsIn(settings, seen).flatMap(([subject, read]) => {
      if (!("refusal" in read))
        return judgementsOf(subject, read, () => ({ ok: true, observed: "present", expected: "present" }));
      const { reason, resource } = read.refusal;
      if (reason !== "missing") return [{ ...subject, answer: read }];
      const observed = resource === subject.resource ? "missing" : `${resource}, which it references, is missing`;
      return [{ ...subject, answer: { ok: false, observed, expected: "present" } }];
    }),
};

/** The checks. Their names are stable: rules, evidence and `ignore` refer to them. */
export const checks: readonly Check[] = [
  existence,
  ...vpcConnectorChecks,
  ...cloudSqlChecks,
  ...cloudRunChecks,
  ...iamChecks,
  ...secretChecks,
  ...loadBalancerChecks,
  ...armorChecks,
  ...dnsChecks,
  ...certificateChecks,
  ...networkChecks,
  ...egressChecks,
  ...redisChecks,
  ...quotaChecks,
  ...combinationChecks,
];
