import { expect, it } from "vitest";
import type { Report } from "../../../../shared/messages/report.ts";
import { Bench, failing } from "../../fixtures.ts";

const down = { "pages-health": failing("http_status/response") };

it("names the cause of an outage whose last failure arrives late, after the recovery", async () => {
  const bench = new Bench();
  for (let i = 0; i < 3; i++) await bench.minute();
  for (let i = 0; i < 2; i++) await bench.minute(down);
  const held: readonly Report[] = bench.reports(down);
  bench.now += 60_000;
  await bench.minute();
  expect(bench.story).toEqual([]);
  for (const report of held) await bench.deliver(report);
  const [incident] = await bench.incidents();
  expect(incident?.fields).toMatchObject({ root_cause: "pages", verdict: "application" });
  const lines = (incident?.fields["timeline"] ?? []) as readonly string[];
  const timeline = lines.map((line) => line.replace(/^\S+ (\S+) UTC {2}/, "$1 "));
  expect(timeline).toEqual([
    expect.stringMatching(/^12:03:00 `pages-health` fails in response/),
    expect.stringMatching(/^12:05:00 Opened by "pages-health failing"\. The likely cause is Pages/),
    "12:06:00 `pages-health` is good again.",
  ]);
});

it("begins an incident with the first failure, even if it arrives after the incident has opened", async () => {
  const bench = new Bench();
  for (let i = 0; i < 3; i++) await bench.minute();
  const held: readonly Report[] = bench.reports(down);
  bench.now += 60_000;
  for (let i = 0; i < 3; i++) await bench.minute(down);
  const [opened] = await bench.incidents();
  expect(opened?.fields["first_failure_at"]).toEqual(new Date("2025-09-16T12:04:00Z"));
  for (const report of held) await bench.deliver(report);
  const [incident] = await bench.incidents();
  expect(incident?.fields["first_failure_at"]).toEqual(new Date("2025-09-16T12:03:00Z"));
});
