/** Checks the record of a reopened incident: when it was resolved, when it failed again, and how long it lasted, excluding the time between. */
import type { IncidentDocument } from "../../shared/documents/incident.ts";
import { isAbout, type Measured, second, shownSpan } from "./measured.ts";

/** Returns the relapses of an incident up to an instant. */
export function relapsesBy({ relapses }: IncidentDocument, at: number): IncidentDocument["relapses"] {
  return relapses.filter(({ reopened_at: reopened }) => Number(reopened) <= at);
}

/**
 * Returns how long an incident had lasted at an instant, excluding the time in which it was resolved, in milliseconds between the displayed
 * times.
 */
export function lastedAt(incident: IncidentDocument, at: number): number {
  return relapsesBy(incident, at).reduce(
    (sum, { resolved_at: over, failed_at: again }) => sum - shownSpan(over.getTime(), again.getTime()),
    shownSpan(Number(incident.first_failure_at), at),
  );
}

/** Returns every statement about the relapses that the reports do not confirm, as sentences. */
export function falseRelapses(incident: IncidentDocument, measured: Measured): string[] {
  const { relapses, first_failure_at: first, resolved_at: end } = incident;
  const wrong: string[] = [];
  let last = Number(first);
  for (const [index, { resolved_at, failed_at, reopened_at }] of relapses.entries()) {
    const [over, again, reopened] = [resolved_at.getTime(), failed_at.getTime(), Number(reopened_at)];
    const problem = (what: string): string => `relapse ${index + 1}: ${what}`;
    if (over < last || again < over || reopened < again) wrong.push(problem("its instants are not in order"));
    last = reopened;
    if (!beganAt(again, over, incident, measured))
      wrong.push(problem(`nothing began to fail at ${failed_at.toISOString()}`));
    if (beginnings(incident, measured, over).some((at) => over < at && at < again))
      wrong.push(problem(`something had begun to fail before ${failed_at.toISOString()}`));
  }
  if (end !== null && Number(end) < last) wrong.push("it ended before it had come back for the last time");
  return wrong;
}

/** Returns whether part of the incident was failing at an instant, and started to fail then or at the resolution. */
function beganAt(at: number, over: number, incident: IncidentDocument, measured: Measured): boolean {
  if (beginnings(incident, measured, over).includes(at)) return true;
  if (
    incident.alerts.some((rule) => isSeen(rule, at, measured) && (at === over || !isSeen(rule, at - 60_000, measured)))
  )
    return true;
  const isFailing = (probe: string): boolean => measured.runs(probe, undefined, at).at(-1)?.result.success === false;
  return at === over && [...alarming(incident, "failing"), ...alarming(incident, "intermittent")].some(isFailing);
}

function isSeen(rule: string, at: number, measured: Measured): boolean {
  return measured.seenBy(rule, at).length > 0;
}

/** Returns the probes whose built-in alert of this kind is part of the incident. */
export function alarming({ alerts, symptoms }: IncidentDocument, alert: "failing" | "intermittent"): string[] {
  return symptoms.flatMap(({ check, kind }) =>
    kind === "probe" && alerts.includes(`${check} ${alert}`) ? [check] : [],
  );
}

/**
 * Returns each instant from which one of these probes failed for as long as its alert waits, and the first failed runs after `over` that
 * were followed by too many others.
 */
function beginnings(incident: IncidentDocument, measured: Measured, over: number): number[] {
  return [
    ...alarming(incident, "failing").flatMap((probe) => measured.alarms(probe)),
    ...alarming(incident, "intermittent").flatMap((probe) =>
      measured.burns(probe).flatMap(({ at, from }) => {
        const failed = measured.runs(probe, Math.max(from, over), at).find(({ result }) => !result.success);
        return at <= over || failed === undefined ? [] : [failed.at];
      }),
    ),
  ];
}

/** The timeline's statements about relapses and ends, each with its check. */
export const relapseSayings: readonly (readonly [
  pattern: RegExp,
  isTrue: (match: RegExpExecArray, at: number, incident: IncidentDocument) => boolean,
])[] = [
  [
    /^It failed again, (.+) after it was resolved: /,
    ([, after = ""], at, { relapses }) =>
      relapses.some(
        ({ resolved_at: over, reopened_at: reopened }) =>
          isWithin(reopened, at) && isAbout(after, shownSpan(over.getTime(), Number(reopened))),
      ),
  ],
  [
    /^All alerts have cleared, (.+) after the first failure( of this relapse)?\./,
    ([, took = "", ofRelapse], at, incident) => {
      const last = relapsesBy(incident, at).at(-1);
      const from = last?.failed_at ?? incident.first_failure_at;
      return (last !== undefined) === (ofRelapse !== undefined) && isAbout(took, shownSpan(Number(from), at));
    },
  ],
  [
    /^Resolved\. .*It lasted ([^,]+)(?:, (\d+) times in total)?, from (\S+) UTC\.$/,
    ([, took = "", times = "1", from = ""], at, incident) => {
      const ends = [...incident.relapses.map(({ resolved_at: over }) => over), incident.resolved_at];
      const which = ends.findIndex((end) => isWithin(end, at));
      return (
        which >= 0 &&
        Number(times) === which + 1 &&
        isAbout(took, lastedAt(incident, Number(ends[which]))) &&
        incident.first_failure_at?.toISOString().slice(11, 19) === from
      );
    },
  ],
  [
    /^The incident has not been acknowledged for (.+)\.$/,
    ([, waited = ""], at, incident) =>
      isAbout(waited, at - Number(relapsesBy(incident, at).at(-1)?.reopened_at ?? incident.opened_at)),
  ],
];

/** Returns whether an instant is within the displayed second. */
function isWithin(instant: Date | null, shown: number): boolean {
  return instant !== null && shown <= instant.getTime() && instant.getTime() < shown + second;
}
