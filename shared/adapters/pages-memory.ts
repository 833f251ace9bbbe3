/** Pages in memory, for tests and rehearsals. */
import type { Page, Pages } from "../ports.ts";

/** Pages in memory, which tests read by `place/path`. */
export class MemoryPages implements Pages {
  readonly standing: Map<string, Page> = new Map();
  readonly #versions = new Map<string, number>();

  async version(place: string, path: string): Promise<string | undefined> {
    return this.#versions.get(`${place}/${path}`)?.toString();
  }

  async write(place: string, page: Page, replaces: string | undefined): Promise<boolean> {
    const where = `${place}/${page.path}`;
    const version = this.#versions.get(where);
    if (version?.toString() !== replaces) return false;
    this.#versions.set(where, (version ?? 0) + 1);
    this.standing.set(where, page);
    return true;
  }
}
