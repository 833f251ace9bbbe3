import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { failureSentence, recordLines, stepLines } from "./results.ts";
import { memoryTerminal } from "./terminal.ts";

const terminal = memoryTerminal();
const step = (name: string, value: number) => ({ metric: "golden_path_step_time", value, labels: { step: name } });
const journey: ProbeResult = {
  probe: "golden-path",
  component: "golden-path",
  at: "2025-09-16T12:00:00Z",
  success: true,
  measurements: [
    { metric: "golden_path_success", value: 1, labels: {} },
    step("log in", 0.32),
    step("open socket", 1.5),
    { metric: "golden_path_cleanup_success", value: 1, labels: {} },
  ],
};
const failure = {
  kind: "sequence",
  phase: "expect",
  message: "step `agent events`: within 5s no message came",
  step: "agent events",
} as const;

describe("the steps of a journey", () => {
  it("are listed with their durations, including the clean-up", () => {
    expect(stepLines(journey, terminal)).toEqual(["ok  log in       320ms", "ok  open socket  1.5s", "ok  clean-up"]);
  });

  it("end with the failed step and its reason", () => {
    const cleaned = { metric: "golden_path_cleanup_success", value: 0, labels: {} };
    const measurements = [...journey.measurements.slice(0, 2), cleaned];
    expect(stepLines({ ...journey, success: false, failure, measurements }, terminal)).toEqual([
      "ok      log in        320ms",
      "failed  agent events  expect: within 5s no message came",
      "failed  clean-up",
    ]);
    expect(failureSentence({ ...journey, failure })).toBe("step `agent events`, expect: within 5s no message came");
  });

  it("are listed for journeys only", () => {
    const other: ProbeResult = {
      ...journey,
      failure: { kind: "http_status", phase: "response", message: "503 Service Unavailable" },
      measurements: [{ metric: "http_status", value: 503, labels: {} }],
    };
    expect(stepLines(other, terminal)).toEqual([]);
    expect(failureSentence(other)).toBe("response: 503 Service Unavailable");
  });
});

describe("changes and logs", () => {
  const change = { kind: "deployment", resource: "Cloud Run service backend", components: ["backend"] } as const;
  const result: ProbeResult = {
    ...journey,
    probe: "what-changed",
    changes: [
      {
        ...change,
        components: ["backend"],
        id: "1",
        at: "2025-09-16T11:58:00.000Z",
        what: "deployed revision backend-00042",
      },
      {
        ...change,
        components: [],
        id: "2",
        at: "2025-09-16T11:57:00.000Z",
        what: "deployed elsewhere",
        elsewhere: true,
      },
    ],
    log_patterns: [
      {
        pattern: "connect to <*> timed out",
        resource: "Cloud Run service backend",
        component: "backend",
        count: 649,
        first_at: "2025-09-16T12:02:00.000Z",
        last_at: "2025-09-16T12:05:00.000Z",
        before: 0,
        before_seconds: 3600,
      },
    ],
  };

  it("are printed one per line, without changes to other resources", () => {
    expect(recordLines(result, terminal)).toEqual([
      "what-changed",
      "  2025-09-16 11:58:00 UTC  backend  deployed revision backend-00042",
      "  649 times                backend  connect to <*> timed out",
      "",
    ]);
    expect(recordLines(journey, terminal)).toEqual([]);
  });
});
