/** Finds many texts in another one at once, in time that is linear in the text, whatever they are. */

/** A text to find. */
export interface Needle {
  readonly text: string;
  /** Length of the beginning that is not secret by itself, in characters. */
  readonly open: number;
}

/** Called with the start and the end of what was found. */
export type Found = (start: number, end: number) => void;

/** Length of the part of a needle that has states of its own, in characters: a certificate would have thousands. */
const longestInStates = 64;

/** An automaton of Aho and Corasick. @see https://doi.org/10.1145/360825.360855 */
export class Automaton {
  readonly #root: State = new State(0);
  /** Bytes with which a needle starts: this test alone skips most of a text. */
  readonly #begins: Uint8Array = new Uint8Array(256);

  constructor(needles: Iterable<Needle>) {
    for (const needle of needles) this.#add(needle);
    this.#link();
  }

  /**
   * Reports every needle in the text, and the beginnings of needles that were cut off.
   * @param isCutOff whether a beginning of so many characters that ends before a position is what is left of a needle there
   */
  search(text: string, isCutOff: (length: number, position: number) => boolean, found: Found): void {
    const reportCutOff = (from: State, end: number): void => {
      let state = from;
      while (state.depth > 0 && !(state.tells && isCutOff(state.depth, end))) state = state.fallback;
      if (state.depth > 0) found(end - state.depth, end);
    };
    let state = this.#root;
    for (let at = 0; at < text.length; at++) {
      const before = state;
      if (before === this.#root && this.#begins[text.charCodeAt(at)] === 0) continue;
      state = before.after(text.charCodeAt(at));
      if (state.depth <= before.depth) reportCutOff(before, at);
      if (state.ends > 0) found(at + 1 - state.ends, at + 1);
      if (state.long.length === 0) continue;
      const start = at + 1 - longestInStates;
      const end = start + Math.max(...state.long.map((needle) => commonLength(needle, text, start)));
      found(start, end);
      if (end <= at + 1) continue;
      at = end - 1;
      state = this.#root;
    }
    reportCutOff(state, text.length);
  }

  #add({ text, open }: Needle): void {
    let state = this.#root;
    this.#begins[text.charCodeAt(0)] = 1;
    for (let at = 0; at < Math.min(text.length, longestInStates); at++) {
      state = state.child(text.charCodeAt(at));
      state.tells ||= state.depth > open;
    }
    if (text.length > longestInStates) state.long.push(text);
    else state.ends = text.length;
  }

  /** Gives every state its fallback, those near the root first. */
  #link(): void {
    const states = [this.#root];
    for (const state of states) {
      for (const [code, child] of state.next) {
        child.fallback = state === this.#root ? this.#root : state.fallback.after(code);
        child.ends ||= child.fallback.ends;
        child.long.push(...child.fallback.long);
        states.push(child);
      }
    }
  }
}

/** The needles read so far. */
class State {
  /** Their length, in characters. */
  readonly depth: number;
  readonly next: Map<number, State> = new Map();
  /** The longest beginning of a needle that ends here as well and begins later. */
  fallback: State = this;
  /** The length of the longest needle that ends here; 0 for none. */
  ends = 0;
  /** Whether it is more than the public beginning of a needle. */
  tells = false;
  /** Needles that go on where the states end. */
  readonly long: string[] = [];

  constructor(depth: number) {
    this.depth = depth;
  }

  child(code: number): State {
    const child = this.next.get(code) ?? new State(this.depth + 1);
    this.next.set(code, child);
    return child;
  }

  after(code: number): State {
    for (let state: State = this; ; state = state.fallback) {
      const next = state.next.get(code);
      if (next) return next;
      if (state.depth === 0) return state;
    }
  }
}

function commonLength(needle: string, text: string, start: number): number {
  let length = longestInStates;
  while (length < needle.length && needle.charCodeAt(length) === text.charCodeAt(start + length)) length++;
  return length;
}
