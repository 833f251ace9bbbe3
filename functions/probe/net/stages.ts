/** The stages of a conversation: phases of which each may have a deadline of its own. */

import type { FailureKind } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { formatDuration } from "../../../shared/text/units.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, type Words } from "../text/target-text.ts";
import { doing, failureOf, ProbeFault, type SeenFailure, spokenPeer, unanswered } from "./faults.ts";
import { type Stopwatch, stopwatch } from "./stopwatch.ts";

/** Limits of a running stage. */
export interface StageLimit {
  /** Milliseconds that it may take. */
  readonly limitMs: number;
  /** The kind of failure for an overrun. @default timeout */
  readonly kind?: FailureKind;
  /** Returns what is still missing, for the message of a failure: `no answer to the ping came`. */
  readonly missing: () => Words;
}

/** A stopwatch that ends what runs longer than it may. */
export interface Stages extends Stopwatch {
  /** The world for all that happens in the stages: its signal is aborted by their deadlines as well. */
  readonly world: ProbeWorld;
  enter(stage: string, limit?: StageLimit): void;
  /** Names the failure that an error means which ended the running stage. */
  failureOf(error: unknown): SeenFailure;
}

/**
 * Stages that stand still until the first is entered.
 * @param limits milliseconds that stages may take which are entered without a limit; those that are not named take what the probe has
 * @param peer whom the probe speaks to, without secrets
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
