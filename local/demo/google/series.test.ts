import { describe, expect, it } from "vitest";
import { parsePage, type Reading, urlOf } from "../../../functions/probe/google/series.ts";
import { listTimeSeries, type RecordedSeries } from "./series.ts";

const noon = Date.UTC(2025, 8, 16, 12);
const minute = 60_000;
const type = "x.googleapis.com/thing";

/** Returns a series whose last point is at noon. */
function series(
  kind: RecordedSeries["kind"],
  of: RecordedSeries["type"],
  values: RecordedSeries["points"][number]["value"][],
  labels: Record<string, string> = {},
): RecordedSeries {
  const points = values.map((value, index) => ({ at: noon - (values.length - 1 - index) * minute, value }));
  return { metricType: type, resourceType: "thing", kind, type: of, labels, points };
}

/** Returns the points that a prober would read: values by instant, in minutes before noon, newest first. */
function asked(all: RecordedSeries[], how: Partial<Reading>, minutes: readonly [number, number] = [-5, 0]) {
  const reading = { metricType: type, aligner: "ALIGN_MEAN", periodMs: minute, delayMs: 0, ...how } as Reading;
  const window = { start: noon + minutes[0] * minute, end: noon + minutes[1] * minute };
  const { status, body } = listTimeSeries(all, urlOf(reading, "p", window).searchParams);
  if (status !== 200) throw new Error((body as { error: { message: string } }).error.message);
  return parsePage(body).series.map(({ labels, points }) => ({
    labels,
    points: points.map(({ at, value }) => [(at - noon) / minute, value]),
  }));
}
const values = (...args: Parameters<typeof asked>) =>
  asked(...args).flatMap(({ points }) => points.map(([, value]) => value));

describe("the Cloud Monitoring fake", () => {
  it("returns points newest first, excluding the start of the interval and including its end", () => {
    const level = series("GAUGE", "DOUBLE", [1, 2, 3, 4]);
    expect(asked([level], {})).toEqual([
      {
        labels: {},
        points: [
          [0, 4],
          [-1, 3],
          [-2, 2],
          [-3, 1],
        ],
      },
    ]);
    expect(values([level], {}, [-2, -1])).toEqual([3]);
  });

  it.each([
    ["ALIGN_MEAN", series("GAUGE", "INT64", [1, 2, 6]), [3]],
    ["ALIGN_MAX", series("GAUGE", "INT64", [1, 6, 2]), [6]],
    ["ALIGN_MIN", series("GAUGE", "INT64", [3, 1, 2]), [1]],
    ["ALIGN_NEXT_OLDER", series("GAUGE", "INT64", [3, 1, 2]), [2]],
    ["ALIGN_DELTA", series("DELTA", "INT64", [10, 20, 30]), [60]],
    ["ALIGN_RATE", series("DELTA", "INT64", [60, 60, 60]), [1]],
    ["ALIGN_FRACTION_TRUE", series("GAUGE", "BOOL", [true, false, false]), [1 / 3]],
    ["ALIGN_PERCENTILE_95", series("DELTA", "DISTRIBUTION", [[0, 100], [200], [50]]), [185]],
    ["ALIGN_PERCENTILE_50", series("DELTA", "DISTRIBUTION", [[1], [9], [5]]), [5]],
    ["ALIGN_DELTA", series("DELTA", "DISTRIBUTION", [[1], [9], [5]]), [5]],
  ] as const)("aligns three minutes by %s", (aligner, one, expected) => {
    expect(values([one], { aligner, periodMs: 3 * minute }, [-3, 0])).toEqual(expected);
  });

  it("reduces to one series per group, with only the labels of the group", () => {
    const all = [
      series("DELTA", "INT64", [5], { "metric.labels.class": "2xx", "metric.labels.route": "a" }),
      series("DELTA", "INT64", [7], { "metric.labels.class": "2xx", "metric.labels.route": "b" }),
      series("DELTA", "INT64", [1], { "metric.labels.class": "5xx", "metric.labels.route": "b" }),
    ];
    const how = { aligner: "ALIGN_DELTA", reducer: "REDUCE_SUM" } as const;
    expect(asked(all, { ...how, groupBy: ["metric.labels.class"] })).toEqual([
      { labels: { "metric.labels.class": "2xx" }, points: [[0, 12]] },
      { labels: { "metric.labels.class": "5xx" }, points: [[0, 1]] },
    ]);
    expect(asked(all, how)).toEqual([{ labels: {}, points: [[0, 13]] }]);
  });

  it("computes percentiles over all values, not over percentiles", () => {
    const slow = series("DELTA", "DISTRIBUTION", [Array(90).fill(10)]);
    const rare = series("DELTA", "DISTRIBUTION", [Array(10).fill(1_000)]);
    const how = { aligner: "ALIGN_DELTA", reducer: "REDUCE_PERCENTILE_50" } as const;
    expect(values([slow, rare], how)).toEqual([10]);
  });

  it("applies the filter", () => {
    const all = ["a", "b"].map((name, index) => series("GAUGE", "INT64", [index], { "resource.labels.name": name }));
    expect(values(all, { where: { "resource.labels.name": "b" } })).toEqual([1]);
    expect(values(all, { where: { "resource.labels.name": 'b" OR metric.type = "c' } })).toEqual([]);
    expect(values(all, { resourceType: "another" })).toEqual([]);
  });

  it.each([
    [
      { metricType: "x.googleapis.com/other" },
      /^Cannot find metric\(s\) that match type = "x.googleapis.com\/other"\.$/,
    ],
    [{ periodMs: 30_000 }, /^aggregation.alignmentPeriod must be at least 60 seconds$/],
    [{ aligner: "ALIGN_RATE" }, /^The aligner ALIGN_RATE cannot be applied to .*, a GAUGE of DOUBLE$/],
    [{ aligner: "ALIGN_PERCENTILE_95" }, /^The aligner ALIGN_PERCENTILE_95 cannot be applied/],
    [{ reducer: "REDUCE_FRACTION_TRUE" }, /^The reducer REDUCE_FRACTION_TRUE cannot be applied/],
  ] as const)("refuses what Google refuses: %j", (how, sentence) => {
    expect(() => asked([series("GAUGE", "DOUBLE", [1])], how)).toThrow(sentence);
  });
});
