/** Checks of the certificates of Compute Engine and Certificate Manager. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import {
  allOf,
  type CheckDescription,
  type CheckOutcome,
  judgementsOf,
  unknownOutcome,
} from "../configuration/judgement.ts";

import type { CertificateSettings } from "../configuration/settings.ts";
import type { Certificate } from "../resources/certificates.ts";

/** The checks of certificates. */
export const certificateChecks: readonly Check[] = [
  certificateCheck({
    name: "certificate_status",
    severity: "critical",
    title: "a managed certificate is ACTIVE",
    why: "A managed certificate that is not active was never issued, or could not be renewed.",
    remedy: "Point the DNS records of its domains to the load balancer, and allow Google an hour to retry.",
    judge: ({ of, managed, status, reason }) => {
      if (!managed) return undefined;
      if (status === undefined) return unknownOutcome("what state the certificate is in");
      const because = reason === undefined ? "" : ` (${reason})`;
      const ok = status === "ACTIVE";
      const advice = `Find the reason (${describes[of]}), point the DNS records of its domains to the load balancer, and allow Google an hour to retry.`;
      return { ok, observed: `${status}${because}`, expected: "ACTIVE", ...(ok ? {} : { advice }) };
    },
  }),
  certificateCheck({
    name: "certificate_domains",
    severity: "critical",
    title: "every domain of a managed certificate was authorized",
    why: "A managed certificate is not issued or renewed while one of its domains does not point to the load balancer.",
    remedy: "Correct the DNS records of the domain; a CAA record must allow Google's authority (pki.goog).",
    judge: ({ managed, domains }) => {
      if (!managed || domains.length === 0) return undefined;
      const wrong = domains.filter(({ state }) => state !== "ACTIVE");
      const shown = wrong.map(
        ({ domain, state, reason }) => `${domain} ${state}${reason === undefined ? "" : ` (${reason})`}`,
      );
      const observed = wrong.length === 0 ? `all ${domains.length} domains authorized` : shown.slice(0, 5).join(", ");
      return { ok: wrong.length === 0, observed, expected: "every domain authorized" };
    },
  }),
  certificateCheck({
    name: "certificate_expiry",
    severity: "warning",
    title: "the certificate is valid for at least `min_validity`",
    why: "Google renews its certificates about a month before they expire. A certificate closer to its expiry was not renewed.",
    remedy: "Find out why it was not renewed, or upload a new one.",
    judge: ({ of, expiresAt }, { min_validity }, now) => {
      if (expiresAt === undefined) return unknownOutcome("when it expires");
      const left = expiresAt - now;
      const observed = left <= 0 ? "expired" : `expires in ${spokenDuration(left)}`;
      const ok = left >= Math.max(min_validity, 1);
      const advice = `Find out why it was not renewed (${describes[of]}), or upload a new one.`;
      return { ok, observed, expected: `valid for ${spokenDuration(min_validity)}`, ...(ok ? {} : { advice }) };
    },
  }),
  {
    name: "certificate_names",
    severity: "critical",
    title: "together, the certificates cover all of `domains`",
    why: "A host without a certificate cannot be reached over HTTPS.",
    remedy: "Add the domain to a certificate.",
    reads: ["compute_certificate", "managed_certificate"],
    judge: ({ certificates: wanted }, { certificates }) => {
      if (!wanted || wanted.domains.length === 0) return [];
      const names = [...wanted.compute, ...wanted.certificate_manager];
      const subject = { resource: names.join(", "), component: wanted.component };
      return judgementsOf(subject, allOf(names.map((name) => certificates.get(name))), (all) => {
        const held = all.flatMap((one) => one.names);
        const missing = wanted.domains.filter((domain) => !held.some((name) => isFor(name, domain)));
        return {
          ok: missing.length === 0,
          observed: missing.length === 0 ? "all covered" : `${missing.join(", ")} not covered`,
          expected: `${wanted.domains.join(", ")} covered`,
        };
      });
    },
  },
];

/** The command that shows a certificate, of either kind. */
const describes: Readonly<Record<Certificate["of"], string>> = {
  compute: "`gcloud compute ssl-certificates describe RESOURCE`",
  certificate_manager: "`gcloud certificate-manager certificates describe RESOURCE`",
};

/** Returns whether a certificate name covers a domain. `*.example.com` covers `a.example.com`, but no name with more labels. */
function isFor(name: string, domain: string): boolean {
  if (name === domain) return true;
  return name.startsWith("*.") && domain.slice(domain.indexOf(".") + 1) === name.slice(2);
}

function certificateCheck({
  judge,
  ...description
}: Omit<CheckDescription, "reads"> & {
  judge: (certificate: Certificate, wanted: CertificateSettings, now: number) => CheckOutcome;
}): Check {
  return {
    ...description,
    reads: ["compute_certificate", "managed_certificate"],
    judge: ({ certificates: wanted }, { certificates, at: now }) =>
      wanted
        ? [...certificates].flatMap(([name, read]) =>
            judgementsOf({ resource: name, component: wanted.component }, read, (one) => judge(one, wanted, now)),
          )
        : [],
  };
}
