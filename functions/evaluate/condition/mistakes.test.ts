import { describe, expect, it } from "vitest";
import { compileCondition } from "./condition.ts";
import { ConditionError } from "./language/error.ts";

describe("a mistaken condition is refused with where, what, and what to write instead", () => {
  it.each<[text: string, position: number, length: number, message: string, suggestion?: string]>([
    ["", 0, 0, "the condition is empty: write one such as vpc_connector_utilization > 70%"],
    ["  ", 2, 0, "the condition is empty: write one such as vpc_connector_utilization > 70%"],
    [
      "vpc_connector_utilization > 70",
      28,
      2,
      "vpc_connector_utilization is a ratio and 70 is a bare number: write 70%",
      "vpc_connector_utilization > 70%",
    ],
    [
      "vpc_connector_utilization > 0.7",
      28,
      3,
      "vpc_connector_utilization is a ratio and 0.7 is a bare number: write 70%",
      "vpc_connector_utilization > 70%",
    ],
    [
      "http_response_time > 5",
      21,
      1,
      "http_response_time is a duration and 5 is a bare number: write 5s",
      "http_response_time > 5s",
    ],
    [
      "http_body_size > 64",
      17,
      2,
      "http_body_size is a size and 64 is a bare number: write 64B",
      "http_body_size > 64B",
    ],
    ["http_status > 500s", 14, 4, "http_status is a count and 500s is a duration: write 500", "http_status > 500"],
    [
      "database_connections > 80%",
      0,
      26,
      "database_connections is a count and 80% is a ratio: a count becomes a ratio when it is divided by another, as in database_connections / database_connection_limit",
    ],
    [
      "1 - websocket_connection_success > 5%",
      0,
      1,
      "1 is a bare number and websocket_connection_success is a ratio: write 100%",
      "100% - websocket_connection_success > 5%",
    ],
    [
      "vpc_conector_utilization > 70%",
      0,
      24,
      "there is no metric vpc_conector_utilization: write vpc_connector_utilization",
      "vpc_connector_utilization > 70%",
    ],
    [
      "avg_database_conection_time > 25s",
      0,
      27,
      "there is no metric avg_database_conection_time: write avg_database_connection_time",
      "avg_database_connection_time > 25s",
    ],
    ["weather > 3", 0, 7, "there is no metric weather: the metrics are listed in docs/metrics.md"],
    [
      "foo(http_status, 5m) > 1",
      0,
      3,
      "there is no function foo: the functions are avg, min, max, sum, count, last, rate, delta, forecast, absent and p1 to p99",
    ],
    ["http_status(5m) > 2", 0, 11, "http_status is a metric, not a function: write avg(http_status, 5m)"],
    [
      "avg_over_time(http_response_time, 5m) > 1s",
      0,
      13,
      "there is no function avg_over_time: write avg",
      "avg(http_response_time, 5m) > 1s",
    ],
    [
      "avg(http_response_time) > 1s",
      0,
      23,
      "avg takes a metric and a window: write avg(http_response_time, 5m)",
      "avg(http_response_time, 5m) > 1s",
    ],
    ["avg() > 1s", 0, 5, "avg takes a metric and a window: write avg(http_response_time, 5m)"],
    [
      "avg(http_response_time, 5) > 1s",
      24,
      1,
      "the window 5 has no unit: write 5m",
      "avg(http_response_time, 5m) > 1s",
    ],
    ["avg(http_response_time, 0s) > 1s", 24, 2, "a window is a duration longer than nothing, not 0s: write 5m"],
    ["avg(http_response_time, 50%) > 1s", 24, 3, "a window is a duration longer than nothing, not 50%: write 5m"],
    [
      "avg(http_response_time + http_status, 5m) > 1s",
      4,
      32,
      "avg takes one metric, and http_response_time + http_status is none: write as in avg(http_response_time, 5m)",
    ],
    [
      "avg(avg_http_response_time, 5m) > 1s",
      4,
      22,
      "avg_http_response_time already looks at a window: write avg(http_response_time, 5m)",
      "avg(http_response_time, 5m) > 1s",
    ],
    ["avg > 5", 0, 3, "avg is a function: write avg(http_response_time, 5m)"],
    ["(http_status > 500", 0, 1, 'this "(" is never closed: write ")"', "(http_status > 500)"],
    ["http_status > 500)", 17, 1, 'this ")" closes nothing: leave it out', "http_status > 500"],
    ["http_status > 500 500", 18, 3, '"500" is not expected here: an operator such as > or and is missing before it'],
    ["http_response_time > 25 s", 21, 4, "a unit stands right after its number: write 25s", "http_response_time > 25s"],
    [
      "http_response_time > 25 sec",
      21,
      6,
      "a unit stands right after its number: write 25s",
      "http_response_time > 25s",
    ],
    ["http_response_time > 25sec", 21, 5, '"sec" is no unit: write 25s', "http_response_time > 25s"],
    ["http_response_time > 25x", 21, 3, '"x" is no unit: the units are % ms s m h d B KB MB GB TB KiB MiB GiB TiB'],
    ["http_status > 1.2.3", 14, 5, '"1.2.3" is no number: write 12, 70%, 2.5s, 1h30m or 64MiB'],
    ["http_status = 500", 12, 1, '"=" does not compare: write ==', "http_status == 500"],
    [
      "http_status == 500 && http_status == 3",
      19,
      2,
      '"&&" is not known: write and',
      "http_status == 500 and http_status == 3",
    ],
    ["!(http_status == 500)", 0, 1, '"!" is not known: write not', "not (http_status == 500)"],
    [
      "http_status{probe=x} == 1",
      18,
      1,
      'the value of a label stands in quotes: write "x"',
      'http_status{probe="x"} == 1',
    ],
    ['http_status{prob="x"} == 1', 12, 4, "http_status has no label prob: write probe", 'http_status{probe="x"} == 1'],
    [
      'http_status{phase="x"} == 1',
      12,
      5,
      "http_status has no label phase: its labels are probe, component and vantage",
    ],
    [
      'http_status{color="x"} == 1',
      12,
      5,
      "http_status has no label color: its labels are probe, component and vantage",
    ],
    [
      'http_status{probe=="x"} == 1',
      17,
      2,
      "inside { } a label is compared with one =: write =",
      'http_status{probe="x"} == 1',
    ],
    ['http_status{probe="x" == 1', 11, 1, 'this "{" is never closed: write "}"', 'http_status{probe="x"} == 1'],
    ['http_status{probe="x} == 1', 18, 1, 'this " opens a text that is never closed: write as in {probe="database"}'],
    ['http_status{probe=~"x"} == 1', 17, 2, '"=~" is not known: a label is compared with = or !='],
    ["http_status[5m] == 1", 11, 1, '"[" is not known: a window is written as in avg(http_response_time, 5m)'],
    [
      "1 < http_status < 3",
      0,
      19,
      "comparisons do not chain: write 1 < http_status and http_status < 3",
      "1 < http_status and http_status < 3",
    ],
    ["1 < 2", 0, 5, "1 < 2 never changes: compare a metric, as in vpc_connector_utilization > 70%"],
    [
      "http_status > 1 and 1 < 2",
      20,
      5,
      "1 < 2 never changes: compare a metric, as in vpc_connector_utilization > 70%",
    ],
    ["http_status", 0, 11, "http_status is a count, not a comparison: write as in http_status > 10"],
    [
      "http_response_time and http_status > 1",
      0,
      18,
      "http_response_time is a duration, not a comparison: write as in http_response_time > 25s",
    ],
    ["not http_status", 4, 11, "http_status is a count, not a comparison: write as in http_status > 10"],
    [
      "(http_status > 1) + 2 > 3",
      0,
      17,
      "(http_status > 1) is true or false, not a value: combine it with and, or, not",
    ],
    [
      "http_response_time > http_body_size",
      0,
      35,
      "http_response_time is a duration and http_body_size is a size: only values of the same unit can be compared",
    ],
    [
      "http_response_time * http_response_time > 1s",
      0,
      39,
      "http_response_time is a duration and http_response_time is a duration: a product has one unit at most: multiply by a bare number or a ratio",
    ],
    [
      "http_response_time / http_body_size > 1",
      0,
      35,
      "http_response_time is a duration and http_body_size is a size: only values of the same unit divide into a ratio, and anything by a bare number",
    ],
    ["http_status / 0 > 1", 14, 1, "a division by zero has no result: divide by something else"],
    [
      "http_status >",
      13,
      0,
      "the condition ends where a metric or a value is expected, such as http_response_time or 25s",
    ],
    ["http_status > > 3", 14, 1, '">" stands where a metric or a value is expected, such as http_response_time or 25s'],
    [
      "http_status > and",
      14,
      3,
      '"and" stands where a metric or a value is expected, such as http_response_time or 25s',
    ],
    [
      "smd_phase_8_duration > 45s",
      0,
      20,
      "there is no metric smd_phase_8_duration: write smd_phase_1_duration",
      "smd_phase_1_duration > 45s",
    ],
    [
      'smd_phase_3_duration{phase="4"} > 45s',
      21,
      9,
      "the label phase of smd_phase_3_duration is given twice: leave one out",
    ],
    [
      "absent(http_status)",
      0,
      19,
      "absent takes a metric and a window: write absent(http_status, 5m)",
      "absent(http_status, 5m)",
    ],
    ["http_status >= .5", 15, 1, 'a number does not begin with ".": write 0.5'],
    ["http_status @ 5", 12, 1, '"@" is not known: a condition is written as in vpc_connector_utilization > 70%'],
    ["http_status is 5", 12, 2, '"is" is not expected here: an operator such as > or and is missing before it'],
    ["70%", 0, 3, "70% is a ratio, not a comparison: write as in vpc_connector_utilization > 70%"],
    ["avg(", 4, 0, "the condition ends where a metric or a value is expected, such as http_response_time or 25s"],
    ["(weather) > 3", 1, 7, "there is no metric weather: the metrics are listed in docs/metrics.md"],
    [
      "avg((http_response_time), 5) > 1s",
      26,
      1,
      "the window 5 has no unit: write 5m",
      "avg((http_response_time), 5m) > 1s",
    ],
    ["http_status <> 5", 12, 2, '"<>" is not known: write !=', "http_status != 5"],
    ["http_status => 5", 12, 2, '"=>" is not known: write >=', "http_status >= 5"],
    ['http_status{probe="a", probe="b"} == 1', 23, 9, "the label probe of http_status is given twice: leave one out"],
    [
      "http_status{} or",
      16,
      0,
      "the condition ends where a metric or a value is expected, such as http_response_time or 25s",
    ],
    ['http_status{"a"} == 1', 12, 3, 'the text "a" is no label: write {probe="database"}'],
    ['http_status{probe "a"} == 1', 18, 3, 'a label is compared with = or !=: write {probe="..."}'],
    ["http_status{probe=} == 1", 18, 1, 'the value of a label stands in quotes: write "database"'],
    ["absent(weather, 5m)", 7, 7, "there is no metric weather: the metrics are listed in docs/metrics.md"],
    ["p95 > 5s", 0, 3, "p95 is a function: write p95(http_response_time, 5m)"],
    [
      "p100(http_status, 5m) > 1",
      0,
      4,
      "there is no function p100: the functions are avg, min, max, sum, count, last, rate, delta, forecast, absent and p1 to p99",
    ],
    ["http_status == 500 || not x", 19, 2, '"||" is not known: write or', "http_status == 500 or not x"],
    [
      "(vpc_connector_utilization) > (70)",
      30,
      4,
      "(vpc_connector_utilization) is a ratio and (70) is a bare number: write 70%",
      "(vpc_connector_utilization) > 70%",
    ],
    ["http_response_time > 25s,", 24, 1, '"," is not expected here: an operator such as > or and is missing before it'],
    ["and > 3", 0, 3, '"and" stands where a metric or a value is expected, such as http_response_time or 25s'],
    [
      "avg(http_response_time, 5m, 3) > 1s",
      0,
      30,
      "avg takes a metric and a window: write avg(http_response_time, 5m)",
    ],
    ["- (http_status > 1) > 2", 2, 17, "(http_status > 1) is true or false, not a value: combine it with and, or, not"],
    [
      "http_response_time - 5 > 1s",
      21,
      1,
      "http_response_time is a duration and 5 is a bare number: write 5s",
      "http_response_time - 5s > 1s",
    ],
    [
      "100 / http_response_time > 1",
      0,
      3,
      "100 is a bare number and http_response_time is a duration: write 100s",
      "100s / http_response_time > 1",
    ],
    ["-(2 + 3) > 1", 0, 12, "-(2 + 3) > 1 never changes: compare a metric, as in vpc_connector_utilization > 70%"],
    ["HTTP_STATUS > 3", 0, 11, "there is no metric HTTP_STATUS: write http_status", "http_status > 3"],
    ["http_status > 5}", 15, 1, 'this "}" closes nothing: leave it out', "http_status > 5"],
    ["http_status ≥ 500", 12, 1, '"≥" is not known: write >=', "http_status >= 500"],
    [
      "http_status > 500s and http_response_time > 5",
      14,
      4,
      "http_status is a count and 500s is a duration: write 500",
      "http_status > 500 and http_response_time > 5",
    ],
  ])("%s", (text, position, length, message, suggestion) => {
    const error = refusal(text);
    expect(error).toBeInstanceOf(ConditionError);
    expect([error?.position, error?.length, error?.message]).toEqual([position, length, message]);
    expect(error?.suggestion).toBe(suggestion);
    // What is suggested is right, or wrong only in another place further on.
    if (suggestion !== undefined) expect(refusal(suggestion)?.position ?? text.length).toBeGreaterThan(position);
  });

  it("refuses a text that is too long", () => {
    const text = `http_status > ${"1".repeat(2000)}`;
    expect(refusal(text)).toMatchObject({
      position: 2000,
      length: 14,
      message: "the text is longer than 2000 characters: split it into several rules",
    });
  });
});

function refusal(text: string): ConditionError | undefined {
  try {
    compileCondition(text, { windowMs: 0 });
    return undefined;
  } catch (error) {
    if (error instanceof ConditionError) return error;
    throw error;
  }
}
