/** Results of probes as people read them. */
import type { Failure, Measurement, ProbeResult } from "../../shared/messages/report.ts";
import { metricNamed } from "../../shared/metrics/catalogue.ts";
import { commonMetrics } from "../../shared/metrics/yields.ts";
import { formatValue } from "../../shared/text/units.ts";
import { counted, type Terminal, table } from "./terminal.ts";

/** Headings of the cells of `resultRow`. */
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

/** Returns where and how a probe failed: `response: 503 Service Unavailable`; empty for a success. */
export function failureSentence({ failure }: ProbeResult): string {
  if (failure === undefined) return "";
  const step = failedStep(failure);
  return step ? `step \`${step.name}\`, ${step.reason}` : `${failure.phase}: ${failure.message}`;
}

/** The steps of a journey, a line each: those that were taken, with their times, and the one that failed, with its reason. Nothing for other probes. */
export function stepLines({ measurements, failure }: ProbeResult, { paint }: Pick<Terminal, "paint">): string[] {
  const rows = measurements
    .filter(({ metric }) => metric === "golden_path_step_time")
    .map((measurement) => [paint("good", "ok"), measurement.labels["step"] ?? "", formatted(measurement)]);
  const step = failure && failedStep(failure);
  if (step) rows.push([paint("bad", "failed"), step.name, step.reason]);
  const cleaned = measurements.find(({ metric }) => metric === "golden_path_cleanup_success");
  if (cleaned) rows.push([cleaned.value === 1 ? paint("good", "ok") : paint("bad", "failed"), "clean-up"]);
  return table(rows, "");
}

/** The step that the failure of a journey names, and where and why it failed. */
function failedStep({ phase, message, step }: Failure): { readonly name: string; readonly reason: string } | undefined {
  if (step === undefined) return undefined;
  const beginning = `step \`${step}\`: `;
  const reason = message.startsWith(beginning) ? message.slice(beginning.length) : message;
  return { name: step, reason: `${phase}: ${reason}` };
}

/**
 * Returns the findings of a result's configuration checks: a heading, then a paragraph for each finding, most severe first, and for each
 * check that could not be made. Returns nothing if there were no checks.
 */
export function findingLines(
  { probe, findings = [], unchecked = [] }: ProbeResult,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const wrong = findings.filter(({ ok }) => !ok);
  // A single finding that is right goes with what a probe measures anyway.
  if (findings.length + unchecked.length <= 1 && wrong.length + unchecked.length === 0) return [];
  const tally = [
    counted(findings.length, "check"),
    wrong.length === 0 ? paint("good", "nothing wrong") : paint("bad", `${wrong.length} wrong`),
    ...(unchecked.length === 0 ? [] : [paint("warning", `${counted(unchecked.length, "resource")} not to be judged`)]),
  ];
  return [
    `${paint("strong", probe)}: ${tally.join(", ")}`,
    ...wrong.flatMap((finding) => {
      const { check, resource, severity = "warning", observed, expected, explanation } = finding;
      const about = resource === undefined ? check : `${resource}, ${check}`;
      return [
        `  ${paint(shades[severity], severity.padEnd(8))}  ${about}: ${observed}; expected: ${expected}`,
        ...wrapped(explanation, "            "),
      ];
    }),
    ...unchecked.flatMap(({ resource, checks, explanation }) => [
      `  ${paint("warning", "unknown".padEnd(8))}  ${resource}: ${waiting(checks)}`,
      ...wrapped(explanation, "            "),
    ]),
    "",
  ];
}

/** Returns the changes and log entries of a result, one per line; nothing if there are none. */
export function recordLines(
  { probe, changes = [], log_patterns: patterns = [] }: ProbeResult,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const ours = changes.filter(({ elsewhere }) => elsewhere !== true);
  if (ours.length + patterns.length === 0) return [];
  const rows = [
    ...ours.map(({ at, components, what }) => [
      `${at.slice(0, 19).replace("T", " ")} UTC`,
      components.join(", ") || "-",
      what,
    ]),
    ...patterns.map(({ count, component, pattern }) => [`${count} times`, component, pattern]),
  ];
  return [paint("strong", probe), ...table(rows), ""];
}

const shades = { critical: "bad", warning: "warning", info: "faint" } as const;

/** Checks by name as far as a reader wants to read them; all of them are in the JSON. */
function waiting(checks: readonly string[]): string {
  const [first, ...others] = checks;
  return checks.length <= 3 ? `${checks.join(", ")} not made` : `${first} and ${others.length} other checks not made`;
}

/** Prose in lines of a width that is read easily. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}

/** Maximum number of measurements shown per result; its JSON contains all of them. */
const maxShown = 3;

function keyMeasurements({ measurements }: ProbeResult): string {
  return measurements
    .filter(({ metric, labels }) => !ofEveryProbe(metric) && Object.keys(labels).length === 0)
    .slice(0, maxShown)
    .map((measurement) => `${measurement.metric} ${formatted(measurement)}`)
    .join(", ");
}

function durationOf({ measurements }: ProbeResult): string {
  const duration = measurements.find(({ metric }) => metric === "probe_duration");
  return duration === undefined ? "" : formatted(duration);
}

function ofEveryProbe(metric: string): boolean {
  return commonMetrics.some((common) => common === metric);
}

function formatted({ metric, value }: Measurement): string {
  return formatValue(value, metricNamed(metric)?.unit ?? "count");
}
