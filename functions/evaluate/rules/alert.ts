/**
 * One alert: a rule on one instance of its condition, as a fold over judgements in the order of their event time.
 *
 * Pending since the first bad judgement, firing when it has held for `alertDurationMs`; one that is not bad while pending clears it; while
 * firing it must be good for `clearDurationMs`, and calm where it flapped. The fold starts from a settled base and a short list of recent
 * judgements, so that a judgement that arrives late takes its place in time and the outcome is the same as if nothing had been late.
 */
import { type Flapping, flappingAfter, type Results, withResult } from "./flapping.ts";

/** State of an alert, with the instants that decide its future; all in milliseconds since the epoch. */
export type AlertPhase = {
  /** The last judgement. */
  readonly lastAt?: number;
  /** Data for detecting flapping; absent if all judgements were good. */
  readonly results?: Results;
} & (
  | { readonly status: "inactive" }
  | { readonly status: "pending"; readonly since: number; readonly lastAt: number; readonly holeAt?: number }
  | {
      readonly status: "firing";
      readonly since: number;
      readonly firedAt: number;
      readonly lastAt: number;
      readonly goodSince?: number;
      readonly holeAt?: number;
      /** While it flaps it is held. */
      readonly flapping?: Flapping;
    }
);

/** A judgement: good, bad, or neither (no longer bad, but not yet good by the all-clear condition). */
export type Verdict = 0 | 1 | 2;

/** The verdicts by name. */
export const good = 0;
export const bad = 1;
export const neither = 2;

/** The condition at one instant. Instants without data have no judgement. */
export type Judgement = readonly [at: number, verdict: Verdict];

/** The parameters of the rule that the fold needs. */
export interface AlertTiming {
  readonly alertDurationMs: number;
  readonly clearDurationMs: number;
  /** Usual interval between judgements. */
  readonly intervalMs: number;
  /** Whether a flapping alert is kept firing. */
  readonly flapping: boolean;
}

/** Everything kept of one alert between reports. */
export interface AlertHistory {
  readonly base: AlertPhase;
  /** Ascending in time. */
  readonly recent: readonly Judgement[];
  /**
   * Records that the alert was announced as firing, as part of its history. Late data and edited rules may change the judgements before it,
   * and still only good judgements end it.
   */
  readonly announced?: { readonly since: number; readonly firedAt: number };
  /** Progress of the fold, so that it can continue. Never stored in a document, because it follows from the other fields. */
  readonly tip?: Tip | undefined;
}

interface Tip {
  readonly phase: AlertPhase;
  /** Number of entries of `recent` already included. */
  readonly count: number;
  readonly timing: AlertTiming;
  readonly announced: AlertHistory["announced"];
}

/** An alert that never had a bad judgement. */
export const quiet: AlertHistory = { base: { status: "inactive" }, recent: [] };

/**
 * Returns the state of the alert after all of its judgements.
 * @param watermark the newest instant known of the partition, which decides what is late
 */
export function phaseOf(history: AlertHistory, timing: AlertTiming, watermark: number): AlertPhase {
  return ended(folded(history, history.recent.length, timing, watermark), timing, watermark);
}

/**
 * The same, with the history as it is to be kept: judgements older than `horizon` are in its base, because nothing can come before them any
 * more.
 */
export function settled(history: AlertHistory, timing: AlertTiming, horizon: number, watermark: number): Settled {
  const fold = folded(history, history.recent.length, timing, watermark);
  const phase = ended(fold, timing, watermark);
  const { base, recent, announced } = compacted(history, timing, horizon, watermark);
  const dropped = history.recent.length - recent.length;
  const kept = announced === undefined ? { base, recent } : { base, recent, announced };
  if (!fold.isSure || dropped > fold.count) return { phase, history: kept };
  const tip = { phase: fold.phase, count: fold.count - dropped, timing, announced: fold.announced };
  return { phase, history: { ...kept, tip } };
}

