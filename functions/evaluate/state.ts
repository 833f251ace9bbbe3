/**
 * What the evaluator keeps between messages: a document per partition (a probe group), and one for the environment, which only changes
 * when something happens. Both are kept as one text in one field, which costs no index entries and one read.
 */
/** One possible cause, as people are told of it. */
export interface DiagnosedCandidate {
  readonly component: string;
  /** Roughly how many components' trouble it explains. */
  readonly score: number;
  /** From 0 to 1. */
  readonly confidence: number;
  /** What speaks most for it, and against it; each one sentence. */
  readonly for: string;
  readonly against: string;
}

/** A firing alert that is held, because it may be the echo of an outage that is over. */
export interface Echo {
  /** The incident of that outage. */
  readonly incident: string;
  readonly rule: string;
  readonly component: string;
  readonly seen: string;
  readonly firedAt: number;
  /** Until when it may fire as an echo. */
  readonly until: number;
}
