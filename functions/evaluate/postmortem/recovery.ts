/** How it was noticed, and how the recovery was proved. */
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { clockTime } from "../incident/record/instants.ts";
import { counted } from "./format.ts";
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

/** The section on the proof: which stages passed, and what failed on the way. */
export function recoveryOf({ recovery }: IncidentDocument): (string | undefined)[] {
  if (recovery === null) return [];
  const { stages, seconds, earlier } = recovery;
  const straight = stages.filter(({ status, attempts }) => status === "passed" && attempts === 1);
  const others = stages.filter((stage) => !straight.includes(stage));
  const within = seconds === null ? "" : ` The proof took ${spokenDuration(seconds * 1000)}.`;
  const first =
    straight.length === 0
      ? ""
      : `Passed at the first attempt: ${list(
          straight.map(({ name }) => name),
          12,
        )}.`;
  return [
    stages.length === 0
      ? "The configuration has no recovery stages: that every alert had cleared was enough."
      : inline(`${first}${within}`),
    bullets(
      others.flatMap(({ name, status, attempts, unanswered, failures, seconds: took }) => {
        const silent = unanswered === 0 ? "" : `, ${unanswered} without an answer`;
        const after = took === null ? "" : ` after ${spokenDuration(took * 1000)}`;
        return [
          inline(`${name}: ${status.replaceAll("_", " ")}${after} (${counted(attempts, "attempt")}${silent}).`),
          ...failures.map((line) => inline(`${name}: ${line}`)),
        ];
      }),
    ),
    bullets(earlier.map((line) => inline(`An earlier proof: ${line}`))),
  ];
}
