/**
 * One alert: a rule on one instance of its condition, as a fold over judgements in the order of their event time.
 *
 * Pending since the first bad judgement, firing when it has held for `alertDurationMs`; a good one while pending clears it; while firing
 * it must be good for `clearDurationMs`. The fold starts from a settled base and a short list of recent judgements, so that a judgement
 * that arrives late takes its place in time and the outcome is the same as if nothing had been late.
 */

/** Where an alert stands, with the instants that its future depends on; all in milliseconds since the epoch. */
export type AlertPhase =
  | { readonly status: "inactive"; readonly lastAt?: number }
  | { readonly status: "pending"; readonly since: number; readonly lastAt: number; readonly holeAt?: number }
  | {
      readonly status: "firing";
      readonly since: number;
      readonly firedAt: number;
      readonly lastAt: number;
      readonly goodSince?: number;
      readonly holeAt?: number;
    };

/** The condition at one instant: 1 when it was bad, 0 when it was good. Instants without data have no judgement. */
export type Judgement = readonly [at: number, bad: 0 | 1];

/** What the fold needs to know of the rule. */
export interface AlertTiming {
  readonly alertDurationMs: number;
  readonly clearDurationMs: number;
  /** How far apart judgements usually are. */
  readonly intervalMs: number;
}

/** Everything kept of one alert between reports. */
export interface AlertHistory {
  readonly base: AlertPhase;
  /** Ascending in time. */
  readonly recent: readonly Judgement[];
}

/** An alert that never had a bad judgement. */
export const quiet: AlertHistory = { base: { status: "inactive" }, recent: [] };

/**
 * Where the alert stands after all of its judgements.
 * @param watermark the newest instant known of the partition: time by which something late is late
 */
export function phaseOf(history: AlertHistory, timing: AlertTiming, watermark: number): AlertPhase {
  let phase = history.base;
  for (const judgement of history.recent) phase = step(phase, judgement, timing, watermark);
  return settle(phase, timing, watermark);
}

/** Adds judgements, each in its place in time; one for an instant that is known already replaces it. */
export function withJudgements(history: AlertHistory, judgements: readonly Judgement[]): AlertHistory {
  const last = history.recent.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  const [first] = judgements;
  if (judgements.length === 1 && first && first[0] > last) return { ...history, recent: [...history.recent, first] };
  const byInstant = new Map(history.recent);
  for (const [at, bad] of judgements) byInstant.set(at, bad);
  return { ...history, recent: [...byInstant].sort(([a], [b]) => a - b) };
}

/** Folds judgements older than `horizon` into the base: from here on nothing can come before them. */
export function compacted(
  history: AlertHistory,
  timing: AlertTiming,
  horizon: number,
  watermark: number,
): AlertHistory {
  const keepFrom = history.recent.findIndex(([at]) => at >= horizon);
  const old = keepFrom < 0 ? history.recent.length : keepFrom;
  if (old === 0) return history;
  let base = history.base;
  for (const judgement of history.recent.slice(0, old)) base = step(base, judgement, timing, watermark);
  return { base, recent: history.recent.slice(old) };
}

/** Whether nothing of the alert needs to be remembered. */
export function isQuiet(history: AlertHistory): boolean {
  return history.base.status === "inactive" && history.recent.every(([, bad]) => bad === 0);
}

function step(phase: AlertPhase, [at, bad]: Judgement, timing: AlertTiming, watermark: number): AlertPhase {
  // A judgement is missing before this one. It may be late and say the opposite, so a stretch with a hole is not trusted at once.
  const hole = phase.lastAt !== undefined && at - phase.lastAt > 1.6 * timing.intervalMs ? { holeAt: at } : undefined;
  switch (phase.status) {
    case "inactive":
      return bad
        ? settle({ status: "pending", since: at, lastAt: at }, timing, watermark)
        : { status: "inactive", lastAt: at };
    case "pending":
      return bad ? settle({ ...phase, lastAt: at, ...hole }, timing, watermark) : { status: "inactive", lastAt: at };
    case "firing": {
      const { since, firedAt } = phase;
      if (bad) return { status: "firing", since, firedAt, lastAt: at };
      const goodSince = phase.goodSince ?? at;
      const kept = phase.goodSince !== undefined && phase.holeAt !== undefined ? { holeAt: phase.holeAt } : {};
      const opened = phase.goodSince !== undefined ? hole : undefined;
      return settle({ status: "firing", since, firedAt, lastAt: at, goodSince, ...kept, ...opened }, timing, watermark);
    }
  }
}

/** Fires or clears what has held for long enough, without a hole that something late could still fill. */
function settle(phase: AlertPhase, timing: AlertTiming, watermark: number): AlertPhase {
  if (phase.status === "inactive") return phase;
  const grace = Math.min(120_000, Math.max(timing.alertDurationMs, 2 * timing.intervalMs));
  if (phase.holeAt !== undefined && watermark - phase.holeAt < grace) return phase;
  if (phase.status === "pending") {
    const held = phase.lastAt - phase.since >= timing.alertDurationMs;
    return held ? { status: "firing", since: phase.since, firedAt: phase.lastAt, lastAt: phase.lastAt } : phase;
  }
  const cleared = phase.goodSince !== undefined && phase.lastAt - phase.goodSince >= timing.clearDurationMs;
  return cleared ? { status: "inactive", lastAt: phase.lastAt } : phase;
}
