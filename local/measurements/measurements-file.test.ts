import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Report } from "../../shared/messages/report.ts";
import { nearestQuantile, partLength, type SeriesName } from "./measurements.ts";
import { MeasurementsFile, type MeasurementsFileOptions } from "./measurements-file.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse("2025-09-16T00:00:00Z");
const health: SeriesName = { component: "shop", probe: "health", metric: "probe_duration", labels: {} };

function fileOf(options?: MeasurementsFileOptions): { file: MeasurementsFile; path: string } {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-measurements-"));
  const path = join(folder, "measurements.db");
  const file = new MeasurementsFile(path, options);
  onTestFinished(() => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, path };
}

function reportOf(at: number, value: number, changes: Partial<Report> = {}, name: Partial<SeriesName> = {}): Report {
  const { component, probe, metric, labels } = { ...health, ...name };
  const instant = new Date(at).toISOString();
  return {
    ...{ v: 1, report: `e/g/${instant}`, environment: "e", vantage: "outside", group: "g", trigger: "schedule" },
    ...{ started_at: instant, finished_at: instant },
    results: [{ probe, component, at: instant, success: true, measurements: [{ metric, value, labels }] }],
    ...changes,
  };
}

/** Records a value a minute for so long. */
function fill(file: MeasurementsFile, from: number, until: number, valueAt: (index: number) => number): void {
  for (let at = from, index = 0; at < until; at += minute, index++) file.record(reportOf(at, valueAt(index)), at);
}

describe("the file of measurements", () => {
  it("returns raw values of the last two days, across packed hours and the current one", async () => {
    const { file } = fileOf();
    fill(file, start, start + 5 * hour, (index) => index);
    const { at, p50, p95 } = await file.read(health, { from: start + hour, until: start + 5 * hour, most: 10_000 });
    expect(at).toHaveLength(240);
    expect([at[0], p50[0], p95[239]]).toEqual([start + hour, 60, 299]);
  });

  it("stores a value once, however often its report arrives", async () => {
    const { file } = fileOf();
    for (const value of [1, 2, 3]) file.record(reportOf(start, value), start);
    expect((await file.read(health, { from: start, until: start + hour, most: 100 })).p50).toEqual([1]);
  });

  it("adds late values to packed hours", async () => {
    const { file } = fileOf();
    fill(file, start, start + 3 * hour, () => 1);
    file.record(reportOf(start + 90_500, 9), start + 3 * hour);
    fill(file, start + 3 * hour, start + 5 * hour, () => 1);
    const { p95 } = await file.read(health, { from: start, until: start + hour, most: 10_000 });
    expect(p95.filter((value) => value === 9)).toHaveLength(1);
  });

  it("downsamples to minutes after two days and to hours after seven, with exact quantiles of each hour", async () => {
    const { file } = fileOf();
    fill(file, start, start + 9 * day, (index) => index % 60);
    const asked = (from: number): Promise<{ at: readonly number[]; p50: readonly number[]; p95: readonly number[] }> =>
      file.read(health, { from, until: start + 9 * day, most: 100_000 });
    const step = ({ at }: { at: readonly number[] }): number => (at[1] ?? 0) - (at[0] ?? 0);
    expect(step(await asked(start + 4 * day))).toBe(minute);
    const whole = await asked(start);
    expect(step(whole)).toBe(hour);
    expect(whole.at).toHaveLength(9 * 24);
    expect([whole.p50[5], whole.p95[5]]).toEqual([29, 56]);
    expect([whole.p50.at(-1), whole.p95.at(-1)]).toEqual([29, 56]);
  }, 60_000);

  it("reads no more intervals than are drawn", async () => {
    const { file } = fileOf();
    fill(file, start, start + 6 * hour, (index) => index);
    const { at, p50, p95 } = await file.read(health, { from: start, until: start + 6 * hour, most: 12 });
    expect(at).toHaveLength(12);
    expect([p50[0], p95[0]]).toEqual([14, 28]);
  });

  it("deletes raw values after two days and everything after ninety", async () => {
    const { file } = fileOf();
    const ages = [0, 1, 5, 30, 89, 100, 130].map((days) => start + days * day);
    for (const at of ages) {
      file.record(reportOf(at, 1), at);
      file.record(reportOf(at + 2 * hour, 2), at + 2 * hour);
    }
    const last = start + 131 * day;
    for (const at of [last, last + 2 * hour, last + 4 * hour]) file.record(reportOf(at, 3), at);
    const { at } = await file.read(health, { from: start, until: last + 5 * hour, most: 100_000 });
    expect(at[0]).toBeGreaterThanOrEqual(last - 92 * day);
    expect(at.length).toBeGreaterThan(4);
  });

  it("is bounded in size: the oldest raw values are deleted first", async () => {
    const { file, path } = fileOf({ maxBytes: 600_000 });
    for (let at = start; at < start + 2 * day; at += minute)
      for (let probe = 0; probe < 10; probe++) file.record(reportOf(at, probe, {}, { probe: `p${probe}` }), at);
    expect(statSync(path).size).toBeLessThan(1_400_000);
    const { at } = await file.read({ ...health, probe: "p1" }, { from: start, until: start + 2 * day, most: 100_000 });
    expect(at[0]).toBeGreaterThan(start + hour);
    expect(at.at(-1)).toBe(start + 2 * day - minute);
  }, 60_000);

  it("skips unscheduled, pending and non-numeric measurements", async () => {
    const { file } = fileOf();
    file.record(reportOf(start, 1, { trigger: "canary" }), start);
    file.record(reportOf(start, 1, { trigger: "diagnosis" }), start);
    file.record(reportOf(start, Number.NaN), start);
    const [result] = reportOf(start, 1).results;
    if (result) file.record(reportOf(start, 1, { results: [{ ...result, pending: true }] }), start);
    expect(await file.series()).toEqual([]);
  });

  it("lists the series of a component, and can be read by another process during writes", async () => {
    const { file, path } = fileOf();
    file.record(reportOf(start, 1, {}, { labels: { step: "b", a: "c" } }), start);
    const reader = new MeasurementsFile(path, { readOnly: true });
    onTestFinished(() => reader.close());
    file.record(reportOf(start, 1, {}, { component: "other" }), start);
    expect(await reader.series("shop")).toEqual([{ ...health, labels: { step: "b", a: "c" } }]);
    expect(await reader.series()).toHaveLength(2);
    const same = { ...health, labels: { a: "c", step: "b" } };
    expect((await reader.read(same, { from: start, until: start + 1, most: 1 })).p50).toEqual([1]);
  });
});

describe("intervals", () => {
  it.each([
    [hour, 60, minute],
    [day, 100, 15 * minute],
    [90 * day, 500, 6 * hour],
    [900 * day, 10, 90 * day],
  ])("are round: %d ms in %d intervals", (length, most, expected) => {
    expect(partLength({ from: 0, until: length, most })).toBe(expected);
  });

  it("have measured quantiles", () => {
    expect([0, 0.5, 0.95, 1].map((share) => nearestQuantile([1, 2, 3, 4], share))).toEqual([1, 2, 4, 4]);
  });
});
