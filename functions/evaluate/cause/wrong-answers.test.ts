/** Kinds of outage in which a search by names, tables or counting went wrong, each with variants. */
import { describe, expect, it } from "vitest";
import type { Failure } from "../../../shared/messages/report.ts";
import { Bench, component, probe, smallEnvironment } from "../fixtures.ts";
import { diagnose, rank } from "./diagnose.ts";
import type { Symptom } from "./diagnosis.ts";
import { Evidence } from "./evidence.ts";
import { alarming, answered, began, cause, failing, good, observedIn, parts } from "./worlds.fixtures.ts";

const minute = 60_000;
const layers = ["platform", "application"] as const;

const chain = ["site > web", "web > api", "api > table", "table"];
describe("the deepest component of a chain that fails simultaneously", () => {
  it.each(layers)("is named on the %s, for every kind of probe", (layer) => {
    for (const kind of ["http", "postgres", "cloud_monitoring"]) {
      const symptoms = ["site", "web", "api", "table"].map((name) => failing(name, `${name}-up`, { kind }));
      expect(cause(parts(chain, { table: "platform" }, layer), symptoms)).toMatchObject({
        rootCause: "table",
        verdict: layer,
      });
    }
  });

  it("is named if it failed two minutes before, and its dependent is not evidence against it", () => {
    const symptoms = [
      failing("cards", "cards-ping", answered(500)),
      failing("checkout", "checkout-up", { since: began + 2 * minute }),
    ];
    const found = cause(parts(["checkout > cards", "cards"], { cards: "third_party" }), symptoms);
    expect(found.rootCause).toBe("cards");
    expect(found.evidence.join(" ")).toContain("cards-ping");
  });
});

describe("a front end that fails while everything inside works", () => {
  const inside = ["front > api", "api > db, region", "db > region", "region"];
  it.each(["edge", "service"] as const)(
    "is named as %s, and a source of events that reports nothing changes nothing",
    (front) => {
      const components = parts(inside, { front, db: "database", region: "region" });
      const greens = [good("api", "api-up"), good("db", "db-up")];
      for (const watched of [[], ["region"]])
        expect(cause(components, [failing("front", "front-up")], greens, watched).rootCause).toBe("front");
    },
  );
});

describe("magnitude", () => {
  it("keeps a database that is 1 % over its limit from explaining a service that is 50 times over its own", () => {
    const symptoms = [alarming("db", "slow", 0.01), alarming("shop", "slow", 0.98)];
    expect(cause(parts(["shop > db", "db"], { db: "database" }), symptoms).rootCause).toBe("shop");
  });

  it("prevents an hour-old minor alert, and a later one, from becoming the cause", () => {
    const memory = alarming("cache", "saturated", 0.01, { since: began - 60 * minute });
    const later = alarming("api", "slow", 0.09, { since: began + 3 * minute });
    const front = alarming("front", "slow", 0.94);
    expect(cause(parts(["front > api, cache", "api", "cache"]), [memory, later, front]).rootCause).toBe("front");
  });
});

describe("a component without symptoms", () => {
  const above = ["one", "two", "three", "four", "five"];
  const components = parts([...above.map((name) => `${name} > below`), "below"]);
  const symptoms = above.map((name) => alarming(name, "slow", 0.7));
  const judging = (signal: "slow" | "saturated"): string =>
    diagnose({
      ...observedIn({ components, symptoms, greens: [], watched: new Set(["below"]), at: began + 15 * minute }),
      judged: new Map([["below", new Set([signal])]]),
    }).rootCause;

  it("is not the cause if a rule measures it within its limit", () => {
    expect(judging("slow")).not.toBe("below");
    expect(judging("saturated")).toBe("below");
  });

  it("is still the cause with a new finding", () => {
    const way = parts(["shop > db", "api > db", "db > way", "way"], { db: "database", way: "connector" });
    const inside: Partial<Symptom> = { vantage: "inside", kind: "postgres", reach: "private" };
    // A single failed run may be chance.
    const { confirmed: _, ...burst } = failing("way", "way-burst", { ...inside, since: began + 14 * minute });
    const fault = {
      component: "way",
      check: "peering",
      says: "peering is none, expected ACTIVE",
      severity: "warning",
      isNew: true,
      since: began + 2 * minute,
    } as const;
    const seen = observedIn({
      components: way,
      symptoms: [
        failing("db", "db-inside", inside),
        failing("shop", "shop-up", answered(503)),
        failing("api", "api-up", answered(503)),
        burst,
      ],
      greens: [good("db", "db-socket"), good("way", "way-settings")],
      watched: new Set(["db", "shop", "api", "way"]),
      at: began + 15 * minute,
    });
    const score = (faults: readonly (typeof fault)[]): number =>
      rank(new Evidence({ ...seen, faults })).find(({ component }) => component === "way")?.score ?? 0;
    expect(diagnose({ ...seen, faults: [fault] }).rootCause).toBe("way");
    expect(score([fault])).toBeGreaterThanOrEqual(score([]));
  });
});

