/**
 * Reads a project with the caller's credentials. Only lists resources, in bounded time, and reports a reason for each list that cannot be
 * read.
 */
import { textAt } from "../../../functions/probe/google/configuration/json.ts";
import { isDisabled } from "../../../functions/probe/google/refusal.ts";
import { type GoogleApi, GoogleApiError } from "../../../shared/ports.ts";
import type { Found, FoundInvokers, FoundService, Unseen } from "./found.ts";
import type { Reading } from "./reading.ts";
import { pushSubscriptions, schedulerJobs } from "./resources/callers.ts";
import { computeCertificates, managedCertificates } from "./resources/certificates.ts";
import { natGateways } from "./resources/cloud-nat.ts";
import { runInvokers, runRegions, runServices } from "./resources/cloud-run.ts";
import { sqlInstances } from "./resources/cloud-sql.ts";
import { dnsZones } from "./resources/dns.ts";
import {
  backendServices,
  endpointGroups,
  forwardingRules,
  httpProxies,
  httpsProxies,
  urlMaps,
} from "./resources/load-balancer.ts";
import { redisInstances } from "./resources/memorystore.ts";
import { projectRoles } from "./resources/project-roles.ts";
import { secrets } from "./resources/secrets.ts";
import { vpcConnectors } from "./resources/vpc-connector.ts";

/** Everything that is read, for the table of permissions. */
export const readings: readonly Pick<Reading<unknown>, "what" | "api" | "permission" | "role">[] = [
  runRegions,
  runServices,
  runInvokers,
  sqlInstances,
  vpcConnectors,
  redisInstances,
  forwardingRules,
  httpsProxies,
  httpProxies,
  urlMaps,
  backendServices,
  endpointGroups,
  computeCertificates,
  managedCertificates,
  pushSubscriptions,
  schedulerJobs,
  secrets,
  dnsZones,
  natGateways,
  projectRoles,
];

/** Requests under way at once. */
const lanes = 8;
/** Pages of a list that are read at most. */
const maxPages = 20;
/** Services whose IAM policies are read at most. */
const maxPolicies = 100;
/** Timeout of one request, in milliseconds. */
const patience = 20_000;

/** Scope of the reading. */
export interface ProjectOptions {
  readonly project: string;
  /** Reads this region alone. @default every region */
  readonly region?: string | undefined;
  readonly google: GoogleApi;
  /** Called with the name of the resources being read. */
  readonly progress?: (text: string) => void;
}

/**
 * Reads a project.
 * @throws GoogleApiError when there is no identity to ask Google with, or Google does not answer at all
 */
export async function readProject({ project, region, google, progress }: ProjectOptions): Promise<Found> {
  const inLane = limited(lanes);
  const unseen: Unseen[] = [];
  const seen = new Set<string>();
  const request = (wanted: Parameters<GoogleApi["request"]>[0]): Promise<unknown> =>
    inLane(() => google.request({ ...wanted, signal: AbortSignal.timeout(patience) }));
  const read = async <T>(reading: Reading<T>, regions: readonly string[] = []): Promise<T[]> => {
    progress?.(`reading ${reading.what}`);
    const places = reading.scope === "project" ? [""] : regions;
    const found = await Promise.all(
      places.map(async (place) => {
        try {
          return await everyPage(reading, { project, region: place }, request);
        } catch (error) {
          return reasonOf(error, reading, project);
        }
      }),
    );
    // The same reason holds for every region.
    const reasons = found.flatMap((one) => ("why" in one ? [one] : []));
    unseen.push(...reasons.filter(({ why }, index) => reasons.findIndex((one) => one.why === why) === index));
    if (reasons.length === 0 && places.length > 0) seen.add(reading.what);
    return found.flatMap((one) => ("why" in one ? [] : one));
  };

  const here = <T extends { readonly region?: string | undefined }>(all: readonly T[]): T[] =>
    all.filter((one) => region === undefined || one.region === undefined || one.region === region);
  const [services, databases, caches, ...rest] = await Promise.all([
    region === undefined ? read(runRegions).then((regions) => read(runServices, regions)) : read(runServices, [region]),
    read(sqlInstances).then(here),
    read(redisInstances).then(here),
    read(forwardingRules),
    Promise.all([read(httpsProxies), read(httpProxies)]).then((both) => both.flat()),
    read(urlMaps),
    read(backendServices),
    read(endpointGroups),
    Promise.all([read(computeCertificates), read(managedCertificates)]).then((both) => both.flat()),
    read(pushSubscriptions),
    read(secrets),
    read(dnsZones),
    read(natGateways).then((all) => here(all.flat())),
    read(projectRoles),
  ]);
  const [rules, proxies, maps, backends, groups, certificates, subscriptions, names, zones, gateways, bindings] = rest;
  const used = region === undefined ? regionsOf([...services, ...databases, ...caches]) : [region];
  const own = services.filter(({ isMonitor }) => !isMonitor);
  const [connectors, jobs, invokers] = await Promise.all([
    read(vpcConnectors, used),
    read(schedulerJobs, used),
    readInvokers(own.slice(0, maxPolicies), project, request),
  ]);
  if (invokers.unseen !== undefined) unseen.push(invokers.unseen);
  else if (own.length > 0) seen.add(runInvokers.what);
  const order = new Map(readings.map(({ what }, position) => [what, position]));
  const found = {
    project,
    region: region ?? used[0],
    services: byName(own),
    monitors: services.filter(({ isMonitor }) => isMonitor).map(({ name }) => name),
    invokers: invokers.found,
    databases: byName(databases),
    connectors: byName(connectors),
    caches: byName(caches),
    forwardingRules: byName(rules),
    proxies: byName(proxies),
    urlMaps: byName(maps),
    backends,
    groups,
    certificates: byName(certificates),
    callers: byName([...subscriptions, ...jobs]),
    secrets: names.toSorted(),
    zones: byName(zones),
    gateways: byName(gateways),
    bindings,
    unseen: unseen.toSorted((one, other) => (order.get(one.what) ?? 0) - (order.get(other.what) ?? 0)),
    seen,
  };
  return found;
}

