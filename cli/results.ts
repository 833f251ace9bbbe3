/** Results of probes as people read them. */
import type { Measurement, ProbeResult } from "../shared/messages/report.ts";
import { metricNamed } from "../shared/metrics.ts";
import { formatValue } from "../shared/units.ts";
import type { Terminal } from "./terminal.ts";

/** What the cells of `resultRow` are. */
export const resultHead: readonly string[] = ["probe", "result", "duration", "measured"];

/** A result as the cells of a table: its name, how it went, how long it took and its key measurements. */
export function resultRow(result: ProbeResult, { paint }: Pick<Terminal, "paint">): string[] {
  return [
    result.probe,
    result.success ? paint("good", "ok") : paint("bad", "failed"),
    durationOf(result),
    keyMeasurements(result),
  ];
}

/** Where and how a probe failed: `response: 503 Service Unavailable`; empty for one that succeeded. */
export function failureSentence({ failure }: ProbeResult): string {
  return failure === undefined ? "" : `${failure.phase}: ${failure.message}`;
}

/** What the configuration checks of a result found wrong, in a line each. */
export function findingLines({ probe, findings = [] }: ProbeResult): string[] {
  return findings
    .filter(({ ok }) => !ok)
    .map(
      ({ check, observed, expected, explanation }) =>
        `${probe}, ${check}: ${observed}, and it should be ${expected}. ${explanation}`,
    );
}

/** How many measurements stand for a result; all of them are in its JSON. */
const mostShown = 3;

function keyMeasurements({ measurements }: ProbeResult): string {
  return measurements
    .filter(({ metric, labels }) => !ofEveryProbe(metric) && Object.keys(labels).length === 0)
    .slice(0, mostShown)
    .map((measurement) => `${measurement.metric} ${formatted(measurement)}`)
    .join(", ");
}

function durationOf({ measurements }: ProbeResult): string {
  const duration = measurements.find(({ metric }) => metric === "probe_duration");
  return duration === undefined ? "" : formatted(duration);
}

function ofEveryProbe(metric: string): boolean {
  return metricNamed(metric)?.probers.length === 0;
}

function formatted({ metric, value }: Measurement): string {
  return formatValue(value, metricNamed(metric)?.unit ?? "count");
}
