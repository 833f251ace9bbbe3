import { describe, expect, it } from "vitest";
import { groupName, nextTrigger } from "../../../shared/config/schedule.ts";
import { assert, constantFrom, integer, oneof, property } from "../../../tests/support/chance.ts";
import { roundsOf } from "./rounds.ts";

const start = Date.parse("2025-09-16T00:00:00Z");
const minute = 60_000;

/** IDs of the reports of every run of a schedule in a day and a half. */
function idsOf(schedule: string): string[] {
  const group = groupName("outside", schedule);
  const request = { v: 1, environment: "shop", vantage: "outside", trigger: "schedule", group } as const;
  const ids: string[] = [];
  for (let at = nextTrigger(schedule, start); at !== undefined && at < start + 2160 * minute; ) {
    ids.push(...roundsOf(request, schedule, at).map(({ reportId }) => reportId));
    at = nextTrigger(schedule, at);
  }
  return ids;
}

describe("the id of a report", () => {
  it.each(["*/9 * * * *", "*/45 * * * *", "*/7 * * * *", "every 15s", "every 1m", "every 2h", "5,50 * * * *"])(
    "differs for every run of %s",
    (schedule) => {
      const ids = idsOf(schedule);
      expect(ids.length).toBeGreaterThan(16);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  it("differs for every run of any steps", () => {
    const step = oneof(
      integer({ min: 1, max: 60 }).map((minutes) => `*/${minutes} * * * *`),
      integer({ min: 1, max: 24 }).map((hours) => `7 */${hours} * * *`),
      constantFrom("every 20s", "every 30m", "every 6h", "every 24h"),
    );
    assert(
      property(step, (schedule) => {
        const ids = idsOf(schedule);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 30 },
    );
  });

  it("is the same for a redelivered request and for a late one", () => {
    for (const schedule of ["*/9 * * * *", "every 2h", "0 6 * * *"]) {
      const group = groupName("inside", schedule);
      const request = { v: 1, environment: "shop", vantage: "inside", trigger: "schedule", group } as const;
      const at = nextTrigger(schedule, start) ?? 0;
      const ids = [0, 0, 900, 20_000].map((late) => roundsOf(request, schedule, at + late)[0]?.reportId);
      expect(new Set(ids).size).toBe(1);
    }
  });
});
