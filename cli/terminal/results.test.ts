import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { failureSentence, stepLines } from "./results.ts";
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
  it("are told with their times, and the clean-up", () => {
    expect(stepLines(journey, terminal)).toEqual(["ok  log in       320ms", "ok  open socket  1.5s", "ok  clean-up"]);
  });

  it("end with the one that failed, and why", () => {
    const cleaned = { metric: "golden_path_cleanup_success", value: 0, labels: {} };
    const measurements = [...journey.measurements.slice(0, 2), cleaned];
    expect(stepLines({ ...journey, success: false, failure, measurements }, terminal)).toEqual([
      "ok      log in        320ms",
      "failed  agent events  expect: within 5s no message came",
      "failed  clean-up",
    ]);
    expect(failureSentence({ ...journey, failure })).toBe("step `agent events`, expect: within 5s no message came");
  });

  it("are those of journeys only", () => {
    const other: ProbeResult = {
      ...journey,
      failure: { kind: "http_status", phase: "response", message: "503 Service Unavailable" },
      measurements: [{ metric: "http_status", value: 503, labels: {} }],
    };
    expect(stepLines(other, terminal)).toEqual([]);
    expect(failureSentence(other)).toBe("response: 503 Service Unavailable");
  });
});
