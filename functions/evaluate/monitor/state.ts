/** What the evaluator remembers of the monitor itself: one document, written by every tick. */
import type { Report } from "../../../shared/messages/report.ts";
import type { Fields } from "../../../shared/ports.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { mostAhead, type Publication } from "../partition/publication.ts";
import { type PartitionState, stateDocument } from "../state.ts";
import { type Severity } from "../../../shared/messages/severity.ts";

/** What the reports of one group show of the way that they came. Kept in the partition, and so written with it. */
export interface Heard {
  /** The instant of the newest report, by its measurements. */
  readonly at: number;
  /** When the newest report was taken in. */
  readonly arrivedAt: number;
  /** How long after its end the newest report was taken in, in milliseconds. */
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
  /** How far it was ahead, in milliseconds. */
  readonly byMs: number;
  /** One that is not ahead has come since. */
  readonly over?: true;
}

/** Reports in a row that came late. */
interface Late {
  /** When the first of them was taken in. */
  readonly since: number;
  readonly count: number;
  /** How long after its end the newest of them was taken in, in milliseconds. */
  readonly delayMs: number;
  /** It was late when it was published already: its clock is behind, or it waited where it was made. */
  readonly unpublished: boolean;
  /** It was too late to be judged. */
  readonly unjudged: boolean;
}

/** What a group has shown, with the instant of the newest result of each of its probes. */
export interface HeardGroup extends Heard {
  readonly results: Readonly<Record<string, number>>;
  /** Probes whose newest result says that they could not run: since when, when last, and why. */
  readonly unable: readonly {
    readonly probe: string;
    readonly since: number;
    readonly at: number;
    readonly why: string;
  }[];
}

/** Something about the monitor that is not as it should be. */
export interface SelfCheck {
  /** What the alert is called. */
  readonly rule: string;
  readonly severity: Severity;
  /** What was seen, as the rest of a sentence. */
  readonly seen: string;
  readonly since: number;
  /** When it was last seen. */
  readonly at: number;
  /** Of something that happened rather than lasts: when it is left behind. */
  readonly until?: number;
  /** Of something that lasts: since when it has not been seen any more. */
  readonly goodSince?: number;
}

/** The monitor's state of itself. */
export interface SelfState {
  readonly v: 1;
  /** The newest tick, by its own instant; 0 before the first. */
  readonly tickAt: number;
  /** Since when silence counts again, after a pause or a stall; 0 when there was none. */
  readonly resumedAt: number;
  /** Since when each group has been expected to report. */
  readonly expected: Readonly<Record<string, number>>;
  /** Groups that left the configuration, and when: what they measured still counts for today and yesterday. */
  readonly retired: Readonly<Record<string, number>>;
  /** When the availability was last written. */
  readonly flushedAt: number;
  /** The tick with which the last heartbeat arrived; 0 before the first. */
  readonly beatAt: number;
  /** How far each group has been exported for dashboards: the newest instant of what was. */
  readonly exported: Readonly<Record<string, number>>;
  /** Reports taken in, as all partitions counted them with the last tick. */
  readonly reports: number;
  /** Since when probes are expected that have never had a result, although their group reports. */
  readonly unheard: Readonly<Record<string, number>>;
  /** Since when each probe of the kind heartbeat has been in the configuration; absent in a state that an older version wrote. */
  readonly awaited?: Readonly<Record<string, number>>;
  /** What is not as it should be, by name. */
  readonly checks: Readonly<Record<string, SelfCheck>>;
  /** The newest instant of what other functions reported, by the name of the check. */
  readonly told: Readonly<Record<string, number>>;
}

/** A monitor that has not ticked yet. */
export const emptySelf: SelfState = {
  v: 1,
  tickAt: 0,
  resumedAt: 0,
  expected: {},
  retired: {},
  flushedAt: 0,
  beatAt: 0,
  exported: {},
  reports: 0,
  unheard: {},
  checks: {},
  told: {},
};

/** The state from its document. */
export function decodeSelf(fields: Fields | undefined): SelfState {
  return fields === undefined ? emptySelf : { ...emptySelf, ...(JSON.parse(String(fields["data"])) as SelfState) };
}

/** The state as a document. */
export function encodeSelf(state: SelfState, now: number): Fields {
  return stateDocument(JSON.stringify(state), now);
}

/** What a partition shows of the way of its reports. */
export function heardOf({ heard, probes }: PartitionState): HeardGroup | undefined {
  if (heard === undefined) return undefined;
  const facts = Object.values(probes);
  return {
    ...heard,
    results: Object.fromEntries(facts.map(({ probe, at }) => [probe, at])),
    unable: facts.flatMap(({ probe, status, since, at, failure }) =>
      status === "unknown" && failure?.kind === "internal" ? [{ probe, since, at, why: failure.message }] : [],
    ),
  };
}

/** How late a report may be taken in before something must be stuck, in milliseconds, and how late published before its clock must be behind. */
export const lateAfter = 180_000;
const publishedLateAfter = 60_000;

/**
 * Takes note of a report that was new, whether or not it could be judged.
 * @param publication absent where it is not known
 * @param judged whether it came in time to be judged
 */
export function noted(
  known: Heard | undefined,
  report: Report,
  at: number,
  now: number,
  publication?: Publication,
  judged = true,
): Heard {
  const { ahead: aheadBefore, late: lateBefore, ...before } = known ?? {};
  const delayMs = Math.max(0, now - Date.parse(report.finished_at));
  const unpublished = publication !== undefined && -publication.clockErrorMs > publishedLateAfter;
  const { since: lateSince = now, count: lateCount = 0 } = lateBefore ?? {};
  const late = { since: lateSince, count: lateCount + 1, delayMs, unpublished, unjudged: !judged };
  const ahead = aheadAfter(aheadBefore, publication);
  const way = {
    arrivedAt: now,
    count: (known?.count ?? 0) + 1,
    ...(ahead === undefined ? {} : { ahead }),
    ...(unpublished || !judged || delayMs > lateAfter ? { late } : {}),
  };
  // One that was overtaken says nothing of how things are.
  if (known !== undefined && (!judged || at < known.at)) {
    return { at: known.at, delayMs: known.delayMs, ...before, ...way };
  }
  if (report.prober_unhealthy === undefined) return { at, delayMs, healthyAt: at, ...way };
  const healthy = known?.healthyAt === undefined ? {} : { healthyAt: known.healthyAt };
  const { since = at, runs = 0 } = known?.unhealthy ?? {};
  const unhealthy = { since, runs: runs + 1, why: bounded(report.prober_unhealthy) };
  return { at, delayMs, ...healthy, unhealthy, ...way };
}

function aheadAfter(before: Ahead | undefined, publication: Publication | undefined): Ahead | undefined {
  if (publication === undefined) return before;
  const { at, clockErrorMs: byMs } = publication;
  if (byMs <= mostAhead) return before === undefined || before.over ? before : { ...before, over: true };
  return { since: before === undefined || before.over ? at : before.since, at, byMs };
}
