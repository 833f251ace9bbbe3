import { describe, expect, it } from "vitest";
import { groupName, longestGap, nextTrigger, scheduleInterval, scheduleProblem, triggerCron } from "./schedule.ts";

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
    ["every minute", "is no interval: write every 1m"],
    ["hourly", "is no schedule: write every 1m"],
    ["* * * * * *", "is no schedule: write every 1m"],
    ["60 * * * *", "is no cron expression: Invalid value for minute: 60"],
    ["0 0 L * *", '"L" has no meaning'],
    ["0 0 * * 5#2", '"#" has no meaning'],
    ["0 0 31 2 *", "never comes: there is no such date"],
  ])("%j is refused", (schedule, message) => {
    expect(scheduleProblem(schedule)).toContain(message);
  });

  it("comes next in UTC, and never at the instant itself", () => {
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