/** Adds judgements, each in its place in time; one for an instant that is known already replaces it. */
export function withJudgements(history: AlertHistory, judgements: readonly Judgement[]): AlertHistory {
  const last = history.recent.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  const [first] = judgements;
  if (judgements.length === 1 && first && first[0] > last) return { ...history, recent: [...history.recent, first] };
  const byInstant = new Map(history.recent);
  for (const [at, verdict] of judgements) byInstant.set(at, verdict);
  // Entries that were folded already may have changed.
  const { tip: _, ...rest } = history;
  return { ...rest, recent: [...byInstant].sort(([a], [b]) => a - b) };
}

/** The history with the fact that it has fired. */
export function announcing(
  history: AlertHistory,
  { since, firedAt }: { since: number; firedAt: number },
): AlertHistory {
  const { base, recent } = history;
  return { base, recent, announced: { since, firedAt } };
}

/** The result of a step for one history. */
export interface Settled {
  readonly phase: AlertPhase;
  readonly history: AlertHistory;
}

/**
 * One step of many alerts. Those that began together and are judged alike have one history between them, the same object, which is
 * settled once for all of them: where a probe fails, hundreds of series of it do.
 */
export class SharedStep {
  readonly #watermark: number;
  readonly #horizonFor: (intervalMs: number) => number;
  readonly #settled = new Map<AlertHistory, Settled & { judgements: readonly Judgement[]; timing: AlertTiming }>();
  readonly #announced = new Map<AlertHistory, AlertHistory>();

  /** @param horizonFor how long judgements so far apart are kept, in milliseconds */
  constructor(watermark: number, horizonFor: (intervalMs: number) => number) {
    this.#watermark = watermark;
    this.#horizonFor = horizonFor;
  }

