import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TestCase, TestModule } from "vitest/node";
import ClosingLine from "./closing-line.ts";

type State = "passed" | "failed" | "skipped" | "pending";

/** A test file as the reporter sees it. */
function moduleOf(relativeModuleId: string, states: readonly State[], errors: readonly string[] = []): TestModule {
  const tests = states.map((state, index) => ({ fullName: `test ${index + 1}`, result: () => ({ state }) }));
  const children = { allTests: () => tests as Iterable<unknown> as Iterable<TestCase> };
  const failed = errors.length > 0 || states.includes("failed");
  const module = { id: relativeModuleId, relativeModuleId, children, errors: () => errors };
  return { ...module, state: () => (failed ? "failed" : "passed") } as unknown as TestModule;
}

describe("the closing line", () => {
  let said: string[];
  beforeEach(() => {
    said = [];
    for (const method of ["log", "error"] as const)
      vi.spyOn(console, method).mockImplementation((line: string) => void said.push(line));
    vi.useFakeTimers();
    vi.stubEnv("PATHKEEPER_NO_SKIPS", undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("counts tests without a result and files that could not be loaded as failures", () => {
    new ClosingLine({ silenceMs: 1_000 }).onTestRunEnd([
      moduleOf("a.test.ts", ["passed", "passed", "failed"]),
      moduleOf("b.test.ts", ["skipped", "pending"]),
      moduleOf("c.test.ts", [], ["SyntaxError"]),
    ]);
    expect(said).toEqual(["2 passed, 3 failed, 1 skipped"]);
  });

  it("counts an error that nothing caught as a failure", () => {
    new ClosingLine({ silenceMs: 1_000 }).onTestRunEnd([moduleOf("a.test.ts", ["passed"])], [new Error("reset")]);
    expect(said).toEqual(["1 passed, 1 failed, 0 skipped"]);
  });

  it("fails a run that skipped tests without a missing requirement", () => {
    vi.stubEnv("PATHKEEPER_NO_SKIPS", "1");
    const before = process.exitCode;
    try {
      new ClosingLine({ silenceMs: 1_000 }).onTestRunEnd([moduleOf("a.test.ts", ["passed", "skipped"])]);
      expect(process.exitCode).toBe(1);
    } finally {
      process.exitCode = before;
    }
    expect(said).toEqual([
      "Tests were skipped although this machine has everything they need.",
      "1 passed, 0 failed, 1 skipped",
    ]);
  });

  it("ends a run without results for too long, and names the unfinished tests", () => {
    const exit = vi.fn();
    const line = new ClosingLine({ silenceMs: 600_000, exit });
    const [done, hung] = [moduleOf("a.test.ts", ["passed", "passed"]), moduleOf("b.test.ts", ["passed", "pending"])];
    const loading = moduleOf("c.test.ts", []);
    line.onTestRunStart([]);
    for (const module of [done, hung, loading]) line.onTestModuleQueued(module);
    vi.advanceTimersByTime(599_999);
    line.onTestCaseResult();
    vi.advanceTimersByTime(599_999);
    line.onTestModuleEnd(done);
    vi.advanceTimersByTime(599_999);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(said).toEqual([
      "The run hangs: no test has ended for 600 s. Not finished:",
      "  b.test.ts: test 2",
      "  c.test.ts",
      "3 passed, 2 failed, 0 skipped",
    ]);
  });

  it("does not wait after the run has ended", () => {
    const exit = vi.fn();
    const line = new ClosingLine({ silenceMs: 1_000, exit });
    line.onTestRunStart([]);
    line.onTestRunEnd([moduleOf("a.test.ts", ["passed"])]);
    vi.advanceTimersByTime(10_000);
    expect([exit.mock.calls, said]).toEqual([[], ["1 passed, 0 failed, 0 skipped"]]);
  });
});
