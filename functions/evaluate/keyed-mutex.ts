/**
 * A mutex for each key: work under the same key, within one instance, is done one after the other. It keeps an instance from contending with
 * itself for a document. Firestore would sort that out as well, by locks and retries that take seconds; between instances it still does.
 */
export class KeyedMutex {
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
