/**
 * Effects of each kind of outage on an environment. They are derived from how such environments work, and not from how a cause is found:
 * which path each connection takes, how a service responds without its database, and which components fail late or never.
 */
import type { Chance } from "./chance.ts";
import {
  at,
  bodies,
  dependents,
  type Effect,
  followers,
  names,
  one,
  publicProbes,
  rate,
  starve,
  unreached,
} from "./effects.ts";
import type { Graph } from "./graphs.ts";

/** An outage as sentences of a scenario, and the component that broke. */
export interface Outage {
  readonly kind: string;
  /** State of the environment from the start of the outage, or from so many minutes after it. */
  readonly effects: readonly Effect[];
  /** Correct answers. */
  readonly cause: readonly string[];
  readonly verdict: string;
  readonly second?: string;
  /** Probes that are necessary to recognize the outage. */
  readonly needs?: readonly string[];
}

type Make = (graph: Graph, chance: Chance) => Outage | undefined;

/** Every kind, by name. */
export const outages: Readonly<Record<string, Make>> = {
  "connector loses handshakes"(graph, chance) {
    const effects: Effect[] = [];
    for (const { inside } of graph.databases) effects.push(unreached(inside, chance));
    if (chance.happens(0.6))
      effects.push(
        at(
          0,
          `database_connect_burst_success of ${names(graph.databases[0]?.inside ?? [])} is ${chance.between(0, 60)}%`,
        ),
      );
    if (graph.connectorLoad && chance.happens(0.6))
      effects.push(at(0, "vpc_connector_utilization is between 25% and 55%"));
    starve(effects, graph, graph.databases, 0.75, chance);
    return {
      kind: "connector loses handshakes",
      effects,
      cause: [graph.connector],
      verdict: "platform",
      needs: graph.databases.flatMap(({ inside, outside }) => [...inside.slice(0, 1), ...outside.slice(0, 1)]),
    };
  },
  "connector at its ceiling"(graph, chance) {
    if (graph.connectorLoad === undefined) return undefined;
    const effects: Effect[] = [at(0, `vpc_connector_utilization is between ${chance.between(88, 92)}% and 99%`)];
    for (const { inside } of graph.databases) effects.push(unreached(inside, chance));
    starve(effects, graph, graph.databases, 0.8, chance);
    return {
      kind: "connector at its ceiling",
      effects,
      cause: [graph.connector],
      verdict: "platform",
      needs: [graph.connectorLoad, ...graph.databases.flatMap(({ inside }) => inside.slice(0, 1))],
    };
  },
  "path missing"(graph, chance) {
    const service = chance.one([graph.auth, ...graph.services]);
    const effects: Effect[] = [at(0, `${names(service.probes)} fail "${chance.one(bodies)}"`)];
    followers(effects, graph, service.component, chance);
    return {
      kind: "path missing",
      effects,
      cause: [service.component],
      verdict: "application",
      needs: [...service.probes.slice(0, 1), ...graph.databases.flatMap(({ inside }) => inside.slice(0, 1))],
    };
  },
  "database exhausted"(graph, chance) {
    const database = one(graph.databases, chance);
    const said = chance.one([
      "FATAL: sorry, too many clients already",
      "FATAL: remaining connection slots are reserved",
    ]);
    const effects: Effect[] = [
      at(
        0,
        `${names([...database.inside, ...database.outside])} fail${rate(chance)} in authentication (database) "${said} (SQLSTATE 53300)"`,
      ),
    ];
    starve(effects, graph, [database], 0.8, chance);
    return {
      kind: "database exhausted",
      effects,
      cause: [database.component],
      verdict: "platform",
      needs: database.inside,
    };
  },
  "database slow"(graph, chance) {
    const database = one(graph.databases, chance);
    const all = [...database.inside, ...database.outside];
    const effects: Effect[] = chance.happens(0.5)
      ? all.map((probe) => at(0, `database_connection_time of ${probe} is between 27s and 33s`))
      : [at(0, `${names(all)} fail${rate(chance)} in ${chance.one(["query", "authentication"])} (timeout)`)];
    for (const service of dependents(graph, [database])) {
      if (chance.happens(0.6))
        effects.push(at(chance.between(0, 4), `${names(service.probes)} fail in first_byte (timeout)`));
    }
    return {
      kind: "database slow",
      effects,
      cause: [database.component],
      verdict: "platform",
      needs: [...database.inside, ...database.outside],
    };
  },
  "database down"(graph, chance) {
    const database = one(
      graph.databases.filter(({ outside }) => outside.length > 0),
      chance,
    );
    const all = names([...database.inside, ...database.outside]);
    const how = chance.one([
      "in connect (refused)",
      "in connect (timeout)",
      'in authentication (database) "the server is starting up (SQLSTATE 57P03)"',
    ]);
    const effects: Effect[] = [at(0, `${all} fail ${how}`)];
    starve(effects, graph, [database], 0.95, chance);
    return {
      kind: "database down",
      effects,
      cause: [database.component],
      verdict: "platform",
      needs: [...database.inside, ...database.outside],
    };
  },
  "start failure"(graph, chance) {
    const service = graph.services.find(({ starts }) => starts !== undefined);
    if (service === undefined) return undefined;
    const effects: Effect[] = [
      at(0, `${names(service.probes)} fail "${chance.one(["503 Service Unavailable", "500 Internal Server Error"])}"`),
      at(chance.between(0, 3), `failed_startups of ${service.starts} is ${chance.between(3, 60)}`),
    ];
    followers(effects, graph, service.component, chance);
    return {
      kind: "start failure",
      effects,
      cause: [service.component],
      verdict: "application",
      needs: [...service.probes.slice(0, 1), ...graph.databases.flatMap(({ inside }) => inside.slice(0, 1))],
    };
  },
  "bad deploy"(graph, chance) {
    const service = chance.one([graph.auth, ...graph.services]);
    const how = chance.one([
      '"500 Internal Server Error"',
      '"404 Not Found"',
      "in body (body)",
      "in first_byte (timeout)",
      '"503 Service Unavailable"',
    ]);
    const probes = chance.some(service.probes, 0.8);
    const effects: Effect[] = [at(0, `${names(probes)} fail${rate(chance)} ${how}`)];
    followers(effects, graph, service.component, chance);
    return {
      kind: "bad deploy",
      effects,
      cause: [service.component],
      verdict: "application",
      needs: [...probes.slice(0, 1), ...graph.databases.flatMap(({ inside }) => inside.slice(0, 1))],
    };
  },
  "platform-wide"(graph, chance) {
    const how = chance.one(["503 Service Unavailable", "500 Internal Server Error"]);
    const effects: Effect[] = [graph.auth, ...graph.services].map((service) =>
      at(chance.between(0, 1), `${names(service.probes)} fail "${how}"`),
    );
    for (const service of graph.services) followers(effects, graph, service.component, chance);
    const cause = ["unknown", ...(graph.region ? [graph.region.component] : [])];
    return {
      kind: "platform-wide",
      effects,
      cause,
      verdict: "platform",
      needs: [
        ...[graph.auth, ...graph.services].flatMap(({ probes }) => probes.slice(0, 1)),
        ...graph.databases.flatMap(({ inside }) => inside.slice(0, 1)),
      ],
    };
  },
  certificate(graph, chance) {
    if (graph.certificate === undefined) return undefined;
    const how = chance.one([
      "the certificate expired",
      "the certificate is for another host",
      "the chain is incomplete",
    ]);
    const all = chance.happens(0.6);
    const hit = all ? publicProbes(graph) : chance.some(publicProbes(graph), 0.4);
    const shown = all ? graph.certificate.probes : chance.some(graph.certificate.probes, 0.4);
    const effects: Effect[] = [...hit, ...shown].map((probe) => at(0, `${probe} fails in tls (tls) "${how}"`));
    return {
      kind: "certificate",
      effects,
      cause: [graph.certificate.component],
      verdict: "platform",
      needs: [...hit.slice(0, 2), ...shown],
    };
  },
  dns(graph) {
    if (graph.edge === undefined) return undefined;
    const hit = [...publicProbes(graph), ...(graph.certificate?.probes ?? [])];
    return {
      kind: "dns",
      effects: hit.map((probe) => at(0, `${probe} fails in dns (dns)`)),
      cause: [graph.edge.component],
      verdict: "platform",
    };
  },
  "load balancer"(graph, chance) {
    if (graph.edge === undefined) return undefined;
    const how = chance.one([
      '"502 Bad Gateway"',
      '"404 Not Found"',
      "in connect (timeout)",
      "in connect (refused)",
      '"504 Gateway Timeout"',
    ]);
    const effects: Effect[] = publicProbes(graph).map((probe) =>
      at(
        0,
        graph.websocket.probes.includes(probe) && how.startsWith('"')
          ? `${probe} fails in upgrade (http_status) ${how}`
          : `${probe} fails ${how}`,
      ),
    );
    return {
      kind: "load balancer",
      effects,
      cause: [graph.edge.component],
      verdict: "platform",
      needs: publicProbes(graph).slice(0, 3),
    };
  },
  "websocket only"(graph, chance) {
    const how = chance.one([
      'in upgrade (http_status) "502 Bad Gateway"',
      'in upgrade (http_status) "404 Not Found"',
      'in open (reset) "closed the connection with 1006 (abnormal closure)"',
      'in open (unavailable) "closed the connection with 1011 (internal error)"',
    ]);
    const effects: Effect[] = [at(0, `${names(graph.websocket.probes)} fail${rate(chance)} ${how}`)];
    if (graph.journey && graph.name === "netra-staging" && chance.happens(0.5))
      effects.push(at(1, `${names(graph.journey.probes)} fail in events (sequence)`));
    return {
      kind: "websocket only",
      effects,
      cause: [graph.websocket.component],
      verdict: "application",
      needs: [...graph.websocket.probes, ...graph.services.flatMap(({ probes }) => probes.slice(0, 1))],
    };
  },
  "time-out setting"(graph, chance) {
    if (graph.edge === undefined || graph.edgeSettings === undefined) return undefined;
    const { component } = graph.edge;
    const effects: Effect[] = [
      at(
        0,
        `${names(graph.websocket.probes.slice(-1))} fail in events (reset) "closed the connection with 1006 (abnormal closure)"`,
      ),
      at(
        0,
        `check ${chance.one(["backend-timeout", "timeout"])}{tells="cuts_off"} of ${graph.edgeSettings} finds "30s" instead of "3600s" because "it cuts WebSockets that are idle for longer"`,
      ),
    ];
    return {
      kind: "time-out setting",
      effects,
      cause: [component],
      verdict: "platform",
      needs: [...graph.websocket.probes.slice(-1), graph.edgeSettings],
    };
  },
  "agent layer"(graph, chance) {
    if (graph.journey === undefined) return undefined;
    const how = chance.one([
      'in reply (timeout) "no reply within 30s"',
      "in events (sequence)",
      'in reply (body) "the reply is empty"',
    ]);
    return {
      kind: "agent layer",
      effects: [at(0, `${names(graph.journey.probes)} fail ${how}`)],
      cause: [graph.journey.component],
      verdict: "application",
    };
  },
  "region event"(graph, chance) {
    if (graph.region === undefined) return undefined;
    const all = graph.databases.flatMap(({ inside, outside }) => [...inside, ...outside]);
    const effects: Effect[] = [
      at(0, `${names(all)} fail${rate(chance)} in connect (timeout)`),
      at(chance.between(2, 9), "service_health_incidents is 1"),
    ];
    starve(effects, graph, graph.databases, 0.9, chance);
    return {
      kind: "region event",
      effects,
      cause: [graph.region.component],
      verdict: "platform",
      needs: [graph.region.events, ...all],
    };
  },
  "auth only"(graph, chance) {
    const { auth, websocket, journey } = graph;
    const effects: Effect[] = [
      at(
        0,
        `${names(auth.probes)} fail ${chance.one(['"500 Internal Server Error"', '"401 Unauthorized"', "in first_byte (timeout)"])}`,
      ),
    ];
    if (websocket.needs.includes(auth.component) && chance.happens(0.6))
      effects.push(
        at(chance.between(0, 3), `${names(websocket.probes.slice(-1))} fail in upgrade (auth) "401 Unauthorized"`),
      );
    if (journey && chance.happens(0.6))
      effects.push(at(1, `${names(journey.probes)} fail in login (http_status) "401 Unauthorized"`));
    return { kind: "auth only", effects, cause: [auth.component], verdict: "application", needs: auth.probes };
  },
  "two causes"(graph, chance) {
    const { certificate, auth } = graph;
    if (certificate === undefined) return undefined;
    const database = one(graph.databases, chance);
    const effects: Effect[] = [
      at(
        chance.between(0, 6),
        `${names([...database.inside, ...database.outside])} fail in authentication (database) "too many clients already (SQLSTATE 53300)"`,
      ),
    ];
    for (const service of dependents(graph, [database]))
      effects.push(at(6, `${names(service.probes)} fail "503 Service Unavailable"`));
    const other = dependents(graph, [database]).includes(auth)
      ? graph.websocket.probes
      : [...graph.websocket.probes, ...auth.probes];
    effects.push(
      at(
        chance.between(0, 6),
        `${names([...other, ...certificate.probes])} fail in tls (tls) "the certificate expired"`,
      ),
    );
    return {
      kind: "two causes",
      effects,
      cause: [database.component, certificate.component],
      verdict: "platform",
      needs: [...database.inside, ...certificate.probes, ...other],
      second: "either",
    };
  },
  "prober's own"(graph, chance) {
    const how = chance.one(["in connect (timeout)", "in dns (dns)"]);
    // A run of the monitor in which one vantage point cannot measure anything.
    if (!graph.databases.some(({ outside }) => outside.length > 0)) return undefined;
    return {
      kind: "prober's own",
      effects: [at(0, `every probe outside fails ${how}`)],
      cause: ["pathkeeper"],
      verdict: "monitor",
    };
  },
};
