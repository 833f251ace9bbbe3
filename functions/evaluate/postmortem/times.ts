/** How long everything took: to notice, to name the cause, to take it up, to recover, and to prove the recovery. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { Account } from "./account.ts";
import { between, failedBetween, moment } from "./format.ts";
import { bullets, inline, table } from "./markdown.ts";

/** The section of all times. */
export function timesOf({ incident, deliveries }: Account): string | undefined {
  const { first_failure_at: from, opened_at: opened, acknowledged_at: taken, recovering_at: clear } = incident;
  const { resolved_at: resolved, root_cause_since: named, root_cause } = incident;
  const lasted = (a: Date | null, b: Date | null, none: string): string[] =>
    b === null ? [none, ""] : [failedBetween(a, b, incident), moment(b, incident)];
  const took = (a: Date | null, b: Date | null, none: string): string[] =>
    b === null ? [none, ""] : [between(a, b), moment(b, incident)];
  const arrivals = deliveries.flatMap(({ delivered_at }) => delivered_at?.getTime() ?? []);
  const told = arrivals.length === 0 ? null : new Date(Math.min(...arrivals));
  return table(
    ["time to", "from", "took", "at"],
    [
      ["detect", "the first failure", ...took(from, opened, "–")],
      ...(root_cause === "unknown" ? [] : [["name the cause", "the first failure", ...took(from, named, "–")]]),
      ["tell the first", "the opening", ...took(opened, told, "nobody was told")],
      ["acknowledge", "the opening", ...took(opened, taken, "nobody did")],
      ...(clear === null
        ? []
        : [
            ["recover (every alert clear)", "the first failure", ...lasted(from, clear, "–")],
            ["validate (every stage passed)", "the recovery", ...took(clear, resolved, "not yet")],
          ]),
      ["resolve", "the first failure", ...lasted(from, resolved, "not over")],
    ],
  );
}

/** The section of the proof: every stage, and what failed on the way. */
export function recoveryOf({ recovery }: IncidentDocument): (string | undefined)[] {
  if (recovery === null) return [];
  const rows = recovery.stages.map(({ name, status, seconds, attempts, unanswered }) => [
    inline(name),
    inline(status.replaceAll("_", " ")),
    seconds === null ? "–" : spokenDuration(seconds * 1000),
    `${attempts}`,
    `${unanswered}`,
  ]);
  const failures = recovery.stages.flatMap(({ name, failures }) => failures.map((line) => inline(`${name}: ${line}`)));
  return [
    table(["stage", "result", "took", "attempts", "without an answer"], rows) ??
      "The configuration has no recovery stages: that every alert had cleared was enough.",
    bullets(failures),
    bullets(recovery.earlier.map((line) => inline(`An earlier proof: ${line}`))),
  ];
}
