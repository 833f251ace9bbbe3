/** Seeded random numbers: the same in every run and on every machine. */

/** A seeded random generator. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0, inclusive, to 1, exclusive (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns true with this probability. */
  happens(share: number): boolean {
    return this.next() < share;
  }

  /** Returns an integer in a range, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Returns a random item. */
  one<T>(items: readonly [T, ...T[]]): T {
    return items[this.between(0, items.length - 1)] ?? items[0];
  }

  /** Returns a random subset: each item with this probability, and at least one if there are any. */
  some<T>(items: readonly T[], share: number): T[] {
    const chosen = items.filter(() => this.happens(share));
    return chosen.length > 0 ? chosen : items.slice(0, 1);
  }
}
