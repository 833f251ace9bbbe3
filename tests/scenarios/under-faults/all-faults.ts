/**
 * Replays the scenarios of the corpus under faults: reports arrive twice and out of order, and functions crash in the middle of their work.
 * The incidents and their notifications must equal those of a run without faults. Each test file plays a part of the corpus, so that they
 * run in parallel. Interference between several instances is tested in `tests/simulation`. Randomness comes from one seed, which is printed
 * first. `PATHKEEPER_SIMULATION_SEED=N npx vitest run tests/scenarios/under-faults` plays another one, and `PATHKEEPER_SIMULATION_RUNS=50`
 * plays all scenarios, each that many times.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests, type Scenario } from "../../../cli/scenario/file/load.ts";
import { type Played, type PlayOptions, play } from "../../../cli/scenario/play.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { Random } from "../../simulation/random.ts";
import { type Fate, FaultyPorts, type Moment } from "../../support/faulty-ports.ts";
import { seed } from "../../support/seed.ts";
import { delayOf, type Strictness, type Verdict, verdictOf } from "./verdict.ts";

const here = dirname(fileURLToPath(import.meta.url));
const corpus = join(here, "..");

const given = process.env["PATHKEEPER_SIMULATION_RUNS"];
const runs = Number(given ?? 1);
const repeat = `repeat with PATHKEEPER_SIMULATION_SEED=${seed}${given === undefined ? "" : ` PATHKEEPER_SIMULATION_RUNS=${given}`} npx vitest run tests/scenarios/under-faults`;

/** Maximum delay of a report, in milliseconds. */
const disorder = 120_000;
/** How long a run continues so that late reports can be processed, in milliseconds. */
const after = 30 * 60_000;
/** Moments at which a function may crash. Only a publication has a moment between its start and its end. */
const moments: readonly Moment[] = ["before", "after", "between"];
/** Maximum delay of a recovery's validation under faults: it is requested again with one of the next two ticks. */
const maxDelay = 5 * 60_000;
/** Timeout of a test, in milliseconds. A test has hundreds of runs, and their duration depends on the machine. */
const timeout = 1_800_000;

const large = (
  await Promise.all(
    readdirSync(corpus)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => scenariosOf(join(corpus, name))),
  )
).flat();

/** Large scenarios take most of the time, so only a sixth of them is played, selected by the seed. */
const share = given === undefined ? 6 : 1;
const chosen = [...large.filter((_, index) => index % share === seed % share)].toSorted(
  (one, other) => lengthOf(other) - lengthOf(one),
);

/** Number of files that divide the scenarios under all faults: `all-faults-1.long.test.ts` and so on. */
export const shards = 3;

/** Declares one part of the tests under all faults, about as long as the others. @param shard from 1 to `shards` */
export function declareAllFaults(shard: number): void {
  const own = chosen.filter((_, index) => index % shards === shard - 1);

  beforeAll(() => {
    process.stdout.write(`simulation of ${own.length} of ${chosen.length} scenarios with seed ${seed}: ${repeat}\n`);
  });

  describe("under all faults at once", () => {
    it.each(own)("$file: $name", { timeout }, async (scenario) => {
      // A day without any event need not be played without faults: its result is known.
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

/** Estimates the duration: each probe, for as long as the scenario lasts. */
function lengthOf({ plan, until }: Scenario): number {
  return plan.configuration.probes.length * (until + after);
}

/**
 * Maximum number of consecutive crashes while one message is delivered. Each subscription retries more often before it dead-letters a
 * message.
 */
const maxDeaths = 5;

/** Each delivery of a message crashes one step later than the previous one, until one succeeds. */
const everywhere: Fate = ({ ofDelivery, attempt, number }) =>
  ofDelivery === attempt && attempt < maxDeaths ? (["before", "after"] as const)[number % 2] : undefined;

/** Plays a scenario under faults. @param plain result without faults; absent if nothing is reported */
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
  expect(delayOf(played, plain), `${context}: the recovery is proved too late`).toBeLessThanOrEqual(maxDelay);
}

const silence: Verdict = { incidents: [], notified: [] };
