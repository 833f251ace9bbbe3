/** The stages of an exchange: phases with optional deadlines of their own. */

import type { FailureKind } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { formatDuration } from "../../../shared/text/units.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, type ReportText } from "../text/target-text.ts";
import { doing, failureOf, ProbeFault, type SeenFailure, spokenPeer, unanswered } from "./faults.ts";
import { type Stopwatch, stopwatch } from "./stopwatch.ts";

/** Limits of a running stage. */
export interface StageLimit {
  /** Maximum duration, in milliseconds. */
  readonly limitMs: number;
  /** The kind of failure for an overrun. @default timeout */
  readonly kind?: FailureKind;
  /** Returns what is still missing, for the message of a failure: `no answer to the ping came`. */
  readonly missing: () => ReportText;
}

/** A stopwatch that ends stages that exceed their time. */
export interface Stages extends Stopwatch {
  /** The world for everything in the stages: their deadlines abort its signal too. */
  readonly world: ProbeWorld;
  enter(stage: string, limit?: StageLimit): void;
  /** Returns the failure for an error that ended the running stage. */
  failureOf(error: unknown): SeenFailure;
}

/**
 * Creates stages that are idle until the first is entered.
 * @param limits milliseconds for stages that are entered without a limit; any other stage may take the time of the probe
 * @param peer the target of the probe, without secrets
 */
export function stages(world: ProbeWorld, limits: Readonly<Record<string, number | undefined>>, peer: string): Stages {
  const watch = stopwatch(() => world.clock());
  const overrun = new AbortController();
  let running: StageLimit | undefined;
  let alarm: NodeJS.Timeout | undefined;
  world.onClose(() => clearTimeout(alarm));

  const tooLong = (stage: string, limitMs: number, limit: StageLimit | undefined): ProbeFault => {
    const time = formatDuration(limitMs);
    return limit
      ? new ProbeFault(limit.kind ?? "timeout", cite`within ${time} ${limit.missing()}`)
      : new ProbeFault(
          "timeout",
          `${doing(stage, spokenPeer(peer, watch.address))} took longer than ${time}${unanswered(stage)}`,
        );
  };
  return {
    world: { ...world, signal: AbortSignal.any([world.signal, overrun.signal]) },
    get phase() {
      return watch.phase;
    },
    get address() {
      return watch.address;
    },
    tries: (address) => watch.tries(address),
    enter(stage, limit) {
      clearTimeout(alarm);
      watch.enter(stage);
      running = limit;
      const limitMs = limit?.limitMs ?? ownEntry(limits, stage);
      if (limitMs !== undefined) alarm = setTimeout(() => overrun.abort(tooLong(stage, limitMs, limit)), limitMs);
    },
    stop() {
      clearTimeout(alarm);
      watch.stop();
      running = undefined;
    },
    times: () => watch.times(),
    failureOf(error) {
      const own = overrun.signal.aborted && !world.signal.aborted;
      const failure = failureOf(own ? overrun.signal.reason : error, {
        phase: watch.phase,
        peer,
        address: watch.address,
        signal: world.signal,
      });
      return own || !running ? failure : { ...failure, message: cite`${failure.message}; ${running.missing()}` };
    },
  };
}
