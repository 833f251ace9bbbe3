/** Makes a first configuration of what was found. Pure: what was found goes in, a draft comes out. */
import type { Address } from "./addresses/address.ts";
import { addressOf, type Endpoint, type Sighting } from "./addresses/endpoint.ts";
import { type Draft, type Drafting, drafting, nameOf } from "./draft.ts";
import type { Found } from "./found.ts";
import { draftAddress, draftEndpoint } from "./parts/addresses.ts";
import { draftBalancers, draftHosts, endpointOf, probedRoutes } from "./parts/balancers.ts";
import { draftConfiguration } from "./parts/configuration.ts";
import { type Context, cacheComponent, databaseComponent, regionComponent } from "./parts/keys.ts";
import { draftNetwork } from "./parts/network.ts";
import { draftQueues } from "./parts/queues.ts";
import { directEndpoint, draftDirectAddresses, draftServices, nameServices } from "./parts/services.ts";
import { draftStores } from "./parts/stores.ts";
import { relationsOf } from "./relations.ts";
import { unseenSentences } from "./unseen.ts";

/** Input for composing a configuration. */
export interface Material {
  /** Resources found in a project. */
  readonly found: Found | undefined;
  /** Addresses that were given. */
  readonly endpoints: readonly Endpoint[];
  readonly addresses: readonly Address[];
  /** Results of inspecting the endpoints, keyed by `addressOf`. */
  readonly sightings: ReadonlyMap<string, Sighting>;
  /** The secret with the authority of certificates that are of none that everybody knows. */
  readonly ca: string | undefined;
}

/** The endpoints at which there is something to be seen: those that were given, and those of a project that are reached from outside. */
export function endpointsOf({ found, endpoints }: Pick<Material, "found" | "endpoints">): readonly Endpoint[] {
  if (found === undefined) return endpoints;
  const { balancers } = relationsOf(found);
  const all = [
    ...endpoints,
    ...balancers.flatMap((balancer) => probedRoutes(balancer).map((route) => endpointOf(balancer, route))),
    ...found.services.flatMap((service) => directEndpoint(service, found) ?? []),
  ];
  return all.filter((one, index) => all.findIndex((other) => addressOf(other) === addressOf(one)) === index);
}

/** Makes the draft. */
export function compose({ found, endpoints, addresses, sightings, ca }: Material): Draft {
  const name = found?.project ?? new URL(endpoints[0]?.origin ?? "http://environment").hostname;
  const draft = drafting({
    environment: nameOf(name.replace(/^.*:/, "")),
    title: name,
    googleCloud:
      found === undefined
        ? undefined
        : { project: found.project, ...(found.region === undefined ? {} : { region: found.region }) },
  });
  const known = new Set(found === undefined ? [] : endpointsOf({ found, endpoints: [] }).map(addressOf));
  const left = found === undefined ? addresses : draftProject({ found, draft }, addresses, sightings, ca);
  const given = endpoints.filter((endpoint) => !known.has(addressOf(endpoint)));
  draftGiven(given, left, sightings, ca, draft);
  for (const sentence of unseenSentences(found?.unseen ?? [])) draft.note(sentence);
  return draft.done();
}

/** Adds what was found in a project. @returns the addresses that lead to none of its stores */
function draftProject(
  context: Context,
  addresses: readonly Address[],
  sightings: ReadonlyMap<string, Sighting>,
  ca: string | undefined,
): readonly Address[] {
  const { found, draft } = context;
  const relations = relationsOf(found);
  nameServices(context);
  draftRegion(context);
  draftNetwork(context);
  const owned = storesOf(addresses, context);
  draftStores(context, relations, owned);
  draftBalancers(context, relations);
  draftServices(context, relations);
  draftQueues(context, relations);
  draftHosts(context, relations, sightings, ca);
  draftDirectAddresses(context, relations, sightings);
  draftConfiguration(context, relations);
  const taken = new Set(owned.values());
  if (found.services.length === 0 && found.seen.has("Cloud Run services"))
    draft.note(`There is no Cloud Run service in ${found.region ?? "any region"} of ${found.project}.`);
  return addresses.filter((address) => !taken.has(address));
}