it.each(["failing", "errors"] as const)("a very slow component makes its dependents %s", (signal) => {
  const db = alarming("db", "slow", 0.95);
  const felt = ["shop", "desk"].map((name) => alarming(name, signal, 0.95));
  expect(cause(parts(["shop > db", "desk > db", "db"], { db: "database" }), [db, ...felt]).rootCause).toBe("db");
});

describe("several simultaneous faults", () => {
  it("names the second, seen by a probe or by a rule, and no older alert", () => {
    const components = parts(["site > one, two", "one", "two"]);
    const first = failing("one", "one-up");
    const probed = failing("two", "two-up", { since: began + 5 * minute });
    const ruled = alarming("two", "slow", 0.9, { since: began + 5 * minute });
    for (const second of [probed, ruled])
      expect(cause(components, [first, failing("site", "site-up"), second])).toMatchObject({
        rootCause: "one",
        alsoBroken: "two",
      });
    for (const more of [{ since: began - 60 * minute }, { badBefore: 8 }])
      expect(cause(components, [first, { ...ruled, ...more }]).alsoBroken).toBeUndefined();
  });

  const lines = ["site > steps, search", "steps > run", "run > step", "step > inner", "inner", "search"];
  const felt = alarming("site", "slow", 0.1, { since: began + 10 * minute });
  const search = alarming("search", "slow", 0.75, { since: began + 10 * minute });
  const wrapped = (more: Partial<Symptom>): Symptom[] =>
    ["steps", "run", "step", "inner"].map((name) => alarming(name, "slow", 0.7, more));

  it("a component counts once, regardless of how many depend on it", () => {
    expect(cause(parts(lines), [...wrapped({}), felt, search]).rootCause).toBe("search");
  });

  it("an alert that often fired before does not override one that never did", () => {
    const since = began + 10 * minute;
    expect(cause(parts(lines), [...wrapped({ since, badBefore: 4 }), felt, search]).rootCause).toBe("search");
  });

  it("a fault that its dependents show only by chance counts less than one they feel", () => {
    const noise = alarming("site", "errors", 0.3, { since: began + 10 * minute, badBefore: 6 });
    const broken = alarming("store", "errors", 0.99, { since: began + 10 * minute });
    const components = parts(["site > store, search", "store", "search"]);
    expect(cause(components, [broken, noise, felt, search]).rootCause).toBe("search");
    expect(cause(components, [broken, { ...noise, badBefore: 0 }]).rootCause).toBe("store");
  });
});

it("a failing path explains components that use it, and not those reached from outside without it", () => {
  const components = parts(["user > way", "way"], { user: "platform", way: "nat" });
  const [felt, own] = [failing("user", "user-up"), failing("way", "way-up")];
  expect(cause(components, [own, felt])).toMatchObject({ rootCause: "way" });
  expect(cause(components, [own, felt]).alsoBroken).toBeUndefined();
  const stored = parts(["user > way", "way"], { user: "database", way: "nat" });
  const { rootCause, candidates = [] } = cause(stored, [own, felt]);
  expect(rootCause).toBe("unknown");
  expect(new Set(candidates.map((one) => one.component))).toEqual(new Set(["way", "user"]));
});

it("a configuration check fails for the component of its finding", async () => {
  const components = [component("sql", "SQL", "platform"), component("shop", "Shop", "application", ["sql"])];
  const probes = [probe("shop-up", "shop"), probe("settings", "sql", "outside", "gcp_configuration")];
  const bench = new Bench({ ...smallEnvironment, components, probes, rules: [], recovery: { stages: [] } });
  const check = { check: "roles", expected: "all", explanation: "It is refused.", severity: "critical" as const };
  for (let at = 0; at < 6; at++) {
    const ok = at < 2;
    const failure = {
      kind: "unavailable" as const,
      phase: "configuration",
      message: "",
      signal: "configuration" as const,
    };
    const shown = ok ? {} : { "shop-up": answered(503).failure as Failure, settings: failure };
    for (const report of bench.reports(shown)) {
      const finding = { ...check, ok, observed: ok ? "all" : "none", component: "shop" };
      const results = report.results.map((one) => (one.probe === "settings" ? { ...one, findings: [finding] } : one));
      await bench.deliver({ ...report, results });
    }
    bench.now += minute;
    await bench.tick();
  }
  const [incident, ...others] = await bench.incidents();
  expect(others).toEqual([]);
  expect(incident?.fields).toMatchObject({ root_cause: "shop" });
});

it("a component with normal Google metrics is not named before one with symptoms", () => {
  const components = parts(["shop > db", "db"], { db: "database" });
  expect(cause(components, [failing("shop", "shop-up")], [], ["db"]).rootCause).toBe("shop");
});

