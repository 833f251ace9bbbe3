/** Roles: what part a component plays in an environment. They follow from what is written and from the kinds of its probes, never from a name. */

/** A role that a configuration may state. */
export type Role =
  | "connector"
  | "nat"
  | "subnet"
  | "database"
  | "cache"
  | "queue"
  | "storage"
  | "edge"
  | "dns"
  | "certificate"
  | "service"
  | "auth"
  | "websocket"
  | "journey"
  | "job"
  | "region"
  | "third_party"
  | "quota"
  | "platform";

/** Description of each role. */
export const roles: Readonly<Record<Role, string>> = {
  connector: "the way from services into the private network, such as a VPC connector or Direct VPC egress",
  nat: "the way from the private network to the internet",
  subnet: "the addresses from which instances take theirs",
  database: "a database, such as an instance of Cloud SQL",
  cache: "a cache or store of sessions, such as Redis",
  queue: "a queue or topic through which work is handed over",
  storage: "files and objects, such as a bucket",
  edge: "what stands before services and passes requests on: a load balancer, a proxy, a gateway",
  dns: "the names that lead to the environment",
  certificate: "certificates that servers show",
  service: "a service that answers requests",
  auth: "a service that logs people in or checks tokens",
  websocket: "a service of which clients keep a WebSocket open",
  journey: "what people do, from beginning to end",
  job: "what runs by itself and reports afterwards",
  region: "the region or zone of the provider, on which all of it runs",
  third_party: "a service of somebody else, reached over the internet",
  quota: "a limit of the provider on how much may be used",
  platform: "another part of the platform",
};

/** The role of a component; `unknown` where its probes disagree and the file does not say which it is. */
export type ResolvedRole = Role | "unknown";

/** Names of the roles. */
export const roleNames: readonly Role[] = Object.keys(roles) as Role[];

/** Whose way a kind of probe goes: that of users, a private one into the target, or the control plane, which reads about the target. */
export type Reach = "users" | "private" | "control_plane";

/** Returns the role of a component. @param stated role in the file @param told roles derived from the kinds of its probes, one entry per probe */
export function roleOf(
  layer: "platform" | "application",
  stated: Role | undefined,
  told: readonly (Role | undefined)[],
): ResolvedRole {
  if (stated !== undefined) return stated;
  const [role, ...others] = new Set(told.filter((one) => one !== undefined));
  if (others.length > 0) return "unknown";
  return role ?? roleOfLayer(layer);
}

/** The role of a component of which nothing tells more. */
export function roleOfLayer(layer: "platform" | "application"): Role {
  return layer === "platform" ? "platform" : "service";
}
