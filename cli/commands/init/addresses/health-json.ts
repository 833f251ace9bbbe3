/** Extracts health and metrics from a JSON response. Pure. */
import { type MetricName, metricNames, metrics } from "../../../../shared/metrics/catalogue.ts";
import type { HealthMetric } from "./endpoint.ts";

/** Keys under which services say how they are. */
const stateKeys = ["status", "state", "health", "healthy", "ok", "ready"];
/** Words for well. */
const well = /^(ok|okay|healthy|up|pass|passing|good|green|alive|ready|running|available|success|serving)$/i;
/** Maximum depth of the search for metrics. */
const deepest = 3;

/** Values at the top of an answer that say that all is well, by their paths. */
export function healthIn(json: unknown): [path: string, value: string | boolean][] {
  if (!isMap(json)) return [];
  return Object.entries(json).flatMap(([key, value]): [string, string | boolean][] => {
    if (!stateKeys.includes(key.toLowerCase()) || !/^\w+$/.test(key)) return [];
    const isWell = value === true || (typeof value === "string" && well.test(value));
    return isWell ? [[`$.${key}`, value]] : [];
  });
}

/** Metrics of the catalogue that an answer holds under their own names. */
export function metricsIn(json: unknown, path = "$", depth = 1): HealthMetric[] {
  if (!isMap(json)) return [];
  return Object.entries(json).flatMap(([key, value]) => {
    if (!/^\w+$/.test(key)) return [];
    const here = `${path}.${key}`;
    if (isMap(value)) return depth < deepest ? metricsIn(value, here, depth + 1) : [];
    const metric = metricNames.find((name) => name === key);
    return metric === undefined ? [] : metricOf(metric, value, here);
  });
}

function metricOf(metric: MetricName, value: unknown, path: string): HealthMetric[] {
  const { unit, labels } = metrics[metric];
  // Metrics that probers measure themselves are not extracted from a response, nor are metrics that need labels.
  if (/^(http|probe|tls)_/.test(metric) || labels !== undefined) return [];
  if (unit === "count" && typeof value === "string" && well.test(value)) return [{ metric, path, equals: value }];
  if (unit === "count" && typeof value === "boolean") return [{ metric, path, unit: "bool" }];
  if (typeof value !== "number" || !Number.isFinite(value)) return [];
  return [{ metric, path, ...(unit === "ratio" && value > 1 ? { unit: "%" } : {}) }];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
