/** Building blocks of outages: the symptoms of components that lose a dependency. */
import type { Chance } from "./chance.ts";
import type { Database, Graph, Service } from "./graphs.ts";

/** State of the environment, so many minutes after the outage began. */
export interface Effect {
  readonly after: number;
  readonly says: string;
}

/** Responses of services whose dependency fails. */
export const bodies: readonly [string, ...string[]] = [
  "503 Service Unavailable",
  "500 Internal Server Error",
  "503 Service Unavailable",
  "502 Bad Gateway",
];

/** A state that begins so many minutes after the outage. */
export function at(after: number, says: string): Effect {
  return { after, says };
}

/** Formats probes for a sentence. */
export function names(probes: readonly string[]): string {
  return probes.length > 1 ? `${probes.slice(0, -1).join(", ")} and ${probes.at(-1)}` : (probes[0] ?? "");
}

/** Returns one of the databases. */
export function one(databases: readonly Database[], chance: Chance): Database {
  return databases[chance.between(0, databases.length - 1)] as Database;
}

/** Returns the share of successful runs: some outages let every third or fourth run succeed. */
export function rate(chance: Chance): string {
  return chance.happens(0.25) ? ` ${chance.one(["4 of 5", "5 of 6"])} runs` : "";
}

/** Probes from inside that cannot connect. */
export function unreached(probes: readonly string[], chance: Chance): Effect {
  return at(
    chance.between(0, 1),
    `${names(probes)} fail${rate(chance)} in ${chance.one(["connect", "connect", "authentication", "tls"])} (timeout)`,
  );
}

/** Returns the services that depend on one of these databases. */
export function dependents(graph: Graph, databases: readonly Database[]): Service[] {
  const hit = databases.map(({ component }) => component);
  return [...graph.services, graph.auth].filter(({ database }) => hit.includes(database));
}

/** Symptoms of services that lose their database; some keep working for a while on open connections. */
export function starve(
  effects: Effect[],
  graph: Graph,
  databases: readonly Database[],
  share: number,
  chance: Chance,
): void {
  const style = chance.one([...bodies, "hang"] as unknown as [string, ...string[]]);
  for (const service of dependents(graph, databases)) {
    if (!chance.happens(share)) continue;
    const how = style === "hang" ? "in first_byte (timeout)" : `"${style}"`;
    effects.push(at(chance.between(0, 4), `${names(service.probes)} fail ${how}`));
    followers(effects, graph, service.component, chance);
  }
}

/** Returns the components that fail when a service that they depend on fails. */
export function followers(effects: Effect[], graph: Graph, service: string, chance: Chance): void {
  const { websocket, journey } = graph;
  const isHit = websocket.needs.includes(service) && chance.happens(0.7);
  const probes = chance.some(websocket.probes, 0.8);
  if (isHit && !effects.some(({ says }) => says.startsWith(probes[0] ?? "-"))) {
    effects.push(at(chance.between(0, 4), `${names(probes)} fail in upgrade (http_status) "503 Service Unavailable"`));
  }
  if (journey && chance.happens(0.5))
    effects.push(
      at(
        chance.between(1, 5),
        `${names(journey.probes)} fail in ${chance.one(["login", "message", "reply"])} (http_status)`,
      ),
    );
}

/** Returns the probes that take the same path as users. */
export function publicProbes({ services, auth, websocket, edge }: Graph): string[] {
  return [...services, auth, websocket, ...(edge ? [edge] : [])].flatMap(({ probes }) => probes);
}
