import { describe, expect, it } from "vitest";
import { renderChanges } from "./changes.ts";
import { render } from "./render.ts";
import type { ViewSnapshot } from "./snapshot.ts";
import { cut, wrapped } from "./text.ts";

const address = `http://127.0.0.1:40123/?token=${"x".repeat(40)}`;
const snapshot: ViewSnapshot = {
  title: "Demo",
  timezone: "Etc/UTC",
  at: 60_000,
  elapsedMs: 60_000,
  components: [{ title: "Backend", state: "ok", since: 0, figure: "9ms" }],
  deliveries: [],
  traffic: { reports: 12, messages: 34 },
  hints: [
    `control room: ${address}`,
    `status page: file:///tmp/${"deep/".repeat(12)}index.html`,
    "press Ctrl-C to stop",
  ],
};

describe("addresses in the view", () => {
  it.each([40, 60, 80, 120, 200])("are whole at %d columns, and no line is wider", (columns) => {
    const lines = render(snapshot, { columns, rows: 30 }, false).split("\n");
    expect(lines).toHaveLength(30);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    // An address that is longer than a line continues on the next line.
    const text = lines.map((line) => line.trim()).join("");
    expect(text).toContain(address);
    expect(text).toContain("deep/index.html");
    expect(text).toContain("press Ctrl-C to stop");
  });

  it.each([
    ["see https://example.com/a/b now", 20, "see …"],
    ["see https://example.com/a/b now", 28, "see https://example.com/a/b…"],
    ["see https://example.com/a/b now", 31, "see https://example.com/a/b now"],
    ["no address in this text", 10, "no addres…"],
  ])("are omitted if they do not fit: %j in %d", (text, width, expected) => {
    expect(cut(text, width)).toBe(expected);
  });

  it("are broken only if they cannot fit", () => {
    expect(wrapped("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapped("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
  });
});

describe("lines of changes", () => {
  it("are in order over all snapshots, and late ones show their own time", () => {
    const delivery = { at: 30_000, channel: "ops", incident: "i", event: "opened", state: "delivered" as const };
    const first = renderChanges(undefined, snapshot);
    const failing = { title: "Backend", state: "failing" as const, since: 61_000, figure: "503" };
    const second = renderChanges(snapshot, { ...snapshot, at: 62_000, components: [failing], deliveries: [delivery] });
    expect(second).toEqual([
      "00:01:00  told ops: opened (delivered) (at 00:00:30)",
      "00:01:01  Backend: ok -> failing (503)",
    ]);
    const times = [...first, ...second].map((line) => line.slice(0, 8));
    expect(times).toEqual(times.toSorted());
  });
});
