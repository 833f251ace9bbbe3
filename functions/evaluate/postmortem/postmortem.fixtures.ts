/** An outage as its document and its ledger have it, for the tests of postmortems. */
import { type IncidentDocument, readIncident } from "../../../shared/documents/incident.ts";
import type { Account, DeliveryRecord } from "./account.ts";

/** An instant of the day of the outage. */
export function at(clock: string): Date {
  return new Date(`2025-09-16T${clock}Z`);
}

const incident: IncidentDocument = {
  ...readIncident({}),
  title: "Shop: Database and Shop failing",
  status: "resolved",
  severity: "critical",
  priority: "P0",
  impact: "Nobody can buy. 2 of 3 components are affected.",
  root_cause: "database",
  root_cause_since: at("12:03:00"),
  also_broken: null,
  pattern: "database out of connections",
  verdict: "platform",
  confidence: 0.9,
  team: "infrastructure",
  evidence: [
    "For Database: `shop-health` fails in response (http_status): 503, from outside, since 12:01:00 UTC until 12:20:00 UTC.",
    "For Database: Its connections are used up: 100 of 100.",
    "Against Database: `reports` was good throughout, though it needs Database.",
    "Less likely: Shop, because it explains fewer of the symptoms.",
  ],
  whys: [
    "Shop fails: `shop-health` fails in response (http_status): 503.",
    "Why? It depends on Database. Database fails: `database` fails in authentication (database): too many clients.",
    "Why? Database has no free connection: it responds immediately, but refuses new clients.",
  ],
  next_steps: ["Nothing was measured of Load balancer meanwhile: add a probe of the kind `load_balancer` for it."],
  affected: [
    {
      component: "database",
      title: "Database",
      layer: "platform",
      impact: null,
      trouble: "failed",
      intermittent: false,
      from: at("12:00:00"),
      until: at("12:20:00"),
      availability_target: 0.99,
    },
    {
      component: "shop",
      title: "Shop",
      layer: "application",
      impact: "Nobody can buy",
      trouble: "failed",
      intermittent: false,
      from: at("12:01:00"),
      until: at("12:20:00"),
      availability_target: 0.999,
    },
  ],
  symptoms: [
    {
      check: "database",
      kind: "probe",
      component: "database",
      vantage: "inside",
      since: at("12:00:00"),
      until: at("12:20:00"),
      times: 2,
      showed: "`database` fails in authentication (database): too many clients",
      failures: [
        {
          showed: "in connect (timeout): no answer within 5s",
          kind: "timeout",
          phase: "connect",
          status: null,
          code: null,
          from: at("12:00:00"),
          until: at("12:00:00"),
          count: 1,
        },
        {
          showed: "in authentication (database): too many clients",
          kind: "database",
          phase: "authentication",
          status: null,
          code: "53300",
          from: at("12:01:00"),
          until: at("12:19:00"),
          count: 19,
        },
      ],
    },
    {
      check: "Pool is full",
      kind: "rule",
      component: "database",
      vantage: null,
      since: at("12:00:30"),
      until: null,
      times: 1,
      showed: "Pool is full: cloud_sql_pool_utilization (100%) > 85%",
      failures: [],
    },
  ],
  findings: [
    {
      check: "max-connections",
      component: "database",
      severity: "warning",
      says: "max-connections is 100, expected 400: instances x pool is above it",
      since: at("09:00:00"),
      came_with_it: false,
    },
  ],
  first_failure_at: at("12:00:00"),
  opened_at: at("12:02:00"),
  opened_by: "database failing",
  acknowledged_at: at("12:22:00"),
  recovering_at: at("12:24:00"),
  resolved_at: at("12:30:30"),
  relapses: [],
  recovery: {
    status: "passed",
    begun_at: at("12:24:00"),
    ended_at: at("12:30:30"),
    seconds: 390,
    stages: [
      {
        name: "basic health",
        status: "passed",
        begun_at: at("12:24:00"),
        passed_at: at("12:30:30"),
        failed_at: at("12:25:00"),
        seconds: 390,
        attempts: 3,
        unanswered: 1,
        failures: ["2025-09-16 12:25:00 UTC  Attempt 1: `database` succeeds, but it is slow."],
      },
    ],
    earlier: ["Begun at 12:10:00 UTC, regressed after 2 min; no stage had passed."],
  },
  timeline: [
    "2025-09-16 12:00:00 UTC  `database` fails in authentication (database): too many clients.",
    '2025-09-16 12:02:00 UTC  Opened by "database failing". The likely cause is Database.',
    "2025-09-16 12:20:00 UTC  `database` is good again.",
    "2025-09-16 12:20:00 UTC  `shop-health` is good again.",
    "2025-09-16 12:30:30 UTC  Resolved. Every stage of the recovery has passed.",
  ],
  note: "It was the importer",
  problem: '`status` cannot be set to "fixed": enter acknowledged or resolved.',
  postmortem: null,
};

/** A delivery in one line. */
export function delivery(
  sequence: number,
  event: string,
  channel: string,
  status: string,
  more: Partial<DeliveryRecord> = {},
): DeliveryRecord {
  return {
    sequence,
    event,
    channel,
    status,
    reason: "",
    at: at(event === "opened" ? "12:02:00" : "12:30:30"),
    delivered_at: status === "delivered" ? at(event === "opened" ? "12:02:03" : "12:30:31") : null,
    attempt_count: 1,
    ...more,
  };
}

/** Everything known of it. */
export const outage: Account = {
  id: "20250916-120200-database",
  incident,
  deliveries: [
    delivery(1, "opened", "mail", "delivered"),
    delivery(1, "opened", "hook", "delivered", { attempt_count: 2 }),
    delivery(1, "opened", "sales", "suppressed", { reason: "no route: opened, critical, database" }),
    delivery(2, "resolved", "mail", "delivered"),
    delivery(2, "resolved", "hook", "rejected", { reason: "410 Gone" }),
    delivery(2, "resolved", "sales", "suppressed", { reason: "never announced here" }),
  ],
  months: [
    {
      period: "2025-09",
      components: {
        database: { up: 1_340_000, down: 1_200, unknown: 0 },
        shop: { up: 1_340_000, down: 4_000, unknown: 0 },
      },
      journeys: { database: { attempts: 200, successes: 199 } },
      downtime: { "20250916-120200-database": { database: 1_110, shop: 1_140 } },
      incidents: { count: 1, resolved: 1, mean_detect: 120, mean_acknowledge: null, mean_recover: null, each: {} },
    },
  ],
};
