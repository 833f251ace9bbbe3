import { describe, expect, it } from "vitest";
import { assert, constantFrom, integer, property } from "../tests/support/chance.ts";
import { repetitions } from "../tests/support/repetitions.ts";
import type { MaintenanceWindow } from "./config/model.ts";
import { clockLeaves, clockReaches, maintenanceOf, nextPeriods, periodsOf } from "./maintenance.ts";

const hour = 3_600_000;
const utc = (text: string): number => Date.parse(`${text}Z`);
const shown = (at: number): string => new Date(at).toISOString().slice(0, 16);
const everyDay = [0, 1, 2, 3, 4, 5, 6];

/** A window of every day, by the clock of a zone. */
function nightly(start: string, end: string, timezone: string): MaintenanceWindow {
  const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  return { name: "w", timezone, weekly: { days: everyDay, startMinute: minutes(start), endMinute: minutes(end) } };
}

describe("a window in local time", () => {
  it.each<[string, MaintenanceWindow, string, string]>([
    [
      "an ordinary night",
      nightly("01:00", "03:00", "Europe/Berlin"),
      "2025-09-16",
      "2025-09-15T23:00 - 2025-09-16T01:00",
    ],
    ["over midnight", nightly("22:00", "02:00", "Europe/Berlin"), "2025-09-17", "2025-09-16T20:00 - 2025-09-17T00:00"],
    [
      "clocks leap over its end",
      nightly("01:00", "02:30", "Europe/Berlin"),
      "2025-03-30",
      "2025-03-30T00:00 - 2025-03-30T01:00",
    ],
    [
      "clocks leap over its start",
      nightly("02:30", "04:00", "Europe/Berlin"),
      "2025-03-30",
      "2025-03-30T01:00 - 2025-03-30T02:00",
    ],
    [
      "clocks go back within it",
      nightly("01:00", "04:00", "Europe/Berlin"),
      "2025-10-26",
      "2025-10-25T23:00 - 2025-10-26T03:00",
    ],
    [
      "its end comes twice",
      nightly("01:00", "02:30", "Europe/Berlin"),
      "2025-10-26",
      "2025-10-25T23:00 - 2025-10-26T01:30",
    ],
    [
      "its start comes twice",
      nightly("02:30", "04:00", "Europe/Berlin"),
      "2025-10-26",
      "2025-10-26T00:30 - 2025-10-26T03:00",
    ],
    [
      "clocks change by half an hour",
      nightly("01:00", "03:00", "Australia/Lord_Howe"),
      "2025-04-06",
      "2025-04-05T14:00 - 2025-04-05T16:30",
    ],
    [
      "clocks leap over midnight",
      nightly("00:00", "02:00", "Africa/Cairo"),
      "2025-04-25",
      "2025-04-24T22:00 - 2025-04-24T23:00",
    ],
  ])("%s", (_, window, date, expected) => {
    const middle = Date.parse(`${expected.slice(0, 16)}Z`) + 1;
    expect(periodsOf(window, middle, middle + 1).map(({ from, to }) => `${shown(from)} - ${shown(to)}`)).toEqual([
      expected,
    ]);
    const local = new Intl.DateTimeFormat("sv-SE", { timeZone: window.timezone, dateStyle: "short" });
    expect([local.format(middle), local.format(middle + 4 * hour)]).toContain(date);
  });

  it("that is skipped entirely by a clock change does not happen that day", () => {
    const window = nightly("02:10", "02:50", "Europe/Berlin");
    const periods = periodsOf(window, utc("2025-03-29T00:00"), utc("2025-04-01T00:00"));
    expect(periods.map(({ from }) => shown(from))).toEqual(["2025-03-29T01:10", "2025-03-31T00:10"]);
  });

  it("with a duration lasts as long across clock changes", () => {
    const weekly = { days: [6], startMinute: 23 * 60, durationMs: 8 * hour };
    const window: MaintenanceWindow = { name: "w", timezone: "Europe/Berlin", weekly };
    const lengths = periodsOf(window, utc("2025-01-01T00:00"), utc("2026-01-01T00:00")).map(
      ({ from, to }) => to - from,
    );
    expect(lengths).toHaveLength(52);
    expect(new Set(lengths)).toEqual(new Set([8 * hour]));
  });

  it("lists its next occurrences, including a current one; a single window occurs once", () => {
    const window = nightly("22:00", "02:00", "Europe/Berlin");
    const next = nextPeriods(window, utc("2025-10-25T21:00"), 3).map(({ from }) => shown(from));
    expect(next).toEqual(["2025-10-25T20:00", "2025-10-26T21:00", "2025-10-27T21:00"]);
    const once = { from: utc("2025-09-20T20:00"), to: utc("2025-09-20T22:00") };
    const single = { name: "w", timezone: "Etc/UTC", once };
    expect(nextPeriods(single, once.to - 1, 3)).toEqual([once]);
    expect(nextPeriods(single, once.to, 3)).toEqual([]);
  });
});

