import { describe, expect, it } from "vitest";
import { planOf } from "../../functions/evaluate/plan.ts";
import { configurationOf, recorded, shop } from "../commands/replay.fixtures.ts";
import { memoryTerminal } from "../terminal/terminal.ts";
import { compare, type Difference } from "./comparison.ts";
import { describeComparison } from "./comparison-text.ts";
import { readRecord } from "./record.ts";
import { type Rehearsed, rehearse } from "./replay.ts";

const routed = `${shop}channels:
  hook: { kind: webhook, url: https://hooks.example.com/shop, signing_key: { secret: hook-key } }
routes:
  - { channels: [hook], severity: [critical] }
`;

const outage = recorded({
  //               12:00     12:10     12:20
  "backend-health": "......XXXXXX.........",
  database: ".....XXXXXXX.........",
  pages: ".....................",
});

async function by(text: string): Promise<Rehearsed> {
  const configuration = configurationOf(text);
  const record = await readRecord(lines(), configuration.environment);
  return rehearse({ plan: planOf(configuration), record });
}

async function* lines(): AsyncGenerator<string> {
  for (const report of outage) yield JSON.stringify(report);
}

/** The outage by the shop's configuration and by another. */
async function compared(change: (text: string) => string): Promise<ReturnType<typeof compare>> {
  return compare(await by(routed), await by(change(routed)));
}

describe("a changed configuration against a record", () => {
  it("shows no change for an equal configuration", async () => {
    const [one, ...others] = await compared((text) => text);
    expect([one?.outcome, one?.differences, others]).toEqual(["same", [], []]);
  });

  it.each<[string, (text: string) => string, string, Difference[]]>([
    [
      "opens later",
      (text) =>
        text
          .replaceAll("{ kind: http, ", "{ kind: http, alert_after: 4m, ")
          .replace("{ kind: postgres,", "{ kind: postgres, alert_after: 4m,"),
      "changed",
      [
        { what: "opened", before: "2025-09-16T12:07:00.100Z", after: "2025-09-16T12:09:00.100Z", by: "2 min later" },
        { what: "resolved", before: "2025-09-16T12:16:00.400Z", after: "2025-09-16T12:18:00.400Z", by: "2 min later" },
      ],
    ],
    [
      "is less urgent",
      (text) => text.replace(", impact: Nobody can order", ""),
      "changed",
      [{ what: "priority", before: "P0", after: "P1" }],
    ],
    [
      "tells nobody",
      (text) => text.replace("severity: [critical]", "severity: [info]"),
      "changed",
      [{ what: "told hook", before: "opened, resolved", after: "nothing" }],
    ],
    [
      "does not open at all",
      (text) =>
        text
          .replaceAll("{ kind: http, ", "{ kind: http, alert: off, ")
          .replace("{ kind: postgres,", "{ kind: postgres, alert: off,"),
      "gone",
      [],
    ],
  ])("that %s", async (_, change, outcome, differences) => {
    const [first] = await compared(change);
    expect(first?.outcome).toBe(outcome);
    expect(first?.differences).toEqual(differences);
  });

  it("shows new incidents, and their total", async () => {
    const quiet = routed
      .replaceAll("{ kind: http, ", "{ kind: http, alert: off, ")
      .replace("{ kind: postgres,", "{ kind: postgres, alert: off,");
    const both = compare(await by(quiet), await by(routed));
    const lines = describeComparison(both, "quiet.yaml", "monitor.yaml", "Etc/UTC", memoryTerminal());
    expect(lines).toEqual([
      "20250916-120700-database  2025-09-16 12:07:00 to 2025-09-16 12:16:00  new",
      "  title       shop: Backend and Database failing",
      "  root_cause  database (platform)",
      "  severity    critical P0",
      "  told hook   opened, resolved",
      "",
      "0 incidents with quiet.yaml, 1 with monitor.yaml: 0 the same, 0 changed, 0 gone, 1 new",
    ]);
  });

  it("shows changed incidents, with the differences", async () => {
    const both = await compared((text) => text.replace("severity: [critical]", "severity: [info]"));
    const lines = describeComparison(both, "a.yaml", "b.yaml", "Europe/Berlin", memoryTerminal());
    expect(lines).toEqual([
      "20250916-120700-database  2025-09-16 14:07:00 to 2025-09-16 14:16:00  changed",
      "  told hook  opened, resolved → nothing",
      "",
      "1 incident with a.yaml, 1 with b.yaml: 0 the same, 1 changed, 0 gone, 0 new",
    ]);
  });
});
