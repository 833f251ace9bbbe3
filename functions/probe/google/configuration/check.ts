/** What a configuration check is, and how its answers become findings. */
import type { Finding, Unchecked } from "../../../../shared/messages/report.ts";
import type { CheckWords, Judgement, Verdict } from "./judgement.ts";
import type { Observation } from "./observation.ts";
import type { Refusal } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** One configuration check: a pure function of what was read and of the settings. */
export interface Check extends CheckWords {
  judge(settings: ConfigurationSettings, seen: Observation): readonly Judgement[];
}

/** The findings of checks, and what kept others from being made, each once. */
export function findingsOf(
  checks: readonly Check[],
  settings: ConfigurationSettings,
  seen: Observation,
): { findings: Finding[]; unchecked: Unchecked[] } {
  const findings: Finding[] = [];
  const unread = new Map<Refusal, string[]>();
  const unchecked: Unchecked[] = [];
  for (const check of checks) {
    for (const { answer, resource, component } of check.judge(settings, seen)) {
      const about = { resource, ...(component === undefined ? {} : { component }) };
      if ("refusal" in answer) {
        const waiting = unread.get(answer.refusal) ?? [];
        if (!waiting.includes(check.name)) waiting.push(check.name);
        unread.set(answer.refusal, waiting);
      } else if ("unknown" in answer) {
        unchecked.push({ checks: [check.name], ...about, explanation: answer.unknown });
      } else {
        const { ok, observed, expected } = answer;
        findings.push({
          check: check.name,
          ok,
          observed,
          expected,
          explanation: explanationOf(check, answer),
          ...about,
          severity: check.severity,
        });
      }
    }
  }
  const refused = [...unread].map(([{ resource, component, explanation }, names]) => ({
    checks: names,
    resource,
    ...(component === undefined ? {} : { component }),
    explanation,
  }));
  return { findings, unchecked: [...refused, ...unchecked] };
}

function explanationOf({ why, remedy }: Check, { ok, advice }: Verdict): string {
  return ok ? (advice ?? why) : `${why} ${advice ?? remedy}`;
}
