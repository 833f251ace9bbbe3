import { describe, expect, it } from "vitest";
import type { Configuration } from "../../shared/config/model.ts";
import { Bench, failing, smallEnvironment } from "./fixtures.ts";

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
  it("nothing is told where no route asks, but how it stands each day", async () => {
    expect(await story(49, [{ channels: ["a"] }])).toEqual([
      "16. 12:02 opened",
      "17. 12:03 status_update",
      "18. 12:03 status_update",
    ]);
  });

  it("it reminds as often as the most eager route asks", async () => {
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

  it("it escalates once for each route's patience, until somebody acknowledges", async () => {
    const routes = [
      { channels: ["a"], escalateAfterMs: hour },
      { channels: ["b"], escalateAfterMs: 3 * hour },
    ];
    expect(await story(6, routes)).toEqual(["16. 12:02 opened", "16. 13:03 escalated", "16. 15:03 escalated"]);
    expect(await story(6, routes, "acknowledged")).toEqual(["16. 12:02 opened", "16. 13:03 acknowledged"]);
  });

  it("what was missed is told once", async () => {
    const bench = new Bench({ ...smallEnvironment, routes: [{ channels: ["a"], remindEveryMs: hour }] });
    for (let i = 0; i < 3; i++) await bench.minute(down);
    bench.now += 10 * hour;
    await bench.tick();
    await bench.tick();
    expect(bench.events.map(({ event, change }) => `${event}: ${change}`).slice(1)).toEqual([
      "reminder: It is still open after 10 h 1 min.",
    ]);
  });
});
