/** Metrics from a JSON body: the settings under `extract`, and the samples that they yield. */
import { z } from "zod";
import { metricNames, metrics } from "../../../shared/metrics/catalogue.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { type Quantity, quantity } from "../../../shared/text/units.ts";
import type { Assessment } from "../prober.ts";
import { parseJsonPath, valueAt } from "../text/json-path.ts";
import { jsonText } from "../text/json-text.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";

/** Supported units of a value. */
export const writtenUnits = ["s", "ms", "%", "ratio", "count", "bool", "B"] as const;

/** The samples of a metric. */
export type Samples = Assessment["measurements"];

const scalar = lazily(() => z.union([z.string(), z.number(), z.boolean()]));

/** The schema of `extract`: a list. */
export const extractions = lazily(() =>
  z.array(
    z
      .strictObject({
        metric: z.enum(metricNames).describe("The metric, by its name in the catalogue."),
        path: z
          .string()
          .refine(
            (path) => parseJsonPath(path) !== undefined,
            "must be a path such as $.pool.utilization or $.phases[0]",
          )
          .describe('The path to the value in the JSON body: $.a.b[0]["c"].'),
        unit: z.enum(writtenUnits).optional().describe("The unit of the value. Default: the base unit of the metric."),
        equals: z
          .union([scalar(), z.array(scalar())])
          .optional()
          .describe("Makes the sample 1 if the value equals this, or one of these, and 0 otherwise."),
        each: z
          .string()
          .optional()
          .describe(
            "Treats the value as an object or a list: each entry becomes a sample, with its key (or its number, from 1) in this label.",
          ),
        labels: namedRecord(z.string(), z.string()).optional().describe("Labels of the samples."),
        required: z.boolean().default(true).describe("Whether the probe fails if the value is missing."),
      })
      .check((context) => {
        for (const [field, message] of problems(context.value)) {
          context.issues.push({ code: "custom", message, path: [field], input: context.value });
        }
      }),
  ),
);

/** One value, or one collection of values, that becomes samples of a metric. */
export type Extraction = z.output<ReturnType<typeof extractions>>[number];

/** Returns the samples of one extraction, or a sentence on why there are none. @param json the parsed JSON body */
export function extract(extraction: Extraction, json: unknown): { samples: Samples; problem?: ReportText } {
  const { metric, path, each, labels = {}, required } = extraction;
  const found = valueAt(json, parseJsonPath(path) ?? []);
  if (found === undefined || found === null)
    return required ? { samples: [], problem: `the body has no ${path} to extract ${metric} from` } : { samples: [] };
  const values: readonly (readonly [string, unknown])[] = each === undefined ? [["", found]] : entries(found);
  const samples: Samples[number][] = [];
  for (const [key, value] of values.slice(0, maxEntries)) {
    const number = sampleOf(extraction, value);
    if (number === undefined)
      return {
        samples,
        problem: cite`${each === undefined ? path : cite`${path} ${TargetText.of(key).first(80)}`} is ${describe(value)}, expected a ${expectation(extraction)}`,
      };
    samples.push({
      metric,
      value: number,
      labels: each === undefined ? labels : { ...labels, [each]: TargetText.of(key) },
    });
  }
  if (values.length === 0 && required)
    return { samples, problem: cite`${path} is ${describe(found)}, not an object or a list of values` };
  return { samples };
}

/** More entries than this indicate a misbehaving target, not a collection of measurements. */
const maxEntries = 100;

function problems({ metric, unit, each, equals, labels = {} }: Extraction): [string, string][] {
  const known = metrics[metric];
  const wrong: [string, string][] = [];
  if (metric.startsWith("http_") || metric.startsWith("probe_") || metric.startsWith("tls_"))
    wrong.push(["metric", `the probe itself measures ${metric}: extract another metric`]);
  if (equals !== undefined && (unit !== undefined || known.unit !== "count"))
    wrong.push([
      "equals",
      `equals yields 0 or 1, so it requires a count without a unit: ${metric} is in ${known.unit}, or unit is set`,
    ]);
  if (unit !== undefined && !unitsOf[known.unit].includes(unit))
    wrong.push(["unit", `${metric} is in ${known.unit}: write one of ${unitsOf[known.unit].join(", ")}`]);
  const carried = known.labels ?? [];
  for (const label of [...Object.keys(labels), ...(each === undefined ? [] : [each])]) {
    if (carried.includes(label)) continue;
    const advice = carried.length === 0 ? "it has none" : `it has ${carried.join(", ")}`;
    wrong.push([label === each ? "each" : "labels", `${metric} has no label "${label}": ${advice}`]);
  }
  return wrong;
}

const unitsOf: Readonly<Record<Quantity["unit"], readonly string[]>> = {
  seconds: ["s", "ms"],
  ratio: ["ratio", "%"],
  bytes: ["B"],
  count: ["count", "bool"],
};

function sampleOf({ metric, unit, equals }: Extraction, value: unknown): number | undefined {
  if (equals !== undefined) return [equals].flat().some((one) => one === value) ? 1 : 0;
  if (typeof value === "boolean") return metrics[metric].unit === "count" ? Number(value) : undefined;
  const number = typeof value === "string" ? numberIn(value, metrics[metric].unit) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
  if (typeof value === "string" && /[a-z%]$/i.test(value)) return number;
  if (unit === "bool") return number === 0 ? 0 : 1;
  return unit === "%" ? number / 100 : unit === "ms" ? number / 1000 : number;
}

/** Parses a number in a text, as in `0.93`, `93%` or `27.4s`: a suffix takes precedence over the settings. */
function numberIn(text: string, wanted: Quantity["unit"]): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-z%]*)$/i.exec(text.trim());
  if (!match) return undefined;
  if (match[2] === "") return Number(match[1]);
  const read = quantity(Number(match[1]), match[2] ?? "");
  return read?.unit === wanted ? read.value : undefined;
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((one, position) => [String(position + 1), one] as const);
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function expectation({ metric, unit }: Extraction): string {
  return unit === undefined || unit === "count" ? `number for ${metric}` : `number in ${unit} for ${metric}`;
}

function describe(value: unknown): TargetText {
  return TargetText.of(jsonText(value)).first(80);
}
