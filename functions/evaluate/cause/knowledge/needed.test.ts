/**
 * Each row of knowledge has an outage that needs it: with the row disabled, the diagnosis of that outage differs from the expected one. The
 * patterns are covered in patterns.test.ts.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ResolvedRole } from "../../../../shared/config/roles.ts";
import type { Failure, Signal } from "../../../../shared/messages/report.ts";
import { monitorComponent } from "../../../../shared/monitor.ts";
import type { ProbeFact } from "../../partition/state.ts";
import { diagnose, rank } from "../diagnose.ts";
import type { Diagnosis, ProbeIndicator, Symptom } from "../diagnosis.ts";
import { Evidence, fronts, passedOn, refusals } from "../evidence.ts";
import { blind, stricken } from "../outside-graph.ts";
import { serving, shown } from "../roles.ts";
import {
  answered,
  connectionPaths,
  deferring,
  deliberate,
  farEnds,
  following,
  lost,
  partial,
  selective,
} from "../signals.ts";
import { candidates } from "../weigh.ts";
import { alarming, began, failing, good, observedIn, parts } from "../worlds.fixtures.ts";
import type { Change, LogPattern } from "./changes.ts";
import { byState, type SymptomClass } from "./classes.ts";
import { type ClueName, clues } from "./clues.ts";
import type { Fault, Level } from "./indicators.ts";

const minute = 60_000;

/** An outage: its parts with their roles, and what is seen of them. */
interface Outage {
  readonly parts: readonly string[];
  readonly roles?: Readonly<Record<string, ResolvedRole>>;
  readonly symptoms: readonly Symptom[];
  readonly greens?: readonly ProbeFact[];
  readonly indicators?: readonly ProbeIndicator[];
  readonly faults?: readonly Fault[];
  readonly changes?: readonly Change[];
  readonly logPatterns?: readonly LogPattern[];
}

function seenIn({ parts: lines, roles, symptoms, greens = [], indicators = [], faults = [], ...found }: Outage) {
  const watched = new Set([...symptoms, ...greens].map(({ component }) => component));
  const components = parts(lines, roles);
  return {
    ...observedIn({ components, symptoms, greens, watched, at: began + 15 * minute }),
    indicators,
    faults,
    ...found,
  };
}

const told = (outage: Outage): Diagnosis => diagnose(seenIn(outage));
const cause = (outage: Outage): string => told(outage).rootCause;
const suspects = (outage: Outage): string[] => rank(new Evidence(seenIn(outage))).map(({ component }) => component);
const scoreOf = (outage: Outage, name: string): number =>
  rank(new Evidence(seenIn(outage))).find(({ component }) => component === name)?.score ?? 0;

const inside: Partial<Symptom> = { kind: "postgres", reach: "private", vantage: "inside" };
const bad = (
  component: string,
  kind: Failure["kind"],
  phase: string,
  more: Partial<Failure> = {},
): Partial<Symptom> => ({
  id: `probe/${component}-${more.code ?? phase}`,
  component,
  failure: { kind, phase, message: "", ...more },
});
const status = (component: string, code: number, more: Partial<Symptom> = {}): Symptom =>
  failing(component, `${component}-up`, {
    failure: { kind: "http_status", phase: "response", message: "", status: code },
    ...more,
  });
const within = (component: string, kind: Failure["kind"], phase: string, more: Partial<Failure> = {}): Symptom =>
  failing(component, `${component}-inside`, { ...inside, ...bad(component, kind, phase, more) });
const indicator = (metric: string, level: Level, shownAs: string, component: string): ProbeIndicator => {
  return { metric, level, shown: shownAs, since: began, probe: "figures", component };
};
const fault = (component: string, more: Partial<Fault> = {}): Fault => {
  return { check: "c", component, says: "c is wrong", severity: "critical", since: began, isNew: true, ...more };
};
const change = (component: string, at: number): Change => {
  const what = "deployed revision 42";
  return {
    id: `${component}/${at}`,
    at,
    kind: "deployment",
    what,
    resource: `service ${component}`,
    components: [component],
  };
};
const words = (component: string): LogPattern => {
  const means = { name: "out of memory", says: "It ran out of memory.", remedy: "Give it more." };
  const counts = { count: 12, before: 0, before_seconds: 3600, firstAt: began, lastAt: began + minute };
  return { component, resource: `service ${component}`, pattern: "Memory limit of <*> exceeded", ...counts, means };
};

