/** Sentences of incidents, and how instants stand in them. */
import type { Failure } from "../../../../shared/messages/report.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import type { KnownAlert, ProbeFact } from "../../state.ts";

/** `12:04:10 UTC`. */
export function clockTime(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `2025-09-16 12:04:10 UTC`. */
export function dateTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)} ${clockTime(at)}`;
}

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
