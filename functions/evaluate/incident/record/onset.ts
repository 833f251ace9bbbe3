/** When an alert began, as far as an incident is concerned. Pure; instants are milliseconds since the epoch. */
import type { Incident, KnownAlert, RecentlyResolved } from "../state.ts";

/** Maximum interval between the starts of two related failures that count as one outage, in milliseconds. */
export const timeToJoin = 1_800_000;

/** Before this instant nothing belongs to an incident: long before its first failure, and before it, or the one that it repeats, was resolved. */
export function earliestIn({
  firstFailureAt,
  relapses = [],
  notBefore = Number.NEGATIVE_INFINITY,
}: Pick<Incident, "firstFailureAt" | "relapses" | "notBefore">): number {
  return relapses.at(-1)?.resolvedAt ?? Math.max(firstFailureAt - timeToJoin, notBefore);
}

/** When an alert began, or the first of the failed runs that it counts from an instant on: at the latest the one with which it fired. */
export function beganAfter(
  { since, failedAt, firedAt = since }: Pick<KnownAlert, "since" | "failedAt" | "firedAt">,
  instant: number,
): number {
  return failedAt === undefined ? since : (failedAt.find((at) => at >= instant) ?? firedAt);
}

/** When the last incident of the component of an alert was resolved: the failed runs before that belong to it. */
export function resolvedBefore(
  { component, failedAt }: Pick<KnownAlert, "component" | "failedAt">,
  resolved: readonly RecentlyResolved[],
): number {
  const own = resolved.filter(({ components = [] }) => failedAt !== undefined && components.includes(component));
  return Math.max(...own.map(({ resolvedAt = Number.NEGATIVE_INFINITY }) => resolvedAt));
}
