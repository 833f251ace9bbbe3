/** The interface of a configuration check, and the conversion of its answers to findings. */
import type { Finding, Unchecked } from "../../../../shared/messages/report.ts";
import type { CheckDescription, Judgement } from "./judgement.ts";
import type { Observation } from "./observation.ts";
import type { Refusal } from "./read.ts";
import type { ConfigurationSettings } from "./settings.ts";

/** One configuration check: a pure function of the observation and the settings. */
export interface Check extends CheckDescription {
  judge(settings: ConfigurationSettings, seen: Observation): readonly Judgement[];
}

/** Returns the findings of checks, and the reasons why others could not be made, each once. */
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
        const remedy = ok ? undefined : filled(answer.advice ?? check.remedy, resource, settings);
        findings.push({
          check: check.name,
          ok,
          observed,
          expected,
          explanation: remedy === undefined ? (answer.advice ?? check.why) : `${check.why} ${remedy}`,
          ...(remedy === undefined ? {} : { remedy }),
          ...about,
          severity: check.severity,
          ...(ok || check.tells === undefined ? {} : { tells: [...check.tells] }),
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

/** Returns a remedy with the names for its commands in place of `RESOURCE`, `PROJECT` and `REGION`. */
function filled(remedy: string, resource: string, { project, region, services }: ConfigurationSettings): string {
  const own = services.find(({ name }) => name === resource)?.region ?? region;
  return remedy
    .replaceAll(/\bRESOURCE\b/g, () => resource)
    .replaceAll(/\bPROJECT\b/g, () => project)
    .replaceAll(/\bREGION\b/g, () => own);
}
