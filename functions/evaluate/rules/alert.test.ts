import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import {
  type AlertHistory,
  type AlertTiming,
  isQuiet,
  type Judgement,
  phaseOf,
  quiet,
  SharedStep,
  settled,
  withJudgements,
} from "./alert.ts";

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

  it("does not fire across a gap until the missing results would be too late", () => {
    expect(standing("0 bad, 120 bad")).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad")).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad", 239)).toBe("pending since 0");
    expect(standing("0 bad, 120 bad, 180 bad", 240)).toBe("firing since 0, fired at 120");
    expect(standing("0 bad, 60 good, 120 bad, 180 bad", 240)).toBe("pending since 120");
  });

  it("does not clear across a gap until the missing results would be too late", () => {
    const timeline = "0 bad, 60 bad, 120 bad, 180 good, 300 good, 360 good";
    expect(standing(timeline)).toBe("firing since 0, fired at 120");
    expect(standing(timeline, 420)).toBe("inactive");
  });

  it("fires immediately with a duration of zero", () => {
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

describe("an alert with a clear condition", () => {
  it.each([
    ["neither ends it while pending", "0 bad, 60 neither, 120 bad, 180 bad", "pending since 120"],
    ["neither does not start it", "0 neither, 60 neither, 120 neither", "inactive"],
    [
      "neither holds it",
      "0 bad, 60 bad, 120 bad, 180 neither, 240 neither, 300 neither, 360 neither",
      "firing since 0, fired at 120",
    ],
    [
      "neither begins the all-clear anew",
      "0 bad, 60 bad, 120 bad, 180 good, 240 good, 300 neither, 360 good, 420 good",
      "firing since 0, fired at 120",
    ],
    [
      "good for long enough ends it",
      "0 bad, 60 bad, 120 bad, 180 neither, 240 good, 300 good, 360 good, 420 good",
      "inactive",
    ],
  ])("%s", (_, timeline, expected) => {
    expect(standing(timeline)).toBe(expected);
  });
});

describe("an alert that flaps", () => {
  const prompt = { alertDurationMs: 0, clearDurationMs: 0, intervalMs: 60_000, flapping: true };

  /** Returns the state after each letter of a line, one per minute: `.` inactive, `F` firing, `~` firing and flapping. */
  function drawn(line: string, timing: AlertTiming = prompt): string {
    return [...line]
      .map((_, index) => {
        const recent = [...line.slice(0, index + 1)].map(
          (letter, i): Judgement => [i * 60_000, letter === "b" ? 1 : 0],
        );
        const phase = phaseOf({ ...quiet, recent }, timing, index * 60_000);
        return phase.status === "firing" ? (phase.flapping ? "~" : "F") : ".";
      })
      .join("");
  }

  it.each([
    ["is held from the 6th change on", "bgbgbgbgbg", "F.F.F~~~~~"],
    ["until it calms, and ends with that", `bgbgbgb${"g".repeat(18)}`, "F.F.F~~~~~~~~~~~~~~~~~..."],
    ["a steady failure is none", "bbbbbbbbbb", "FFFFFFFFFF"],
  ])("%s", (_, line, expected) => {
    expect(drawn(line)).toBe(expected);
  });

  it("is not held if the rule says so", () => {
    expect(drawn("bgbgbgbgbg", { ...prompt, flapping: false })).toBe("F.F.F.F.F.");
  });

  it("flaps the same for any order of results, and with a compacted history", () => {
    const results = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 20, maxLength: 50 });
    fc.assert(
      fc.property(results, fc.nat(40), fc.nat(19), (all, keep, late) => {
        const recent = all.map((verdict, i): Judgement => [i * 60_000, verdict]);
        const watermark = (all.length - 1) * 60_000;
        const expected = phaseOf({ ...quiet, recent }, prompt, watermark);
        const missed = recent[recent.length - 1 - late];
        let history = settled(
          { ...quiet, recent: recent.filter((one) => one !== missed) },
          prompt,
          watermark - 20 * 60_000,
          watermark,
        ).history;
        if (missed) history = withJudgements(history, [missed]);
        history = settled(history, prompt, watermark - keep * 60_000, watermark).history;
        return JSON.stringify(phaseOf(history, prompt, watermark)) === JSON.stringify(expected);
      }),
    );
  });
});

describe("an announced alert", () => {
  const fired: AlertHistory = {
    base: { status: "inactive" },
    recent: judgements("0 bad, 120 bad, 180 bad"),
    announced: { since: 0, firedAt: 120_000 },
  };

  it.each([
    ["stays when something late says that it had not held for so long", "60 good", "firing"],
    ["stays when all that led to it was different", "0 good, 60 good, 120 good", "firing"],
    ["is over when it has been good for long enough since", "240 good, 300 good, 360 good, 420 good", "inactive"],
    [
      "is not over with one good measurement, though late ones say it should never have fired",
      "0 good, 120 good, 240 good",
      "firing",
    ],
  ])("%s", (_, timeline, expected) => {
    expect(phaseOf(withJudgements(fired, judgements(timeline)), timing, 600_000).status).toBe(expected);
  });

  it("outlives a longer duration", () => {
    expect(phaseOf(fired, { ...timing, alertDurationMs: 3_600_000 }, 200_000).status).toBe("firing");
  });
});

