/** Sentences of incidents, and how instants stand in them. */
import type { Failure } from "../../../../shared/messages/report.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import type { ProbeFact } from "../../partition/state.ts";
import type { KnownAlert } from "../state.ts";

/** What a failing probe shows, as one phrase: "`database` failed in connect (timeout): no answer within 5s". */
export function probePhrase({ probe, failure }: ProbeFact): string {
  return failure === undefined ? `\`${probe}\` fails` : `\`${probe}\` ${failurePhrase(failure)}`;
}

/** What an alert shows, as one phrase, with the values that the condition saw. */
export function alertPhrase({ rule, seen }: KnownAlert): string {
  return `${rule}: ${bounded(seen)}`;
}

function failurePhrase({ kind, phase, message }: Failure): string {
  return `fails in ${bounded(phase, [], 40)} (${kind}): ${bounded(message).replace(/\.$/, "")}`;
}
