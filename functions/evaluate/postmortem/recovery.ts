/** Describes how the outage was detected, and how the recovery was validated. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { clockTime } from "../incident/record/instants.ts";
import { between, counted, moment } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** Writes the section on detection. */
export function noticedOf({ symptoms, opened_at: opened, opened_by: rule }: IncidentDocument): string {
  const [first] = symptoms;
  const components = new Set(symptoms.map(({ component }) => component)).size;
  const vantages = [...new Set(symptoms.flatMap(({ vantage }) => vantage ?? []))];
  const name = first?.kind === "probe" ? `\`${first.check}\`` : `the rule "${first?.check}"`;
  const from = first?.vantage == null ? "" : `, from ${first.vantage}`;
  const seen = vantages.length === 0 ? "" : `, from ${list(vantages)}`;
  const sentences = [
    ...(first === undefined ? [] : [`The first symptom was ${name}${from}, at ${clockTime(first.since.getTime())}.`]),
    ...(opened === null || rule === null
      ? []
      : [`The rule "${rule}" opened the incident at ${clockTime(opened.getTime())}.`]),
    ...(symptoms.length === 0
      ? []
      : [`${counted(symptoms.length, "check")} on ${counted(components, "component")} detected it${seen}.`]),
  ];
  return inline(sentences.join(" "));
}

/** Returns whether the latest validation resolved the incident: it may have relapsed since, and been resolved by an operator. */
export function isProved({ recovery, resolved_at: end }: Pick<IncidentDocument, "recovery" | "resolved_at">): boolean {
  return recovery?.status === "passed" && recovery.ended_at?.getTime() === end?.getTime();
}

/** Counts premature recoveries: failures during validation or after it. The record keeps some of many validations. */
export function falseRecoveries(incident: Pick<IncidentDocument, "recovery" | "resolved_at" | "relapses">): number {
  const { recovery, relapses } = incident;
  const isNewestOne = recovery?.status === "regressed" || (recovery?.status === "passed" && !isProved(incident));
  return Math.max(relapses.length, (recovery?.earlier.length ?? 0) + (isNewestOne ? 1 : 0));
}

/** Writes the section on recovery: the stages that passed, and the attempts that failed. */
export function recoveryOf(incident: IncidentDocument): (string | undefined)[] {
  const { recovery, resolved_at: end } = incident;
  if (recovery === null) return [];
  const { stages, earlier, begun_at: begun, ended_at: ended } = recovery;
  const isEarlier = end !== null && ended !== null && ended < end;
  const straight = stages.filter(({ status, attempts }) => status === "passed" && attempts === 1);
  const others = stages.filter((stage) => !straight.includes(stage));
  const within = ended === null ? "" : ` Validation took ${between(begun, ended)}.`;
  const first =
    straight.length === 0
      ? ""
      : `Passed on the first attempt: ${list(
          straight.map(({ name }) => name),
          12,
        )}.`;
  return [
    isEarlier
      ? `An operator resolved the incident. The latest validation is of an earlier recovery, started at ${moment(begun, incident)} UTC.`
      : undefined,
    stages.length === 0
      ? "No recovery stages are configured: incidents resolve when every alert has cleared."
      : inline(`${first}${within}`),
    bullets(
      others.flatMap(({ name, status, attempts, unanswered, failures, begun_at: from, passed_at: passed }) => {
        const silent = unanswered === 0 ? "" : `, ${unanswered} without a response`;
        const after = passed === null ? "" : ` after ${between(from, passed)}`;
        return [
          inline(`${name}: ${status.replaceAll("_", " ")}${after} (${counted(attempts, "attempt")}${silent}).`),
          ...failures.map((line) => inline(`${name}: ${line}`)),
        ];
      }),
    ),
    bullets(earlier.map((line) => inline(`Earlier validation: ${line}`))),
  ];
}
