import { describe, expect, it } from "vitest";
import type { Affected } from "../../../../shared/documents/incident.ts";
import { onsetSentences } from "./onset-text.ts";

const noon = Date.UTC(2025, 8, 16, 12);

/** An affected component. @param from minutes after noon */
function affected(title: string, trouble: string, from: number, intermittent = false): Affected {
  const at = new Date(noon + from * 60_000);
  return {
    component: title.toLowerCase(),
    title,
    layer: "application",
    impact: null,
    trouble,
    intermittent,
    from: at,
    until: null,
    availability_target: 0.99,
  };
}

describe("onset sentences", () => {
  it.each<[string, readonly Affected[], boolean, readonly string[]]>([
    [
      "names each from its own first failure on",
      [affected("Backend", "failed", 30), affected("Auth", "failed", 30.5), affected("Pages", "failed", 40)],
      false,
      ["Backend and Auth have been failing since 12:30:00 UTC, Pages since 12:40:00 UTC."],
    ],
    [
      "tells those that failed from those that were degraded before",
      [affected("Database", "degraded", 0), affected("Backend", "failed", 30)],
      true,
      ["Backend failed from 12:30:00 UTC.", "Database was degraded from 12:00:00 UTC."],
    ],
    [
      "tells those that failed intermittently from those that failed all the time",
      [affected("Backend", "failed", 0), affected("Auth", "failed", 30, true)],
      false,
      ["Backend has been failing since 12:00:00 UTC.", "Auth has been failing intermittently since 12:30:00 UTC."],
    ],
    [
      "names what began later with the last of three moments",
      ["A", "B", "C", "D"].map((title, index) => affected(title, "failed", index * 5)),
      true,
      ["A failed from 12:00:00 UTC, B from 12:05:00 UTC, C and D from 12:10:00 UTC."],
    ],
    ["says nothing of what was not seen to be bad itself", [affected("A", "no failure observed", 0)], true, []],
  ])("%s", (_, components, isOver, expected) => {
    expect(onsetSentences(components, isOver)).toEqual(expected);
  });
});
