/**
 * Every scenario again, under faults: reports come twice and in disorder, and functions die in the middle of their work. The incidents, and
 * who is told of them, must be those of a run in which nothing went wrong. Each file of tests here plays a part of it, so that they run
 * beside each other.
 *
 * Chance comes from one seed, which is printed first. `PATHKEEPER_SIMULATION_SEED=N npx vitest run tests/simulation` plays another one, and
 * `PATHKEEPER_SIMULATION_RUNS=50` gives each scenario that many runs.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests, type Scenario } from "../../cli/scenario/file/load.ts";
import { judge } from "../../cli/scenario/judge.ts";
import { type Played, type PlayOptions, play } from "../../cli/scenario/play.ts";
import type { Report } from "../../shared/messages/report.ts";
import { seed } from "../support/seed.ts";
import { type Fate, FaultyPorts, type Moment } from "./faults.ts";
import { Random } from "./random.ts";
import { delayOf, type Strictness, type Verdict, verdictOf } from "./verdict.ts";

const here = dirname(fileURLToPath(import.meta.url));
const corpus = join(here, "../scenarios");

const given = process.env["PATHKEEPER_SIMULATION_RUNS"];
const runs = Number(given ?? 1);
const repeat = `repeat with PATHKEEPER_SIMULATION_SEED=${seed}${given === undefined ? "" : ` PATHKEEPER_SIMULATION_RUNS=${given}`} npx vitest run tests/simulation`;

/** How far a report may be late, in milliseconds. */
const disorder = 120_000;
/** How long a run goes on so that what is late can be caught up, in milliseconds: after one fault, and after very many. */
const settling = 4 * 60_000;
const after = 30 * 60_000;
/** Where a function may die: only a publication has something between its beginning and its end. */
const moments: readonly Moment[] = ["before", "after", "between"];
/** By how much faults may delay the proof of a recovery: it is asked for again, with the next tick or two. */
const mostDelay = 5 * 60_000;
/** Hundreds of runs a test: how long they take is the business of the machine. In milliseconds. */
const timeout = 1_800_000;

const small = await scenariosOf(join(here, "outages.yaml"));
const large = (
  await Promise.all(
    readdirSync(corpus)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => scenariosOf(join(corpus, name))),
  )
).flat();

/** The large ones take most of the time, so that `npm test` plays a sixth of them: which, the seed says. `npm run simulate` plays them all. */
const share = given === undefined ? 6 : 1;
const chosen = [...small, ...large.filter((_, index) => index % share === seed % share)].toSorted(
  (one, other) => lengthOf(other) - lengthOf(one),
);

/** How many files share the scenarios under all faults: `all-faults-1.long.test.ts` and so on. */
export const shards = 3;

/** Declares the tests of a function that dies once, and that the scenarios which it is tested with go as they should. */
export function declareSingleDeaths(): void {
  describe("without faults", () => {
    it.each(small)("$name: goes as it should", async (scenario) => {
      expect(judge(await play(scenario, { after }))).toEqual([]);
    });
  });

  describe("a function that dies once", () => {
    // The first scenario over each of its steps, the others over a share of theirs that changes with the seed.
    it.each(small.map((scenario, index) => ({ ...scenario, stride: index === 0 || runs > 1 ? 1 : 3 })))(
      "over one step in $stride: $name",
      { timeout },
      async ({ stride, ...scenario }) => {
        const counted = new FaultyPorts();
        const { between, onDelivery } = counted;
        const plain = await play(scenario, { between, onDelivery, after: settling });
        expect(counted.steps.length).toBeGreaterThan(50);
        for (const [number, what] of counted.steps.entries()) {
          if (number % stride !== seed % stride) continue;
          for (const moment of what === "publish" ? moments : moments.slice(0, 2)) {
            await compare(
              scenario,
              plain,
              { fate: once(number, moment), after: settling },
              "same",
              `dies ${moment} step ${number}`,
            );
          }
        }
      },
    );
  });
}

/** Declares a part of the tests under all faults, with about as much to play as the others. @param shard from 1 to `shards` */
export function declareAllFaults(shard: number): void {
  const own = chosen.filter((_, index) => index % shards === shard - 1);

  beforeAll(() => {
    process.stdout.write(`simulation of ${own.length} of ${chosen.length} scenarios with seed ${seed}: ${repeat}\n`);
  });

  describe("under all faults at once", () => {
    it.each(own)("$file: $name", { timeout }, async (scenario) => {
      // A day on which nothing happens need not be played without faults: what must come of it is known.
      const plain = scenario.expect === "silence" ? undefined : await play(scenario, { after });
      for (let run = 0; run < runs; run++) {
        const chance = new Random(`${seed}/${run}/${scenario.name}`);
        const reportArrivals = ({ trigger }: Report): number[] =>
          trigger === "schedule" ? [chance.below(disorder), chance.below(disorder)] : [0, chance.below(disorder)];
        const sometimes: Fate = () => (chance.chance(0.05) ? moments[chance.below(3)] : undefined);
        const fate = run % 2 === 0 ? everywhere : sometimes;
        await compare(scenario, plain, { fate, reportArrivals }, "alike", `run ${run}`);
      }
    });
  });
}

/** A scenario with the name of its file. */
type Filed = Scenario & { readonly file: string };

async function scenariosOf(path: string): Promise<Filed[]> {
  const loaded = await loadTests(readFileSync(path, "utf8"), path);
  if ("problems" in loaded) {
    throw new Error(loaded.problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"));
  }
  const file = path.slice(path.lastIndexOf("/") + 1);
  return loaded.scenarios.map((scenario) => ({ ...scenario, file }));
}

/** About how much there is to play: each probe, for as long as the scenario lasts. */
function lengthOf({ plan, until }: Scenario): number {
  return plan.configuration.probes.length * (until + after);
}

/** Dies once, over one step. */
function once(step: number, moment: Moment): Fate {
  return ({ number }) => (number === step ? moment : undefined);
}

/** How many deliveries of one message die in a row. Each subscription makes more before a message is a dead letter. */
const mostDeaths = 5;

/** Each delivery of a message dies one step later than the one before it, until it gets through. */
const everywhere: Fate = ({ ofDelivery, attempt, number }) =>
  ofDelivery === attempt && attempt < mostDeaths ? (["before", "after"] as const)[number % 2] : undefined;

/** Plays a scenario under faults. @param plain what comes of it without; absent where that is silence */
async function compare(
  scenario: Filed,
  plain: Played | undefined,
  { fate, ...options }: Pick<PlayOptions, "reportArrivals" | "after"> & { fate: Fate },
  strictness: Strictness,
  what: string,
): Promise<void> {
  const { between, onDelivery } = new FaultyPorts(fate);
  const played = await play(scenario, { after, ...options, between, onDelivery });
  const context = `${scenario.file}, ${scenario.name}: ${what}; ${repeat}`;
  expect(played.mishaps, context).toEqual([]);
  expect(verdictOf(played, strictness), context).toEqual(plain === undefined ? silence : verdictOf(plain, strictness));
  if (plain === undefined) return;
  expect(delayOf(played, plain), `${context}: the recovery is proved too late`).toBeLessThanOrEqual(mostDelay);
}

const silence: Verdict = { incidents: [], told: [] };
