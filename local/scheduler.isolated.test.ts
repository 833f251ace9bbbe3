import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { component, probe, smallEnvironment } from "../functions/evaluate/fixtures.ts";
import { MemoryPublisher } from "../shared/adapters/memory.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { startScheduler } from "./scheduler.ts";

describe("the scheduler", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2025, 8, 16, 12, 0, 20) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("requests each group once at the start, then on its schedule, and sends ticks", async () => {
    const publisher = new MemoryPublisher();
    const configuration = {
      ...smallEnvironment,
      components: [component("backend", "Backend", "application")],
      probes: [
        probe("often", "backend", "outside", "http", "every 15s"),
        probe("minutely", "backend", "inside"),
        probe("hourly", "backend", "inside", "http", "0 * * * *"),
      ],
    };
    const scheduler = startScheduler({ configuration, publisher, logger: silentLogger, tickMs: 60_000 });
    const asked = (): string[] =>
      publisher.published.map(({ topic, data }) =>
        topic === "ticks" ? "tick" : String((data as { group: string }).group),
      );
    expect(asked()).toEqual(["outside-15s", "inside-1m", "inside-cron-0-x-x-x-x"]);
    expect(publisher.published[1]).toMatchObject({
      topic: "probe-requests",
      data: { v: 1, environment: "test", vantage: "inside", trigger: "schedule", group: "inside-1m" },
      attributes: { environment: "test", vantage: "inside", trigger: "schedule" },
    });

    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked().slice(3)).toEqual(["outside-15s", "inside-1m"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked().slice(5)).toEqual(["tick"]);
    await vi.advanceTimersByTimeAsync(59 * 60_000);
    expect(asked().filter((group) => group === "inside-cron-0-x-x-x-x")).toHaveLength(2);
    expect(asked().filter((group) => group === "inside-1m")).toHaveLength(61);

    scheduler.stop();
    const before = publisher.published.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(publisher.published).toHaveLength(before);
  });
});
