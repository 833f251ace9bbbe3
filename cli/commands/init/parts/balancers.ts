/** External load balancers, their certificates, and the hosts that they serve. */
import { addressOf, type Endpoint, type Sighting } from "../addresses/endpoint.ts";
import type { Balancer, HostRoute, Relations } from "../relations.ts";
import { draftEndpoint } from "./addresses.ts";
import { backendComponent, balancerComponent, type Context, certificateComponent, serviceComponent } from "./keys.ts";
import { ofErrors } from "./network.ts";

/** Hosts of one load balancer that are probed. */
const maxHosts = 20;

/** The endpoint of a host of a load balancer. */
export function endpointOf({ front, secure }: Balancer, { host, service }: HostRoute): Endpoint {
  const usual = secure ? 443 : 80;
  const origin = `${secure ? "https" : "http"}://${host}${front.port === usual ? "" : `:${front.port}`}`;
  return { origin, path: service?.healthPath, given: false };
}

/** The hosts of a load balancer that are probed. */
export function probedRoutes({ routes }: Balancer): readonly HostRoute[] {
  return routes.slice(0, maxHosts);
}

/** Adds load balancers and their certificates. The components behind them come with the services. */
export function draftBalancers({ found, draft }: Context, { balancers }: Relations): void {
  for (const balancer of balancers) {
    const { urlMap, secure } = balancer;
    const component = balancerComponent(balancer, draft);
    draft.addComponent(component, { title: `Load balancer ${urlMap.name}`, layer: "platform", role: "edge" });
    if (secure && hasCertificates(balancer)) {
      const certificates = certificateComponent(balancer, draft);
      const names = [...new Set(balancer.certificates.flatMap(({ domains }) => domains))];
      const title =
        names.length === 0 || names.length > 3
          ? `Certificates of ${urlMap.name}`
          : `Certificates of ${names.join(", ")}`;
      draft.addComponent(certificates, { title, layer: "platform", role: "certificate" });
      draft.depend(component, certificates);
      for (const { name, state } of balancer.certificates)
        if (state !== undefined && state !== "ACTIVE")
          draft.note(
            `The certificate ${name} of ${urlMap.name} is in the state ${/^[A-Z_]+$/.test(state) ? state : "unknown"}, not ACTIVE.`,
          );
    }
    draft.addProbe(`${urlMap.name}-traffic`, {
      kind: "load_balancer",
      component,
      ...(urlMap.region === undefined ? {} : { scope: "regional", region: urlMap.region }),
      alert: "off",
      url_map: urlMap.name,
    });
    draft.addRule("Requests Fail at the Load Balancer", { condition: "load_balancer_error_rate > 5%", ...ofErrors });
    if (balancer.routes.length === 0)
      draft.note(
        `No host of the load balancer ${urlMap.name} is known: its rules and certificates contain none. Add a probe of kind http for each host.`,
      );
    const left = balancer.routes.slice(maxHosts).map(({ host }) => host);
    if (left.length > 0)
      draft.note(`Of the hosts of ${urlMap.name}, ${maxHosts} are probed; these are not: ${left.join(", ")}.`);
    for (const { backend, service } of probedRoutes(balancer)) {
      if (service !== undefined) continue;
      const own = backendComponent(backend, draft);
      if (draft.hasComponent(own)) continue;
      draft.addComponent(own, { layer: "application", role: "service" }, [
        "The load balancer routes this host to a backend that is not a known Cloud Run service of this project.",
      ]);
      draft.depend(own, component);
    }
  }
  const internal = found.forwardingRules.filter(({ external }) => !external);
  if (internal.length > 0)
    draft.note(
      `Internal load balancers are not probed: ${internal.map(({ name }) => name).join(", ")}. Add probes with vantage: inside.`,
    );
}

/** Adds the probes of the hosts. @param sightings by `addressOf` */
export function draftHosts(
  { draft }: Context,
  { balancers }: Relations,
  sightings: ReadonlyMap<string, Sighting>,
  ca: string | undefined,
): void {
  for (const balancer of balancers) {
    const routes = probedRoutes(balancer);
    for (const route of routes) {
      const component =
        route.service === undefined ? backendComponent(route.backend, draft) : serviceComponent(route.service, draft);
      const endpoint = endpointOf(balancer, route);
      const same = routes.filter(({ backend }) => backend === route.backend);
      const name = same.length === 1 ? component : route.host;
      const certificate =
        balancer.secure && hasCertificates(balancer) ? certificateComponent(balancer, draft) : undefined;
      draftEndpoint(
        endpoint,
        sightings.get(addressOf(endpoint)),
        { component, name, certificate, ca, alone: route.service === undefined },
        draft,
      );
    }
  }
}

/** Returns true if there are certificates to monitor. */
function hasCertificates(balancer: Balancer): boolean {
  return probedRoutes(balancer).length > 0 || balancer.certificates.length > 0;
}
