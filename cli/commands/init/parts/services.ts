/** Cloud Run services: what each fails with, and what Google counts of its requests. */
import { addressOf, type Endpoint, type Sighting } from "../addresses/endpoint.ts";
import type { Found, FoundService } from "../found.ts";
import type { Relations } from "../relations.ts";
import { draftEndpoint } from "./addresses.ts";
import { balancerComponent, type Context, cacheComponent, databaseComponent, serviceComponent } from "./keys.ts";
import { connectionPath, elsewhere, ofErrors, ofLoad } from "./network.ts";

/** Gives the services their components. They come first, so that they keep their own names. */
export function nameServices({ found, draft }: Context): void {
  for (const service of found.services) serviceComponent(service, draft);
}

/** Adds the services, with what each depends on. */
export function draftServices({ found, draft }: Context, relations: Relations): void {
  for (const service of found.services) {
    const component = serviceComponent(service, draft);
    const assumed = relations.databases.filter((use) => use.service === service && use.assumed !== undefined);
    draft.addComponent(
      component,
      { ...(component === service.name ? {} : { title: service.name }), layer: "application", role: "service" },
      assumed.map(
        (use) => `Its use of ${use.database.name} is inferred from ${use.assumed}: correct this if it is wrong.`,
      ),
    );
    const missing = service.secretEnv.filter(({ secret, own }) => own && !found.secrets.includes(secret));
    if (found.seen.has("names of secrets"))
      for (const { variable, secret } of missing)
        draft.note(
          `${service.name} reads ${variable} from the secret ${secret}, which does not exist in this project.`,
        );
    const { maxInstances } = service.run;
    draft.addProbe(`${component}-requests`, {
      kind: "cloud_run",
      component,
      ...elsewhere(service.region, found),
      alert: "off",
      service: service.name,
      ...(maxInstances === undefined ? {} : { max_instances: maxInstances }),
    });
    draft.addRule("Requests Fail at the Service", { condition: "cloud_run_error_rate > 5%", ...ofErrors });
    draft.addRule("Service Responds Slowly", {
      condition: "cloud_run_request_latency > 10s",
      ...ofLoad,
      alert_duration: "10m",
    });
    if (maxInstances !== undefined && maxInstances > 1)
      draft.addRule("Service Is Near Its Instance Limit", {
        condition: "cloud_run_instance_utilization > 90%",
        ...ofLoad,
        alert_duration: "10m",
      });
  }
  for (const service of found.services) {
    const component = serviceComponent(service, draft);
    const uses = [
      ...relations.databases
        .filter((use) => use.service === service)
        .map((use) => databaseComponent(use.database, draft)),
      ...relations.caches.filter((use) => use.service === service).map((use) => cacheComponent(use.cache, draft)),
    ];
    for (const used of uses) draft.depend(component, used);
    const way = connectionPath(service, found, draft);
    // If all egress uses this path, requests to the internet use it too.
    if (
      way !== undefined &&
      (uses.length === 0 || service.run.allTraffic || !uses.some((used) => dependsOn(used, way, draft)))
    )
      draft.depend(component, way);
    for (const { caller, called } of relations.calls)
      if (caller === service) draft.depend(component, serviceComponent(called, draft));
    for (const balancer of relations.balancers)
      if (balancer.routes.some((route) => route.service === service))
        draft.depend(component, balancerComponent(balancer, draft));
  }
}

function dependsOn(component: string, on: string, draft: Context["draft"]): boolean {
  return draft.dependenciesOf(component).includes(on);
}

/** The address that Google gave a service, where everybody may come by it, or it is not known who may. */
export function directEndpoint(service: FoundService, { invokers }: Found): Endpoint | undefined {
  const { url, region, name, run, healthPath } = service;
  if (url === undefined || !isOpen(run.ingress)) return undefined;
  const known = invokers.get(`${region}/${name}`);
  if (known !== undefined && !known.everyone && run.invokersChecked) return undefined;
  return { origin: url, path: healthPath, given: false };
}

/** Adds the probes of services by the addresses that Google gave them: past a load balancer, where there is one. */
export function draftDirectAddresses(
  { found, draft }: Context,
  { balancers }: Relations,
  sightings: ReadonlyMap<string, Sighting>,
): void {
  for (const service of found.services) {
    const component = serviceComponent(service, draft);
    const isBalanced = balancers.some(({ routes }) => routes.some((route) => route.service === service));
    const name = isBalanced ? `${component}-direct` : component;
    const endpoint = directEndpoint(service, found);
    const { url, run, healthPath = "/" } = service;
    if (endpoint !== undefined) {
      const owner = { component, name, certificate: undefined, ca: undefined, alone: false };
      draftEndpoint(endpoint, sightings.get(addressOf(endpoint)), owner, draft);
    } else if (url !== undefined && !isBalanced) {
      const isInside = !isOpen(run.ingress);
      draft.addTemplate({
        wanted: name,
        says: [
          isInside
            ? `${service.name} accepts only internal requests. The probe function inside the VPC can reach it if its requests go through the VPC.`
            : `${service.name} accepts only requests with a token: grant the probe's service account roles/run.invoker on it.`,
        ],
        settings: {
          kind: "http",
          component,
          ...(isInside ? { vantage: "inside" } : {}),
          url: `${url}${healthPath}`,
          ...(run.invokersChecked && url.startsWith("https:") ? { id_token: url } : {}),
        },
      });
    }
  }
}

function isOpen(ingress: string | undefined): boolean {
  return ingress === undefined || ingress === "INGRESS_TRAFFIC_ALL";
}
