/** Requests by response class, and the share that failed: the same for Cloud Run and for load balancers. */

import type { Finding } from "../../../shared/messages/report.ts";
import type { MetricName } from "../../../shared/metrics/catalogue.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { type Measured, valuesBy, windowPhrase } from "./readings.ts";
import type { Found, Reading } from "./series.ts";

/** The label of the response class: `5xx` at Cloud Run, 500 at load balancers, 0 for no response. */
export const classLabel = "metric.labels.response_code_class";

/** The metrics of the requests. */
export interface RequestMetrics {
  /** Requests per second, by `class`. */
  readonly rate: MetricName;
  readonly errorRate: MetricName;
}

/** The classes that are always measured, so that each has a series before it first appears. */
const usual = ["2xx", "3xx", "4xx", "5xx"];

/** Every response class; `none` means no response. */
export const requestClasses: readonly string[] = ["1xx", ...usual, "none"];

/**
 * Returns the samples of one period. Without any request there is no error rate, because nothing failed and nothing worked.
 * @param found requests in the period, by class; `undefined` if there were none at all
 */
export function requestSamples(found: Found | undefined, periodMs: number, metrics: RequestMetrics): Measured[] {
  const counts = valuesBy(found?.samples ?? [], classLabel, classOf);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const errors = counts["5xx"] ?? 0;
  const classes = [...new Set([...usual, ...Object.keys(counts)])];
  return [
    ...(total > 0 ? [{ metric: metrics.errorRate, value: errors / total }] : []),
    ...classes.map((name) => ({
      metric: metrics.rate,
      value: ((ownEntry(counts, name) ?? 0) * 1000) / periodMs,
      labels: { class: name },
    })),
  ];
}

/** Returns the finding that there was nothing to measure, with the possible reasons. @param nowhere `there is no service x, or nobody uses it` */
export function idleFinding(reading: Reading, now: number, nothing: string, nowhere: string): Finding {
  return {
    check: "traffic",
    ok: true,
    observed: `${nothing} ${windowPhrase(reading, now)}`,
    expected: "requests, because the service has users",
    explanation: `No measurements: ${nowhere}.`,
  };
}

function classOf(text: string): string {
  const digit = /^([1-5])(\d\d|xx)$/.exec(text)?.[1];
  return digit === undefined ? "none" : `${digit}xx`;
}
