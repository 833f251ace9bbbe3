/**
 * The watchdog signal: a sign of life for somewhere outside the project, which raises the alarm when it stays out. It leaves only when the whole way was
 * proved since the last one, from a probe that ran over a report that was taken in to a commit that was made and published, and, by a canary, to a notice
 * that was planned. Whether it is due is decided here, purely; sending it is one request, whose failure harms nothing.
 */

import type { WatchdogSettings } from "../../../shared/config/model.ts";
import { nextTrigger } from "../../../shared/config/schedule.ts";
import { isSecretReference } from "../../../shared/config/secret-reference.ts";
import { outbound } from "../../../shared/net/outbound.ts";
import type { Secrets } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { Plan } from "../plan.ts";
import { expectationOf, isLate, isUnjudged, type ResultsByGroup } from "./checks.ts";
import type { SelfState } from "./state.ts";

/** Sends one watchdog signal. @throws Error that says why it did not arrive, without the address */
export type WatchdogSignal = () => Promise<void>;

/** Maximum duration of a signal, in milliseconds: the tick waits for it. */
const deadlineMs = 10_000;

/** Tolerance for ticks that are closer together than scheduled, in milliseconds. */
const tickJitter = 5_000;

/** Returns whether a tick should signal: a signal is due, and every vantage point has completed a cycle since the last one. */
export function isWatchdogDue(state: SelfState, results: ResultsByGroup, plan: Plan, at: number, now: number): boolean {
  const { watchdog, probes } = plan.configuration;
  // Ticks are not exactly a minute apart; without the allowance every fifth would wait for the sixth.
  if (watchdog === undefined || at - state.signalledAt < watchdog.everyMs - tickJitter || isLate(at, now)) return false;
  const isSlow = (group: string): boolean => expectationOf(group, plan).intervalMs > watchdog.everyMs;
  const byVantage = Map.groupBy(probes, ({ vantage }) => vantage);
  // If no canary arrives, an outage would not be announced either.
  if ([...byVantage.keys()].some((vantage) => (state.canaries?.[vantage] ?? -1) < state.signalledAt)) return false;
  return [...byVantage.values()].every((members) => {
    const groups = [...new Set(members.map(({ group }) => group))];
    // A group whose reports arrive but are not judged is unmonitored, however healthy the others are.
    if (groups.some((group) => isUnjudged(ownEntry(results, group)))) return false;
    return (
      groups.some((group) => (ownEntry(results, group)?.healthyAt ?? -1) >= state.signalledAt) ||
      (groups.every(isSlow) && groups.every((group) => owesNothing(group, state, results, plan, at)))
    );
  });
}

/** Makes the sender of watchdog signals. */
export function watchdogTo({ url, method, allowPrivate }: WatchdogSettings, secrets: Secrets): WatchdogSignal {
  return async () => {
    const address = isSecretReference(url) ? (await secrets.read(url.secret)).trim() : url;
    const hidden = [address, URL.parse(address)?.pathname ?? ""].filter((part) => part.length > 1);
    try {
      const target = URL.parse(address);
      if (target?.protocol !== "https:" && !(allowPrivate && target?.protocol === "http:")) {
        throw new Error("the address must start with https://");
      }
      const signal = AbortSignal.timeout(deadlineMs);
      const request = { method, url: target, headers: {}, body: "", allowPrivate, signal, secrets: hidden };
      const { status, body } = await outbound(request);
      if (status < 200 || status > 299)
        throw new Error(`it was answered with ${status}${body === "" ? "" : `: ${body}`}`);
    } catch (error) {
      // The cause may show the address, which is a credential.
      const { name, message } = error as Error;
      throw new Error(name === "TimeoutError" ? `no answer within ${deadlineMs / 1000} s` : bounded(message, hidden));
    }
  };
}

/**
 * Returns whether the last run of a group was healthy and the next is not overdue: for groups that run less often than the signal. A group
 * that never ran owes its first run since it was configured.
 */
function owesNothing(group: string, { expected }: SelfState, results: ResultsByGroup, plan: Plan, at: number): boolean {
  const last = ownEntry(results, group);
  if (last?.unhealthy !== undefined) return false;
  const { schedule, timeoutMs } = expectationOf(group, plan);
  const next = nextTrigger(schedule, last?.at ?? ownEntry(expected, group) ?? at);
  return next === undefined || next + timeoutMs + 60_000 > at;
}
