/** When an alert began, as far as an incident is concerned. Pure; instants are milliseconds since the epoch. */
import type { Incident, KnownAlert } from "../state.ts";

/** How far apart two things may begin to fail that the graph ties together and that are one outage, in milliseconds. */
export const timeToJoin = 1_800_000;

/** Before this instant nothing belongs to an incident: long before its first failure, and before it was resolved for the last time. */
export function earliestIn({ firstFailureAt, relapses = [] }: Pick<Incident, "firstFailureAt" | "relapses">): number {
  return relapses.at(-1)?.resolvedAt ?? firstFailureAt - timeToJoin;
}

/** When an alert began, or the first of the failed runs that it counts from an instant on. */
export function beganAfter({ since, failedAt }: Pick<KnownAlert, "since" | "failedAt">, instant: number): number {
  return failedAt?.find((at) => at >= instant) ?? since;
}
