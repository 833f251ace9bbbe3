/** Open questions: facts that the record does not contain and people have to supply, each with its basis. */
import { list } from "../../../shared/text/sentences.ts";
import { clockTime } from "../incident/record/instants.ts";
import type { Account } from "./account.ts";
import { titleOf } from "./format.ts";

/** Returns every question, most important first. */
export function questionsOf(account: Account): string[] {
  return [...ofTheCause(account), ...ofTheRecovery(account), ...ofTheNotifications(account), ...ofTheRecord(account)];
}

function ofTheCause({ incident }: Account): string[] {
  const { root_cause, also_broken, verdict, confidence, findings, suspected_change, first_failure_at: from } = incident;
  if (verdict === "monitor") return ["What was the state of the targets while the monitor could not measure them?"];
  const title = titleOf(incident, root_cause);
  const when = from === null ? "the first failure" : clockTime(from.getTime());
  const questions: string[] = [];
  if (root_cause === "unknown") questions.push("What was the cause? The evidence was inconclusive.");
  else if (suspected_change !== null) questions.push(`Did this change cause it? ${suspected_change}`);
  else if (!findings.some(({ component, came_with_it }) => component === root_cause && came_with_it)) {
    questions.push(
      `What changed at ${title} before ${when}? Review deployments, configuration and load in the preceding hour.`,
    );
  }
  if (root_cause !== "unknown" && confidence < 0.8) {
    questions.push(`Was ${title} the cause? Confidence was ${Math.round(100 * confidence)}%.`);
  }
  if (also_broken !== null) {
    questions.push(`Do the failures of ${title} and ${titleOf(incident, also_broken)} have a common cause?`);
  }
  return questions;
}

function ofTheRecovery({ incident: { recovery, symptoms, resolved_at, verdict } }: Account): string[] {
  const questions: string[] = [];
  if (verdict === "monitor" && recovery === null) return [];
  if (resolved_at !== null && (recovery === null || recovery.status === "cut_short")) {
    questions.push("Has it recovered? It was resolved before every validation stage passed.");
  } else if (recovery !== null && recovery.stages.length === 0) {
    questions.push("Has it recovered? No recovery stages are configured to validate it.");
  }
  for (const { name, attempts, failures } of recovery?.stages ?? []) {
    const [first] = failures;
    if (attempts > 1 && first !== undefined) {
      questions.push(`Why did the stage "${name}" need ${attempts} attempts? ${first}`);
    }
  }
  const lasting = symptoms.filter(({ until }) => until === null).map(({ check }) => `\`${check}\``);
  if (resolved_at !== null && lasting.length > 0) {
    questions.push(`What is the current state of ${list(lasting)}? No recovery was observed.`);
  }
  return questions;
}

function ofTheNotifications({ deliveries }: Account): string[] {
  const pending = deliveries.filter(({ status }) => ["planned", "sending", "retrying"].includes(status));
  if (pending.length === 0) return [];
  const what = list([...new Set(pending.map(({ event, channel }) => `${event.replaceAll("_", " ")} to ${channel}`))]);
  return [`Were these notifications delivered? They were pending when this was written: ${what}.`];
}

function ofTheRecord({ incident: { problem } }: Account): string[] {
  return problem === null || problem === "" ? [] : [`What did the operator intend? ${problem}`];
}
