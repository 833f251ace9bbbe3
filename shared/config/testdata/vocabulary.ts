/** A small vocabulary for the tests of the configuration, which must not depend on the functions. */
import { z } from "zod";
import { type MetricName, metricNamed, metrics } from "../../metrics/catalogue.ts";
import { nearest } from "../../text/nearest.ts";
import {
  duration,
  googleProject,
  googleRegion,
  secretReference,
  secretText,
  textOrSecret,
  textWithSecrets,
} from "../fields.ts";
import type { Mistake, Vocabulary } from "../schema.ts";

/** Three kinds of probe, three kinds of channel, and conditions of the form `metric{labels} > text`. */
export const vocabulary: Vocabulary = {
  probers: {
    http: {
      kind: "http",
      title: "Fetches a URL.",
      reach: "users",
      settings: z.strictObject({
        url: z.url({ protocol: /^https?$/ }).describe("The address that is fetched."),
        expect_status: z.array(z.int().min(100).max(599)).min(1).optional(),
        slow: duration().optional(),
        json: z.json().optional(),
        extract: z.record(z.string(), z.string()).optional(),
        steps: z.array(z.string()).optional(),
      }),
      yields: (settings) => {
        const { extract = {}, steps } = (settings ?? {}) as { extract?: Record<string, string>; steps?: string[] };
        return [
          { metric: "http_response_time" },
          ...Object.values(extract).map((metric) => ({ metric: metric as MetricName })),
          ...(steps === undefined ? [] : [{ metric: "golden_path_step_time" as const, labels: { step: steps } }]),
          ...(settings === undefined
            ? [{ metric: "cloud_sql_pool_utilization" as const, needs: "that extracts it" }]
            : []),
        ];
      },
    },
    postgres: {
      kind: "postgres",
      title: "Connects to a database.",
      role: "database",
      reach: "private",
      settings: z.strictObject({
        host: z.string(),
        password: secretReference(),
        user: textOrSecret().optional(),
      }),
      yields: (settings) => {
        const { user = undefined } = (settings ?? { user: "anyone" }) as { user?: unknown };
        return [
          { metric: "database_connection_time" },
          ...(user === undefined ? [] : [{ metric: "cloud_sql_pool_utilization" as const, needs: "with user" }]),
        ];
      },
    },
    cloud_run: {
      kind: "cloud_run",
      title: "Reads the metrics of a service.",
      role: "service",
      reach: "control_plane",
      secondhand: true,
      settings: z.strictObject({
        project: googleProject(),
        region: googleRegion(),
        service: z.string(),
        parts: z.array(z.strictObject({ of: z.string() })).optional(),
      }),
      components: ["parts[].of"],
      yields: () => [{ metric: "cloud_run_error_rate" }],
    },
  },
  channels: {
    email: { kind: "email", title: "Sends a mail.", settings: z.strictObject({ to: z.array(z.email()).min(1) }) },
    chat: {
      kind: "chat",
      title: "Posts a message.",
      settings: z.strictObject({ token: secretText(), header: textWithSecrets().optional() }),
    },
    page: {
      kind: "page",
      title: "Writes pages.",
      settings: z.strictObject({ bucket: z.string(), components: z.array(z.string()).optional() }),
      owns: "bucket",
    },
  },
  checkCondition: (text) => mistakeIn(text),
  conditionSelectors(text) {
    const matchers = [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value]);
    return [{ metric: metricOf(text), matchers: Object.fromEntries(matchers) }];
  },
  conditionWarnings: () => [],
  mergesComponents: () => false,
  neverClears: (condition, clear) => condition === clear,
  conditionForm: (text) => text,
  baselineSelector: (metric) => ({ metric, matchers: {} }),
  checkBaseline(metric, expectation) {
    if (!metricNamed(metric)) return unknown(metric);
    const wrong = /^<?[\d.]+(s|%)$/.test(expectation) ? undefined : expectation.search(/[^<\d.]/);
    return wrong === undefined ? undefined : { message: "a unit is missing", offset: Math.max(wrong, 0), length: 1 };
  },
};

function metricOf(condition: string): string {
  return /^\w*/.exec(condition)?.[0] ?? "";
}

function mistakeIn(condition: string): Mistake | undefined {
  const metric = metricOf(condition);
  if (!metricNamed(metric)) return { ...unknown(metric), offset: 0, length: metric.length };
  const operator = /^\w+(\{[^}]*\})?\s*/.exec(condition)?.[0].length ?? 0;
  return condition[operator] === ">" ? undefined : { message: 'write ">" here', offset: operator, length: 1 };
}

function unknown(metric: string): Mistake {
  const suggestion = nearest(metric, Object.keys(metrics));
  return { message: `unknown metric "${metric}"${suggestion ? `: did you mean "${suggestion}"?` : ""}`, suggestion };
}
