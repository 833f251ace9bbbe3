/**
 * Targets that nest their JSON deeper than the stack allows: their responses fail the probe with a failure of the target, and never of the
 * probe itself.
 */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { listening, measured, probeOnce } from "../fixtures.ts";
import { http } from "../probers/http.ts";
import { journey } from "../probers/journey.ts";
import { websocket } from "../probers/websocket.ts";
import { serveWebSocket } from "../websocket.fixtures.ts";
import { isTooDeep, jsonText, maxLevels, plainValue } from "./json-text.ts";

const shapes = {
  "200,000 lists": `${"[".repeat(200_000)}${"]".repeat(200_000)}`,
  "100,000 objects": `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
};
const bodies = Object.entries(shapes).map(([name, deep]) => [name, `{"status":"ok","debug":${deep}}`] as const);

const serve = (body: string): Promise<number> => listening(createServer((_request, response) => response.end(body)));

describe.each(bodies)("a response of nested %s", (_, body) => {
  it.each([
    ["a value", { json: { "$.debug": "up" } }, /^\$\.debug is .+, expected up$/],
    ["a comparison", { json: { "$.debug": "== up" } }, /^\$\.debug is .+, expected == up$/],
    ["a pattern", { json: { "$.debug": "/up/" } }, /^\$\.debug is .+, expected \/up\/$/],
    ["a number", { json: { "$.debug": 3 } }, /^\$\.debug is .+, expected 3$/],
  ])("fails if %s is expected there", async (_what, expected, message) => {
    const result = await probeOnce(http, { url: `http://127.0.0.1:${await serve(body)}/`, expect: expected });
    expect(result.failure).toMatchObject({ kind: "body", phase: "body", message: expect.stringMatching(message) });
    expect(result.failure?.message.length).toBeLessThan(300);
  });

  it("passes if the expected value is elsewhere, or a different value is expected", async () => {
    const wanted = { json: { "$.status": "ok", "$.debug": "!= down" } };
    const result = await probeOnce(http, { url: `http://127.0.0.1:${await serve(body)}/`, expect: wanted });
    expect(result.failure).toBeUndefined();
  });

  it("yields no metric", async () => {
    const extract = { waiting: { path: "$.debug", metric: "cloud_monitoring_count", labels: { name: "waiting" } } };
    const settings = { url: `http://127.0.0.1:${await serve(body)}/`, extract: [Object.values(extract)[0]] };
    const result = await probeOnce(http, settings);
    expect(result.failure).toMatchObject({ kind: "body", message: expect.stringContaining("$.debug is ") });
    expect(measured(result, "cloud_monitoring_count")).toBeUndefined();
  });

  it("cannot be captured in a journey", async () => {
    const url = `http://127.0.0.1:${await serve(body)}/`;
    const steps = [
      { name: "ask", http: { url }, capture: { debug: "$.debug" } },
      { name: "tell", http: { url, method: "POST", json: { debug: "${debug}" } } },
    ];
    const result = await probeOnce(journey, { steps });
    expect(result.failure).toMatchObject({ kind: "body", message: expect.stringContaining("is nested deeper than") });
  });

  it("is accepted as a message", async () => {
    const port = await serveWebSocket((socket) => {
      socket.send(body);
      socket.send('{"status":"done"}');
    });
    const script = [{ name: "done", expect: [{ json: { "$.debug": "== up" } }] }];
    const settings = { url: `ws://127.0.0.1:${port}/ws`, script };
    const failed = await probeOnce(websocket, settings, { timeoutMs: 1_000 });
    expect(failed.failure?.kind).not.toBe("internal");
    const passed = await probeOnce(websocket, {
      ...settings,
      script: [{ expect: [{ json: { "$.status": "done" } }] }],
    });
    expect(passed.failure).toBeUndefined();
  });
});

describe("the text of a value", () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

  it("is its JSON, up to the depth limit", () => {
    const value = { a: [1, "x", null, true], b: { c: {} } };
    expect(jsonText(value)).toBe(JSON.stringify(value));
    expect(jsonText(nested(maxLevels))).toBe(JSON.stringify(nested(maxLevels)));
    expect(jsonText(nested(maxLevels + 1))).toContain("[…]");
    expect([maxLevels, maxLevels + 1].map((depth) => isTooDeep(nested(depth)))).toEqual([false, true]);
  });

  it.each([
    ["up", "up"],
    [3, "3"],
    [null, "null"],
    [[1, 2], "1,2"],
    [[[1], 2], "[[1],2]"],
    [{ a: 1 }, '{"a":1}'],
  ])("%j compares as %s", (value, text) => {
    expect(plainValue(value)).toBe(text);
  });
});
