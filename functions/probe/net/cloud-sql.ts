/**
 * The third way to connect to a Cloud SQL instance, that of Google's connector libraries: the control plane returns its address and signs a
 * client certificate, with which the instance is reached directly.
 * @see https://cloud.google.com/sql/docs/postgres/language-connectors
 */
import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { type GoogleApi, GoogleApiError } from "../../../shared/ports.ts";
import { ProbeFault } from "./faults.ts";

/** The types of address that an instance may have. */
export const addressKinds = ["public", "private", "psc"] as const;

/** The access that a connection to an instance requires. */
export interface InstanceAccess {
  /** An address, or the name of a Private Service Connect endpoint. */
  readonly host: string;
  /** The authority of the instance, in PEM. */
  readonly ca: string;
  /** Our client certificate, valid for an hour, and its key, in PEM. */
  readonly client: { readonly cert: string; readonly key: string };
  /** The name in the instance's certificate: `project:instance`, or a DNS name. */
  readonly name: string;
}

/** The port of an instance for connectors. */
export const connectorPort = 3307;

/** Access older than this is requested again, in milliseconds; a certificate is valid for an hour. */
const keepMs = 30 * 60_000;

const kept = new WeakMap<GoogleApi, Map<string, { readonly until: number; readonly access: InstanceAccess }>>();

/**
 * Requests access from the control plane, and caches it for a while, as the libraries do.
 * @param instance as `project:region:instance`
 * @param now milliseconds since the epoch
 * @throws ProbeFault that names the missing permission or address
 */
export async function instanceAccess(
  instance: string,
  kind: (typeof addressKinds)[number],
  { google, signal, now }: { google: GoogleApi; signal: AbortSignal; now: () => number },
): Promise<InstanceAccess> {
  const known = kept.get(google) ?? new Map<string, { until: number; access: InstanceAccess }>();
  kept.set(google, known);
  const key = `${instance} ${kind}`;
  const fresh = known.get(key);
  if (fresh !== undefined && fresh.until > now()) return fresh.access;
  const [project = "", region = "", name = ""] = instance.split(":");
  const url = `https://sqladmin.googleapis.com/sql/v1beta4/projects/${project}/instances/${name}`;
  try {
    ownKeys ??= makeKeys();
    const keys = await ownKeys;
    const [settings, signed] = await Promise.all([
      google.request({ url: `${url}/connectSettings`, signal }) as Promise<ConnectSettings>,
      google.request({
        method: "POST",
        url: `${url}:generateEphemeralCert`,
        body: { public_key: keys.publicKey },
        signal,
      }) as Promise<{ readonly ephemeralCert?: { readonly cert?: string } }>,
    ]);
    const access = accessOf({ project, region, name, kind }, settings, signed.ephemeralCert?.cert, keys.privateKey);
    known.set(key, { until: now() + keepMs, access });
    return access;
  } catch (error) {
    throw refusal(error, instance);
  }
}

/** Forgets an access that was rejected: the instance may have moved, or have a new authority. */
export function forgetAccess(google: GoogleApi): void {
  kept.delete(google);
}

/** The part of the answer that is read. @see https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4/connect/get */
interface ConnectSettings {
  readonly region?: string;
  readonly serverCaCert?: { readonly cert?: string };
  /** `GOOGLE_MANAGED_INTERNAL_CA`, or an authority that issues certificates for DNS names. */
  readonly serverCaMode?: string;
  readonly dnsName?: string;
  readonly ipAddresses?: readonly { readonly type?: string; readonly ipAddress?: string }[];
}

interface Wanted {
  readonly project: string;
  readonly region: string;
  readonly name: string;
  readonly kind: (typeof addressKinds)[number];
}

function accessOf(
  { project, region, name, kind }: Wanted,
  settings: ConnectSettings,
  cert: string | undefined,
  key: string,
): InstanceAccess {
  const { dnsName = "", ipAddresses = [], serverCaMode = "" } = settings;
  const dns = dnsName.replace(/\.$/, "");
  if (settings.region !== undefined && settings.region !== region)
    throw new ProbeFault("unavailable", `the instance ${name} is in ${settings.region}, not in ${region}`);
  const type = kind === "public" ? "PRIMARY" : "PRIVATE";
  const host = kind === "psc" ? dns : ipAddresses.find((address) => address.type === type)?.ipAddress;
  if (host === undefined || host === "")
    throw new ProbeFault("unavailable", `the instance ${name} has no ${kind} address: choose another type under ip`);
  const ca = settings.serverCaCert?.cert;
  if (ca === undefined || cert === undefined)
    throw new ProbeFault("protocol", `the Cloud SQL Admin API returned no certificate for ${name}`);
  const managed = serverCaMode === "" || serverCaMode === "GOOGLE_MANAGED_INTERNAL_CA";
  return { host, ca, client: { cert, key }, name: managed ? `${project}:${name}` : dns };
}

let ownKeys: Promise<{ publicKey: string; privateKey: string }> | undefined;

/** RSA, which is the type that the API signs. Created once per process, because it takes a while. */
function makeKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function refusal(error: unknown, instance: string): unknown {
  if (!(error instanceof GoogleApiError)) return error;
  const what = `the Cloud SQL Admin API denied access to ${instance}: ${error.message} (${error.reason})`;
  const { status } = error;
  if (status === 403 || status === 401)
    return new ProbeFault("auth", `${what}; the function needs the role roles/cloudsql.client`, { status });
  if (status === 404) return new ProbeFault("database", `${what}: no such instance`, { status });
  return new ProbeFault("unavailable", what, { status });
}
