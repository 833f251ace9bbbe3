/**
 * Statements of a scenario about changes and logs: `change backend "released 1.4.2" 5m ago`, `log of backend says "Memory limit of 512 MiB
 * exceeded" 40 times`.
 */

import { meaningOf } from "../../functions/probe/google/logging/known-messages.ts";
import { patternOf, templatesOf } from "../../functions/probe/google/logging/templates.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { ReportedLogPattern } from "../../shared/messages/report.ts";
import { yieldsMetric } from "../../shared/metrics/yields.ts";
import type { Effect, OperatorAction } from "./effect.ts";
import { Misunderstood, type Tokens } from "./file/tokens.ts";

/** A change that is reported, of a component; `ago` says that it was made before it is reported. */
export function readChange(tokens: Tokens, { components }: Configuration): OperatorAction {
  const component = tokens.known(
    "component",
    components.map(({ name }) => name),
  );
  const what = tokens.name('what was changed, such as "released 1.4.2"').text;
  if (!/^\d/.test(tokens.next.text)) return { action: "change", component, what, agoMs: 0 };
  const agoMs = tokens.duration();
  tokens.one("ago");
  return { action: "change", component, what, agoMs };
}

/** Reads the log messages of a component, as reported by probes that read error logs. */
export function readLog(tokens: Tokens, configuration: Configuration): Effect {
  const start = tokens.next;
  const probes = configuration.probes.filter((probe) => yieldsMetric(probe, "recent_error_entries"));
  if (probes.length === 0)
    throw new Misunderstood("no probe of the configuration reads error logs: add one of kind error_logs", {
      start: 0,
      end: start.start,
    });
  tokens.one("of");
  const component = tokens.known(
    "component",
    configuration.components.map(({ name }) => name),
  );
  tokens.one("says");
  const message = tokens.name("what the log says").text;
  const isCounted = /^\d/.test(tokens.next.text);
  const count = isCounted ? tokens.whole("how often it says so") : 1;
  if (isCounted) tokens.one("times");
  return { what: "log", probes: new Set(probes.map(({ name }) => name)), component, message, count };
}

/** Returns what such a probe reports. @param since and @param at milliseconds since the epoch */
export function logPatternOf(
  { component, message, count }: Extract<Effect, { what: "log" }>,
  since: number,
  at: number,
): ReportedLogPattern {
  const [template = { words: [message] }] = templatesOf([message]);
  const means = meaningOf(message, { resource: component, name: component });
  return {
    pattern: patternOf(template),
    resource: component,
    component,
    count,
    first_at: new Date(since).toISOString(),
    last_at: new Date(at).toISOString(),
    before: 0,
    before_seconds: 3600,
    ...(means === undefined ? {} : { means }),
  };
}
