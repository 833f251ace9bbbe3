/** Failures of this machine that a run survives, such as a full disk. Each is reported in one sentence when it begins and one when it ends. */

/** Something that may fail again and again. */
export interface Trouble {
  /** It failed. */
  begin(error: Error): void;
  /** It succeeded. */
  end(): void;
}

/** A failure that is not reported. */
export const silentTrouble: Trouble = { begin: () => {}, end: () => {} };

/** A failure that was reported. */
export interface ReportedTrouble {
  /** The same for the same trouble. */
  readonly key: string;
  readonly sentence: string;
  /** In milliseconds since the epoch. */
  readonly since: number;
}

/** Time without failures before a failure is over, in milliseconds. */
const calmMs = 10_000;
/** Failures within this time of the last one belong to the same failure, in milliseconds. */
const quietMs = 60_000;

/** All troubles of a run. */
export class Troubles {
  readonly #tell: (sentence: string) => void;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** @param tell is given each sentence once, while its trouble lasts */
  constructor(tell: (sentence: string) => void, now: () => number = Date.now) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Sentences about what fails at present. */
  get sentences(): readonly string[] {
    return [...this.#known.values()].flatMap(({ failing, sentence }) => (failing.size === 0 ? [] : [sentence]));
  }

  /** The disks that cannot be written at present. */
  get disks(): readonly ReportedTrouble[] {
    return [...this.#known].flatMap(([key, { told, sentence, since, over }]) =>
      told && over !== undefined ? [{ key, sentence, since }] : [],
    );
  }

  /** Tells what is over. To be called now and then. */
  look(): void {
    for (const known of this.#known.values()) {
      if (!known.told || known.failing.size > 0 || this.#now() - known.failedAt < calmMs) continue;
      known.told = false;
      if (known.over !== undefined) this.#tell(known.over);
    }
  }

  /** The trouble of writing a file. A disk that is full or read-only is one trouble, however many files are on it. */
  writing(file: string): Trouble {
    return this.#trouble(
      file,
      (error) => troublesOfDisks.get(codeOf(error)) ?? `${codeOf(error)} ${file}`,
      (reason) => `cannot write ${file}: ${reason}; monitoring continues, and failed writes are retried`,
      `${file} can be written again`,
    );
  }

  /** A failure with its own message. @param sentence returns the message for a reason */
  of(name: string, sentence: (reason: string) => string): Trouble {
    return this.#trouble(name, () => name, sentence);
  }

  #trouble(
    name: string,
    keyOf: (error: Error) => string,
    sentence: (reason: string) => string,
    over?: string,
  ): Trouble {
    return {
      begin: (error) => {
        const key = keyOf(error);
        const now = this.#now();
        const known = this.#known.get(key) ?? {
          failing: new Set<string>(),
          failedAt: now,
          sentence: "",
          since: now,
          told: false,
          over,
        };
        this.#known.set(key, known);
        if (known.failing.size === 0 && (!known.told || now - known.failedAt > quietMs)) {
          Object.assign(known, { since: now, over, sentence: sentence(reasonOf(error)), told: true });
          this.#tell(known.sentence);
        }
        known.failing.add(name);
        known.failedAt = now;
      },
      end: () => {
        for (const { failing } of this.#known.values()) failing.delete(name);
      },
    };
  }
}

interface Known {
  /** Current failures. */
  readonly failing: Set<string>;
  failedAt: number;
  sentence: string;
  since: number;
  /** True if its beginning was reported, and its end not yet. */
  told: boolean;
  /** Message when it is over; none if absent. */
  over: string | undefined;
}

/**
 * Failures of a whole disk, by error codes of the file system and of SQLite (SQLITE_FULL and SQLITE_READONLY,
 * https://sqlite.org/rescode.html).
 */
const troublesOfDisks: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["13", "full"],
  ["EROFS", "read-only"],
  ["8", "read-only"],
]);

function codeOf(error: Error): string {
  if ("errcode" in error) return String(Number(error.errcode) & 0xff);
  return "code" in error ? String(error.code) : error.message;
}

/** The reason alone: an error of the file system names its code before it, and the call and the file after it. */
function reasonOf({ message }: Error): string {
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
