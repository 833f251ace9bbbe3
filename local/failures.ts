/** Failures of this machine that a run survives, such as a full disk. Each is reported in one sentence when it begins and one when it ends. */

/** Something that may fail again and again. */
export interface RecurringFailure {
  /** It failed. */
  begin(error: Error): void;
  /** It succeeded. */
  end(): void;
}

/** A failure that is not reported. */
export const silentFailure: RecurringFailure = { begin: () => {}, end: () => {} };

/** A failure that was reported. */
export interface ReportedFailure {
  /** The same for repeated failures with the same cause. */
  readonly key: string;
  readonly sentence: string;
  /** In milliseconds since the epoch. */
  readonly since: number;
}

/** Time without failures before a failure is over, in milliseconds. */
const calmMs = 10_000;
/** Failures within this time of the last one belong to the same failure, in milliseconds. */
const quietMs = 60_000;

/** All recurring failures of a run. */
export class RecurringFailures {
  readonly #report: (sentence: string) => void;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** @param report called once with each sentence while the failure lasts */
  constructor(report: (sentence: string) => void, now: () => number = Date.now) {
    this.#report = report;
    this.#now = now;
  }

  /** Messages of the failures that last now. */
  get sentences(): readonly string[] {
    return [...this.#known.values()].flatMap(({ failing, sentence }) => (failing.size === 0 ? [] : [sentence]));
  }

  /** The disks that cannot be written now. */
  get disks(): readonly ReportedFailure[] {
    return [...this.#known].flatMap(([key, { reported, sentence, since, over }]) =>
      reported && over !== undefined ? [{ key, sentence, since }] : [],
    );
  }

  /** Reports failures that have ended. To be called regularly. */
  look(): void {
    for (const known of this.#known.values()) {
      if (!known.reported || known.failing.size > 0 || this.#now() - known.failedAt < calmMs) continue;
      known.reported = false;
      if (known.over !== undefined) this.#report(known.over);
    }
  }

  /** Returns the failure to write a file. All files on a full or read-only disk share one. */
  writing(file: string): RecurringFailure {
    return this.#failure(
      file,
      (error) => diskFailures.get(codeOf(error)) ?? `${codeOf(error)} ${file}`,
      (reason) => `cannot write ${file}: ${reason}; monitoring continues, and failed writes are retried`,
      `${file} can be written again`,
    );
  }

  /** Returns a failure with its own message. @param sentence returns the message for a reason */
  of(name: string, sentence: (reason: string) => string): RecurringFailure {
    return this.#failure(name, () => name, sentence);
  }

  #failure(
    name: string,
    keyOf: (error: Error) => string,
    sentence: (reason: string) => string,
    over?: string,
  ): RecurringFailure {
    return {
      begin: (error) => {
        const key = keyOf(error);
        const now = this.#now();
        const known = this.#known.get(key) ?? {
          failing: new Set<string>(),
          failedAt: now,
          sentence: "",
          since: now,
          reported: false,
          over,
        };
        this.#known.set(key, known);
        if (known.failing.size === 0 && (!known.reported || now - known.failedAt > quietMs)) {
          Object.assign(known, { since: now, over, sentence: sentence(reasonOf(error)), reported: true });
          this.#report(known.sentence);
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
  reported: boolean;
  /** Message when it is over; none if absent. */
  over: string | undefined;
}

/**
 * Failures of a whole disk, by error codes of the file system and of SQLite (SQLITE_FULL and SQLITE_READONLY,
 * https://sqlite.org/rescode.html).
 */
const diskFailures: ReadonlyMap<string, string> = new Map([
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
