/** Minimizes a failing schedule, and describes it as a story. */
import { describeFault } from "./faults.ts";
import { violations } from "./invariants.ts";
import type { Outage } from "./outages.ts";
import type { Schedule } from "./outcome.ts";
import { play } from "./world.ts";

/** A schedule and the invariants that it violates. */
export interface Failure {
  readonly schedule: Schedule;
  /** As `invariant: sentence`. */
  readonly broken: readonly string[];
}

/** Plays a schedule, and returns the invariants that it violates. */
export type Trial = (schedule: Schedule) => Promise<readonly string[]>;

/**
 * Finds the smallest schedule that violates one of the same invariants: removes faults, first many at once and then one by one, and
 * simplifies the rest.
 * @param most maximum number of runs
 */
export async function shrunk(failure: Failure, trial: Trial, most = 400): Promise<Failure> {
  let best = failure;
  let runs = 0;
  const kinds = new Set(failure.broken.map(invariantOf));
  const tryOut = async (schedule: Schedule): Promise<boolean> => {
    if (runs >= most) return false;
    runs += 1;
    const broken = await trial(schedule);
    if (!broken.some((sentence) => kinds.has(invariantOf(sentence)))) return false;
    best = { schedule, broken };
    return true;
  };
  for (let size = Math.ceil(best.schedule.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.schedule.faults.length; ) {
      const { faults } = best.schedule;
      const rest = [...faults.slice(0, from), ...faults.slice(from + size)];
      if (!(await tryOut({ ...best.schedule, faults: rest }))) from += size;
    }
  }
  for (const instances of [1, 2]) if (await tryOut({ ...best.schedule, instances })) break;
  for (const latencyMs of [1, 5, 20]) {
    if (latencyMs >= best.schedule.latencyMs || (await tryOut({ ...best.schedule, latencyMs }))) break;
  }
  if (best.schedule.isPatient) await tryOut({ ...best.schedule, isPatient: false });
  return best;
}

/** Describes a failure for people: the injected faults, the outcome, and the violated invariants. */
export async function storyOf({ schedule, broken }: Failure, { scenario }: Outage): Promise<string> {
  const { story } = await play(schedule, scenario, { tells: true });
  const last =
    story.length <= longestStory
      ? story
      : [...story.slice(0, 20), `… ${story.length - longestStory} lines …`, ...story.slice(20 - longestStory)];
  return [
    `seed ${schedule.seed}: ${schedule.outage}, ${schedule.instances} instances of each function, steps of ${schedule.latencyMs} ms at most`,
    ...(schedule.faults.length === 0
      ? ["  nothing goes wrong on purpose"]
      : schedule.faults.map((fault) => `  ${describeFault(fault)}`)),
    "what happened:",
    ...last.map((line) => `  ${line.slice(0, 220)}`),
    "what is broken:",
    ...broken.map((sentence) => `  ${sentence}`),
  ].join("\n");
}

const longestStory = 90;

/** Creates a trial with an outage. */
export function trialOf({ scenario, quiet }: Pick<Outage, "scenario" | "quiet">): Trial {
  return async (schedule) => violations(await play(schedule, scenario), quiet);
}

function invariantOf(sentence: string): string {
  return sentence.slice(0, sentence.indexOf(":"));
}
