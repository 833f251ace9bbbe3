/** What happens to the demo environment, and when. Only the connector is ever touched: all else is consequence. */
import { type ConnectorFaults, healthy } from "./connector.ts";

/** One thing that happens. */
export interface Step {
  /** Milliseconds since the script began, at pace 1. */
  readonly at: number;
  /** What happens, as one tells it to those who watch. */
  readonly say: string;
  readonly faults: ConnectorFaults;
}

/** Where the script stands. */
export interface ScriptPosition {
  readonly step: Step;
  /** Milliseconds until the next step or the end; 0 after the end. */
  readonly nextInMs: number;
  readonly ended: boolean;
}

/** The script, in order; the last step is its end. */
export const script: readonly [Step, ...Step[]] = [
  {
    at: 0,
    say: "All is well: users are served, and the probes watch.",
    faults: healthy,
  },
  {
    at: 15_000,
    say: "A neighbour floods the VPC connector: new connections are slow.",
    faults: { ...healthy, neighbours: 0.7, latencyMs: 400 },
  },
  {
    at: 25_000,
    say: "The connector begins to lose connections, every other one.",
    faults: { ...healthy, neighbours: 0.8, latencyMs: 800, lost: 0.5 },
  },
  {
    at: 35_000,
    say: "The connector loses every connection: nobody reaches the database.",
    faults: { ...healthy, neighbours: 0.9, latencyMs: 800, lost: 1 },
  },
  {
    at: 75_000,
    say: "The connector is repaired: watch the recovery being proved.",
    faults: healthy,
  },
  {
    at: 115_000,
    say: "The outage is over. The system keeps watching until you press Ctrl-C.",
    faults: healthy,
  },
];

/**
 * Where the script stands after `elapsedMs`.
 * @param pace how many times faster than the table it is played
 */
export function scriptAt(elapsedMs: number, pace = 1): ScriptPosition {
  const elapsed = elapsedMs * pace;
  const step = script.findLast(({ at }) => at <= elapsed) ?? script[0];
  const next = script[script.indexOf(step) + 1];
  return { step: paced(step, pace), nextInMs: next ? (next.at - elapsed) / pace : 0, ended: next === undefined };
}

/**
 * By how much waiting is shortened at a pace: schedules, deadlines and latencies. A machine does not get faster with the script, so below
 * half of what they are at pace 1 they would measure the machine.
 */
export function tempoOf(pace: number): number {
  return Math.min(pace, 2);
}

/** Latency is measured against the patience of services and probes, which a faster pace shortens as well. */
function paced(step: Step, pace: number): Step {
  return { ...step, faults: { ...step.faults, latencyMs: step.faults.latencyMs / tempoOf(pace) } };
}
