/** Drafts of projects whose APIs answer in the right shape with any texts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compose } from "./compose.ts";
import { aggregated, answering, project, shop } from "./project.fixtures.ts";
import { readProject } from "./read.ts";
import { writtenOf } from "./written.ts";

const now = Date.parse("2026-11-30T12:00:00Z");

/** Texts that stand where names do: good ones, bad ones, and those that mean something else elsewhere. */
const word = fc.oneof(
  fc.constantFrom(
    "shop",
    "api",
    "unknown",
    "pathkeeper",
    "fire-drill",
    "certificates",
    "configuration",
    "google-cloud",
  ),
  fc.constantFrom("__proto__", "constructor", "10.9.0.2", "shop.example", "a:b", "-x", "", "A b", "x".repeat(120), "0"),
  fc.string({ maxLength: 20 }),
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
);
const region = fc.constantFrom("us-central1", "europe-west1");

/** An answer in the shape of a real one, in which any text may be another. */
function garbled(answer: unknown): fc.Arbitrary<unknown> {
  if (typeof answer === "string")
    return fc.oneof(
      { weight: 6, arbitrary: fc.constant(answer) },
      { weight: 1, arbitrary: word },
      { weight: 1, arbitrary: word.map((name) => `${answer.slice(0, answer.lastIndexOf("/") + 1)}${name}`) },
      { weight: 1, arbitrary: region.map((name) => answer.replaceAll("us-central1", name)) },
    );
  if (Array.isArray(answer))
    return fc.tuple(...answer.map(garbled), fc.nat(2)).map((items) => {
      const [copies, all] = [items.at(-1) as number, items.slice(0, -1)];
      return copies === 0 ? all : [...all, ...all.slice(0, copies)];
    });
  if (typeof answer === "object" && answer !== null)
    return fc
      .tuple(
        ...Object.entries(answer).map(([key, value]) =>
          fc.oneof(
            { weight: 9, arbitrary: garbled(value).map((made) => [[key, made]]) },
            { weight: 1, arbitrary: fc.constantFrom([], [[key, null]], [[key, 7]], [[key, {}]], [[key, []]]) },
          ),
        ),
      )
      .map((entries) => Object.fromEntries(entries.flat() as [string, unknown][]));
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(answer) },
    { weight: 1, arbitrary: fc.constantFrom(null, 0, -1) },
  );
}

describe("for any response of Google", () => {
  const base = {
    ...shop(),
    ...aggregated("routers", [{ name: "r", region: "regions/us-central1", nats: [{ name: "n" }] }]),
  };
  const all = Object.entries(base);

  it("the file is valid, and has one warning", { timeout: 120_000 }, async () => {
    const worlds = fc.tuple(...all.map(([, answer]) => garbled(answer)));
    await fc.assert(
      fc.asyncProperty(worlds, fc.option(region, { nil: undefined }), async (answers, only) => {
        const byPath = new Map(all.map(([path], index) => [path, answers[index]]));
        const google = answering(({ url }) => {
          const { host, pathname } = new URL(url);
          const path = `${host}${pathname}`;
          // Other regions hold the same.
          return byPath.get(path) ?? byPath.get(path.replaceAll("europe-west1", "us-central1")) ?? {};
        });
        const found = await readProject({ project, region: only, google });
        const draft = compose({ found, endpoints: [], addresses: [], sightings: new Map(), ca: undefined });
        const { warnings, configuration } = writtenOf(draft, "monitor.yaml", now);
        expect(warnings.map(({ message }) => message)).toEqual([
          // If no resource can be named, nothing is monitored and init writes no file.
          ...(configuration.probes.length === 0 ? [expect.stringContaining("there are no probes")] : []),
          expect.stringContaining("there are no routes"),
        ]);
      }),
      { numRuns: 200 },
    );
  });
});
