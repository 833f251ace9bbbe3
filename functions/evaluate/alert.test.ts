import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlertHistory, compacted, isQuiet, type Judgement, phaseOf, quiet, withJudgements } from "./alert.ts";

const timing = { alertDurationMs: 120_000, clearDurationMs: 180_000, intervalMs: 60_000, flapping: true };

/** `"0 good, 60 bad"` in seconds, as judgements. */
function judgements(timeline: string): Judgement[] {
  return timeline.split(", ").map((entry) => {
    const [at, word] = entry.split(" ");
    return [Number(at) * 1000, word === "bad" ? 1 : word === "neither" ? 2 : 0];
  });
}

function standing(timeline: string, watermarkSeconds?: number): string {
  const recent = judgements(timeline);
  const watermark = watermarkSeconds === undefined ? (recent.at(-1)?.[0] ?? 0) : watermarkSeconds * 1000;
  const phase = phaseOf({ base: { status: "inactive" }, recent }, timing, watermark);
  if (phase.status === "inactive") return "inactive";
  const since = `${phase.status} since ${phase.since / 1000}`;
  return phase.status === "firing" ? `${since}, fired at ${phase.firedAt / 1000}` : since;
}

describe("an alert of 2 min, cleared after 3 min good, measured each minute", () => {
  it.each([
    ["0 good", "inactive"],
    ["0 good, 60 bad", "pending since 60"],
    ["0 good, 60 bad, 120 bad", "pending since 60"],
    ["0 good, 60 bad, 120 bad, 180 bad", "firing since 60, fired at 180"],
    ["0 bad, 60 bad, 120 good", "inactive"],
    ["0 bad, 60 good, 120 bad, 180 bad", "pending since 120"],
    ["0 bad, 60 bad, 120 bad, 180 good, 240 good, 300 good", "firing since 0, fired at 120"],
    ["0 bad, 60 bad, 120 bad, 180 good, 240 good, 300 good, 360 good", "inactive"],
    ["0 bad, 60 bad, 120 bad, 180 good, 240 bad, 300 good, 360 good, 420 good", "firing since 0, fired at 120"],
    ["0 bad, 60 bad, 120 bad, 180 good, 240 bad, 300 good, 360 good, 420 good, 480 good", "inactive"],
  ])("%s -> %s", (timeline, expected) => {
    expect(standing(timeline)).toBe(expected);
  });

  it("does not trust a stretch with a hole until what is missing would be too late", () => {
    expect(standing("0 bad, 120 bad")).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad")).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad", 239)).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad", 240)).toBe("firing since 0, fired at 120");
    expect(standing("0 bad, 60 good, 120 bad, 180 bad", 240)).toBe("pending since 120");
  });

  it("does not clear across a hole until what is missing would be too late", () => {
    const timeline = "0 bad, 60 bad, 120 bad, 180 good, 300 good, 360 good";
    expect(standing(timeline)).toBe("firing since 0, fired at 120");
    expect(standing(timeline, 420)).toBe("inactive");
  });

  it("fires at once where the duration is zero", () => {
    const now = { alertDurationMs: 0, clearDurationMs: 0, intervalMs: 60_000, flapping: true };
    const bad: AlertHistory = { base: { status: "inactive" }, recent: [[60_000, 1]] };
    expect(phaseOf(bad, now, 60_000)).toMatchObject({
      status: "firing",
      since: 60_000,
      firedAt: 60_000,
      lastAt: 60_000,
    });
    const after = phaseOf(withJudgements(bad, [[120_000, 0]]), now, 120_000);
    expect(after).toMatchObject({ status: "inactive", lastAt: 120_000 });
  });
});

describe("a history", () => {
  const words = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 1, maxLength: 30 });

  it("ends the same in whatever order its judgements arrive, and however often", () => {
    fc.assert(
      fc.property(words, fc.infiniteStream(fc.nat()), (bads, chance) => {
        const inOrder = bads.map((bad, index): Judgement => [index * 60_000, bad]);
        const watermark = (bads.length - 1) * 60_000;
        const shuffled = [...inOrder, ...inOrder.slice(0, 5)]
          .map((judgement) => [chance.next().value, judgement] as const)
          .sort(([a], [b]) => a - b)
          .map(([, judgement]) => judgement);
        let history = quiet;
        for (const judgement of shuffled) history = withJudgements(history, [judgement]);
        expect(history.recent).toEqual(inOrder);
        expect(phaseOf(history, timing, watermark)).toEqual(phaseOf({ ...quiet, recent: inOrder }, timing, watermark));
      }),
    );
  });

  it("says the same before and after it is compacted", () => {
    fc.assert(
      fc.property(words, fc.nat(30), (bads, keep) => {
        const watermark = (bads.length - 1) * 60_000;
        const history = { ...quiet, recent: bads.map((bad, index): Judgement => [index * 60_000, bad]) };
        const short = compacted(history, timing, watermark - keep * 60_000, watermark);
        expect(phaseOf(short, timing, watermark)).toEqual(phaseOf(history, timing, watermark));
        expect(short.recent.length).toBeLessThanOrEqual(keep + 1);
      }),
    );
  });

  it("is quiet while nothing bad is remembered", () => {
    expect(isQuiet(quiet)).toBe(true);
    expect(isQuiet({ ...quiet, recent: [[0, 0]] })).toBe(true);
    expect(isQuiet({ ...quiet, recent: [[0, 1]] })).toBe(false);
    expect(isQuiet({ base: { status: "pending", since: 0, lastAt: 0 }, recent: [] })).toBe(false);
  });
});
