import { describe, expect, it } from "vitest";
import {
  type Arbitrary,
  array,
  assert,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  tuple,
  uniqueArray,
} from "../../tests/support/chance.ts";
import { repetitions } from "../../tests/support/repetitions.ts";
import {
  groupName,
  longestGap,
  nextTrigger,
  scheduleInterval,
  scheduleProblem,
  shortestGap,
  triggerCron,
} from "./schedule.ts";

describe("a schedule", () => {
  it.each([
    // schedule, interval, trigger, group, longest gap
    ["every 250ms", 250, "* * * * *", "outside-250ms", 250],
    ["every 15s", 15_000, "* * * * *", "outside-15s", 15_000],
    ["every 1m", 60_000, "* * * * *", "outside-1m", 60_000],
    ["* * * * *", 60_000, "* * * * *", "outside-1m", 60_000],
    ["*/15 * * * *", 900_000, "*/15 * * * *", "outside-15m", 900_000],
    ["every 1h", 3_600_000, "0 * * * *", "outside-1h", 3_600_000],
    ["every 2h", 7_200_000, "0 */2 * * *", "outside-2h", 7_200_000],
    ["every 24h", 86_400_000, "0 0 * * *", "outside-1d", 86_400_000],
    ["0 */2 * * *", undefined, "0 */2 * * *", "outside-cron-0-x_2-x-x-x", 7_200_000],
    ["0 6 * * MON,wed", undefined, "0 6 * * MON,wed", "outside-cron-0-6-x-x-mon__wed", 432_000_000],
    ["0 1-2 * * *", undefined, "0 1-2 * * *", "outside-cron-0-1to2-x-x-x", 82_800_000],
    ["0-1 2 * * *", undefined, "0-1 2 * * *", "outside-cron-0to1-2-x-x-x", 86_340_000],
    ["0 6 * * mon-fri/2", undefined, "0 6 * * mon-fri/2", "outside-cron-0-6-x-x-montofri_2", 259_200_000],
    // It begins anew with each hour, so that it is no interval.
    ["*/9 * * * *", undefined, "*/9 * * * *", "outside-cron-x_9-x-x-x-x", 540_000],
    ["*/60 * * * *", 3_600_000, "0 * * * *", "outside-1h", 3_600_000],
    ["0\t6  * * *", undefined, "0 6 * * *", "outside-cron-0-6-x-x-x", 86_400_000],
    [" 0 6 * * * ", undefined, "0 6 * * *", "outside-cron-0-6-x-x-x", 86_400_000],
  ])("%j", (schedule, interval, trigger, group, gap) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
    expect([
      scheduleInterval(schedule),
      triggerCron(schedule),
      groupName("outside", schedule),
      longestGap(schedule),
    ]).toEqual([interval, trigger, group, gap]);
  });

  it.each([
    ["every 7s", "does not divide a minute evenly"],
    ["every 90s", "does not divide an hour or a day evenly"],
    ["every 48h", "does not divide an hour or a day evenly"],
    ["every 0s", "is too short"],
    ["every minute", 'invalid interval "every minute": write every 1m'],
    ["hourly", 'invalid schedule "hourly": write every 1m'],
    ["* * * * * *", 'invalid schedule "* * * * * *": write every 1m'],
    ["60 * * * *", 'invalid cron expression "60 * * * *": Invalid value for minute: 60'],
    ["0 0 L * *", '"L" has no meaning'],
    ["0 0 * * 5#2", '"#" has no meaning'],
    ["0 0 31 2 *", "never occurs: there is no such date"],
  ])("%j is refused", (schedule, message) => {
    expect(scheduleProblem(schedule)).toContain(message);
  });

  it("finds the next run in UTC, never at the instant itself", () => {
    const noon = Date.parse("2025-09-16T12:00:00Z");
    const next = (schedule: string): string => new Date(nextTrigger(schedule, noon) ?? 0).toISOString();
    expect([next("every 1m"), next("every 15s"), next("every 2h"), next("0 6 * * MON")]).toEqual([
      "2025-09-16T12:01:00.000Z",
      "2025-09-16T12:01:00.000Z",
      "2025-09-16T14:00:00.000Z",
      "2025-09-22T06:00:00.000Z",
    ]);
  });
});

describe("the time between two runs", () => {
  const hours = (count: number): number => count * 3_600_000;
  it.each<[string, string, number, number]>([
    ["every minute", "* * * * *", 60_000, 60_000],
    ["several times a minute", "every 15s", 15_000, 15_000],
    ["hourly", "7 * * * *", hours(1), hours(1)],
    ["nightly", "30 2 * * *", hours(24), hours(24)],
    ["weekly", "0 6 * * MON", hours(168), hours(168)],
    ["by day, with quiet nights", "*/5 8-17 * * *", hours(14) + 300_000, 300_000],
    ["each minute by day", "* 8-17 * * *", hours(14) + 60_000, 60_000],
    ["at work, with quiet weekends", "*/5 8-17 * * MON-FRI", hours(62) + 300_000, 300_000],
    ["in two steps an hour", "0,5 * * * *", hours(1) - 300_000, 300_000],
    ["twice a day", "0 6,18 * * *", hours(12), hours(12)],
    ["monthly", "0 0 1 * *", hours(31 * 24), hours(28 * 24)],
    ["at the end of long months", "0 0 31 * *", hours(61 * 24), hours(31 * 24)],
    ["in leap years", "0 0 29 2 *", hours(1461 * 24), hours(1461 * 24)],
    ["on days of the month or of the week", "0 0 1 * MON", hours(168), hours(24)],
  ])("%s: %s", (_what, schedule, longest, shortest) => {
    expect([longestGap(schedule), shortestGap(schedule)]).toEqual([longest, shortest]);
  });

  it("equals the interval of the runs", () => {
    const some = (from: number, to: number) =>
      uniqueArray(integer({ min: from, max: to }), { minLength: 1, maxLength: 3 }).map((values) => values.join());
    const cron = tuple(some(0, 59), some(0, 23), constant("*"), constant("*"), oneof(constant("*"), some(0, 6)));
    assert(
      property(cron, (fields) => {
        const schedule = fields.join(" ");
        const gaps: number[] = [];
        const end = Date.parse("2025-09-30T00:00:00Z");
        let last = nextTrigger(schedule, Date.parse("2025-09-01T00:00:00Z")) ?? end;
        while (last < end) {
          const next = nextTrigger(schedule, last) ?? end;
          gaps.push(next - last);
          last = next;
        }
        expect([schedule, longestGap(schedule)]).toEqual([schedule, Math.max(...gaps)]);
        expect([schedule, shortestGap(schedule)]).toEqual([schedule, Math.min(...gaps)]);
      }),
      { numRuns: repetitions(60) },
    );
  });
});

