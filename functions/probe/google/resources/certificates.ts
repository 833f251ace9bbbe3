/** Certificates of the load balancer, of Compute Engine and of Certificate Manager. */
import { at, listAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** A certificate, with the fields that are checked. Sources: Compute API v1, `sslCertificates`; Certificate Manager API v1, `certificates`. */
export interface Certificate {
  readonly of: "compute" | "certificate_manager";
  readonly managed: boolean;
  /** State of a managed certificate: ACTIVE, PROVISIONING, PROVISIONING_FAILED, RENEWAL_FAILED, FAILED … */
  readonly status: string | undefined;
  /** Why it was not issued. */
  readonly reason: string | undefined;
  readonly domains: readonly { readonly domain: string; readonly state: string; readonly reason: string | undefined }[];
  /** Names that it covers. */
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

/** Extracts the relevant fields from Compute Engine's answer. */
export function takeComputeCertificate(json: unknown): Certificate {
  const states = at(json, "managed", "domainStatus");
  const domains = typeof states === "object" && states !== null && !Array.isArray(states) ? Object.keys(states) : [];
  return {
    of: "compute",
    managed: textAt(json, "type") === "MANAGED" || at(json, "managed") !== undefined,
    status: textAt(json, "managed", "status"),
    reason: undefined,
    domains: domains.map((domain) => ({ domain, state: textAt(states, domain) ?? "unknown", reason: undefined })),
    names: [...textsAt(json, "subjectAlternativeNames"), ...textsAt(json, "managed", "domains")],
    expiresAt: instantAt(json, "expireTime"),
  };
}

/** Extracts the relevant fields from Certificate Manager's answer. */
export function takeManagedCertificate(json: unknown): Certificate {
  const managed = at(json, "managed");
  return {
    of: "certificate_manager",
    managed: managed !== undefined,
    status: textAt(managed, "state"),
    reason: textAt(managed, "provisioningIssue", "reason"),
    domains: listAt(managed, "authorizationAttemptInfo").map((attempt) => ({
      domain: textAt(attempt, "domain") ?? "a domain",
      // The corresponding state of Compute Engine.
      state: textAt(attempt, "state") === "AUTHORIZED" ? "ACTIVE" : (textAt(attempt, "state") ?? "unknown"),
      reason: textAt(attempt, "failureReason"),
    })),
    names: [...textsAt(json, "sanDnsnames"), ...textsAt(managed, "domains")],
    expiresAt: instantAt(json, "expireTime"),
  };
}

function instantAt(json: unknown, key: string): number | undefined {
  const instant = Date.parse(textAt(json, key) ?? "");
  return Number.isNaN(instant) ? undefined : instant;
}