describe("an orderly world", () => {
  /** Prometheus's alert instance: rules/alerting.go, with `for` and `keep_firing_for`, evaluated once a minute. */
  function prometheus(all: readonly (0 | 1)[], forMs: number, keepMs: number): string {
    let state = "inactive";
    let activeAt = 0;
    let keepSince: number | undefined;
    for (const [i, verdict] of all.entries()) {
      const at = i * 60_000;
      if (verdict === 1) {
        if (state === "inactive") activeAt = at;
        keepSince = undefined;
        if (state !== "firing") state = at - activeAt >= forMs ? "firing" : "pending";
      } else if (state === "firing") {
        keepSince ??= at;
        if (at - keepSince >= keepMs) state = "inactive";
      } else state = "inactive";
    }
    return state;
  }

  it("is evaluated as in Prometheus", () => {
    const minutes = fc.nat(5).map((count) => count * 60_000);
    fc.assert(
      fc.property(fc.array(fc.constantFrom<0 | 1>(0, 1), { maxLength: 40 }), minutes, minutes, (all, forMs, keepMs) => {
        const recent = all.map((verdict, i): Judgement => [i * 60_000, verdict]);
        const like = { alertDurationMs: forMs, clearDurationMs: keepMs, intervalMs: 60_000, flapping: false };
        return phaseOf({ ...quiet, recent }, like, all.length * 60_000).status === prometheus(all, forMs, keepMs);
      }),
    );
  });
});

describe("a history", () => {
  const words = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 1, maxLength: 30 });

  it("ends in the same state for any order and repetition of results", () => {
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

  it("gives the same result before and after compaction", () => {
    fc.assert(
      fc.property(words, fc.nat(30), (bads, keep) => {
        const watermark = (bads.length - 1) * 60_000;
        const history = { ...quiet, recent: bads.map((bad, index): Judgement => [index * 60_000, bad]) };
        const short = settled(history, timing, watermark - keep * 60_000, watermark).history;
        expect(phaseOf(short, timing, watermark)).toEqual(phaseOf(history, timing, watermark));
        expect(short.recent.length).toBeLessThanOrEqual(keep + 1);
      }),
    );
  });

  it("is inactive without bad results", () => {
    expect(isQuiet(quiet)).toBe(true);
    expect(isQuiet({ ...quiet, recent: [[0, 0]] })).toBe(true);
    expect(isQuiet({ ...quiet, recent: [[0, 1]] })).toBe(false);
    expect(isQuiet({ base: { status: "pending", since: 0, lastAt: 0 }, recent: [] })).toBe(false);
  });
});

describe("many alerts in one step", () => {
  const day = 86_400_000;
  const step = (watermark: number): SharedStep => new SharedStep(watermark, () => day);

  it("share one history as long as their results are the same", () => {
    let [one, other] = [quiet, quiet];
    for (let minute = 0; minute < 5; minute++) {
      const shared = step(minute * 60_000);
      one = shared.settled(one, [[minute * 60_000, 1]], timing).history;
      other = shared.settled(other, [[minute * 60_000, 1]], timing).history;
    }
    expect(one.recent).toHaveLength(5);
    expect(other).toBe(one);
  });

  it("split when their results or timings differ", () => {
    const shared = step(60_000);
    const bad = shared.settled(quiet, [[60_000, 1]], timing);
    const prompt = shared.settled(quiet, [[60_000, 1]], { ...timing, alertDurationMs: 0 });
    const fine = shared.settled(quiet, [[60_000, 0]], timing);
    const unjudged = shared.settled(quiet, [], timing);
    const again = shared.settled(quiet, [[60_000, 1]], timing);
    expect([bad, prompt, fine, unjudged, again].map(({ phase }) => phase.status)).toEqual([
      "pending",
      "firing",
      "inactive",
      "inactive",
      "pending",
    ]);
    expect(again.history).toEqual(bad.history);
  });

  it("fire independently of the others", () => {
    const verdict = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
    fc.assert(
      fc.property(fc.array(fc.array(verdict, { minLength: 3, maxLength: 3 }), { maxLength: 25 }), (minutes) => {
        let together: AlertHistory[] = [quiet, quiet, quiet];
        let alone = together;
        for (const [minute, verdicts] of minutes.entries()) {
          const at = minute * 60_000;
          const shared = new SharedStep(at, () => 5 * 60_000);
          const next = (histories: AlertHistory[], one: () => SharedStep): AlertHistory[] =>
            histories.map((history, i) => {
              const after = one().settled(history, [[at, verdicts[i] ?? 0]], timing);
              return after.phase.status === "firing" ? one().announced(after) : after.history;
            });
          together = next(together, () => shared);
          alone = next(alone, () => new SharedStep(at, () => 5 * 60_000));
          expect(together.map((history) => phaseOf(history, timing, at))).toEqual(
            alone.map((history) => phaseOf(history, timing, at)),
          );
        }
      }),
    );
  });
});
