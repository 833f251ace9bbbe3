/** The names of components by what they stand for: each is the same wherever it is asked for. */
import type { Drafting } from "../draft.ts";
import type { Found, FoundCache, FoundConnector, FoundDatabase, FoundService } from "../found.ts";
import type { Balancer } from "../relations.ts";

/** Shared input of every part of a draft. */
export interface Context {
  readonly found: Found;
  readonly draft: Drafting;
}

/** The component of a service. */
export function serviceComponent({ name, region }: Pick<FoundService, "name" | "region">, draft: Drafting): string {
  return draft.component(`service/${region}/${name}`, name, `${name}-${region}`, `${name}-service`);
}

/** The component of a database. */
export function databaseComponent({ name }: Pick<FoundDatabase, "name">, draft: Drafting): string {
  return draft.component(`database/${name}`, name, `${name}-database`);
}

/** The component of a connector. */
export function connectorComponent({ name, region }: Pick<FoundConnector, "name" | "region">, draft: Drafting): string {
  return draft.component(`connector/${region}/${name}`, name, `${name}-connector`, `${name}-${region}`);
}

/** The component of a subnet. */
export function subnetComponent(subnet: string, region: string, draft: Drafting): string {
  return draft.component(`subnet/${region}/${subnet}`, subnet, `${subnet}-subnet`, `${subnet}-${region}`);
}

/** The component of a cache. */
export function cacheComponent({ name, region }: Pick<FoundCache, "name" | "region">, draft: Drafting): string {
  return draft.component(`cache/${region}/${name}`, name, `${name}-cache`, `${name}-${region}`);
}

/** The component of a load balancer. */
export function balancerComponent({ urlMap }: Balancer, draft: Drafting): string {
  return draft.component(`balancer/${urlMap.path}`, urlMap.name, `${urlMap.name}-load-balancer`);
}

/** The component of the certificates of a load balancer. */
export function certificateComponent({ urlMap }: Balancer, draft: Drafting): string {
  return draft.component(`certificates/${urlMap.path}`, "certificates", `${urlMap.name}-certificates`);
}

/** The component of what a load balancer sends a host to, where that is no service that was found. */
export function backendComponent(backend: string, draft: Drafting): string {
  const name = backend.slice(backend.lastIndexOf("/") + 1);
  return draft.component(`backend/${backend}`, name, `${name}-backend`);
}

/** The component of the region. */
export function regionComponent(draft: Drafting): string {
  return draft.component("region", "google-cloud");
}
