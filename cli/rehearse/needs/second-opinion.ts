/** Google's own checks: an uptime check, a synthetic monitor, and the alarms on both. */

import { labelled } from "../../../shared/deployment/labels.ts";
import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, type Requirement, such } from "../../../shared/deployment/need.ts";
import { readFilter } from "../metric-filter.ts";
import { between, oneOf } from "../need.ts";
import { policy, threshold } from "./policy.ts";

const periods = oneOf("60s", "300s", "600s", "900s");
const periodSource = "https://cloud.google.com/monitoring/uptime-checks";

/** Google's own check of the edge, and its alarm. */
export function edge(names: Names): Need[] {
  const { inputs, project, prefix } = names;
  const { uptime_url, uptime_period } = inputs.second_opinion;
  if (uptime_url === null) return [];
  const url = new URL(uptime_url);
  const title = `${prefix}: ${uptime_url}`;
  const check = {
    type: "google_monitoring_uptime_check_config",
    key: { project, display_name: title },
    attribute: "uptime_check_id",
  };
  const seconds = Math.max(300, Number.parseInt(uptime_period, 10));
  const filter = {
    "resource.type": ["uptime_url"],
    "metric.type": ["monitoring.googleapis.com/uptime_check/check_passed"],
  };
  return [
    {
      type: check.type,
      key: check.key,
      why: "as Google's own check of the edge",
      values: {
        period: {
          is: such(
            `${uptime_period}, one of 60s, 300s, 600s and 900s`,
            (value) => value === uptime_period && periods.holds(value),
          ),
          why: "second_opinion.uptime_period sets it",
          source: periodSource,
        },
        timeout: {
          is: such("from 5s to 30s", (value) => /^\d+s$/.test(String(value)) && between(5, 30, "s").holds(value)),
          why: "a slower response is an outage",
          source: periodSource,
        },
        "http_check.0.path": { is: `${pathOf(uptime_url)}`, usual: "/", why: "second_opinion.uptime_url sets it" },
        "http_check.0.port": { is: url.port === "" ? 443 : Number(url.port), why: "second_opinion.uptime_url sets it" },
        "http_check.0.use_ssl": { is: true, why: "the address begins with https://" },
        "http_check.0.validate_ssl": { is: true, why: "an expired certificate is an outage" },
        "monitored_resource.0.type": { is: "uptime_url", why: "the check requests a URL" },
        "monitored_resource.0.labels": {
          is: { project_id: project, host: url.hostname },
          why: "second_opinion.uptime_url sets it",
        },
        ...labelled("user_labels", names),
      },
      free: ["user_labels"],
    },
    policy(
      {
        title: "Google cannot reach it either",
        why: "to notify people when Google's own check fails",
        severity: "WARNING",
        values: checkPassed(
          filter,
          check,
          1,
          `${seconds}s`,
          "resource.label.host",
          "a single region or a single check may fail on its own",
          names,
        ),
      },
      names,
    ),
  ];
}

function pathOf(url: string): string {
  return /^https:\/\/[^/]+(\/.*)?$/.exec(url)?.[1] ?? "/";
}

/** The journey as a synthetic monitor, and its alarm. */
export function journey(names: Names): Need[] {
  const { inputs, project, region, prefix, name } = names;
  const { journey: probe, journey_period } = inputs.second_opinion;
  if (probe === null) return [];
  const title = `${prefix}: ${probe}`;
  const check = {
    type: "google_monitoring_uptime_check_config",
    key: { project, display_name: title },
    attribute: "uptime_check_id",
  };
  const filter = {
    "resource.type": ["cloud_run_revision"],
    "metric.type": ["monitoring.googleapis.com/uptime_check/check_passed"],
  };
  return [
    {
      type: check.type,
      key: check.key,
      why: `to let Google run ${probe}`,
      values: {
        period: {
          is: such(
            `${journey_period}, one of 60s, 300s, 600s and 900s`,
            (value) => value === journey_period && periods.holds(value),
          ),
          why: "second_opinion.journey_period sets it",
          source: periodSource,
        },
        timeout: {
          is: "60s",
          why: "Cloud Monitoring waits no longer, and the function may run this long",
          source: periodSource,
        },
        "synthetic_monitor.0.cloud_function_v2.0.name": {
          is: `projects/${project}/locations/${region}/functions/${name("synthetic")}`,
          why: "it runs the function of the synthetic monitor",
          from: { type: "google_cloudfunctions2_function", key: { project, name: name("synthetic") } },
        },
        ...labelled("user_labels", names),
      },
      free: ["user_labels"],
    },
    policy(
      {
        title: `${probe} fails for Google as well`,
        section: "a journey fails for Google as well",
        why: "to notify people when the synthetic monitor fails",
        severity: "WARNING",
        values: checkPassed(
          filter,
          check,
          0,
          "0s",
          "resource.label.service_name",
          "one failed run of a journey must raise the alarm",
          names,
        ),
      },
      names,
    ),
  ];
}

function checkPassed(
  filter: Readonly<Record<string, readonly string[]>>,
  check: NonNullable<Requirement["from"]>,
  value: number,
  duration: string,
  by: string,
  why: string,
  names: Names,
): Record<string, Requirement> {
  const id = names.given(check.type, check.key, "uptime_check_id");
  const made = threshold({
    filter,
    comparison: "COMPARISON_GT",
    value,
    duration,
    alignment: "1200s",
    aligner: "ALIGN_NEXT_OLDER",
    reducer: "REDUCE_COUNT_FALSE",
    by: [by],
    why,
  });
  const path = "conditions.0.condition_threshold.0.filter";
  const watched = such(`the metric check_passed of the check ${check.key["display_name"]}`, (text) => {
    const read = readFilter(text);
    return (
      read?.size === 3 &&
      Object.entries(filter).every(([key, values]) => read.get(key)?.join() === values.join()) &&
      (id === undefined || read.get("metric.labels.check_id")?.join() === id)
    );
  });
  return {
    ...made,
    [path]: { ...made[path], is: watched, why: "it must watch only this check", from: check } as Requirement,
  };
}
