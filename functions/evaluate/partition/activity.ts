/** When and how the reports of one group arrive. Kept in the partition, and judged by the monitor of itself. */
import type { Report } from "../../../shared/messages/report.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { maxAhead, type Publication } from "./publication.ts";

/** Transport delays and clock offsets seen in the reports of one group. Kept, and so written, with the partition. */
export interface GroupActivity {
  /** The instant of the newest report, by its measurements. */
  readonly at: number;
  /** When the newest report was taken in. */
  readonly arrivedAt: number;
  /** Delay between the end of the newest report and its evaluation, in milliseconds. */
  readonly delayMs: number;
  /** The instant of the newest report whose control probe was good. */
  readonly healthyAt?: number;
  /** Reports in a row whose control probe failed. */
  readonly unhealthy?: { readonly since: number; readonly runs: number; readonly why: string };
  /** Reports taken in since the partition began. */
  readonly count: number;
  /** Reports that were dated ahead of their publication; absent while none was. */
  readonly ahead?: Ahead;
  /** The newest reports in a row that came late; absent where the newest did not. */
  readonly late?: Late;
}

/** Reports of a clock that is ahead; all instants by their publication. */
interface Ahead {
  readonly since: number;
  /** When the newest of them was published. */
  readonly at: number;
  /** How far it was in the future, in milliseconds. */
  readonly byMs: number;
  /** One that is not ahead has come since. */
  readonly over?: true;
}

/** Reports in a row that came late. */
interface Late {
  /** When the first of them was taken in. */
  readonly since: number;
  readonly count: number;
  /** Delay between the end of the newest of them and its evaluation, in milliseconds. */
  readonly delayMs: number;
  /** It was late when it was published already: its clock is behind, or it waited where it was made. */
  readonly unpublished: boolean;
  /** It was too late to be judged. */
  readonly unjudged: boolean;
}

/**
 * Delay of a report beyond which something must be stuck, and delay of its publication beyond which its clock must be slow, both in
 * milliseconds.
 */
export const lateAfter = 180_000;

const publishedLateAfter = 60_000;

/**
 * Takes note of a report that was new, whether or not it could be judged.
 * @param publication absent where it is not known
 * @param judged whether it came in time to be judged
 */
export function noted(
  known: GroupActivity | undefined,
  report: Report,
  at: number,
  now: number,
  publication?: Publication,
  judged = true,
): GroupActivity {
  const { ahead: aheadBefore, late: lateBefore, ...before } = known ?? {};
  const delayMs = Math.max(0, now - Date.parse(report.finished_at));
  const unpublished = publication !== undefined && -publication.clockErrorMs > publishedLateAfter;
  const { since: lateSince = now, count: lateCount = 0 } = lateBefore ?? {};
  const late = { since: lateSince, count: lateCount + 1, delayMs, unpublished, unjudged: !judged };
  const ahead = aheadAfter(aheadBefore, publication);
  const transport = {
    arrivedAt: now,
    count: (known?.count ?? 0) + 1,
    ...(ahead === undefined ? {} : { ahead }),
    ...(unpublished || !judged || delayMs > lateAfter ? { late } : {}),
  };
  // One that was overtaken says nothing of how things are.
  if (known !== undefined && (!judged || at < known.at)) {
    return { at: known.at, delayMs: known.delayMs, ...before, ...transport };
  }
  if (report.prober_unhealthy === undefined) return { at, delayMs, healthyAt: at, ...transport };
  const healthy = known?.healthyAt === undefined ? {} : { healthyAt: known.healthyAt };
  const { since = at, runs = 0 } = known?.unhealthy ?? {};
  const unhealthy = { since, runs: runs + 1, why: bounded(report.prober_unhealthy) };
  return { at, delayMs, ...healthy, unhealthy, ...transport };
}

function aheadAfter(before: Ahead | undefined, publication: Publication | undefined): Ahead | undefined {
  if (publication === undefined) return before;
  const { at, clockErrorMs: byMs } = publication;
  if (byMs <= maxAhead) return before === undefined || before.over ? before : { ...before, over: true };
  return { since: before === undefined || before.over ? at : before.since, at, byMs };
}
