import { describe, expect, it } from "vitest";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import { thrownText } from "../fixtures.ts";
import { bool, double, fakeMonitoring, int, one, refusal } from "./fake-monitoring.fixtures.ts";
import { filterOf, parsePage, type Reading, read, urlOf, windowOf } from "./series.ts";

const noon = Date.UTC(2025, 8, 16, 12);
const minute = 60_000;
const gauge: Reading = {
  metricType: "x.googleapis.com/level",
  aligner: "ALIGN_MEAN",
  periodMs: minute,
  delayMs: 4 * minute,
};

function world(base: string, now: () => number = () => Date.now()) {
  return { google: googleApi(base), signal: AbortSignal.timeout(10_000), conceal: () => {}, now };
}

describe("the window of a reading", () => {
  const minutes = ({ start, end }: { start: number; end: number }): number[] => [
    (start - noon) / minute,
    (end - noon) / minute,
  ];
  it.each([
    ["a level: to now, and back over delay and two periods", {}, 0, [-6, 0]],
    ["what is counted: to where all has arrived", { aligner: "ALIGN_DELTA" }, 0, [-6, -4]],
    ["a rate: the same", { aligner: "ALIGN_RATE" }, 0, [-6, -4]],
    ["what is summed over series: the same", { reducer: "REDUCE_SUM" }, 0, [-6, -4]],
    ["with a longer period", { periodMs: 5 * minute }, 0, [-14, 0]],
    ["between two minutes: to the last whole one", {}, 59_999, [-6, 0]],
    ["a delay of half minutes", { aligner: "ALIGN_DELTA", delayMs: 165_000 }, 0, [-5, -3]],
  ] as const)("of %s", (_, change, later, expected) => {
    expect(minutes(windowOf({ ...gauge, ...change }, noon + later))).toEqual(expected);
  });
});

describe("the request", () => {
  it("contains view, interval and aggregation, as the API requires", () => {
    const reading: Reading = {
      ...gauge,
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_SUM",
      groupBy: ["metric.labels.state"],
    };
    const url = urlOf(reading, "shop-staging", windowOf(reading, noon));
    expect(url.origin + url.pathname).toBe("https://monitoring.googleapis.com/v3/projects/shop-staging/timeSeries");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      filter: 'metric.type = "x.googleapis.com/level"',
      "interval.startTime": "2025-09-16T11:54:00.000Z",
      "interval.endTime": "2025-09-16T11:56:00.000Z",
      "aggregation.alignmentPeriod": "60s",
      "aggregation.perSeriesAligner": "ALIGN_DELTA",
      "aggregation.crossSeriesReducer": "REDUCE_SUM",
      "aggregation.groupByFields": "metric.labels.state",
      view: "FULL",
      pageSize: "1000",
    });
  });

  it("joins its conditions, and escapes quotes in values", () => {
    const reading: Reading = {
      ...gauge,
      resourceType: "cloud_run_revision",
      where: { "resource.labels.service_name": 'a" OR metric.type = "b' },
      filter: "metric.labels.x = 1 OR metric.labels.x = 2",
    };
    expect(filterOf(reading)).toBe(
      'metric.type = "x.googleapis.com/level" AND resource.type = "cloud_run_revision" AND ' +
        'resource.labels.service_name = "a\\" OR metric.type = \\"b" AND (metric.labels.x = 1 OR metric.labels.x = 2)',
    );
  });
});

describe("the answer", () => {
  it("contains all series at the newest instant, except those without a point there", async () => {
    const fake = await fakeMonitoring({
      [gauge.metricType]: [
        {
          labels: { "metric.labels.code": "2xx" },
          points: [
            [4, int(30)],
            [5, int(20)],
          ],
        },
        { labels: { "metric.labels.code": "5xx" }, points: [[5, int(9)]] },
      ],
    });
    const found = await read(gauge, "shop-staging", world(fake.url));
    expect(found?.samples).toEqual([{ labels: { "metric.labels.code": "2xx" }, value: 30 }]);
    expect((found?.at ?? 0) % minute).toBe(0);
    expect((Date.now() - (found?.at ?? 0)) / minute).toBeLessThan(6);
  });

  it.each([
    ["a whole number, which is a text", int(2 ** 31), 2 ** 31],
    ["a fraction", double(0.25), 0.25],
    ["true", bool(true), 1],
    ["false", bool(false), 0],
    ["a distribution: its mean", { distributionValue: { count: "3", mean: 7.5 } }, 7.5],
    ["an empty distribution", { distributionValue: {} }, 0],
  ])("may be %s", async (_, value, expected) => {
    const fake = await fakeMonitoring({ [gauge.metricType]: one(value) });
    expect((await read(gauge, "shop-staging", world(fake.url)))?.samples).toEqual([{ labels: {}, value: expected }]);
  });

  it("may be empty", async () => {
    const fake = await fakeMonitoring({});
    expect(await read(gauge, "shop-staging", world(fake.url))).toBeUndefined();
    expect(parsePage({})).toEqual({ series: [], next: "" });
  });

  it.each([
    ["no list", { timeSeries: "many" }, /^Cloud Monitoring did not return a list of time series: timeSeries: /],
    ["a number", 7, /^Cloud Monitoring did not return a list of time series: it: /],
    [
      "an instant that is none",
      { timeSeries: [{ points: [{ interval: { endTime: "soon" }, value: {} }] }] },
      /endTime/,
    ],
    ["a text", pointOf({ stringValue: "RUNNING" }), /^the metric has text values: read a numeric metric instead$/],
    ["a point without a value", pointOf({}), /^Cloud Monitoring returned a data point without a number$/],
    ["not a number", pointOf({ doubleValue: "NaN" }), /^Cloud Monitoring returned a data point without a number$/],
    [
      "a part of it",
      { executionErrors: [{ code: 4, message: "a shard timed out" }] },
      /^Cloud Monitoring could not read all the requested data: a shard timed out$/,
    ],
  ])("is a fault if it is %s", (_, answer, sentence) => {
    expect(thrownText(() => parsePage(answer))).toMatch(sentence);
  });

  it("is joined from a limited number of pages", async () => {
    const pages = { request: async ({ url }: { url: string }) => page(new URL(url).searchParams.get("pageToken")) };
    const google = { ...googleApi("http://127.0.0.1:1"), ...pages };
    const page = (token: string | null) => ({
      ...pointOf(int(token === null ? 1 : 2)),
      ...(token === null ? { nextPageToken: "second" } : {}),
    });
    const reader = { ...world("http://127.0.0.1:1"), google };
    expect((await read(gauge, "shop-staging", reader))?.samples.map(({ value }) => value)).toEqual([1, 2]);
    const endless = { ...google, request: async () => ({ nextPageToken: "more" }) };
    await expect(read(gauge, "shop-staging", { ...reader, google: endless })).rejects.toThrow(
      "x.googleapis.com/level has more than 5000 series here: narrow the filter, or set a reducer",
    );
  });

  it("is a refusal if Google refuses the request", async () => {
    const fake = await fakeMonitoring({ [gauge.metricType]: refusal(429, "RESOURCE_EXHAUSTED", "too fast") });
    await expect(read(gauge, "shop-staging", world(fake.url))).rejects.toMatchObject({ status: 429 });
  });
});

function pointOf(value: object): object {
  return { timeSeries: [{ points: [{ interval: { endTime: "2025-09-16T12:00:00Z" }, value }] }] };
}
