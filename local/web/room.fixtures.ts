/** A control room with an outage that goes on and one that is over, for tests, for looking at, and for measuring. */
import { configurationOf } from "../../functions/notify/fixtures.ts";
import { MemoryStore } from "../../shared/adapters/memory.ts";
import type { Component, Configuration } from "../../shared/config/model.ts";
import { availabilityCollection, dayOf, monthOf } from "../../shared/documents/availability.ts";
import type { Fields } from "../../shared/ports.ts";
import type { Measurements, Points, SeriesName } from "../measurements/measurements.ts";

/** The instant at which it is looked at. */
export const noon: number = Date.parse("2025-09-16T12:30:00Z");

/** Texts that a hostile target or configuration could try to inject into a page. */
export const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&`;

const part = (name: string, title: string, layer: Component["layer"], dependsOn: string[], team = ""): Component => ({
  ...{ name, title, layer, dependsOn },
  ...(team === "" ? {} : { team }),
});

/** A shop. One of its parts has a name that tries to be more than a name. */
export const shop: Configuration = {
  ...configurationOf([]),
  title: "Shop",
  timezone: "Etc/UTC",
  components: [
    part("checkout", "Checkout", "application", ["api", "login"], "shop"),
    part("website", "Website", "application", ["api"], "shop"),
    part("api", "API", "application", ["database", "cache"], "backend"),
    part("login", "Login", "application", ["database"], "backend"),
    part("database", "Database", "platform", ["connector"], "infrastructure"),
    part("cache", "Cache", "platform", [], "infrastructure"),
    part("connector", "VPC connector", "platform", [], "infrastructure"),
    part("odd", hostile, "application", []),
  ],
  rules: [
    {
      ...{
        name: "API slow",
        component: "api",
        condition: "avg(http_response_time, 5m) > 800ms and http_status >= 500",
      },
      ...{ alertDurationMs: 0, clearDurationMs: 0, severity: "warning", missing: "keep" },
    },
  ],
};

const at = (clock: string): Date => new Date(`2025-09-16T${clock}:00Z`);

/** The id of the incident that is not over, and of the one that is. */
export const openId = "20250916-121200-connector";
export const pastId = "20250914-081500-cache";

const affected = (component: string, title: string, from: string, trouble = "failed"): Fields => ({
  ...{ component, title, layer: "application", impact: null, trouble, intermittent: false },
  ...{ from: at(from), until: null, availability_target: 0.99 },
});
const symptom = (check: string, component: string, since: string, kind = "probe"): Fields => ({
  ...{ check, kind, component, vantage: "outside", since: at(since), until: null, times: 1, failures: [] },
  showed: `\`${check}\` fails in connect (timeout): no answer within 5s ${hostile}`,
});

const outage: Fields = {
  title: "Shop: Checkout, API and 2 more failing",
  status: "open",
  severity: "critical",
  priority: "P0",
  summary: `Checkout and API have been failing since 12:10:00 UTC. The likely cause is VPC connector (platform, 92% sure). Nobody can buy. ${hostile}`,
  impact: "Nobody can buy. 5 of 8 components are affected.",
  root_cause: "connector",
  verdict: "platform",
  confidence: 0.92,
  team: "infrastructure",
  evidence: [
    "For VPC connector: A configuration check found: vpc_connector_state is ERROR, expected READY.",
    "For VPC connector: `database` fails in connect (timeout): no answer within 5s, from inside, since 12:10:00 UTC.",
    "Against VPC connector: Its utilization is 20%.",
    "Less likely: Database, because it answers directly.",
  ],
  whys: ["Checkout fails.", "Why? It depends on API."],
  next_steps: ["Look at it: `gcloud compute networks vpc-access connectors describe shop`.", hostile],
  components: ["connector", "database", "api", "login", "checkout"],
  component_states: { connector: "degraded", database: "fails", api: "fails", login: "fails", checkout: "fails" },
  candidates: [{ component: "connector", score: 4, confidence: 0.92, for: "It explains all.", against: "Nothing." }],
  affected: [
    affected("connector", "VPC connector", "12:09", "degraded"),
    affected("database", "Database", "12:10"),
    affected("api", "API", "12:11"),
    affected("login", "Login", "12:11"),
    affected("checkout", "Checkout", "12:12"),
  ],
  symptoms: [
    symptom("Connector full", "connector", "12:09", "rule"),
    symptom("database", "database", "12:10"),
    symptom("api", "api", "12:11"),
    symptom("login", "login", "12:11"),
    symptom("checkout", "checkout", "12:12"),
  ],
  first_failure_at: at("12:09"),
  opened_at: at("12:12"),
  changes: [
    {
      ...{ at: at("12:05"), kind: "deployment", what: "deployed revision shop-api-00042", resource: hostile },
      ...{
        by: "ana@example.com",
        components: ["api"],
        link: "javascript:alert(1)",
        revert: "gcloud run services update-traffic",
      },
      ...{ before_first_failure: true, fits: true },
    },
  ],
  suspected_change: "API: deployed revision shop-api-00042, 4 min before the first failure.",
  log_patterns: [
    { component: "api", resource: "api", pattern: "x", says: `API logs "${hostile}" 40 times.`, count: 40 },
  ],
  timeline: ['2025-09-16 12:12:00 UTC  Opened by "api failing".', `2025-09-16 12:13:00 UTC  ${hostile}`],
  deliveries: { "team-email": "opened delivered 2025-09-16 12:12:30 UTC" },
  edited_by: null,
};

