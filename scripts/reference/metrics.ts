/** The page of everything that is measured, and the part of it on the page of a prober. */
import type { AnyProber } from "../../functions/probe/prober.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import { metricNames, metrics } from "../../shared/metrics/catalogue.ts";
import { defaultExports, exportPrefix, ownMetrics } from "../../shared/metrics/exported.ts";
import type { Metric } from "../../shared/metrics/metric.ts";
import { commonMetrics } from "../../shared/metrics/yields.ts";
import { generated, kindLink } from "./markdown.ts";

/** `docs/metrics.md` */
export function metricsPage(): string {
  const rows = Object.entries(metrics).map(([name, metric]: [string, Metric]) => {
    const labels = metric.labels?.map((label) => `\`${label}\``).join(", ") ?? "";
    const kinds = commonMetrics.some((common) => common === name)
      ? "every probe"
      : Object.values(probers)
          .filter((prober) => prober.yields().some((yielded) => yielded.metric === name))
          .map(({ kind }) => kindLink(kind))
          .join(", ");
    return `| \`${name}\` | ${metric.unit} | ${metric.description} | ${labels} | ${kinds} |`;
  });
  const own = Object.entries(ownMetrics).map(([name, { unit, description, labels = [] }]) => {
    return `| \`${name}\` | ${unit} | ${description} | ${labels.map((label) => `\`${label}\``).join(", ")} |`;
  });
  return `${generated}
# Metrics

Everything that probes measure, in base units: seconds, a ratio from 0 to 1, bytes, a plain count. Conditions write them as people do
(\`70%\`, \`250ms\`, \`64MiB\`). Every series carries the labels \`probe\`, \`component\` and \`vantage\` besides its own.

| metric | unit | meaning | own labels | yielded by |
|---|---|---|---|---|
${rows.join("\n")}

## Exported for dashboards

With each tick the newest values of ${defaultExports.map((name) => `\`${name}\``).join(", ")} go to Cloud Monitoring as \`${exportPrefix}NAME\`, unless the
configuration says otherwise under \`export\`; on one machine to the file \`metrics.prom\` as \`pathkeeper_NAME\`. What the monitor measures of itself goes with them:

| metric | unit | meaning | labels |
|---|---|---|---|
${own.join("\n")}

Each point takes 8 bytes of what Cloud Monitoring bills beyond 150 MiB a month: 60 series each minute are 20 MiB.
`;
}

/** Returns the metrics of a prober, as a section of its page. */
export function metricsOf({ yields }: AnyProber): string {
  const own = new Map(yields().map((yielded) => [yielded.metric, yielded]));
  const rows = metricNames.flatMap((name) => {
    const yielded = own.get(name);
    const { unit, description } = metrics[name];
    return yielded === undefined ? [] : [`| \`${name}\` | ${unit} | ${description} | ${yielded.needs ?? ""} |`];
  });
  return `
## What it can measure

\`probe_success\` and \`probe_duration\`, as every probe, and:

| metric | unit | meaning | only |
|---|---|---|---|
${rows.join("\n")}
`;
}
