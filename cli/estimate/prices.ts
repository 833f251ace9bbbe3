/**
 * Google's list prices in us-central1, in US dollars, with the monthly free tiers. Sources: docs/cost.md. Each figure was read on the day in
 * `asOf` of its line. Prices change; the bill is authoritative.
 */

/** A price of one kind of use. */
export interface Price {
  /** Unit, in the plural, such as `vCPU-seconds`. */
  readonly unit: string;
  /** For one unit. */
  readonly dollars: number;
  /** Units that are free in a month. */
  readonly free: number;
  /** Whom the free units are for: they are shared with everything else of the same. */
  readonly freeFor: "billing account" | "project";
  readonly source: string;
  /** Year and month in which the page said so. */
  readonly asOf: string;
  /** Announced, and charged from this day on at the earliest; absent where it is charged already. */
  readonly from?: string;
}

/** Name of a price. */
export type PriceName =
  | "cpu"
  | "memory"
  | "requests"
  | "jobs"
  | "messages"
  | "reads"
  | "writes"
  | "deletes"
  | "series"
  | "points"
  | "logs"
  | "logPages"
  | "egress"
  | "references"
  | "alertPoints"
  | "secrets"
  | "accesses"
  | "images"
  | "pageBytes"
  | "pageWrites"
  | "pageReads"
  | "pageViews"
  | "uptimeChecks"
  | "syntheticMonitors";

const day = 30;
const gibibyte = 1024 ** 3;

/** Every price that the estimate uses, by name. */
export const prices: Readonly<Record<PriceName, Price>> = {
  cpu: {
    unit: "vCPU-seconds",
    dollars: 0.000024,
    free: 180_000,
    freeFor: "billing account",
    source: "https://cloud.google.com/run/pricing",
    asOf: "2026-08",
  },
  memory: {
    unit: "GiB-seconds",
    dollars: 0.0000025,
    free: 360_000,
    freeFor: "billing account",
    source: "https://cloud.google.com/run/pricing",
    asOf: "2026-08",
  },
  requests: {
    unit: "requests",
    dollars: 0.4 / 1e6,
    free: 2e6,
    freeFor: "billing account",
    source: "https://cloud.google.com/run/pricing",
    asOf: "2026-08",
  },
  jobs: {
    unit: "jobs",
    dollars: 0.1,
    free: 3,
    freeFor: "billing account",
    source: "https://cloud.google.com/scheduler/pricing",
    asOf: "2026-07",
  },
  messages: {
    unit: "bytes transferred",
    dollars: 40 / 1024 ** 4,
    free: 10 * gibibyte,
    freeFor: "billing account",
    source: "https://cloud.google.com/pubsub/pricing",
    asOf: "2026-07",
  },
  reads: {
    unit: "document reads",
    dollars: 0.03 / 1e5,
    free: 50_000 * day,
    freeFor: "project",
    source: "https://cloud.google.com/firestore/pricing",
    asOf: "2026-08",
  },
  writes: {
    unit: "document writes",
    dollars: 0.09 / 1e5,
    free: 20_000 * day,
    freeFor: "project",
    source: "https://cloud.google.com/firestore/pricing",
    asOf: "2026-08",
  },
  deletes: {
    unit: "document deletes",
    dollars: 0.01 / 1e5,
    free: 20_000 * day,
    freeFor: "project",
    source: "https://cloud.google.com/firestore/pricing",
    asOf: "2026-08",
  },
  series: {
    unit: "time series read",
    dollars: 0.5 / 1e6,
    free: 1e6,
    freeFor: "billing account",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-10",
  },
  points: {
    unit: "bytes of custom metrics",
    dollars: 0.258 / 1024 ** 2,
    free: 150 * 1024 ** 2,
    freeFor: "billing account",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-08",
  },
  logs: {
    unit: "bytes of logs",
    dollars: 0.5 / gibibyte,
    free: 50 * gibibyte,
    freeFor: "project",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-08",
  },
  logPages: {
    unit: "pages of log entries read",
    dollars: 0,
    free: 0,
    freeFor: "project",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-08",
  },
  egress: {
    unit: "bytes sent to the internet",
    dollars: 0.12 / gibibyte,
    free: gibibyte,
    freeFor: "billing account",
    source: "https://cloud.google.com/run/pricing",
    asOf: "2026-08",
  },
  references: {
    unit: "metrics named in alarms",
    dollars: 0.35,
    free: 0,
    freeFor: "billing account",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-10",
    from: "2027-09-01",
  },
  alertPoints: {
    unit: "points read by alarms",
    dollars: 0.5 / 1e6,
    free: 0,
    freeFor: "billing account",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-10",
    from: "2027-09-01",
  },
  secrets: {
    unit: "secret versions",
    dollars: 0.06,
    free: 6,
    freeFor: "billing account",
    source: "https://cloud.google.com/secret-manager/pricing",
    asOf: "2026-08",
  },
  accesses: {
    unit: "accesses to secrets",
    dollars: 0.03 / 1e4,
    free: 1e4,
    freeFor: "billing account",
    source: "https://cloud.google.com/secret-manager/pricing",
    asOf: "2026-08",
  },
  images: {
    unit: "bytes of images",
    dollars: 0.1 / gibibyte,
    free: 0.5 * gibibyte,
    freeFor: "billing account",
    source: "https://cloud.google.com/artifact-registry/pricing",
    asOf: "2026-08",
  },
  pageBytes: {
    unit: "bytes of pages",
    dollars: 0.02 / gibibyte,
    free: 5 * gibibyte,
    freeFor: "billing account",
    source: "https://cloud.google.com/storage/pricing",
    asOf: "2026-08",
  },
  pageWrites: {
    unit: "pages written",
    dollars: 0.005 / 1000,
    free: 5_000,
    freeFor: "billing account",
    source: "https://cloud.google.com/storage/pricing",
    asOf: "2026-08",
  },
  pageReads: {
    unit: "pages read",
    dollars: 0.0004 / 1000,
    free: 50_000,
    freeFor: "billing account",
    source: "https://cloud.google.com/storage/pricing",
    asOf: "2026-08",
  },
  pageViews: {
    unit: "bytes of pages sent to readers",
    dollars: 0.12 / gibibyte,
    free: 100 * gibibyte,
    freeFor: "billing account",
    source: "https://cloud.google.com/storage/pricing-examples",
    asOf: "2026-08",
  },
  uptimeChecks: {
    unit: "runs of uptime checks",
    dollars: 0.3 / 1000,
    free: 1e6,
    freeFor: "project",
    source: "https://cloud.google.com/stackdriver/pricing",
    asOf: "2026-08",
  },
  syntheticMonitors: {
    unit: "runs of synthetic monitors",
    dollars: 1.2 / 1000,
    free: 100,
    freeFor: "billing account",
    source: "https://cloud.google.com/monitoring/uptime-checks/introduction",
    asOf: "2026-08",
  },
};
