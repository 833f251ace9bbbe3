import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends a test run with `N passed, N failed, N skipped` on a line of its own, in words that any machine can read, and fails a run that
 * skipped tests where `PATHKEEPER_NO_SKIPS` says that nothing needed for them is missing.
 */
class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      if (module.state() === "failed" && module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed" || state === "failed" || state === "skipped") count[state]++;
        else count.failed++;
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    if (count.skipped > 0 && process.env["PATHKEEPER_NO_SKIPS"] === "1") {
      console.error("Tests were skipped although this machine has everything they need.");
      process.exitCode = 1;
    }
  }
}

// Vitest loads a reporter from a file by its default export.
export default ClosingLine;
