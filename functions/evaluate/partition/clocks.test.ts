/** Timelines of incorrect clocks during an outage. */
import { expect, it } from "vitest";
import type { Report } from "../../../shared/messages/report.ts";
import { Bench, failing, noon, type Shown, smallEnvironment } from "../fixtures.ts";

const down: Readonly<Record<string, Shown>> = { database: failing("timeout/connect") };

/** The report as a clock would have dated it that is wrong by so much. */
function dated(report: Report, byMs: number): Report {
  const moved = (instant: string): string => new Date(Date.parse(instant) + byMs).toISOString();
  return {
    ...report,
    report: `${report.report}${byMs === 0 ? "" : "/wrong"}`,
    started_at: moved(report.started_at),
    finished_at: moved(report.finished_at),
    results: report.results.map((result) => ({ ...result, at: moved(result.at) })),
  };
}

/** Minutes in which the clock inside is wrong by so much. */
async function minutes(bench: Bench, count: number, shown: typeof down | object, byMs = 0): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports(shown as typeof down))
      await bench.deliver(dated(report, report.vantage === "inside" ? byMs : 0));
    await bench.answerValidations(shown as typeof down);
    bench.now += 60_000;
    await bench.tick();
    await bench.answerValidations(shown as typeof down);
  }
}

it.each([
  ["an hour", 3_600_000],
  ["a day", 86_400_000],
])("a report %s ahead does not hide a later outage", async (_, byMs) => {
  const bench = new Bench(smallEnvironment, { watchesItself: true });
  await minutes(bench, 5, {});
  await minutes(bench, 1, {}, byMs);
  await minutes(bench, 8, down);
  const targets = (await bench.incidents()).filter(({ fields }) => fields["verdict"] !== "monitor");
  expect(targets).toHaveLength(1);
  expect(targets[0]?.fields["alerts"]).toEqual(["database failing"]);
  expect(Number(targets[0]?.fields["opened_at"]) - noon).toBeLessThanOrEqual((6 + 4) * 60_000);
  await minutes(bench, 8, {});
  const after = (await bench.incidents()).filter(({ fields }) => fields["verdict"] !== "monitor");
  expect(after.map(({ fields }) => fields["status"])).toEqual(["resolved"]);
});

it("a clock that is always behind is an incident of the monitor", async () => {
  const bench = new Bench(smallEnvironment, { watchesItself: true });
  await minutes(bench, 20, {}, -20 * 60_000);
  const incidents = await bench.incidents();
  expect(incidents.map(({ fields }) => fields["verdict"])).toEqual(["monitor"]);
  expect(String(incidents[0]?.fields["summary"])).toMatch(/behind|clock|late/);
});