  /** The history with these judgements, settled. */
  settled(history: AlertHistory, judgements: readonly Judgement[], timing: AlertTiming): Settled {
    const known = this.#settled.get(history);
    if (known !== undefined && sameJudgements(known.judgements, judgements) && alike(known.timing, timing))
      return known;
    const horizon = this.#watermark - this.#horizonFor(timing.intervalMs);
    const judged = judgements.length === 0 ? history : withJudgements(history, judgements);
    const next = { ...settled(judged, timing, horizon, this.#watermark), judgements, timing };
    this.#settled.set(history, next);
    return next;
  }

  /** The settled history with the fact that it has fired. */
  announced({ history, phase }: Settled): AlertHistory {
    if (phase.status !== "firing") return history;
    const known = this.#announced.get(history) ?? announcing(history, phase);
    this.#announced.set(history, known);
    return known;
  }
}

function sameJudgements(some: readonly Judgement[], others: readonly Judgement[]): boolean {
  if (some === others) return true;
  if (some.length !== others.length) return false;
  return some.every((judgement, i) => judgement[0] === others[i]?.[0] && judgement[1] === others[i][1]);
}

/** Folds judgements older than `horizon` into the base. */
function compacted(history: AlertHistory, timing: AlertTiming, horizon: number, watermark: number): AlertHistory {
  let old = 0;
  while (old < history.recent.length && (history.recent[old]?.[0] ?? horizon) < horizon) old += 1;
  if (old === 0) return history;
  const { phase: base, announced } = folded(untipped(history), old, timing, watermark);
  return { base, recent: history.recent.slice(old), ...(announced === undefined ? {} : { announced }) };
}

function untipped(history: AlertHistory): AlertHistory {
  return history.tip === undefined ? history : { ...history, tip: undefined };
}

/** Returns whether nothing of the alert needs to be stored. */
export function isQuiet({ base, recent }: AlertHistory): boolean {
  return base.status === "inactive" && !base.results && recent.every(([, verdict]) => verdict !== bad);
}

interface Fold {
  readonly phase: AlertPhase;
  /** The announcement where it lies behind them. */
  readonly announced: AlertHistory["announced"];
  readonly count: number;
  /** Returns whether no stretch had a gap, which would make it depend on the watermark. */
  readonly isSure: boolean;
}

/** The fold over the first judgements. */
function folded(history: AlertHistory, count: number, timing: AlertTiming, watermark: number): Fold {
  const { base, recent, tip } = history;
  const known = tip !== undefined && tip.count <= count && alike(tip.timing, timing) ? tip : undefined;
  let phase = known?.phase ?? base;
  let announced = known === undefined ? history.announced : known.announced;
  let isSure = !("holeAt" in phase);
  for (let i = known?.count ?? 0; i < count; i++) {
    const judgement = recent[i];
    if (judgement === undefined) break;
    if (announced !== undefined && judgement[0] > announced.firedAt) {
      phase = asAnnounced(phase, announced);
      announced = undefined;
    }
    phase = step(phase, judgement, timing, watermark);
    isSure &&= !("holeAt" in phase);
  }
  return { phase, announced, count, isSure };
}

function ended({ phase, announced }: Fold, timing: AlertTiming, watermark: number): AlertPhase {
  return settle(announced ? asAnnounced(phase, announced) : phase, timing, watermark);
}

function alike(a: AlertTiming, b: AlertTiming): boolean {
  return (
    a === b ||
    (a.alertDurationMs === b.alertDurationMs &&
      a.clearDurationMs === b.clearDurationMs &&
      a.intervalMs === b.intervalMs &&
      a.flapping === b.flapping)
  );
}

function asAnnounced(phase: AlertPhase, { since, firedAt }: NonNullable<AlertHistory["announced"]>): AlertPhase {
  if (phase.status === "firing") return phase;
  return { status: "firing", since, firedAt, lastAt: phase.lastAt ?? firedAt, ...kept(phase.results) };
}

function step(phase: AlertPhase, [at, verdict]: Judgement, timing: AlertTiming, watermark: number): AlertPhase {
  const before = phase.results ?? 0;
  // A neutral judgement keeps the state, so that a value between the two conditions does not flap.
  const results = withResult(before, verdict === neither ? ((before & 1) as 0 | 1) : verdict);
  // A judgement is missing before this one. It may be late and say the opposite, so a stretch with a hole is not trusted at once.
  const hole = phase.lastAt !== undefined && at - phase.lastAt > 1.6 * timing.intervalMs ? { holeAt: at } : undefined;
  if (phase.status !== "firing") {
    if (verdict !== bad) return { status: "inactive", lastAt: at, ...kept(results) };
    return phase.status === "pending"
      ? settle({ ...phase, lastAt: at, results, ...hole }, timing, watermark)
      : settle({ status: "pending", since: at, lastAt: at, results }, timing, watermark);
  }
  const { since, firedAt } = phase;
  // By far the most frequent: bad as before.
  if (verdict === bad && results === before && phase.flapping === undefined) {
    return { status: "firing", since, firedAt, lastAt: at, results };
  }
  const flapping = timing.flapping ? flappingAfter(results, at, phase.flapping) : undefined;
  const held = flapping === undefined ? kept(results) : { ...kept(results), flapping };
  if (verdict !== good) return { status: "firing", since, firedAt, lastAt: at, ...held };
  const goodSince = phase.goodSince ?? at;
  const known = phase.goodSince !== undefined && phase.holeAt !== undefined ? { holeAt: phase.holeAt } : undefined;
  const opened = phase.goodSince !== undefined ? hole : undefined;
  const next = { status: "firing", since, firedAt, lastAt: at, goodSince, ...known, ...opened, ...held } as const;
  return settle(next, timing, watermark);
}

/** Fires or clears what has held for long enough, without a hole that something late could still fill. */
function settle(phase: AlertPhase, timing: AlertTiming, watermark: number): AlertPhase {
  if (phase.status === "inactive") return phase;
  const grace = Math.min(120_000, Math.max(timing.alertDurationMs, 2 * timing.intervalMs));
  if (phase.holeAt !== undefined && watermark - phase.holeAt < grace) return phase;
  const { since, lastAt, results } = phase;
  if (phase.status === "pending") {
    if (lastAt - since < timing.alertDurationMs) return phase;
    const flapping = timing.flapping ? flappingAfter(results ?? 0, lastAt, undefined) : undefined;
    const fired = { status: "firing", since, firedAt: lastAt, lastAt, ...kept(results) } as const;
    return flapping === undefined ? fired : { ...fired, flapping };
  }
  if (phase.goodSince === undefined || lastAt - phase.goodSince < timing.clearDurationMs) return phase;
  return phase.flapping === undefined ? { status: "inactive", lastAt, ...kept(results) } : phase;
}

function kept(results: Results | undefined): { readonly results?: Results } {
  return results ? { results } : {};
}
