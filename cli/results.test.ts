import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../shared/messages/report.ts";
import { findingLines } from "./results.ts";
import { memoryTerminal } from "./terminal.ts";

const finding = (check: string, ok: boolean) => ({
  check,
  ok,
  observed: ok ? "READY" : "ERROR",
  expected: "READY",
  explanation: `Only what is READY works, so ${"a long reason ".repeat(8)}follows. Do something about it.`,
  resource: "shop-connector",
  severity: "critical" as const,
});

const result = (more: Partial<ProbeResult>): ProbeResult => ({
  probe: "configuration",
  component: "platform",
  at: "2025-09-16T12:00:00Z",
  success: true,
  measurements: [],
  ...more,
});

const lines = (more: Partial<ProbeResult>): string[] => findingLines(result(more), memoryTerminal());

describe("findings on a terminal", () => {
  it("are the wrong ones and those that could not be made, in paragraphs that are easily read", () => {
    expect(
      lines({
        findings: [finding("connector_state", false), finding("connector_size", true)],
        unchecked: [
          { checks: ["a", "b"], resource: "shop", explanation: "It may not be read." },
          { checks: ["a", "b", "c", "d"], resource: "auth", explanation: "It did not answer." },
        ],
      }),
    ).toEqual([
      "configuration: 2 checks, 1 wrong, 2 resources not to be judged",
      "  critical  shop-connector, connector_state: ERROR; expected: READY",
      "            Only what is READY works, so a long reason a long reason a long reason a long reason a",
      "            long reason a long reason a long reason a long reason follows. Do something about it.",
      "  unknown   shop: a, b not made",
      "            It may not be read.",
      "  unknown   auth: a and 3 other checks not made",
      "            It did not answer.",
      "",
    ]);
  });

  it("are a line when nothing is wrong, and nothing for a probe with a single check", () => {
    const right = finding("connector_size", true);
    expect(lines({ findings: [right, right] })).toEqual(["configuration: 2 checks, nothing wrong", ""]);
    expect([lines({ findings: [right] }), lines({})]).toEqual([[], []]);
  });

  it("do without what older findings lack", () => {
    const { resource: _, severity: __, ...bare } = finding("tls_version", false);
    expect(lines({ findings: [bare] })[1]).toBe("  warning   tls_version: ERROR; expected: READY");
  });
});
