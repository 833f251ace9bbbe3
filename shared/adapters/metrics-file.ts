/** Exports measurements on one machine: a file with the newest value of each series, in the text format of Prometheus and its node exporter. */
import { rename, writeFile } from "node:fs/promises";
import { metricNamed } from "../metrics/catalogue.ts";
import { ownMetrics } from "../metrics/exported.ts";
import type { MetricPoint, MetricSink, Written } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";

/** How long a series without new points is kept, in milliseconds. */
const keptFor = 3 * 3_600_000;

/** Writes the file anew each time, and whole: who reads it never sees a half. */
export class MetricsFile implements MetricSink {
  readonly #file: string;
  readonly #newest = new Map<string, MetricPoint>();

  constructor(file: string) {
    this.#file = file;
  }

  async write(points: readonly MetricPoint[]): Promise<Written> {
    const newest = Math.max(...points.map(({ at }) => at));
    for (const point of points) this.#newest.set(seriesOf(point), point);
    for (const [series, { at }] of this.#newest) if (newest - at > keptFor) this.#newest.delete(series);
    try {
      await writeFile(`${this.#file}.new`, exposition([...this.#newest]));
      await rename(`${this.#file}.new`, this.#file);
      return { written: points.length, refused: 0 };
    } catch (error) {
      return { written: 0, refused: points.length, reason: (error as Error).message };
    }
  }

  async close(): Promise<void> {}
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats */
function exposition(series: readonly (readonly [string, MetricPoint])[]): string {
  const lines: string[] = [];
  const byMetric = Map.groupBy(series, ([, { metric }]) => metric);
  for (const metric of [...byMetric.keys()].sort()) {
    const name = `pathkeeper_${metric}`;
    const own = ownEntry(ownMetrics, metric);
    const description = own?.description ?? metricNamed(metric)?.description;
    if (description !== undefined) lines.push(`# HELP ${name} ${description}`);
    lines.push(`# TYPE ${name} gauge`);
    const samples = (byMetric.get(metric) ?? []).map(([text, { value }]) => `${text} ${value}`);
    lines.push(...samples.sort());
  }
  return `${lines.join("\n")}\n`;
}

function seriesOf({ metric, labels }: MetricPoint): string {
  const own = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escaped(ownEntry(labels, name) ?? "")}"`);
  return `pathkeeper_${metric}${own.length === 0 ? "" : `{${own.join(",")}}`}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
