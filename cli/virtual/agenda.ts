/** Schedules work in order of its instants. Work at the same instant runs in order of insertion. */

/** Something that happens at an instant. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly work: () => unknown;
}

/** A queue of work on virtual time: a binary heap. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;

  /** @param at milliseconds since the epoch */
  add(at: number, work: () => unknown): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push({ at, order: this.#order++, work });
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) break;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** The next entry at or before `until`, taken out. */
  take(until: number): { readonly at: number; readonly work: () => unknown } | undefined {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.at > until) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      let least = place;
      if (left < this.#heap.length && this.#isBefore(left, least)) least = left;
      if (right < this.#heap.length && this.#isBefore(right, least)) least = right;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
