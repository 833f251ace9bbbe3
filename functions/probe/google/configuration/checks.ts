/** Every configuration check, in the order in which findings are reported. */

import { cloudRunChecks } from "../checks/cloud-run.ts";
import { combinationChecks } from "../checks/combinations.ts";
import { certificateChecks } from "../resources/certificates.ts";
import { cloudSqlChecks } from "../resources/cloud-sql.ts";
import { iamChecks } from "../resources/iam.ts";
import { loadBalancerChecks } from "../resources/load-balancer.ts";
import { networkChecks } from "../resources/network.ts";
import { vpcConnectorChecks } from "../resources/vpc-connector.ts";
import { type Check, judged } from "./check.ts";
import { readsIn } from "./observation.ts";

const existence: Check = {
  name: "resource_exists",
  severity: "critical",
  title: "everything that the settings name exists; what does not is not judged otherwise",
  why: "What does not exist can neither be used nor be checked.",
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
  ],
  judge: (settings, seen) =>
    readsIn(settings, seen).flatMap(([subject, read]) => {
      if (!("refusal" in read))
        return judged(subject, read, () => ({ ok: true, observed: "there", expected: "there" }));
      const { reason, resource } = read.refusal;
      if (reason !== "missing") return [{ ...subject, answer: read }];
      const observed = resource === subject.resource ? "not there" : `${resource}, which it names, is not there`;
      return [{ ...subject, answer: { ok: false, observed, expected: "there" } }];
    }),
};

/** The checks. Their names are stable: rules, evidence and `ignore` refer to them. */
export const checks: readonly Check[] = [
  existence,
  ...vpcConnectorChecks,
  ...cloudSqlChecks,
  ...cloudRunChecks,
  ...iamChecks,
  ...loadBalancerChecks,
  ...certificateChecks,
  ...networkChecks,
  ...combinationChecks,
];
