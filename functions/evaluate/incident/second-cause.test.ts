import { describe, expect, it } from "vitest";
import { type SecondCause, secondCauseAt } from "./second-cause.ts";

const noon = Date.UTC(2025, 8, 16, 12);

/** Returns the state after each instant. @param story seconds after noon, and the second cause that the diagnosis identifies */
function causesOver(story: readonly (readonly [seconds: number, named: string | undefined])[]): string[] {
  let known: SecondCause | undefined;
  return story.map(([seconds, named]) => {
    known = secondCauseAt(known, named, noon + seconds * 1000);
    return known === undefined
      ? "none"
      : `${known.component} since ${(known.since - noon) / 1000}${known.isNoted ? ", told" : ""}`;
  });
}

describe("a second cause", () => {
  it("is not notified while the first cause may still explain it", () => {
    expect(
      causesOver([
        [0, "cloud-sql"],
        [30, "cloud-sql"],
        [32, undefined],
        [60, "cloud-sql"],
      ]),
    ).toEqual(["cloud-sql since 0", "cloud-sql since 0", "none", "cloud-sql since 60"]);
  });

  it("is notified once it is stable, with the time it was identified", () => {
    expect(
      causesOver([
        [0, "certificates"],
        [60, "certificates"],
        [120, "certificates"],
        [180, "certificates"],
      ]),
    ).toEqual([
      "certificates since 0",
      "certificates since 0",
      "certificates since 0, told",
      "certificates since 0, told",
    ]);
  });

  it("restarts if another is identified", () => {
    expect(
      causesOver([
        [0, "cloud-sql"],
        [100, "backend"],
      ]),
    ).toEqual(["cloud-sql since 0", "backend since 100"]);
  });
});