describe("the clock of a zone", () => {
  const quarter = 900_000;
  const zones = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Chatham",
  ];
  const clocks = new Map(
    zones.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" }),
    ]),
  );
  /** Returns the local time of a zone, by Intl, as if it were UTC. */
  const shows = (zone: string, at: number): number => Date.parse(`${clocks.get(zone)?.format(at).replace(" ", "T")}Z`);

  /** A naive reading: the clock is looked at every quarter of an hour of two days. */
  function agrees(zone: string, time: number): void {
    const looks = Array.from({ length: 193 }, (_, index) => time - 96 * quarter + index * quarter);
    const reached = looks.find((at) => shows(zone, at) >= time) ?? Number.NaN;
    const left = looks.findLast((at) => shows(zone, at) < time) ?? Number.NaN;
    expect([shown(clockReaches(time, zone)), shown(clockLeaves(time, zone))]).toEqual([
      shown(reached),
      shown(left + quarter),
    ]);
  }

  it("converts times as Intl does, around every change and at any other time", () => {
    const start = utc("2025-01-01T00:00");
    const year = Array.from({ length: 365 }, (_, index) => start + index * 24 * hour);
    const offset = (zone: string, at: number): number => shows(zone, at) - at;
    const changes = zones.flatMap((zone) =>
      year.filter((at) => offset(zone, at) !== offset(zone, at + 24 * hour)).map((at) => [zone, at] as const),
    );
    expect(changes).toHaveLength(14);
    const quarters = integer({ min: -40, max: 140 });
    assert(
      property(constantFrom(...changes), quarters, ([zone, at], count) => agrees(zone, at + count * quarter)),
      { numRuns: repetitions(150) },
    );
    assert(
      property(constantFrom(...zones), constantFrom(...year), quarters, (zone, at, count) =>
        agrees(zone, at + count * quarter),
      ),
      { numRuns: repetitions(50) },
    );
  });
});

describe("time in maintenance", () => {
  const at = utc("2025-09-20T20:30");
  const once = { from: utc("2025-09-20T20:00"), to: utc("2025-09-20T22:00") };
  const sql: MaintenanceWindow = { name: "patching", components: ["sql"], timezone: "Etc/UTC", once };
  const backend: MaintenanceWindow = {
    name: "release",
    components: ["backend"],
    timezone: "Etc/UTC",
    once: { ...once, to: once.to - 1 },
  };
  const all: MaintenanceWindow = { name: "move", timezone: "Etc/UTC", once };

  it.each<[string, string, string[], MaintenanceWindow[], string | undefined]>([
    ["its root cause is in maintenance", "sql", ["sql", "backend"], [sql], "patching"],
    ["one of several components is", "unknown", ["sql", "backend"], [sql], undefined],
    [
      "all its components are, until the first of them is not",
      "unknown",
      ["sql", "backend"],
      [sql, backend],
      "release",
    ],
    ["everything is", "connector", ["connector"], [all], "move"],
    ["nothing is named", "unknown", [], [sql], undefined],
    ["another component is", "auth", ["auth"], [sql, backend], undefined],
  ])("%s", (_, root_cause, components, windows, expected) => {
    expect(maintenanceOf({ root_cause, components }, windows, at)?.name).toBe(expected);
    expect(maintenanceOf({ root_cause, components }, windows, once.to)).toBeUndefined();
    expect(maintenanceOf({ root_cause, components }, windows, once.from - 1)).toBeUndefined();
  });
});
