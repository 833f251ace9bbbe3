import { describe, expect, it } from "vitest";
import { type Arrival, arrival, chance, retryDelayMs } from "./retry.ts";

describe("the delay before a retry", () => {
  it.each([
    // failures:          1     2     3      4      5      6
    [1, 10, 0, [1000, 2000, 4000, 8000, 10_000, 10_000]],
    [1, 10, 1, [1250, 2500, 5000, 10_000, 10_000, 10_000]],
    [1, 10, 0.5, [1125, 2250, 4500, 9000, 10_000, 10_000]],
    [0, 10, 1, [0, 0, 0, 0, 0, 0]],
    [5, 5, 1, [5000, 5000, 5000, 5000, 5000, 5000]],
  ])("is from %d s to %d s, for random value %d", (minimumBackoffSeconds, maximumBackoffSeconds, luck, expected) => {
    const delays = expected.map((_, index) =>
      retryDelayMs({ minimumBackoffSeconds, maximumBackoffSeconds }, index + 1, luck),
    );
    expect(delays).toEqual(expected);
  });

  it("stays at the maximum after any number of failures", () => {
    expect(retryDelayMs({ minimumBackoffSeconds: 1, maximumBackoffSeconds: 600 }, 5000, 0.3)).toBe(600_000);
  });
});

describe("disturbance", () => {
  const ids = Array.from({ length: 1000 }, (_, index) => String(index));
  const disturbed = (duplicates: number, disorderMs: number, seed = "7"): Arrival[] =>
    ids.map((id) => arrival({ duplicates, disorderMs, seed }, "probe-inside", id));

  it("of zero delivers every message once, at once", () => {
    expect(disturbed(0, 0)).toEqual(ids.map(() => ({ delayMs: 0, copiesMs: [] })));
  });

  it("with duplicates of 1 delivers every message twice", () => {
    expect(disturbed(1, 0)).toEqual(ids.map(() => ({ delayMs: 0, copiesMs: [0] })));
  });

  it("with duplicates of 0.2 delivers a fifth of the messages twice", () => {
    const twice = disturbed(0.2, 0).filter(({ copiesMs }) => copiesMs.length === 1).length;
    expect(twice).toBeGreaterThan(150);
    expect(twice).toBeLessThan(250);
  });

  it("with disorder delays over the whole range, so that about half of adjacent messages are swapped", () => {
    const delays = disturbed(0, 500).map(({ delayMs }) => delayMs);
    expect(Math.min(...delays)).toBeLessThan(10);
    expect(Math.max(...delays)).toBeGreaterThan(490);
    expect(Math.max(...delays)).toBeLessThan(500);
    const overtaken = delays.filter((delay, index) => delay > (delays[index + 1] ?? Number.POSITIVE_INFINITY)).length;
    expect(overtaken).toBeGreaterThan(400);
    expect(overtaken).toBeLessThan(600);
  });

  it("is the same for the same seed, and differs between seeds", () => {
    expect(disturbed(0.5, 500, "7")).toEqual(disturbed(0.5, 500, "7"));
    expect(disturbed(0.5, 500, "7")).not.toEqual(disturbed(0.5, 500, "8"));
  });
});

it("random values differ between words", () => {
  expect(chance("ab", "c")).not.toBe(chance("a", "bc"));
});
