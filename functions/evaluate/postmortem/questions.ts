/** Questions that the record leaves open and only people can answer, each with its basis. */
import { list } from "../../../shared/text/sentences.ts";
import { clockTime } from "../incident/record/instants.ts";
import type { Account } from "./account.ts";
import { titleOf } from "./format.ts";

/** Every question, the most important first. */
export function questionsOf(account: Account): string[] {
  return [...ofTheCause(account), ...ofTheRecovery(account), ...ofTheTelling(account), ...ofTheRecord(account)];
}

function ofTheCause({ incident }: Account): string[] {
  const { root_cause, also_broken, verdict, confidence, findings, suspected_change, first_failure_at: from } = incident;
  if (verdict === "monitor") return ["What happened to the targets while the monitor did not see them?"];
  const title = titleOf(incident, root_cause);
  const when = from === null ? "it began" : clockTime(from.getTime());
  const questions: string[] = [];
  if (root_cause === "unknown") questions.push("What was the cause? The facts did not carry an answer.");
  else if (suspected_change !== null) questions.push(`Did this change cause it? ${suspected_change}`);
  else if (!findings.some(({ component, came_with_it }) => component === root_cause && came_with_it)) {
    questions.push(
      `What changed before ${when} at ${title}? Look at deployments, configuration and load in the hour before.`,
    );
  }
  if (root_cause !== "unknown" && confidence < 0.8) {
    questions.push(`Was it ${title}? The monitor was ${Math.round(100 * confidence)}% sure.`);
  }
  if (also_broken !== null) {
    questions.push(`Do ${title} and ${titleOf(incident, also_broken)} have something in common that broke both?`);
  }
  return questions;
}

function ofTheRecovery({ incident: { recovery, symptoms, resolved_at, verdict } }: Account): string[] {
  const questions: string[] = [];
  if (verdict === "monitor" && recovery === null) return [];
  if (resolved_at !== null && (recovery === null || recovery.status === "cut_short")) {
    questions.push("Is it over? It was resolved without the proof of every stage.");
  } else if (recovery !== null && recovery.stages.length === 0) {
    questions.push("Is it over? The configuration has no recovery stages that would have proved it.");
  }
  for (const { name, attempts, failures } of recovery?.stages ?? []) {
    const [first] = failures;
    if (attempts > 1 && first !== undefined) {
      questions.push(`Why did the stage "${name}" need ${attempts} attempts? ${first}`);
    }
  }
  const lasting = symptoms.filter(({ until }) => until === null).map(({ check }) => `\`${check}\``);
  if (resolved_at !== null && lasting.length > 0) {
    questions.push(`What does ${list(lasting)} show now? When it was last heard of it was bad.`);
  }
  return questions;
}

function ofTheTelling({ deliveries }: Account): string[] {
  const pending = deliveries.filter(({ status }) => ["planned", "sending", "retrying"].includes(status));
  if (pending.length === 0) return [];
  const what = list([...new Set(pending.map(({ event, channel }) => `${event.replaceAll("_", " ")} to ${channel}`))]);
  return [`Did these notices arrive? They were on their way when this was written: ${what}.`];
}

function ofTheRecord({ incident: { problem } }: Account): string[] {
  return problem === null || problem === "" ? [] : [`What did the operator mean? ${problem}`];
}
