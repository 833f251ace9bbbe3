import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Logger } from "../ports.ts";
import { forRequest, type LogSource, structuredLogger } from "./logger.ts";

const source: LogSource = { service: "pathkeeper-evaluate", version: "pathkeeper-evaluate-00007", project: "watch" };
const trace = "105445aa7843bc8bf206b12000100000";

function logged(write: (logger: Logger) => void, of: LogSource = source): Record<string, unknown>[] {
  const lines: string[] = [];
  write(structuredLogger((line) => lines.push(line), of));
  return lines.map((line) => {
    expect(line).toMatch(/^[^\n]+\n$/);
    return JSON.parse(line) as Record<string, unknown>;
  });
}

describe("a line of the log", () => {
  it("has severity, message and fields on a single line", () => {
    const lines = logged((logger) => {
      logger.info("a\nb", { group: "outside-1m" });
      logger.warning("late");
    });
    expect(lines).toEqual([
      { severity: "INFO", message: "a\nb", group: "outside-1m" },
      { severity: "WARNING", message: "late" },
    ]);
  });

  it.each([
    [
      `${trace}/74;o=1`,
      {
        "logging.googleapis.com/trace": `projects/watch/traces/${trace}`,
        "logging.googleapis.com/spanId": "000000000000004a",
        "logging.googleapis.com/trace_sampled": true,
      },
    ],
    [
      trace,
      {
        "logging.googleapis.com/trace": `projects/watch/traces/${trace}`,
        "logging.googleapis.com/trace_sampled": false,
      },
    ],
    ["anything else", {}],
    [undefined, {}],
  ])("is linked to the trace %s, even after a wait", async (header, expected) => {
    const lines: string[] = [];
    const logger = structuredLogger((line) => lines.push(line), source);
    await forRequest(header, async () => {
      await Promise.resolve();
      logger.info("done");
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { severity: "INFO", message: "done", ...expected },
    ]);
  });

  it("has no trace without a project", () => {
    const [line] = forRequest(trace, () => logged((logger) => logger.info("done"), {}));
    expect(line).toEqual({ severity: "INFO", message: "done" });
  });
});

describe("an error in the log", () => {
  const type = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent";
  const serviceContext = { service: "pathkeeper-evaluate", version: "pathkeeper-evaluate-00007" };

  it("is recognized by Error Reporting from its stack", () => {
    const stack = "Error: broken\n    at evaluate (main.mjs:1:1)";
    const [line] = logged((logger) => logger.error("evaluate failed: broken", { stack_trace: stack }));
    expect(line).toEqual({
      severity: "ERROR",
      message: "evaluate failed: broken",
      "@type": type,
      serviceContext,
      stack_trace: stack,
    });
  });

  it("is recognized without a stack by its location", () => {
    const [line] = logged((logger) => logger.error("a message is a dead letter"));
    expect(line).toMatchObject({
      "@type": type,
      serviceContext,
      context: { reportLocation: { functionName: "pathkeeper-evaluate" } },
    });
  });

  it.each([
    ["throws", 'setTimeout(() => { throw new Error("nobody caught me"); });', "uncaughtException"],
    ["rejects", 'void Promise.reject(new Error("nobody caught me"));', "unhandledRejection"],
  ])("is the last line of a process that %s an uncaught error", (_how, code, origin) => {
    const module = new URL("./logger.ts", import.meta.url).href;
    const script = `import { reportCrashes, structuredLogger } from "${module}"; reportCrashes(structuredLogger()); ${code}`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toMatchObject({
      severity: "ERROR",
      message: `the process ends because of an uncaught error (${origin}): nobody caught me`,
      stack_trace: expect.stringContaining("Error: nobody caught me\n    at "),
    });
    expect(status).toBe(1);
  });
});
