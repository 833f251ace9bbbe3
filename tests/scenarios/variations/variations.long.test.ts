/**
 * Generated outages: one variation of every kind in every environment. The seed is fixed, so that runs are reproducible; `node
 * tests/scenarios/variations/measure.ts 3 SEED` plays others.
 */
import { expect, it } from "vitest";
import { type Verdict, variations, verdictOn } from "./variations.ts";

const seed = 7_301;
/** Minimum percentage of correct diagnoses. Some variations are ambiguous even to a person. */
const enough = 0.95;

it("finds the cause and verdict, in one incident, for unseen outages", async () => {
  const verdicts: Verdict[] = [];
  for (const variation of await variations(seed, 1)) verdicts.push(await verdictOn(variation));
  expect(verdicts.length).toBeGreaterThan(40);
  const wrong = (is: (one: Verdict) => boolean): string[] =>
    verdicts
      .filter((one) => !is(one))
      .map(({ variation, cause, verdict, incidents }) => `${variation.name}: ${cause}, ${verdict}, ${incidents}`);
  const mostWrong = Math.floor(verdicts.length * (1 - enough));
  expect(wrong(({ incidents }) => incidents === 1)).toEqual([]);
  for (const wrongLines of [wrong(({ isRight }) => isRight), wrong(({ isVerdictRight }) => isVerdictRight)]) {
    expect(wrongLines.slice(mostWrong), wrongLines.join("\n")).toEqual([]);
  }
}, 600_000);
