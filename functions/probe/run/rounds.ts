/** The rounds of a probe request: the time of each, and the ID of its report. */
import { nextTrigger, scheduleInterval } from "../../../shared/config/schedule.ts";
import type { ProbeRequest } from "../../../shared/messages/probe-request.ts";

/** One round: its report, and when it is due, in milliseconds since the epoch. */
export interface Round {
  readonly reportId: string;
  readonly at: number;
  /** When the next run of the same probes is due; absent if unknown. */
  readonly nextAt?: number;
  /** After this time the round is useless, because the next one is nearer. */
  readonly staleAfter: number;
}

/**
 * Returns the rounds of a request: one, or for intervals under a minute those of the minute in which it was published. Every delivery of a
 * message yields the same rounds. A part of a divided request has the rounds of the whole, and reports of its own.
 * @param schedule of the group, for a scheduled request
 * @param publishedAt milliseconds since the epoch
 */
export function roundsOf(request: ProbeRequest, schedule: string | undefined, publishedAt: number): Round[] {
  const { shard } = request;
  if (shard === undefined) return wholeRounds(request, schedule, publishedAt);
  return wholeRounds(request, schedule, Date.parse(shard.requested_at)).map((round) => ({
    ...round,
    reportId: `${round.reportId}/shard-${shard.index}`,
  }));
}

function wholeRounds(request: ProbeRequest, schedule: string | undefined, publishedAt: number): Round[] {
  const path = `${request.environment}/${request.group}`;
  if (request.request !== undefined || schedule === undefined)
    return [
      {
        reportId: `${path}/${request.request ?? instant(publishedAt)}`,
        at: publishedAt,
        staleAfter: Number.POSITIVE_INFINITY,
      },
    ];
  const interval = scheduleInterval(schedule) ?? minute;
  if (interval >= minute) {
    // Only if runs are on an even grid does the grid identify the run; otherwise the minute does.
    const at = floor(publishedAt, day % interval === 0 ? interval : minute);
    return [
      {
        reportId: `${path}/${instant(at)}`,
        at,
        nextAt: publishedAt + interval,
        staleAfter: (nextTrigger(schedule, at) ?? Number.POSITIVE_INFINITY) + minute,
      },
    ];
  }
  const base = floor(publishedAt, minute);
  return Array.from({ length: Math.floor(minute / interval) }, (_, position) => {
    const at = base + position * interval;
    return { reportId: `${path}/${instant(at)}`, at, nextAt: at + interval, staleAfter: at + interval / 2 };
  });
}

const minute = 60_000;
const day = 86_400_000;

function floor(milliseconds: number, step: number): number {
  return milliseconds - (milliseconds % step);
}

/** RFC 3339, in whole seconds if that is exact. */
function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(".000Z", "Z");
}
