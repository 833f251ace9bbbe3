/** Roles of the components, from the compiled configuration. */
import type { Component } from "../../../shared/config/model.ts";
import { type ResolvedRole, roleOfLayer } from "../../../shared/config/roles.ts";

/** Components by name, with the part that each plays. */
export type Roles = ReadonlyMap<string, ResolvedRole>;

/** The roles of components. A configuration that was compiled before there were roles has those of the layers. */
export function rolesOf(components: readonly Component[]): Roles {
  return new Map(components.map(({ name, layer, role }) => [name, role ?? roleOfLayer(layer)]));
}

/** Roles that people and other services ask; the rest is reached by those that know the way. */
export const serving: ReadonlySet<ResolvedRole> = new Set([
  "service",
  "auth",
  "websocket",
  "journey",
  "edge",
  "job",
  "region",
]);
/** Roles of what is shown or looked up on the way to others. */
export const shown: ReadonlySet<ResolvedRole> = new Set(["certificate", "dns"]);

/** Returns whether a part of this role serves requests. */
export function serves(role: ResolvedRole): boolean {
  return serving.has(role);
}

/** Returns whether a part of this role is reached directly by its clients and accepts or refuses them. */
export function isTarget(role: ResolvedRole): boolean {
  return !serving.has(role) && !shown.has(role);
}
