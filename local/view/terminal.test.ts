import { describe, expect, it, vi } from "vitest";
import type { ViewSnapshot } from "./snapshot.ts";
import { openView, type ViewStream } from "./terminal.ts";

const snapshot: ViewSnapshot = {
  title: "Demo",
  timezone: "Etc/UTC",
  at: 0,
  elapsedMs: 0,
  components: [{ title: "Backend", state: "ok", since: 0, figure: "9ms" }],
  deliveries: [],
  traffic: { reports: 0, messages: 0 },
  hints: [],
};

function fakeStream(terminal: boolean): { stream: ViewStream; written: string[] } {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
  const size = { columns: 60, rows: 12 };
  return { written, stream: { write, ...(terminal ? { isTTY: true, ...size, hasColors: () => false } : {}) } };
}

describe("openView on a terminal", () => {
  it("draws at most four frames a second, ends with the latest, and skips unchanged frames", () => {
    vi.useFakeTimers();
    try {
      const { stream, written } = fakeStream(true);
      const view = openView(stream);
      const frames = (): string[] => written.filter((text) => text.includes("\x1b[H"));
      for (let reports = 1; reports <= 100; reports++) {
        view.update({ ...snapshot, traffic: { reports, messages: 0 } });
        vi.advanceTimersByTime(10);
      }
      expect(frames().length).toBeLessThanOrEqual(5);
      vi.advanceTimersByTime(250);
      expect(frames().at(-1)).toContain("100 reports");
      const drawn = frames().length;
      view.update({ ...snapshot, traffic: { reports: 100, messages: 0 } });
      vi.advanceTimersByTime(1_000);
      expect(frames().length).toBe(drawn);
      view.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it("restores the terminal, with the last frame on it, and removes its listeners", () => {
    const before = process.listenerCount("exit");
    const { stream, written } = fakeStream(true);
    const view = openView(stream);
    view.update(snapshot);
    view.close();
    expect(written[0]).toContain("\x1b[?25l");
    expect(written.at(-2)).toContain("\x1b[?25h");
    expect(written.at(-1)).toMatch(/^ Pathkeeper · Demo/);
    expect(process.listenerCount("exit")).toBe(before);
  });
});

describe("openView in a pipe", () => {
  it("writes one line per change, without control characters", () => {
    const { stream, written } = fakeStream(false);
    const view = openView(stream);
    view.update(snapshot);
    view.update({ ...snapshot, at: 5_000 });
    view.update({
      ...snapshot,
      at: 6_000,
      components: [{ title: "Backend", state: "failing", since: 6_000, figure: "503" }],
    });
    view.close();
    expect(written).toEqual(["00:00:00  Backend: unknown -> ok (9ms)\n", "00:00:06  Backend: ok -> failing (503)\n"]);
  });
});

describe("openView on a dumb terminal", () => {
  it("writes lines without control characters", () => {
    const { stream, written } = fakeStream(true);
    const view = openView(stream, "dumb");
    view.update({ ...snapshot, hints: ["control room: http://127.0.0.1:1/?token=x", "press Ctrl-C to stop"] });
    view.close();
    expect(written).toEqual([
      "00:00:00  control room: http://127.0.0.1:1/?token=x\n",
      "00:00:00  Backend: unknown -> ok (9ms)\n",
    ]);
  });
});
