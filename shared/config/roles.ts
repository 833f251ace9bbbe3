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
  connector: "the connection path from services into the private network, such as a VPC connector or Direct VPC egress",
  nat: "the connection path from the private network to the internet",
  subnet: "the range from which instances get their addresses",
  database: "a database, such as an instance of Cloud SQL",
  cache: "a cache or store of sessions, such as Redis",
  queue: "a queue or topic that passes work between services",
  storage: "files and objects, such as a bucket",
  edge: "a load balancer, proxy or gateway that forwards requests to services",
  dns: "the domain names of the environment",
  certificate: "the certificates that servers present",
  service: "a service that answers requests",
  auth: "a service that logs people in or checks tokens",
  websocket: "a service to which clients keep a WebSocket open",
  journey: "a user journey, from beginning to end",
  job: "a job that runs by itself and reports its result",
  region: "the provider's region or zone in which the environment runs",
  third_party: "an external service, reached over the internet",
  quota: "a usage limit of the provider",
  platform: "another part of the platform",
};

/** The role of a component; `unknown` if its probes disagree and the file does not set it. */
export type ResolvedRole = Role | "unknown";

/** Names of the roles. */
export const roleNames: readonly Role[] = Object.keys(roles) as Role[];

/** How a kind of probe reaches its target: as users do, on a private path, or through the control plane, which reports about the target. */
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