describe("an edge that passes on the errors of a service behind it", () => {
  const behind = ["one > lb", "two > lb", "lb"];
  const components = parts(behind, { lb: "edge" });
  it("is not the cause while others behind it work", () => {
    const found = cause(
      components,
      [failing("lb", "front", answered(503)), failing("one", "one-up", answered(503))],
      [good("two", "two-up")],
    );
    expect(found.rootCause).toBe("one");
  });

  it("is the cause if it failed a minute before them", () => {
    for (const status of [503, 429])
      for (const other of [[], [alarming("one", "saturated", 0.2, { since: began - 60 * minute })]]) {
        const later = { since: began + minute };
        const symptoms = [
          failing("lb", "front", answered(status)),
          failing("one", "one-up", { ...answered(503), ...later }),
          failing("one", "one-seldom", { ...answered(503), since: began + 4 * minute, everyMs: 5 * minute }),
        ];
        expect(cause(components, [...symptoms, ...other], [good("two", "two-up")]).rootCause).toBe("lb");
      }
  });

  it("is the cause of a rejection that nothing behind it produces", () => {
    const symptoms = [failing("lb", "front", answered(401)), failing("one", "one-up", answered(503))];
    expect(cause(components, symptoms).rootCause).toBe("lb");
    const made = [failing("lb", "front", answered(401)), failing("one", "one-up", answered(401))];
    expect(cause(components, made, [good("two", "two-up")]).rootCause).toBe("one");
  });

  it("is the cause if several independent services reject the same request simultaneously", () => {
    const three = parts(["one > lb", "two > lb", "three > lb", "lb"], { lb: "edge" });
    const symptoms = ["lb", "one", "two"].map((name) => failing(name, `${name}-up`, answered(403)));
    expect(cause(three, symptoms, [good("three", "three-up")]).rootCause).toBe("lb");
  });

  it("is the cause of errors that it produces itself", () => {
    const symptoms = ["lb", "one", "two"].map((name) => failing(name, `${name}-up`, answered(502)));
    expect(cause(components, symptoms).rootCause).toBe("lb");
  });
});

it.each([
  ["an expired certificate behind one edge", "tls" as const, "certificate" as const],
  ["a silent job", "unavailable" as const, "missing" as const],
  ["a body that is not as expected", "body" as const, undefined],
])("%s is the fault of the component that shows it", (_, kind, signal) => {
  const failure = { kind, phase: "response", message: "", ...(signal === undefined ? {} : { signal }) };
  const found = cause(
    parts(["it > lb, db", "lb", "db"], { lb: "edge", db: "database" }),
    [failing("it", "it-up", { failure, ...(signal === undefined ? {} : { signal }) })],
    [good("lb", "lb-up"), good("db", "db-up")],
  );
  expect(found.rootCause).toBe("it");
  expect(found.whys.join(" ")).not.toMatch(/time-out|Query Insights|gcloud sql/);
});

it("a database that reports that it is full is the cause, not the path to it", () => {
  const failure = { kind: "database" as const, phase: "authentication", message: "", code: "53300" };
  const symptoms = [
    failing("db", "db-inside", { failure, vantage: "inside", kind: "postgres", reach: "private" }),
    failing("shop", "shop-up", answered(503)),
  ];
  const found = cause(parts(["shop > db", "db > way", "way"], { db: "database", way: "connector" }), symptoms);
  expect([found.rootCause, found.pattern]).toEqual(["db", "database out of connections"]);
});

it("one rotated key is one cause", () => {
  const failure = { kind: "auth" as const, phase: "upgrade", message: "", status: 401 };
  const symptoms = [
    failing("socket", "socket-up", { failure, kind: "websocket" }),
    failing("walk", "walk-it", { failure, kind: "journey" }),
  ];
  const found = cause(parts(["walk > socket", "socket"], { walk: "journey", socket: "websocket" }), symptoms);
  expect([found.rootCause, found.alsoBroken]).toEqual(["socket", undefined]);
});

it("no pattern matches without its distinguishing fact", () => {
  for (const role of ["service", "auth", "connector", "cache", "third_party", "platform", "queue"] as const) {
    const found = cause(parts(["it"], { it: role }), [failing("it", "it-up", answered(503))]);
    expect([found.rootCause, found.pattern]).toEqual(["it", "fails by itself"]);
    expect(found.next?.join(" ")).not.toMatch(/undefined|update-traffic/);
  }
});

it("a recovered cause is not blamed for continuing failures", () => {
  const symptoms = [failing("db", "db-up", { until: began + 3 * minute }), failing("shop", "shop-up")];
  const components = parts(["shop > db", "db"], { db: "database" });
  const seen = observedIn({
    components,
    symptoms,
    greens: [good("db", "db-up")],
    watched: new Set(["db", "shop"]),
    at: began + 60 * minute,
  });
  const first = diagnose({
    ...seen,
    symptoms: symptoms.map(({ until: _, ...one }) => one),
    greens: [],
    at: began + 3 * minute,
  });
  expect(first.rootCause).toBe("db");
  expect(diagnose(seen, first).rootCause).toBe("shop");
});
