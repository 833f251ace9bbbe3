import type { Reporter, TestModule, TestSpecification } from "vitest/node";

/** Options of the reporter. */
export interface ClosingLineOptions {
  /** Maximum time without a result from any test before a run counts as hung, in milliseconds. @default ten minutes */
  readonly silenceMs?: number;
  /** Ends the process. @default process.exit */
  readonly exit?: (code: number) => void;
}

/**
 * Ends a test run with `N passed, N failed, N skipped` on a separate line, for programs, and fails a run with skipped tests if
 * `PATHKEEPER_NO_SKIPS` is set. Vitest waits forever for a test that blocks its worker or a file that never finishes loading, whatever their
 * time limits. After a period without output, this fails the run and names them.
 */
class ClosingLine implements Reporter {
  readonly #silenceMs: number;
  readonly #exit: (code: number) => void;
  readonly #running = new Map<string, TestModule>();
  readonly #ended: TestModule[] = [];
  #silence: NodeJS.Timeout | undefined;

  constructor({ silenceMs = 600_000, exit = process.exit }: ClosingLineOptions = {}) {
    this.#silenceMs = silenceMs;
    this.#exit = exit;
  }

  onTestRunStart(_specifications: readonly TestSpecification[]): void {
    this.#heard();
  }

  onTestModuleQueued(module: TestModule): void {
    this.#running.set(module.id, module);
    this.#heard();
  }

  onTestCaseResult(): void {
    this.#heard();
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.id);
    this.#ended.push(module);
    this.#heard();
  }

  /** An uncaught error fails the run, whatever the results of its tests: it counts as a failure. */
  onTestRunEnd(modules: readonly TestModule[], uncaught: readonly unknown[] = []): void {
    clearTimeout(this.#silence);
    const count = countOf(modules);
    count.failed += uncaught.length;
    if (count.skipped > 0 && process.env["PATHKEEPER_NO_SKIPS"] === "1") {
      console.error("Tests were skipped although this machine has everything they need.");
      process.exitCode = 1;
    }
    console.log(lineOf(count));
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#giveUp(), this.#silenceMs);
  }

  #giveUp(): void {
    const hung = [...this.#running.values()];
    console.error(`The run hangs: no test has ended for ${this.#silenceMs / 1000} s. Not finished:`);
    for (const module of hung) {
      const open = [...module.children.allTests()].filter((test) => test.result().state === "pending");
      console.error(`  ${module.relativeModuleId}${open[0] === undefined ? "" : `: ${open[0].fullName}`}`);
    }
    const count = countOf(this.#ended);
    for (const module of hung) {
      const { passed, failed, skipped } = countOf([module]);
      count.passed += passed;
      count.skipped += skipped;
      count.failed += Math.max(1, failed);
    }
    console.log(lineOf({ ...count, failed: Math.max(1, count.failed) }));
    this.#exit(1);
  }
}

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts the results of tests. A file that could not be loaded, or a test without a result, counts as a failure. */
function countOf(modules: readonly TestModule[]): Count {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    if (module.state() === "failed" && module.errors().length > 0) count.failed++;
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === "passed" || state === "failed" || state === "skipped") count[state]++;
      else count.failed++;
    }
  }
  return count;
}

function lineOf({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

// Vitest loads a reporter from the default export of a file.
export default ClosingLine;