/** Takes one row out while something is asked. */
function without<Row, Answer>(set: ReadonlySet<Row>, row: Row, ask: () => Answer): Answer {
  const all = [...set];
  const rows = set as Set<Row>;
  rows.delete(row);
  try {
    return ask();
  } finally {
    rows.clear();
    for (const one of all) rows.add(one);
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

const database = ["shop > db", "db > way", "way"];
const roles = { db: "database", way: "connector", two: "cache" } as const;
const overWay: Outage = {
  parts: database,
  roles,
  symptoms: [within("db", "timeout", "connect")],
  greens: [good("db", "direct")],
};
const busy = alarming("way", "saturated", 0.9, { metrics: ["vpc_connector_utilization"] });
const load = (level: Level): ProbeIndicator =>
  indicator("vpc_connector_cpu_utilization", level, `load ${level}`, "way");
const slow: Outage = { parts: database, roles, symptoms: [within("db", "timeout", "query")] };
const service: Outage = {
  parts: ["shop > db", "desk > db", "db"],
  roles: { db: "database" },
  symptoms: [status("shop", 503)],
};
const starts = indicator("failed_startups", "limit", "24", "shop");
const edge: Outage = { parts: ["shop > lb", "lb"], roles: { lb: "edge" }, symptoms: [status("lb", 502)] };

/** For each clue the outage that needs it, and what is said because of it. */
const outages: Readonly<Record<ClueName, readonly [Outage, string]>> = {
  "the target answers another way": [overWay, "reaches db from outside"],
  "it fails by every way": [
    {
      ...slow,
      symptoms: [
        within("db", "timeout", "query"),
        failing("db", "db-outside", {
          ...bad("db", "timeout", "query", { code: "57014" }),
          kind: "postgres",
          reach: "private",
        }),
      ],
    },
    "from inside and from outside alike",
  ],
  "the server answered": [
    { ...slow, symptoms: [within("db", "database", "query", { code: "53100" })] },
    "db answered with an error",
  ],
  "other private targets fail too": [
    {
      parts: [...database, "two > way"],
      roles,
      symptoms: [within("db", "timeout", "connect"), within("two", "timeout", "connect")],
    },
    "all depend on way",
  ],
  "the connector is near its ceiling": [
    { parts: database, roles, symptoms: [busy], indicators: [load("high")] },
    "way is load high busy",
  ],
  "the connector is at its ceiling": [{ ...overWay, indicators: [load("limit")] }, "connector at its ceiling"],
  "the connector is idle": [{ ...overWay, indicators: [load("normal")] }, "way is only load normal busy"],
  "new connections are lost": [
    { ...overWay, indicators: [indicator("database_connect_burst_success", "limit", "20%", "db")] },
    "opened simultaneously, 20% succeeded",
  ],
  "the time goes into connecting": [
    { ...overWay, indicators: [indicator("slow_in_connecting", "high", "9s", "db")] },
    "Connecting alone took",
  ],
  "the time goes into the server": [
    { ...slow, indicators: [indicator("slow_in_server", "high", "9s", "db")] },
    "waited 9s for the server",
  ],
  "the database is calm": [
    { ...overWay, indicators: [indicator("cloud_sql_cpu_utilization", "normal", "30%", "db")] },
    "its CPU is at 30%",
  ],
  "the database is loaded": [
    { ...slow, indicators: [indicator("cloud_sql_cpu_utilization", "limit", "99%", "db")] },
    "The CPU of db was at 99%",
  ],
  "its connections are used up": [
    { ...slow, indicators: [indicator("cloud_sql_connection_utilization", "limit", "99%", "db")] },
    "database out of connections",
  ],
  "its pool is used up": [
    {
      ...service,
      indicators: [
        indicator("cloud_sql_pool_utilization", "limit", "100%", "shop"),
        indicator("database_connections", "normal", "31 of 100", "db"),
      ],
    },
    "pool used up",
  ],
  "its disk is full": [
    { ...slow, indicators: [indicator("cloud_sql_disk_utilization", "limit", "99%", "db")] },
    "disk full",
  ],
  "the provider says that it is down": [
    { ...slow, indicators: [indicator("cloud_sql_up", "limit", "0", "db")] },
    "Google reports that db is not up",
  ],
  "everything that it needs works": [{ ...service, greens: [good("db", "db-up")] }, "db, which shop needs, works"],
  "what else stands on the same ground works": [
    { ...service, greens: [good("desk", "desk-up")] },
    "desk works, and needs the same platform",
  ],
  "instances fail to start": [{ ...service, indicators: [starts] }, "24 instances of shop failed to start"],
  "the services answer without errors": [
    { ...edge, indicators: [indicator("cloud_run_error_rate", "normal", "0%", "shop")] },
    "answered the requests that reached them",
  ],
  "the services make the errors": [
    { ...edge, indicators: [indicator("cloud_run_error_rate", "high", "40%", "shop")] },
    "40% of the responses of shop itself",
  ],
  "it was cut off at a limit": [
    {
      ...edge,
      symptoms: [failing("shop", "shop-up", bad("shop", "reset", "reply"))],
      faults: [fault("lb", { tells: ["cuts_off"] })],
      indicators: [indicator("cut_at_limit", "limit", "30 s", "shop")],
    },
    "was cut off after 30 s",
  ],
  "its configuration came to be wrong": [{ ...overWay, faults: [fault("way")] }, "A configuration check found"],
  "its configuration is wrong": [{ ...edge, faults: [fault("lb", { isNew: false })] }, "A configuration check found"],
  "it has no way into the network": [
    { ...service, faults: [fault("shop", { tells: ["no_path"] })] },
    "no way into the network",
  ],
  "a time-out is set wrong": [{ ...edge, faults: [fault("lb", { tells: ["cuts_off"] })] }, "time-out set too short"],
  "it was deployed just before": [
    { ...service, indicators: [starts], faults: [fault("shop", { tells: ["deployed"] })] },
    "A configuration check found",
  ],
  "the provider reports an event": [
    {
      parts: ["shop > region", "region"],
      roles: { region: "region" },
      symptoms: [status("shop", 503)],
      indicators: [indicator("service_health_incidents", "limit", "1", "region")],
    },
    "Google reports 1 active event in the region",
  ],
  "nothing else is wrong": [
    {
      parts: ["walk > shop", "shop"],
      roles: { walk: "journey" },
      symptoms: [failing("walk", "walk-it", bad("walk", "timeout", "reply"))],
      greens: [good("shop", "shop-up")],
    },
    "Nothing else fails: shop works",
  ],
  "it was changed shortly before": [
    { ...service, changes: [change("shop", began - 2 * minute)] },
    "Deployed revision 42 (service shop) at 11:58:00 UTC, 2 min before the first failure.",
  ],
  "its log says why": [
    { ...service, logPatterns: [words("shop")] },
    "`Memory limit of <*> exceeded` 12 times since 12:00:00 UTC in the log of the service shop, never in the 1 h before.",
  ],
};

describe("clues", () => {
  it.each(Object.entries(outages))("the outage of %s is diagnosed only with this row", (name, [outage, wanted]) => {
    const says = (): string => {
      const { pattern, evidence } = told(outage);
      return [pattern, ...evidence].join("\n");
    };
    expect(says()).toContain(wanted);
    vi.spyOn(clues, name as ClueName).mockReturnValue(undefined);
    expect(says()).not.toContain(wanted);
  });
});

/** A part of each class as a probe shows it. */
const shows: Readonly<Partial<Record<SymptomClass, (name: string) => Symptom>>> = {
  error: (name) => status(name, 503),
  errors: (name) => alarming(name, "errors", 0.95),
  "bad gateway": (name) => status(name, 502),
  denied: (name) => status(name, 403),
  throttled: (name) => status(name, 429),
  "not found": (name) => status(name, 404),
  "wrong content": (name) => failing(name, `${name}-up`, bad(name, "body", "body")),
  slow: (name) => alarming(name, "slow", 0.95),
  "no answer": (name) => failing(name, `${name}-up`, bad(name, "timeout", "first_byte")),
  "no connection": (name) => failing(name, `${name}-up`, bad(name, "refused", "connect")),
  dns: (name) => failing(name, `${name}-up`, bad(name, "dns", "dns")),
  "not measured": (name) => failing(name, `${name}-up`, bad(name, "internal", "start")),
  unreachable: (name) => within(name, "timeout", "connect"),
  silent: (name) => within(name, "timeout", "tls"),
  "slow answer": (name) => within(name, "timeout", "query"),
  full: (name) => within(name, "database", "startup", { code: "53300" }),
  restarting: (name) => within(name, "database", "startup", { code: "57P03" }),
  "disk full": (name) => within(name, "database", "query", { code: "53100" }),
  "login refused": (name) => within(name, "auth", "authentication"),
  "database error": (name) => within(name, "database", "query", { code: "XX000" }),
};
const of = (one: SymptomClass, name: string): Symptom => {
  const make = shows[one];
  if (make === undefined) throw new Error(`nothing here shows ${one}`);
  return make(name);
};

/** Expects an answer, and another one with the row switched off. */
function needs<Row>(set: ReadonlySet<Row>, row: Row, ask: () => unknown, wanted: unknown): void {
  expect(ask()).toEqual(wanted);
  expect(without(set, row, ask)).not.toEqual(wanted);
}

describe("roles", () => {
  const ground = ["one > way, region", "two > way, region", "way > region", "region"];
  it.each([...connectionPaths])("%s is a network path, which loses connections while its target does not", (way) => {
    const symptoms = ["one", "two"].map((name) => of("unreachable", name));
    const part = { one: "database", two: "cache", way, region: "region" } as const;
    needs(connectionPaths, way, () => cause({ parts: ground, roles: part, symptoms }), "way");
  });

  it.each([...deferring])("%s defers work, so components without symptoms are not explained by its failure", (role) => {
    const symptoms = ["one", "two"].map((name) => status(name, 503));
    const outage: Outage = { parts: ["one > shared", "two > shared", "shared"], roles: { shared: role }, symptoms };
    needs(deferring, role, () => cause(outage), "unknown");
  });

  it.each([...farEnds])("%s is the far end of a path, reachable from outside without the path", (role) => {
    const symptoms = ["way", "it"].map((name) => status(name, 503));
    const outage: Outage = { parts: ["it > way", "way"], roles: { it: role, way: "nat" }, symptoms };
    needs(farEnds, role, () => cause(outage), "unknown");
  });

  it.each([...partial])("%s may fail for some callers and work for others", (role) => {
    const symptoms = ["one", "two", "three"].map((name) => status(name, 503));
    const lines = ["one > it", "two > it", "three > it", "it"];
    const outage: Outage = { parts: lines, roles: { it: role }, symptoms, greens: [good("it", "it-up")] };
    const weighed = (): string[] => candidates(new Evidence(seenIn(outage))).map(({ component }) => component);
    needs(partial, role, () => weighed().includes("it"), true);
  });

  it.each([...selective])("%s affects only some traffic, so working traffic on the path proves nothing", (role) => {
    const lines = ["one > mid", "two > mid", "mid > it", "it"];
    const seen = role === "dns" ? "dns" : "no connection";
    const symptoms = [of(seen, "it"), of(seen, "one"), of(seen, "two")];
    const outage: Outage = { parts: lines, roles: { it: role }, symptoms, greens: [good("mid", "mid-up")] };
    const full = scoreOf(outage, "it");
    expect(without(selective, role, () => scoreOf(outage, "it"))).toBeLessThan(full - 0.5);
  });

  it.each([...serving])("%s serves requests, and works if its platform works", (role) => {
    const greens = [good("other", "other-up")];
    const outage: Outage = {
      parts: ["it > low", "other > low", "low"],
      roles: { other: role },
      symptoms: [status("it", 503)],
      greens,
    };
    needs(
      serving,
      role,
      () => told(outage).evidence.some((one) => one.includes("other works, and needs the same")),
      true,
    );
  });

  it.each([...shown])("%s appears on the path, and is not a target that grants access", (role) => {
    const failure = role === "dns" ? bad("it", "dns", "dns") : bad("it", "tls", "tls");
    const outage: Outage = {
      parts: ["it"],
      roles: { it: role },
      symptoms: [failing("it", "it-up", { ...failure, reach: "private" })],
    };
    needs(
      shown,
      role,
      () => told(outage).pattern,
      role === "dns" ? "names not resolved" : "certificate wrong or expired",
    );
  });

  it.each([...fronts])("%s fronts other components, and a handshake that never began shows no certificate", (role) => {
    const symptoms = ["front", "it"].map((name) => of("no connection", name));
    const outage: Outage = { parts: ["front > it", "it"], roles: { front: role, it: "certificate" }, symptoms };
    needs(fronts, role, () => cause(outage), "front");
  });
});

describe("classes", () => {
  it.each([...answered])("%s is produced by the far end, not by the path", (one) => {
    const outage: Outage = { parts: database, roles, symptoms: [of(one, "db")] };
    needs(answered, one, () => suspects(outage).includes("way"), false);
  });

  it.each([...lost])("%s shows a lost connection, which blames the path before the region", (one) => {
    const lines = ["one > way, region", "two > way, region", "way > region", "region"];
    const part = { one: "database", two: "cache", way: "connector", region: "region" } as const;
    const outage: Outage = { parts: lines, roles: part, symptoms: ["one", "two"].map((name) => of(one, name)) };
    needs(lost, one, () => cause(outage), "way");
  });

  it.each([...deliberate])("%s comes from a working component, and does not blame the region", (one) => {
    const symptoms = ["one", "two", "three"].map((name) => of(one, name));
    const lines = ["one > region", "two > region", "three > region", "region"];
    const outage: Outage = { parts: lines, roles: { region: "region" }, symptoms };
    needs(deliberate, one, () => suspects(outage).includes("region"), false);
  });

  const behind: Pick<Outage, "parts" | "roles"> = { parts: ["one > lb", "two > lb", "lb"], roles: { lb: "edge" } };
  it.each([...passedOn])("%s is passed on by an edge", (one) => {
    const symptoms = ["lb", "one"].map((name) => of(one, name));
    needs(passedOn, one, () => cause({ ...behind, symptoms, greens: [good("two", "two-up")] }), "one");
  });

  it.each([...refusals])("%s is passed on only if a service produced it", (one) => {
    const symptoms = [of(one, "lb"), of("error", "one")];
    needs(refusals, one, () => cause({ ...behind, symptoms, greens: [good("two", "two-up")] }), "lb");
  });

  it.each([...blind])("%s is the symptom of a prober without a network", (one) => {
    const lines = ["one", "two", "three"];
    const symptoms = lines.map((name) => ({ ...of(one, name), vantage: "outside" as const }));
    // For a prober that can measure nothing, this is sufficient.
    const other = one === "not measured" ? [{ ...of("no answer", "four"), vantage: "outside" as const }] : [];
    const outage: Outage = {
      parts: [...lines, "four"],
      roles: { one: "database", two: "database", three: "cache" },
      symptoms: [...symptoms, ...other],
    };
    needs(blind, one, () => cause(outage), monitorComponent.name);
  });

  it.each([...stricken])("%s is the symptom of services whose platform fails", (one) => {
    const lines = ["one > db", "two > db", "three > db", "db"];
    const symptoms = ["one", "two", "three"].map((name) => of(one, name));
    const outage: Outage = { parts: lines, roles: { db: "database" }, symptoms, greens: [good("db", "db-up")] };
    needs(stricken, one, () => told(outage).pattern, "platform-wide");
  });

  const patternsOf: Readonly<Partial<Record<SymptomClass, string>>> = {
    full: "database out of connections",
    restarting: "database down or failing over",
    "disk full": "disk full",
    "slow answer": "database slow",
    "login refused": "login to the database refused",
  };
  it.each(byState.flatMap(([states, one]) => [...states].map((state) => [state, one, states] as const)))(
    "SQLSTATE %s shows: %s",
    (code, one, states) => {
      const outage: Outage = { parts: database, roles, symptoms: [within("db", "database", "query", { code })] };
      needs(states, code, () => told(outage).pattern, patternsOf[one]);
    },
  );
});

describe("consequences", () => {
  const pairs = Object.entries(following).flatMap(([from, effects]) =>
    Object.keys(effects).map((to) => [from as Signal, to as Signal] as const),
  );
  it.each(pairs)("%s leads to %s", (from, to) => {
    const show = (name: string, signal: Signal): Symptom => alarming(name, signal, 0.8, { id: `alert/${name}` });
    const outage: Outage = { parts: ["top > below", "below"], symptoms: [show("below", from), show("top", to)] };
    const row = following[from] as Partial<Record<Signal, number>>;
    const known = row[to];
    const score = scoreOf(outage, "below");
    delete row[to];
    const less = scoreOf(outage, "below");
    row[to] = known as number;
    expect(less).toBeLessThan(score);
  });
});
