/** What part each component plays, as the configuration was compiled. */
import type { Component } from "../../../shared/config/model.ts";
import { type ResolvedRole, roleOfLayer } from "../../../shared/config/roles.ts";

/** Components by name, with the part that each plays. */
export type Roles = ReadonlyMap<string, ResolvedRole>;

/** The roles of components. A configuration that was compiled before there were roles has those of the layers. */
export function rolesOf(components: readonly Component[]): Roles {
  return new Map(components.map(({ name, layer, role }) => [name, role ?? roleOfLayer(layer)]));
}

/** The roles that patterns of failure are known of. */
export type Part =
  | "region"
  | "connector"
  | "database"
  | "certificate"
  | "dns"
  | "edge"
  | "platform"
  | "auth"
  | "websocket"
  | "journey"
  | "service";

/** The part by whose patterns a component is judged: what no pattern is known of is judged by its layer. */
export function partOf(role: ResolvedRole | undefined, layer: Component["layer"]): Part {
  return parts.has(role ?? "") ? (role as Part) : layer === "platform" ? "platform" : "service";
}

const parts: ReadonlySet<string> = new Set([
  "region",
  "connector",
  "database",
  "certificate",
  "dns",
  "edge",
  "platform",
  "auth",
  "websocket",
  "journey",
  "service",
] satisfies Part[]);
