/** The times of an incident that was resolved and came back: what was good in between is no part of the outage. Pure. */
import { clockSpan } from "../../../../shared/text/units.ts";

/** One return of an incident after its resolution; all instants in milliseconds since the epoch. */
export interface Relapse {
  /** When it had been resolved. */
  readonly resolvedAt: number;
  /** When it began to fail again. */
  readonly failedAt: number;
  /** When the alert fired that opened it again. */
  readonly reopenedAt: number;
  /** When it had been acknowledged before; the all-clear ends an acknowledgement. */
  readonly acknowledgedAt?: number;
}

interface Lasting {
  readonly relapses?: readonly Relapse[];
  readonly firstFailureAt: number;
}

/** The beginning of an incident, or of its last relapse, with something that was bad since an instant. */
export function begunBy({ relapses = [], firstFailureAt }: Lasting, since: number): Lasting {
  const first = { firstFailureAt: Math.min(firstFailureAt, since) };
  const last = relapses.at(-1);
  if (last === undefined) return first;
  const failedAt = Math.max(last.resolvedAt, Math.min(last.failedAt, since));
  return { ...first, relapses: [...relapses.slice(0, -1), { ...last, failedAt }] };
}

/** Time an incident was resolved before its relapses, in milliseconds, by clocks that show whole seconds. */
export function goodBetween({ relapses = [] }: Pick<Lasting, "relapses">): number {
  return relapses.reduce((sum, { resolvedAt, failedAt }) => sum + clockSpan(resolvedAt, failedAt), 0);
}

/** Duration of an incident at an instant without the time it was resolved, in milliseconds by the same clocks. */
export function lastedUntil(incident: Lasting, end: number): number {
  return clockSpan(incident.firstFailureAt, end) - goodBetween(incident);
}

/** When an incident was first acknowledged, before or after a relapse. */
export function firstAcknowledged({
  relapses = [],
  acknowledgedAt,
}: Pick<Lasting, "relapses"> & { readonly acknowledgedAt?: number }): number | undefined {
  return relapses.find((one) => one.acknowledgedAt !== undefined)?.acknowledgedAt ?? acknowledgedAt;
}
