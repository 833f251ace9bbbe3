/** What part a component plays in an environment of this kind: which patterns of failure are possible for it follows from that. */
import type { Component, Configuration } from "../../../shared/config/model.ts";

/** The part that a component plays. `platform` and `service` are the rest of their layers. */
export type Role =
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

/** Components by name, with the part that each plays. */
export type Roles = ReadonlyMap<string, Role>;

/**
 * Works out the roles of a configuration. A component is known by its name and title, else by the probes that look at it, else by the
 * metrics of the rules that speak of it, else by where it stands in the graph.
 */
export function rolesOf({ components, probes, rules }: Configuration): Roles {
  const evidenceOf = ({ name, title }: Component): readonly string[] => [
    `${name} ${title}`,
    probes
      .filter(({ component }) => component === name)
      .map(({ kind }) => `kind:${kind}`)
      .join(" "),
    rules
      .filter(({ component }) => component === name)
      .map(({ condition }) => condition)
      .join(" "),
  ];
  const roles = new Map<string, Role>();
  for (const component of components) {
    const known = evidenceOf(component).flatMap((text) => hintIn(text, component.layer) ?? [])[0];
    roles.set(component.name, known ?? (component.layer === "platform" ? "platform" : "service"));
  }
  // What a database is reached through, and has no part of its own otherwise, is the way to it.
  for (const { name, dependsOn } of components.filter((one) => roles.get(one.name) === "database")) {
    for (const way of dependsOn) {
      const part = roles.get(way);
      const named = hintIn(evidenceOf(components.find((one) => one.name === way) ?? blank)[0] ?? "", "platform");
      if (part === "platform" || (part === "database" && named !== "database" && way !== name)) {
        roles.set(way, "connector");
      }
    }
  }
  return roles;
}

const blank: Component = { name: "", title: "", layer: "platform", dependsOn: [] };

/** What in a name, a kind of probe or a condition gives a role away; the first match counts. */
const hints: readonly { readonly layer: Component["layer"]; readonly role: Role; readonly in: RegExp }[] = [
  { layer: "platform", role: "region", in: /\bregion|google.cloud\b|\bgcp\b|kind:service_health|service_health_/i },
  {
    layer: "platform",
    role: "connector",
    in: /connector|\bvpc\b|\bnat\b|egress|peering|kind:vpc_|vpc_connector_|connect_burst/i,
  },
  {
    layer: "platform",
    role: "certificate",
    in: /certificate|\bcerts?\b|\btls\b|\bssl\b|kind:tls\b(?!.*kind:(http|load))|tls_\w*expiry/i,
  },
  { layer: "platform", role: "dns", in: /\bdns\b|name server/i },
  {
    layer: "platform",
    role: "edge",
    in: /load.?balancer|\bg?[ax]?lb\b|ingress|\bedge\b|gateway|\bcdn\b|kind:load_balancer|kind:http\b/i,
  },
  {
    layer: "platform",
    role: "database",
    in: /\bsql\b|database|postgres|\bdb\b|kind:(postgres|cloud_sql)|cloud_sql_|database_/i,
  },
  { layer: "application", role: "journey", in: /journey|golden|end.to.end|\be2e\b|kind:journey|golden_path_/i },
  { layer: "application", role: "auth", in: /\bauth|log.?in\b|identity|\bsso\b|session/i },
  { layer: "application", role: "websocket", in: /web.?socket|\bws\b|\bsockets?\b|^(kind:websocket ?)+$|websocket_/i },
  { layer: "application", role: "service", in: /kind:(http|cloud_run)/i },
];

function hintIn(text: string, layer: Component["layer"]): Role | undefined {
  return hints.find((hint) => hint.layer === layer && hint.in.test(text))?.role;
}
