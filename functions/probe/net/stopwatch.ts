/** Times the sequential phases of one connection. */
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";

/** A stopwatch that is always in one phase. */
export interface Stopwatch {
  /** The running phase, or the last one: where a failure happened. */
  readonly phase: string;
  /** The address that was tried last; `undefined` before the first. */
  readonly address: string | undefined;
  /** Remembers an address before it is tried. */
  tries(address: string): void;
  /** Ends the running phase and starts another. */
  enter(phase: string): void;
  /** Ends the running phase. A phase that is never ended did not complete, and is not among the times. */
  stop(): void;
  /** Seconds spent in each completed phase, in the order in which they ran. */
  times(): Readonly<Record<string, number>>;
}

/** Creates a stopwatch that is idle until it enters its first phase. @param clock monotonic milliseconds */
export function stopwatch(clock: () => number): Stopwatch {
  const times: Record<string, number> = {};
  let phase = "start";
  let address: string | undefined;
  let since: number | undefined;
  const finish = (): number => {
    const now = clock();
    if (since !== undefined) setEntry(times, phase, (ownEntry(times, phase) ?? 0) + (now - since) / 1000);
    return now;
  };
  return {
    get phase() {
      return phase;
    },
    get address() {
      return address;
    },
    tries(next) {
      address = next;
    },
    enter(next) {
      since = finish();
      phase = next;
    },
    stop() {
      finish();
      since = undefined;
    },
    times: () => times,
  };
}
