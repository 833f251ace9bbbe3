/** Describes how the outage was noticed, and how the recovery was validated. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { clockTime } from "../incident/record/instants.ts";
import { between, counted, moment } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** The section on how it was noticed. */
export function noticedOf({ symptoms, opened_at: opened, opened_by: rule }: IncidentDocument): string {
  const [first] = symptoms;
  const components = new Set(symptoms.map(({ component }) => component)).size;
  const vantages = [...new Set(symptoms.flatMap(({ vantage }) => vantage ?? []))];
  const name = first?.kind === "probe" ? `\`${first.check}\`` : `the rule "${first?.check}"`;
  const from = first?.vantage == null ? "" : `, from ${first.vantage}`;
  const seen = vantages.length === 0 ? "" : `, from ${list(vantages)}`;
  const sentences = [
    ...(first === undefined ? [] : [`The first sign was ${name}${from}, at ${clockTime(first.since.getTime())}.`]),
    ...(opened === null || rule === null ? [] : [`"${rule}" opened the incident at ${clockTime(opened.getTime())}.`]),
    ...(symptoms.length === 0
      ? []
      : [`${counted(symptoms.length, "check")} of ${counted(components, "component")} saw it${seen}.`]),
  ];
  return inline(sentences.join(" "));
}

/** Returns whether the newest validation is the one that ended it: after that one it may have relapsed, and been resolved by an operator. */
export function isProved({ recovery, resolved_at: end }: Pick<IncidentDocument, "recovery" | "resolved_at">): boolean {
  return recovery?.status === "passed" && recovery.ended_at?.getTime() === end?.getTime();
}

/** Counts premature recoveries: failures during validation or after it. The record keeps some of many validations. */
export function falseRecoveries(incident: Pick<IncidentDocument, "recovery" | "resolved_at" | "relapses">): number {
  const { recovery, relapses } = incident;
  const isNewestOne = recovery?.status === "regressed" || (recovery?.status === "passed" && !isProved(incident));
  return Math.max(relapses.length, (recovery?.earlier.length ?? 0) + (isNewestOne ? 1 : 0));
}

/** The section on the proof: which stages passed, and what failed on the way. */
export function recoveryOf(incident: IncidentDocument): (string | undefined)[] {
  const { recovery, resolved_at: end } = incident;
  if (recovery === null) return [];
  const { stages, earlier, begun_at: begun, ended_at: ended } = recovery;
  const isEarlier = end !== null && ended !== null && ended < end;
  const straight = stages.filter(({ status, attempts }) => status === "passed" && attempts === 1);
  const others = stages.filter((stage) => !straight.includes(stage));
  const within = ended === null ? "" : ` The proof took ${between(begun, ended)}.`;
  const first =
    straight.length === 0
      ? ""
      : `Passed at the first attempt: ${list(
          straight.map(({ name }) => name),
          12,
        )}.`;
  return [
    isEarlier
      ? `It was not proved: an operator resolved it. The newest proof is of an earlier recovery, begun at ${moment(begun, incident)} UTC.`
      : undefined,
    stages.length === 0
      ? "The configuration has no recovery stages: that every alert had cleared was enough."
      : inline(`${first}${within}`),
    bullets(
      others.flatMap(({ name, status, attempts, unanswered, failures, begun_at: from, passed_at: passed }) => {
        const silent = unanswered === 0 ? "" : `, ${unanswered} without an answer`;
        const after = passed === null ? "" : ` after ${between(from, passed)}`;
        return [
          inline(`${name}: ${status.replaceAll("_", " ")}${after} (${counted(attempts, "attempt")}${silent}).`),
          ...failures.map((line) => inline(`${name}: ${line}`)),
        ];
      }),
    ),
    bullets(earlier.map((line) => inline(`An earlier proof: ${line}`))),
  ];
}
