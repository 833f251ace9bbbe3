/** Turns: work under the same key, within one instance, is done one after the other. */

/**
 * Keeps work of one instance on the same document from contending with itself. Firestore would sort it out as well, by locks and
 * retries that take seconds; between instances it still does.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all earlier work under the key is done, however that ended. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
