import { describe, expect, it } from "vitest";
import type { Severity } from "../../../shared/messages/severity.ts";
import { incidentEvent, noon, notifyWorld, webHook, webInbox } from "../fixtures.ts";
import { type Bucket, type Pace, paceOf, readBucket, take, usualPace } from "./pace.ts";

const pace: Pace = { perMinute: 60, atOnce: 5 };

/** Takes notices as `0 warning` (seconds after noon, severity), and returns whether each is sent, or for how many milliseconds it waits. */
function played(notices: readonly string[], given: Pace = pace): string[] {
  let bucket: Bucket | undefined;
  return notices.map((notice) => {
    const [second, severity] = notice.split(" ");
    const taken = take(bucket, given, severity as Severity, noon + Number(second) * 1000);
    if (!taken.taken) return `${taken.waitMs}`;
    bucket = taken.bucket;
    return "leaves";
  });
}

describe("a bucket of five, refilled at one a second", () => {
  it.each<[string, string[], string[]]>([
    [
      "sends three warnings at once, and reserves two tokens for critical notices",
      ["0 warning", "0 warning", "0 info", "0 warning", "0 critical", "0 critical", "0 critical"],
      ["leaves", "leaves", "leaves", "1000", "leaves", "leaves", "1000"],
    ],
    [
      "sends critical notices before warnings that have waited longer",
      [
        "0 critical",
        "0 critical",
        "0 critical",
        "0 critical",
        "0 critical",
        "0 warning",
        "1 warning",
        "1 critical",
        "3 warning",
        "4 warning",
      ],
      ["leaves", "leaves", "leaves", "leaves", "leaves", "3000", "2000", "leaves", "1000", "leaves"],
    ],
    [
      "refills over time, up to five",
      [...Array<string>(5).fill("0 critical"), ...Array<string>(6).fill("3600 critical")],
      [...Array<string>(10).fill("leaves"), "1000"],
    ],
    [
      "restores no tokens for a slow clock",
      [...Array<string>(5).fill("10 critical"), "0 critical", "11 critical", "11 critical"],
      [...Array<string>(5).fill("leaves"), "1000", "leaves", "1000"],
    ],
  ])("%s", (_, notices, expected) => {
    expect(played(notices)).toEqual(expected);
  });

  it("sends no more in ten minutes than its rate allows, however many attempts are made", () => {
    const asked = Array.from({ length: 6_001 }, (_, tenth) => `${tenth / 10} critical`);
    expect(played(asked).filter((what) => what === "leaves")).toHaveLength(5 + 600);
  });
});

describe("the rate limit of a channel", () => {
  it.each<[number | undefined, Pace | undefined, Pace]>([
    [undefined, undefined, usualPace],
    [undefined, pace, pace],
    [30, pace, { perMinute: 30, atOnce: 5 }],
    [600, pace, { perMinute: 600, atOnce: 5 }],
    [1, pace, { perMinute: 1, atOnce: 2 }],
    [3, undefined, { perMinute: 3, atOnce: 3 }],
  ])("with per_minute %s, of a kind with %o", (perMinute, ofKind, expected) => {
    const kind = ofKind === undefined ? {} : { pace: ofKind };
    expect(paceOf(perMinute === undefined ? {} : { perMinute }, kind)).toEqual(expected);
  });

  it("starts full if its document is invalid", () => {
    for (const data of ["", "{", "null", '{"tokens":"many"}', 7]) expect(readBucket({ data })).toBeUndefined();
    expect(readBucket(undefined)).toBeUndefined();
  });
});

describe("a channel over its rate limit", () => {
  const event = (number: number, severity: Severity = "warning"): ReturnType<typeof incidentEvent> =>
    incidentEvent({ incident: `20250916-12000${number}-x`, severity });

  it("gets the rest later, critical notices first, with the reason recorded, and does not delay other channels", async () => {
    await using hooks = await webInbox();
    const slow = { ...webHook("slow", `${hooks.url}/slow`), perMinute: 2 };
    const { store, clock, push } = notifyWorld({ channels: [slow, webHook("fast", `${hooks.url}/fast`)] });
    await store.set("incidents", event(2).incident, {});
    const waits = "at most 2 notices a minute";
    expect(await push(event(1))).toBe("done");
    expect(await push(event(2))).toBe(`TryAgain: opened of ${event(2).incident} is still pending for slow (${waits})`);
    expect(await push(event(3, "critical"))).toBe("done");
    expect(await push(event(4, "critical"))).toContain(waits);
    const got = (path: string): (string | undefined)[] =>
      hooks.received.filter(({ url }) => url === path).map(({ headers }) => headers["webhook-id"]?.slice(14, 15));
    expect([got("/slow"), got("/fast")]).toEqual([
      ["1", "3"],
      ["1", "2", "3", "4"],
    ]);
    expect((await store.get("incidents", event(2).incident))?.["deliveries"]).toMatchObject({
      fast: "opened delivered 2025-09-16 12:00:00 UTC",
      slow: `opened waits until 2025-09-16 12:00:30 UTC: ${waits}`,
    });
    clock.time += 30_000;
    expect(await push(event(2))).toContain(waits);
    expect(await push(event(4, "critical"))).toBe("done");
    clock.time += 60_000;
    expect(await push(event(2))).toBe("done");
    expect(got("/slow")).toEqual(["1", "3", "4", "2"]);
  });
});
