/** Time as the broker needs it, so that tests can turn the hands of the clock. */

/** The time of day and timers on it. */
export interface Time {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `run` once, after `delayMs`; the function returned calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** The time of the machine. */
export const systemTime: Time = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Time that stands still until a test moves it. */
export class VirtualTime implements Time {
  #now: number;
  readonly #timers = new Set<{ readonly due: number; readonly run: () => void }>();

  /** @param now milliseconds since the epoch */
  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { due: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on by `ms` and runs what falls due, each at its instant, with all that follows of it without waiting. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = next.due;
      next.run();
      await settled();
    }
    this.#now = end;
  }

  #next(end: number): { readonly due: number; readonly run: () => void } | undefined {
    let first: { readonly due: number; readonly run: () => void } | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

/** Runs the callbacks of every promise that is settled, and of those that they settle. */
function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