const past: Fields = {
  ...outage,
  title: "Shop: Cache failing",
  status: "resolved",
  severity: "warning",
  components: ["cache"],
  affected: [
    {
      ...affected("cache", "Cache", "08:15"),
      from: new Date("2025-09-14T08:10:00Z"),
      until: new Date("2025-09-14T08:50:00Z"),
    },
  ],
  symptoms: [],
  first_failure_at: new Date("2025-09-14T08:10:00Z"),
  opened_at: new Date("2025-09-14T08:15:00Z"),
  acknowledged_at: new Date("2025-09-14T08:20:00Z"),
  resolved_at: new Date("2025-09-14T08:55:00Z"),
  duration: "45 min",
  postmortem: `# Postmortem: Cache failing\n\n**Badly.** ${hostile}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n`,
};

/** A store with both incidents, a notice, and seventy days of availability. */
export async function filledStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.set("incidents", openId, outage);
  await store.set("incidents", pastId, past);
  await store.set("deliveries", `${openId}:opened:team-email`, {
    ...{ incident: openId, event: "opened", channel: "team-email", sequence: 1, status: "delivered", reason: "" },
    ...{ at: at("12:12"), delivered_at: at("12:13"), attempt_count: 2, planned_at: at("12:12") },
  });
  const instants = Array.from({ length: 70 }, (_, ago) => noon - ago * 86_400_000);
  for (const [month, own] of Map.groupBy(instants, monthOf)) {
    const days = own.map((instant, index) => {
      const down = index % 9 === 1 ? 900 : 0;
      const shares = { up: 86_400 - down, down, unknown: 0 };
      return [dayOf(instant), { components: { api: shares, website: shares, cache: shares }, journeys: {} }];
    });
    await store.set(availabilityCollection, month, { data: JSON.stringify({ days: Object.fromEntries(days) }) });
  }
  return store;
}

/** A value each minute of the last day, without ten minutes of the night; the API is slow in the outage, and the website never fails. */
export const measurements: Measurements = {
  series: async (component) => names.filter((name) => component === undefined || name.component === component),
  read: async ({ component, metric, labels }, { from, until }) => {
    const first = Math.max(Math.ceil(from / 60_000) * 60_000, noon - 86_400_000);
    const all = Array.from(
      { length: Math.max(0, Math.ceil((until - first) / 60_000)) },
      (_, index) => first + index * 60_000,
    );
    const kept = all.filter((instant) => instant < at("03:00").getTime() || instant > at("03:10").getTime());
    const isBad = (instant: number): boolean => component === "api" && instant >= at("12:11").getTime();
    const value = (instant: number, index: number): number => {
      if (metric === "probe_success") return isBad(instant) ? 0 : 1;
      return (isBad(instant) ? 2.4 : 0.2 + 0.1 * Math.sin(index / 60)) * (labels["phase"] === "connect" ? 0.2 : 1);
    };
    return {
      at: kept,
      p50: kept.map(value),
      p95: kept.map((instant, index) => value(instant, index) * 1.3),
    } satisfies Points;
  },
};

const named = (component: string, metric: string, labels: SeriesName["labels"] = {}): SeriesName => ({
  ...{ component, probe: `${component}-health`, metric, labels },
});
const names: readonly SeriesName[] = ["api", "website"].flatMap((component) => [
  named(component, "http_response_time"),
  named(component, "http_phase_time", { phase: "connect" }),
  named(component, "http_phase_time", { phase: "first_byte" }),
  named(component, "probe_success"),
]);
