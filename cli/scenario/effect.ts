/** Effects of a scenario on the environment: phases with unhealthy conditions, and operator actions. */
import type { Failure, Finding, Vantage } from "../../shared/messages/report.ts";
import type { Value } from "../../shared/ports.ts";

/** A stretch of time in which something is the case; milliseconds after the start, the end exclusive. */
export interface Phase {
  readonly from: number;
  readonly to: number;
  readonly effect: Effect;
  /** As it was written, for the story. */
  readonly text: string;
}

/** Condition during a phase. */
export type Effect =
  | { readonly what: "outcome"; readonly probes: ReadonlySet<string>; readonly outcome: Outcome }
  | { readonly what: "metric"; readonly probes: ReadonlySet<string>; readonly sample: SampleCourse }
  | { readonly what: "finding"; readonly probes: ReadonlySet<string>; readonly finding: Finding }
  | {
      readonly what: "log";
      readonly probes: ReadonlySet<string>;
      readonly component: string;
      readonly message: string;
      readonly count: number;
    }
  | { readonly what: "unhealthy"; readonly vantages: readonly Vantage[]; readonly message: string }
  | { readonly what: "arrival"; readonly probes: ReadonlySet<string>; readonly delays: readonly number[] }
  | { readonly what: "answer"; readonly channel: string; readonly status: number };

/** Outcome of a probe. */
export type Outcome =
  | { readonly outcome: "good" }
  | { readonly outcome: "silent" }
  /** `share`: it fails in the first `of` so many runs. */
  | {
      readonly outcome: "fails";
      readonly failure: Failure;
      readonly share?: { readonly runs: number; readonly of: number };
    };

/** The values of one series over a phase. */
export interface SampleCourse {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined`: there is none. `shape` decides what lies between the two. */
  readonly values: { readonly first: number; readonly last: number; readonly shape: "ramp" | "noise" } | undefined;
}

/** An action at an instant, in milliseconds after the start. */
export interface ScheduledAction {
  readonly at: number;
  readonly action: OperatorAction;
  readonly text: string;
}

/** The action. Operator actions edit documents as in the console. */
export type OperatorAction =
  | { readonly action: "edit"; readonly fields: Readonly<Record<string, Value>>; readonly silenceMs?: number }
  | {
      readonly action: "silence";
      readonly scope: string;
      readonly name: string;
      readonly forMs: number;
      readonly reason: string;
    }
  /** Somebody reports a change that was made so long before. */
  | { readonly action: "change"; readonly component: string; readonly what: string; readonly agoMs: number }
  | { readonly action: "restart" };