async function everyPage<T>(
  reading: Reading<T>,
  place: { readonly project: string; readonly region: string },
  request: GoogleApi["request"],
): Promise<T[]> {
  const { url, ...rest } = reading.request(place);
  const taken: T[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const address = new URL(url);
    if (page !== undefined) address.searchParams.set("pageToken", page);
    const answer = await request({ ...rest, url: address.href });
    taken.push(...reading.entries(answer).flatMap((entry) => reading.take(entry, place) ?? []));
    page = textAt(answer, "nextPageToken");
    if (page === undefined) break;
  }
  return taken;
}

async function readInvokers(
  services: readonly FoundService[],
  project: string,
  request: GoogleApi["request"],
): Promise<{ readonly found: ReadonlyMap<string, FoundInvokers>; readonly unseen: Unseen | undefined }> {
  const found = new Map<string, FoundInvokers>();
  let unseen: Unseen | undefined;
  await Promise.all(
    services.map(async ({ name, region }) => {
      try {
        const answer = await request({ url: runInvokers.url(project, region, name) });
        found.set(`${region}/${name}`, runInvokers.take(answer));
      } catch (error) {
        unseen = reasonOf(error, runInvokers, project);
      }
    }),
  );
  return { found, unseen };
}

/** Why something was not seen, and what would show it. @throws what is no refusal of one API, but concerns all of them */
function reasonOf(
  error: unknown,
  { what, api, permission, role }: Pick<Reading<unknown>, "what" | "api" | "permission" | "role">,
  project: string,
): Unseen {
  if (error instanceof DOMException) return { what, why: `${api} did not answer in time.` };
  if (!(error instanceof GoogleApiError) || error.reason === "NO_IDENTITY" || error.status === 401) throw error;
  const { status, message } = error;
  if (isDisabled(error) || (status === 403 && /has not been used in project|is disabled/.test(message)))
    return { what, why: `${api} is not enabled in this project, so there are none.` };
  if (status === 403) {
    const why = `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=${role}`;
    return { what, why, permission };
  }
  return { what, why: status === 0 ? `${message}.` : `${api} answered ${status}.` };
}

/** Runs at most so many at once. */
function limited(most: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = most;
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** Regions, the one with most resources first. */
function regionsOf(resources: readonly { readonly region: string | undefined }[]): string[] {
  const counts = new Map<string, number>();
  for (const { region } of resources) if (region !== undefined) counts.set(region, (counts.get(region) ?? 0) + 1);
  return [...counts].sort(([one, many], [other, few]) => few - many || one.localeCompare(other)).map(([name]) => name);
}

/** In one order, whatever the order of the answer. */
function byName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return all.toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
}
