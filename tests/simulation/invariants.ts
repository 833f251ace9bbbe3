/** Invariants of every run, whatever faults it has. Each has a description, and returns its violations in sentences. */

import { isFinal } from "../../functions/notify/deliver/ledger.ts";
import { evaluationErrors } from "./invariants/evaluation.ts";
import {
  endedEarly,
  finalStateMismatch,
  incidentCountMismatch,
  lostIncidents,
  recordErrors,
} from "./invariants/incidents.ts";
import {
  concurrentAttempts,
  duplicates,
  ledgerMismatches,
  outOfOrder,
  unendedReaders,
  unnotifiedReaders,
} from "./invariants/notices.ts";
import { list } from "./invariants/reading.ts";
import type { Outcome } from "./outcome.ts";

/** One invariant. */
export interface Invariant {
  readonly description: string;
  /** Returns the violations, in sentences. @param quiet outcome of the same outage without faults */
  readonly violations: (outcome: Outcome, quiet: Outcome) => readonly string[];
}

/** All of them. */
export const invariants: readonly Invariant[] = [
  { description: "no unexpected error occurs, and the system comes to rest", violations: unrestViolations },
  { description: "no incident is lost", violations: lostIncidents },
  { description: "one outage is one incident", violations: incidentCountMismatch },
  { description: "every routed reader is notified of every outage", violations: unnotifiedReaders },
  { description: "every reader who may have been notified is notified of the end", violations: unendedReaders },
  { description: "no reader gets an all-clear first, or events out of order", violations: outOfOrder },
  {
    description: "no duplicates on idempotent channels, and only explained ones elsewhere",
    violations: duplicates,
  },
  { description: "one instance at a time notifies a reader", violations: concurrentAttempts },
  { description: "the ledger matches what the receivers got", violations: ledgerMismatches },
  { description: "the final state equals that of a run without faults", violations: finalStateMismatch },
  { description: "the record is accurate", violations: recordErrors },
  { description: "every report is published, and evaluated once and in time", violations: evaluationErrors },
  { description: "no incident ends early", violations: endedEarly },
];

/** Returns the violations in a run, as `invariant: sentence`. */
export function violations(outcome: Outcome, quiet: Outcome): string[] {
  return invariants.flatMap((one) => one.violations(outcome, quiet).map((text) => `${one.description}: ${text}`));
}

function unrestViolations({ mishaps, isAtRest, ledger, environment }: Outcome): string[] {
  if (isAtRest) return [...mishaps];
  const open = Object.keys(environment.incidents);
  const unfinished = [...ledger].filter(([, delivery]) => !isFinal(delivery)).map(([id]) => id);
  return [
    ...mishaps,
    `three hours later there are still incidents ${list(open)}, notices ${list(unfinished)}, and ${environment.outbox.length} messages to publish`,
  ];
}
