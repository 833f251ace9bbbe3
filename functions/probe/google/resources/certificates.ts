/** Certificates of the load balancer, of Compute Engine and of Certificate Manager, and their checks. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import { type Answer, allOf, type Check, type CheckWords, judged, silent } from "../configuration/check.ts";
import { at, listAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { CertificateSettings, ConfigurationSettings } from "../configuration/settings.ts";

/** A certificate, as far as it is looked at. Sources: Compute API v1, `sslCertificates`; Certificate Manager API v1, `certificates`. */
export interface Certificate {
  readonly managed: boolean;
  /** ACTIVE, PROVISIONING, PROVISIONING_FAILED, RENEWAL_FAILED, FAILED …, of managed ones. */
  readonly status: string | undefined;
  /** Why it was not issued. */
  readonly reason: string | undefined;
  readonly domains: readonly { readonly domain: string; readonly state: string; readonly reason: string | undefined }[];
  /** Names that it is for. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** Reads the certificates, by name. */
export async function readCertificates(
  reader: Reader,
  { project, certificates }: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<Certificate>>> {
  if (!certificates) return new Map();
  const { component, compute, certificate_manager } = certificates;
  const about = (resource: string): { resource: string; component: string | undefined; project: string } => ({
    resource,
    component,
    project,
  });
  const read = await Promise.all([
    ...compute.map(async (name) => {
      const url = `https://compute.googleapis.com/compute/v1/projects/${project}/global/sslCertificates/${name}`;
      return [
        name,
        await reader.one({ read: "compute_certificate", ...about(name), url }, takeComputeCertificate),
      ] as const;
    }),
    ...certificate_manager.map(async (name) => {
      const url = `https://certificatemanager.googleapis.com/v1/projects/${project}/locations/global/certificates/${name}`;
      return [
        name,
        await reader.one({ read: "managed_certificate", ...about(name), url }, takeManagedCertificate),
      ] as const;
    }),
  ]);
  return new Map(read);
}

/** Takes of Compute Engine's answer what is looked at. */
export function takeComputeCertificate(json: unknown): Certificate {
  const states = at(json, "managed", "domainStatus");
  const domains = typeof states === "object" && states !== null && !Array.isArray(states) ? Object.keys(states) : [];
  return {
    managed: textAt(json, "type") === "MANAGED" || at(json, "managed") !== undefined,
    status: textAt(json, "managed", "status"),
    reason: undefined,
    domains: domains.map((domain) => ({ domain, state: textAt(states, domain) ?? "unknown", reason: undefined })),
    names: [...textsAt(json, "subjectAlternativeNames"), ...textsAt(json, "managed", "domains")],
    expiresAt: instantAt(json, "expireTime"),
  };
}

/** Takes of Certificate Manager's answer what is looked at. */
export function takeManagedCertificate(json: unknown): Certificate {
  const managed = at(json, "managed");
  return {
    managed: managed !== undefined,
    status: textAt(managed, "state"),
    reason: textAt(managed, "provisioningIssue", "reason"),
    domains: listAt(managed, "authorizationAttemptInfo").map((attempt) => ({
      domain: textAt(attempt, "domain") ?? "a domain",
      // As Compute Engine calls it.
      state: textAt(attempt, "state") === "AUTHORIZED" ? "ACTIVE" : (textAt(attempt, "state") ?? "unknown"),
      reason: textAt(attempt, "failureReason"),
    })),
    names: [...textsAt(json, "sanDnsnames"), ...textsAt(managed, "domains")],
    expiresAt: instantAt(json, "expireTime"),
  };
}

/** The checks of certificates. */
export const certificateChecks: readonly Check[] = [
  certificateCheck({
    name: "certificate_status",
    severity: "critical",
    title: "a managed certificate is ACTIVE",
    why: "A managed certificate that is not active was never issued, or could not be renewed.",
    remedy: "Let the DNS of its domains point to the load balancer, and give Google an hour to try again.",
    judge: ({ managed, status, reason }) => {
      if (!managed) return undefined;
      if (status === undefined) return silent("how its certificate stands");
      const because = reason === undefined ? "" : ` (${reason})`;
      return { ok: status === "ACTIVE", observed: `${status}${because}`, expected: "ACTIVE" };
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
    title: "it is valid for `min_validity` still",
    why: "Google renews its certificates about a month before their end; one that is nearer to it was not renewed.",
    remedy: "Find out why it was not renewed, or upload the next one.",
    judge: ({ expiresAt }, { min_validity }, now) => {
      if (expiresAt === undefined) return silent("when it expires");
      const left = expiresAt - now;
      const observed = left <= 0 ? "expired" : `expires in ${spokenDuration(left)}`;
      return { ok: left >= Math.max(min_validity, 1), observed, expected: `valid for ${spokenDuration(min_validity)}` };
    },
  }),
  {
    name: "certificate_names",
    severity: "critical",
    title: "together the certificates are for all of `domains`",
    why: "A host that no certificate is for cannot be reached by HTTPS.",
    remedy: "Add the domain to a certificate.",
    reads: ["compute_certificate", "managed_certificate"],
    judge: ({ certificates: wanted }, { certificates }) => {
      if (!wanted || wanted.domains.length === 0) return [];
      const names = [...wanted.compute, ...wanted.certificate_manager];
      const subject = { resource: names.join(", "), component: wanted.component };
      return judged(subject, allOf(names.map((name) => certificates.get(name))), (all) => {
        const held = all.flatMap((one) => one.names);
        const missing = wanted.domains.filter((domain) => !held.some((name) => isFor(name, domain)));
        return {
          ok: missing.length === 0,
          observed: missing.length === 0 ? "for all of them" : `not for ${missing.join(", ")}`,
          expected: `for ${wanted.domains.join(", ")}`,
        };
      });
    },
  },
];

/** Whether a name of a certificate is for a domain: `*.example.com` is for `a.example.com`, not for what has more labels. */
function isFor(name: string, domain: string): boolean {
  if (name === domain) return true;
  return name.startsWith("*.") && domain.slice(domain.indexOf(".") + 1) === name.slice(2);
}

function instantAt(json: unknown, key: string): number | undefined {
  const instant = Date.parse(textAt(json, key) ?? "");
  return Number.isNaN(instant) ? undefined : instant;
}

function certificateCheck({
  judge,
  ...words
}: Omit<CheckWords, "reads"> & {
  judge: (certificate: Certificate, wanted: CertificateSettings, now: number) => Answer;
}): Check {
  return {
    ...words,
    reads: ["compute_certificate", "managed_certificate"],
    judge: ({ certificates: wanted }, { certificates, at: now }) =>
      wanted
        ? [...certificates].flatMap(([name, read]) =>
            judged({ resource: name, component: wanted.component }, read, (one) => judge(one, wanted, now)),
          )
        : [],
  };
}
