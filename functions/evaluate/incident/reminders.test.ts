import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../shared/config/model.ts";
import type { Fields } from "../../../shared/ports.ts";
import { Bench, failing, smallEnvironment } from "../fixtures.ts";
import { dueReminders } from "./reminders.ts";
import type { Incident } from "./state.ts";

const hour = 3_600_000;
const down = { "pages-health": failing("timeout/connect") };

/** Opens an incident at 12:02 and lets hours pass, with a tick each hour. */
async function story(hours: number, routes: Configuration["routes"], edit?: string): Promise<string[]> {
  const bench = new Bench({ ...smallEnvironment, routes });
  for (let i = 0; i < 3; i++) await bench.minute(down);
  const [incident] = await bench.incidents();
  if (edit !== undefined) await bench.store.update("incidents", incident?.id ?? "", { status: edit });
  for (let i = 0; i < hours; i++) {
    bench.now += hour;
    await bench.tick();
  }
  return bench.events.map(({ at, event }) => `${at.slice(8, 10)}. ${at.slice(11, 16)} ${event}`);
}

describe("as time passes", () => {
  it("sends no reminders unless a route requests them, except the daily update", async () => {
    expect(await story(49, [{ channels: ["a"] }])).toEqual([
      "16. 12:02 opened",
      "17. 12:03 status_update",
      "18. 12:03 status_update",
    ]);
  });

  it("reminds at the shortest interval of the routes", async () => {
    const routes = [
      { channels: ["a"], remindEveryMs: 4 * hour },
      { channels: ["b"], remindEveryMs: 2 * hour },
    ];
    expect(await story(6, routes)).toEqual([
      "16. 12:02 opened",
      "16. 14:03 reminder",
      "16. 16:03 reminder",
      "16. 18:03 reminder",
    ]);
  });

  it("escalates once after the delay of each route, until acknowledged", async () => {
    const routes = [
      { channels: ["a"], escalateAfterMs: hour },
      { channels: ["b"], escalateAfterMs: 3 * hour },
    ];
    expect(await story(6, routes)).toEqual(["16. 12:02 opened", "16. 13:03 escalated", "16. 15:03 escalated"]);
    expect(await story(6, routes, "acknowledged")).toEqual(["16. 12:02 opened", "16. 13:03 acknowledged"]);
  });

  it("sends missed reminders once", async () => {
    const bench = new Bench({ ...smallEnvironment, routes: [{ channels: ["a"], remindEveryMs: hour }] });
    for (let i = 0; i < 3; i++) await bench.minute(down);
    bench.now += 10 * hour;
    await bench.tick();
    await bench.tick();
    expect(bench.events.map(({ event, change }) => `${event}: ${change}`).slice(1)).toEqual([
      "reminder: The incident is still open after 10 h 1 min.",
    ]);
  });

  describe("reminds from the last delivery, as recorded by the notifier", () => {
    const routes = [
      { channels: ["a"], remindEveryMs: 30 * 60_000 },
      { channels: ["b"], remindEveryMs: hour },
    ];

    /** Two hours, and what arrives: a channel, and how many seconds after its event. */
    async function reminders(arrives: (event: string, at: number) => Record<string, number>): Promise<string[]> {
      const bench = new Bench({ ...smallEnvironment, routes });
      for (let i = 0; i < 3; i++) await bench.minute(down);
      const [incident] = await bench.incidents();
      const told: Record<string, Fields> = {};
      let known = 0;
      for (let i = 0; i < 120; i++) {
        for (const { event, at } of bench.events.slice(known)) {
          for (const [channel, after] of Object.entries(arrives(event, Date.parse(at)))) {
            const lastAt = new Date(Date.parse(at) + after * 1000);
            told[channel] = { entries: 1, done: 1, attempts: 1, first_at: lastAt, last_at: lastAt };
          }
        }
        known = bench.events.length;
        await bench.store.update("incidents", incident?.id ?? "", { told });
        bench.now += 60_000;
        await bench.tick();
      }
      return bench.story.slice(1);
    }

    it("every half hour without drift if all arrive within seconds", async () => {
      expect(await reminders(() => ({ a: 5, b: 5 }))).toEqual([
        "12:32 reminder",
        "13:02 reminder",
        "13:32 reminder",
        "14:02 reminder",
      ]);
    });

    it("later if the opening was delivered late", async () => {
      expect(await reminders((event) => ({ a: event === "opened" ? 1200 : 5 }))).toEqual([
        "12:52 reminder",
        "13:22 reminder",
        "13:52 reminder",
      ]);
    });

    it("once per interval if a channel does not receive it", async () => {
      expect(await reminders((event) => (event === "opened" ? { b: 5 } : {}))).toEqual([
        "13:02 reminder",
        "14:02 reminder",
      ]);
    });
  });
});

describe("a daily update", () => {
  const day = 86_400_000;
  const incident = (timeline: Incident["timeline"]): Incident =>
    ({ openedAt: 0, status: "acknowledged", timeline }) as unknown as Incident;
  const update = (one: Incident): string | undefined => dueReminders(one, [], day)[0]?.change;
  const tried = (one: Incident): readonly string[] | undefined => dueReminders(one, [], day)[0]?.tried;

  it("says how long it has lasted, what was tried and what is new", () => {
    const timeline = [
      { at: 0, text: "The incident was opened." },
      { at: 5_000_000, text: "Note by ana: the connector was given more instances." },
      { at: 6_000_000, text: "The incident is still acknowledged after 4 h." },
      { at: 7_000_000, text: "`api-health` is good again." },
      ...[1, 2, 3].map((minute) => ({ at: 7_000_000 + minute * 60_000, text: "`login` fails again." })),
    ];
    expect(update(incident(timeline))).toBe(
      "The incident is acknowledged, 1 d after it was opened. What was tried: Note by ana: the connector was given more instances. New since the last update: `login` fails again. `login` fails again. `login` fails again.",
    );
    expect(tried(incident(timeline))).toEqual(["Note by ana: the connector was given more instances."]);
  });

  it("reports that nothing is new", () => {
    expect(update(incident([{ at: 0, text: "The incident was opened." }]))).toBe(
      "The incident is acknowledged, 1 d after it was opened. Nothing has changed since the last update.",
    );
    expect(tried(incident([]))).toEqual([]);
  });
});
