/** Certificates of load balancers, of Compute Engine and of Certificate Manager. */
import { listAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import {
  type Certificate,
  takeComputeCertificate,
  takeManagedCertificate,
} from "../../../../functions/probe/google/resources/certificates.ts";
import type { FoundCertificate } from "../found.ts";
import { aggregated, type Reading, resourceName } from "../reading.ts";

/** Source: Compute API v1, `sslCertificates`. */
export const computeCertificates: Reading<FoundCertificate> = {
  what: "SSL certificates of load balancers",
  api: "compute.googleapis.com",
  permission: "compute.sslCertificates.list",
  role: "roles/compute.networkViewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://compute.googleapis.com/compute/v1/projects/${project}/aggregated/sslCertificates?maxResults=500`,
  }),
  entries: (answer) => aggregated(answer, "sslCertificates"),
  // The configuration checks read global ones.
  take: (entry) => (textAt(entry, "region") === undefined ? found(entry, takeComputeCertificate(entry)) : undefined),
};

/** Source: Certificate Manager API v1, `projects.locations.certificates`. */
export const managedCertificates: Reading<FoundCertificate> = {
  what: "certificates of Certificate Manager",
  api: "certificatemanager.googleapis.com",
  permission: "certificatemanager.certs.list",
  role: "roles/certificatemanager.viewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://certificatemanager.googleapis.com/v1/projects/${project}/locations/global/certificates?pageSize=100`,
  }),
  entries: (answer) => listAt(answer, "certificates"),
  take: (entry) => found(entry, takeManagedCertificate(entry)),
};

function found(entry: unknown, { of, names, domains, status }: Certificate): FoundCertificate | undefined {
  const name = resourceName(textAt(entry, "name"));
  const all = [...names, ...domains.map(({ domain }) => domain)].filter((domain) => /^[*a-z0-9.-]+$/i.test(domain));
  return name === undefined
    ? undefined
    : { of, name, domains: [...new Set(all.map((domain) => domain.toLowerCase()))], state: status };
}
