/** Quotas: those of Compute Engine in the region with their usage, and those that caused an API to refuse requests. */
import { listAt, numberAt, textAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** A quota of the region. Source: Compute API v1, `regions`. */
export interface Quota {
  /** As in IN_USE_ADDRESSES. */
  readonly metric: string;
  readonly usage: number;
  readonly limit: number;
}

/** Reads the quotas of the region. */
export function readQuotas(
  reader: Reader,
  { project, region, quotas }: ConfigurationSettings,
): Promise<Read<readonly Quota[]>> | undefined {
  if (!quotas) return undefined;
  const url = `https://compute.googleapis.com/compute/v1/projects/${project}/regions/${region}`;
  const about = { resource: region, component: quotas.component, project, url };
  return reader.one({ read: "region_quotas", ...about }, (json) =>
    listAt(json, "quotas").flatMap((quota): Quota[] => {
      const [metric, usage, limit] = [textAt(quota, "metric"), numberAt(quota, "usage"), numberAt(quota, "limit")];
      return metric === undefined || usage === undefined || limit === undefined ? [] : [{ metric, usage, limit }];
    }),
  );
}

/** Reads which quotas were exceeded lately, as `run.googleapis.com/…`. */
export async function readExceeded(
  reader: Reader,
  { project, quotas }: ConfigurationSettings,
): Promise<Read<readonly string[]> | undefined> {
  if (!quotas) return undefined;
  const { services, component } = quotas;
  const apis = services.map((name) => JSON.stringify(name)).join(",");
  const read = await reader.figures(
    { what: "the quotas exceeded in", resource: project, component, project },
    {
      metricType: "serviceruntime.googleapis.com/quota/exceeded",
      resourceType: "consumer_quota",
      ...(services.length === 0 ? {} : { filter: `resource.labels.service = one_of(${apis})` }),
      aligner: "ALIGN_COUNT_TRUE",
      reducer: "REDUCE_SUM",
      groupBy: ["metric.labels.quota_metric"],
      periodMs: 900_000,
      delayMs: 300_000,
    },
  );
  if ("refusal" in read) return read;
  const exceeded = read.value.filter(({ value }) => value > 0);
  return { value: exceeded.map(({ labels }) => labels["metric.labels.quota_metric"] ?? "a quota") };
}