/** Adds the region component, and a probe for incidents that Google announces for its own services. */
function draftRegion({ found, draft }: Context): void {
  if (found.region === undefined) return;
  const component = regionComponent(draft);
  draft.addComponent(component, { title: `Google Cloud in ${found.region}`, layer: "platform", role: "region" }, [
    "List it in depends_on of other components, so that an incident announced by Google can be identified as the cause of yours.",
  ]);
  draft.addProbe(
    "google-incidents",
    { kind: "service_health", component, schedule: "every 5m", alert: "off", not_enabled: "ignore" },
    ["Incidents that Google announces for this region. They are shown with your incidents, and open none."],
  );
}

/** Which store of the project each address leads to, by its component: by address, by instance, or because there is no other. */
function storesOf(addresses: readonly Address[], { found, draft }: Context): ReadonlyMap<string, Address> {
  const owned = new Map<string, Address>();
  for (const address of addresses) {
    const { speaks, host } = address;
    const stores =
      speaks === "postgres"
        ? found.databases
            .filter(({ version }) => version.startsWith("POSTGRES"))
            .map((database) => ({
              component: databaseComponent(database, draft),
              isIt: host === database.privateAddress || host.endsWith(database.connectionName ?? "\n"),
            }))
        : found.caches.map((cache) => ({ component: cacheComponent(cache, draft), isIt: host === cache.host }));
    const store = stores.find(({ isIt }) => isIt) ?? (stores.length === 1 ? stores[0] : undefined);
    if (store !== undefined && !owned.has(store.component)) owned.set(store.component, address);
  }
  return owned;
}

/** Adds what was given by its address alone. */
function draftGiven(
  endpoints: readonly Endpoint[],
  addresses: readonly Address[],
  sightings: ReadonlyMap<string, Sighting>,
  ca: string | undefined,
  draft: Drafting,
): void {
  const stores = addresses.map((address) => {
    const { speaks, host } = address;
    const component = draft.component(`store/${address.variable}`, speaks === "postgres" ? "database" : "cache");
    const title = speaks === "postgres" ? `PostgreSQL at ${host}` : `Redis at ${host}`;
    draft.addComponent(component, { title, layer: "platform", role: speaks === "postgres" ? "database" : "cache" });
    draftAddress(address, component, draft);
    return component;
  });
  for (const endpoint of endpoints) {
    const { hostname, port, protocol } = new URL(endpoint.origin);
    const component = draft.component(`endpoint/${endpoint.origin}`, hostname, `${hostname}-${port}`);
    const certificate =
      protocol === "https:" ? draft.component(`certificate/${endpoint.origin}`, `${component}-tls`) : undefined;
    const isFirst = !draft.hasComponent(component);
    const isSocket = endpoints.every(({ origin, isSocket }) => isSocket || origin !== endpoint.origin);
    if (isFirst) {
      const advice = `If it uses ${stores.join(" or ")}, write depends_on: [${stores.join(", ")}], so that one outage becomes one incident.`;
      const title = `${hostname}${port === "" ? "" : `:${port}`}`;
      const role = { role: isSocket ? "websocket" : "service" };
      draft.addComponent(component, { title, layer: "application", ...role }, stores.length === 0 ? [] : [advice]);
    }
    if (isFirst && certificate !== undefined) {
      draft.addComponent(certificate, { title: `Certificate of ${hostname}`, layer: "platform", role: "certificate" });
      draft.depend(component, certificate);
    }
    const owner = {
      component,
      name: component,
      certificate: isFirst ? certificate : undefined,
      ca,
      alone: true,
      isSocket,
    };
    draftEndpoint(endpoint, sightings.get(addressOf(endpoint)), owner, draft);
  }
}
