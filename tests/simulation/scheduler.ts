/** Virtual time for concurrent tasks: a waiting task resumes at its instant, and nothing else advances the clock. */
import { Agenda } from "../../cli/virtual/agenda.ts";

/** A scheduler. Instants in milliseconds since the epoch. */
export class Scheduler {
  now: number;
  readonly #agenda = new Agenda();

  constructor(start: number) {
    this.now = start;
  }

  /** Runs work at an instant, or immediately if it has passed. */
  at(instant: number, work: () => unknown): void {
    this.#agenda.add(Math.max(instant, this.now), work);
  }

  /** Runs work after a number of milliseconds. */
  after(milliseconds: number, work: () => unknown): void {
    this.at(this.now + milliseconds, work);
  }

  /** Advances the time to an instant, inclusive. After each piece of work, everything that follows from it without waiting runs first. */
  async run(until: number): Promise<void> {
    for (let next = this.#agenda.take(until); next !== undefined; next = this.#agenda.take(until)) {
      this.now = Math.max(this.now, next.at);
      next.work();
      await settled();
    }
    this.now = Math.max(this.now, until);
  }
}

/** Resolves when only tasks that wait for the scheduler are left: immediates of the process run after all promises. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
