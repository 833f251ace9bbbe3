/** Timers of the process. */
import type { Timers } from "../ports.ts";

/** The timers that everything uses outside tests. */
export const realTimers: Timers = {
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds);
    return () => clearTimeout(timer);
  },
};
