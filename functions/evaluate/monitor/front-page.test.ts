import { describe, expect, it } from "vitest";
import { frontPageCollection } from "../../../shared/documents/front-page.ts";
import type { Fields } from "../../../shared/ports.ts";
import { Bench, failing, smallEnvironment } from "../fixtures.ts";

const failure = { "backend-health": failing("timeout/connect"), "auth-health": failing("timeout/connect") };

async function pageOf(bench: Bench): Promise<Fields> {
  return (await bench.store.get(frontPageCollection, "test")) ?? {};
}

function watched(): Bench {
  return new Bench(smallEnvironment, { watchesItself: true, frontPage: { monthlyCost: 10 } });
}

describe("the front page", () => {
  it("reports that all is well, in fields that sort in reading order", async () => {
    const bench = watched();
    for (let i = 0; i < 6; i++) await bench.minute();
    const page = await pageOf(bench);
    expect(Object.keys(page).sort()).toEqual([
      "1_summary",
      "2_open_incidents",
      "3_not_seen",
      "4_monitor",
      "5_this_month",
      "6_cost",
      "7_how_to_acknowledge",
      "updated_at",
    ]);
    expect(page["1_summary"]).toBe("Test has no open incident. All probes report. The monitor works.");
    expect(page["2_open_incidents"]).toEqual([]);
    expect(page["5_this_month"]).toContain(
      "Backend was up 100.000 % of the time that was measured. It was never down. 100 % of its error budget is left.",
    );
    expect(page["6_cost"]).toBe("The monitor has cost about $5.00 of an estimated $10.00 this month.");
  });

  it("lists open incidents with cause, owner, time and document, and removes resolved ones", async () => {
    const bench = watched();
    for (let i = 0; i < 6; i++) await bench.minute();
    for (let i = 0; i < 4; i++) await bench.minute(failure);
    const [incident] = await bench.incidents();
    const page = await pageOf(bench);
    expect(page["1_summary"]).toContain("1 open incident");
    const [line = ""] = page["2_open_incidents"] as string[];
    expect(line).toMatch(/^Critical, open since 2025-\d\d-\d\d \d\d:\d\d:\d\d UTC: /);
    expect(line).toContain("No notifications yet.");
    expect(line).toContain(`Document: incidents/${incident?.id}.`);
    for (let i = 0; i < 8; i++) await bench.minute();
    expect((await pageOf(bench))["2_open_incidents"]).toEqual([]);
  });

  it("lists what is not measured", async () => {
    const bench = watched();
    for (let i = 0; i < 6; i++) await bench.minute();
    for (let i = 0; i < 12; i++) {
      for (const report of bench.reports()) if (report.group !== "inside-1m") await bench.deliver(report);
      bench.now += 60_000;
      await bench.tick();
    }
    const page = await pageOf(bench);
    expect(page["1_summary"]).toContain("Some probes do not report. The monitor has problems.");
    expect(page["3_not_seen"]).toEqual([expect.stringMatching(/^The group inside-1m last reported at 2025-/)]);
  });

  it("is written only on changes, and only if enabled", async () => {
    const bench = watched();
    for (let i = 0; i < 6; i++) await bench.minute();
    const before = (await pageOf(bench))["updated_at"];
    for (let i = 0; i < 12; i++) await bench.minute();
    expect((await pageOf(bench))["updated_at"]).toEqual(before);
    const without = new Bench();
    for (let i = 0; i < 6; i++) await without.minute(failure);
    expect(await pageOf(without)).toEqual({});
  });

  it("does not stop an evaluation if writing fails", async () => {
    const bench = watched();
    const set = bench.store.set.bind(bench.store);
    bench.store.set = async (collection, id, fields) => {
      if (collection === frontPageCollection) throw new Error("full");
      await set(collection, id, fields);
    };
    for (let i = 0; i < 4; i++) await bench.minute(failure);
    expect(await bench.incidents()).toHaveLength(1);
    expect(bench.logged.join("\n")).toContain("the front page was not written: full");
  });
});