/** Returns the values of a field, calculated independently of the code under test. */
function valuesOf(field: string, [least, most]: readonly [number, number]): string {
  const names = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
  const days = "sun mon tue wed thu fri sat".split(" ");
  const number = (text: string): number =>
    /\d/.test(text) ? Number(text) : most === 12 ? names.indexOf(text) + 1 : days.indexOf(text);
  const values = field
    .toLowerCase()
    .split(",")
    .flatMap((part) => {
      const [range = "", step = "1"] = part.split("/");
      const [from, to] = range === "*" ? [least, most] : range.split("-").map(number);
      const length = Math.floor(((to ?? from ?? 0) - (from ?? 0)) / Number(step)) + 1;
      return Array.from({ length }, (_, i) => (from ?? 0) + i * Number(step));
    });
  return [...new Set(values)].sort((a, b) => a - b).join();
}

/** Returns the normalized fields of a schedule: schedules that run at the same instants have the same content. */
function contentOf(schedule: string): string {
  const interval = scheduleInterval(schedule);
  if (interval !== undefined && interval < 60_000) return `${interval}`;
  const fields = triggerCron(schedule).split(" ");
  const bounds = [
    [0, 59],
    [0, 23],
    [1, 31],
    [1, 12],
    [0, 7],
  ] as const;
  // If the days of the month and of the week are both given, either matches; a star means that the field is not given.
  return fields.map((field, i) => `${field.startsWith("*")} ${valuesOf(field, bounds[i] ?? [0, 0])}`).join("; ");
}

describe("the name of a group", () => {
  // Of few values, so that schedules are often alike but for what stands between them.
  const field = (values: readonly string[], ...steps: readonly number[]) => {
    const value = constantFrom(...values);
    const range = tuple(nat(values.length - 2), nat(values.length - 1)).map(([a, b]) => {
      const low = Math.min(a, b);
      return `${values[low]}-${values[Math.max(a, b, low + 1)]}`;
    });
    const part = oneof(
      value,
      range,
      tuple(range, constantFrom(...steps)).map((both) => both.join("/")),
    );
    return oneof(
      constantFrom("*", ...steps.map((step) => `*/${step}`)),
      array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join()),
    );
  };
  const rarely = <T>(arbitrary: Arbitrary<T>, usual: T) =>
    oneof({ weight: 4, arbitrary: constant(usual) }, { weight: 1, arbitrary });
  const cron = tuple(
    field(["0", "1", "2"], 2, 7),
    field(["0", "1", "2"], 2, 3),
    rarely(field(["1", "2", "3"], 2, 3), "*"),
    rarely(field(["1", "jan", "2", "oct"], 2, 3), "*"),
    rarely(field(["0", "Mon", "mon", "1", "SAT"], 2, 3), "*"),
  ).map((fields) => fields.join(" "));
  const schedule = oneof(
    { weight: 9, arbitrary: cron },
    {
      weight: 1,
      arbitrary: constantFrom("every 15s", "every 500ms", "every 1m", "every 2h", "every 120m", "every 1d"),
    },
    { weight: 1, arbitrary: constantFrom("*/2 * * * *", "*/7 * * * *", "0 */2 * * *", "0 */3 * * *", "0 * * * *") },
  ).filter((text) => scheduleProblem(text) === undefined);

  it("is unique per vantage point and schedule", () => {
    const contents = new Map<string, string>();
    assert(
      property(constantFrom("inside", "outside"), schedule, (vantage, text) => {
        const name = groupName(vantage, text);
        const content = `${vantage} ${contentOf(text)}`;
        expect([name, text, contents.get(name) ?? content]).toEqual([name, text, content]);
        contents.set(name, content);
        // As ids of jobs, documents and paths may be.
        expect(name).toMatch(/^(inside|outside)-[a-z0-9_-]{1,180}$/);
      }),
      { numRuns: repetitions(5000) },
    );
  });

  it("is a valid and unique name for schedules of any length", () => {
    const minutes = Array.from({ length: 60 }, (_, minute) => minute);
    const long = (some: readonly number[]): string =>
      `${some.join()} ${minutes.slice(0, 24)} ${minutes.slice(1, 32)} * *`;
    const names = minutes.map((one) => groupName("outside", long(minutes.filter((minute) => minute !== one))));
    expect(new Set(names).size).toBe(60);
    for (const name of names) expect(name).toMatch(/^outside-cron-[a-z0-9_-]{1,187}$/);
  });
});
