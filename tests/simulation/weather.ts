/** Draws schedules: the kinds of faults in a run, their number, and where they strike. The same seed draws the same schedule. */
import { type Topic, topics } from "../../shared/topology.ts";
import type { Fault, FaultKind, FunctionName, Slot } from "./faults.ts";
import { functions } from "./faults.ts";
import { edits } from "./operators.ts";
import type { Outage } from "./outages.ts";
import type { Profile, Schedule } from "./outcome.ts";
import { Random } from "./random.ts";
import { receiverFailures } from "./receivers.ts";
import { type Change, changesOf } from "./rollout.ts";

/** Maximum delay of a report that does not change the outcome, in milliseconds. */
export const maxDelayMs = 50_000;

/** Maximum delay of an incident event, in milliseconds: with later retries, still within the time that later events wait for the opening. */
const maxNoticeDelayMs = 600_000;

/** Instances of each function. */
const instances = 3;

/** Share of runs that play an expensive outage. */
const rareShare = 0.01;

/** Maximum duration of a step, in milliseconds: in some runs every instance is fast, in others all are slow. */
const latencies = [5, 20, 80, 400];

/** Share of runs with faults of each kind, and the maximum number of them in a run. */
const shares: Readonly<Record<FaultKind, readonly [share: number, most: number]>> = {
  death: [0.5, 8],
  "lost answer": [0.35, 6],
  refusal: [0.25, 5],
  contention: [0.25, 4],
  "partial publication": [0.35, 6],
  stall: [0.25, 4],
  "store outage": [0.08, 1],
  duplicate: [0.6, 14],
  delay: [0.5, 12],
  "lost acknowledgement": [0.35, 6],
  "clock skew": [0.5, 9],
  "clock jump": [0.12, 2],
  "receiver failure": [0.5, 8],
  "receiver outage": [0.15, 2],
  edit: [0.3, 3],
  "configuration change": [0.2, 1],
};

/** Draws the schedule of a seed. @param outages each with the steps of its run without faults, which faults can strike */
export function scheduleOf(seed: number, outages: readonly Outage[]): Schedule {
  const chance = new Random(`weather/${seed}`);
  const isRare = chance.chance(rareShare);
  const outage = pick(
    outages.filter((one) => one.isRare === isRare),
    chance,
  );
  const faults: Fault[] = [];
  for (const [kind, [share, most]] of Object.entries(shares) as [FaultKind, readonly [number, number]][]) {
    if (!chance.chance(share)) continue;
    // Small numbers are more frequent than large ones.
    const count = 1 + Math.floor(most * chance.next() ** 2);
    for (let n = 0; n < count; n++) faults.push(faultOf(kind, chance, outage));
  }
  return {
    outage: outage.scenario.name,
    seed,
    instances,
    latencyMs: pick(latencies, chance),
    isPatient: chance.chance(0.1),
    faults,
  };
}

/**
 * Returns schedules with one instance of each function, of which one crashes once: at each of its steps, in each way, in every outage that
 * does not take long to play.
 */
export function singleDeaths(outages: readonly Outage[]): readonly Schedule[] {
  return outages
    .filter(({ isRare }) => !isRare)
    .flatMap(({ scenario, profile }) =>
      functions.flatMap((name) =>
        Array.from({ length: profile.steps[name] }, (_, index) => index + 1).flatMap((step) =>
          moments.map((moment): Schedule => {
            const fault: Fault = { fault: "death", moment, slot: { function: name, number: 1 }, step };
            return { outage: scenario.name, seed: 0, instances: 1, latencyMs: 1, isPatient: false, faults: [fault] };
          }),
        ),
      ),
    );
}

/** Moments at which an instance may crash at a step. */
const moments = ["before", "after", "between"] as const;

/** Only in these topics does one step publish several messages. */
const published: readonly Topic[] = [
  topics.probeRequests,
  topics.measurements,
  topics.ticks,
  topics.notifications,
  topics.retries,
];

function faultOf(kind: FaultKind, chance: Random, { scenario, profile }: Outage): Fault {
  const { until } = scenario;
  switch (kind) {
    case "death":
      return { fault: kind, moment: pick(moments, chance), ...stepOf(chance, profile) };
    case "lost answer":
    case "refusal":
    case "contention":
    case "partial publication":
      return { fault: kind, ...stepOf(chance, profile) };
    case "stall":
      return { fault: kind, by: 2_000 + chance.below(28_000), ...stepOf(chance, profile) };
    case "store outage":
      return { fault: kind, at: chance.below(until), for: 5_000 + chance.below(55_000) };
    case "duplicate":
      return { fault: kind, by: chance.below(chance.chance(0.5) ? 3_000 : maxDelayMs), ...messageOf(chance, profile) };
    case "delay": {
      const message = messageOf(chance, profile);
      const isLong = message.topic === topics.notifications && chance.chance(0.3);
      const most = isLong ? maxNoticeDelayMs : chance.chance(0.5) ? 3_000 : maxDelayMs;
      return { fault: kind, by: chance.below(most), ...message };
    }
    case "lost acknowledgement":
      return { fault: kind, ...messageOf(chance, profile) };
    case "clock skew":
      return { fault: kind, slot: slotOf(chance, pick(functions, chance)), by: chance.below(3_000) - 1_500 };
    case "clock jump":
      return {
        ...{ fault: kind, slot: slotOf(chance, pick(functions, chance)), at: chance.below(until) },
        ...{ by: chance.below(180_000) - 90_000, for: 10_000 + chance.below(110_000) },
      };
    case "receiver failure":
      return {
        ...{ fault: kind, reader: chance.below(profile.readers) },
        ...{ attempt: chance.below(6), failure: chance.chance(0.05) ? "unwanted" : pick(passing, chance) },
      };
    case "receiver outage":
      return {
        ...{ fault: kind, at: chance.below(until), for: 10_000 + chance.below(230_000) },
        ...(chance.chance(0.3) ? {} : { reader: chance.below(profile.readers) }),
      };
    case "edit": {
      // An edit that ends an incident has the greatest effect.
      const isEnd = chance.chance(0.3) ? true : undefined;
      return {
        fault: kind,
        at: 60_000 + chance.below(until - 60_000),
        edit: pick(
          edits.filter(({ ends }) => ends === isEnd),
          chance,
        ),
      };
    }
    case "configuration change":
      return { fault: kind, change: pick(changes(scenario, chance), chance), over: chance.below(60_000) };
  }
}

/** Transient failures. A receiver that never accepts a notice is an incident of the monitor, for an hour. */
const passing = receiverFailures.filter((failure) => failure !== "unwanted");

function changes({ plan }: Outage["scenario"], chance: Random): readonly Change[] {
  const all = changesOf(plan.configuration, [150_000, 210_000, 270_000][chance.below(3)] ?? 150_000);
  // Every type of entry is equally likely, however many entries it has.
  const what = pick(["component", "channel", "rule", "probe"] as const, chance);
  const some = all.filter((change) => change.what === what);
  return some.length > 0 ? some : all;
}

function stepOf(chance: Random, { steps }: Profile): { readonly slot: Slot; readonly step: number } {
  // Most steps are the evaluator's, but most failures are the notifier's.
  const name = pick(["probe", "evaluate", "evaluate", "notify", "notify"] as const, chance);
  const usual = Math.ceil((steps[name] * 1.3) / instances);
  return { slot: slotOf(chance, name), step: 1 + chance.below(usual) };
}

function slotOf(chance: Random, name: FunctionName): Slot {
  return { function: name, number: 1 + chance.below(instances) };
}

function messageOf(chance: Random, { messages }: Profile): { readonly topic: Topic; readonly message: number } {
  const topic = pick(published, chance);
  return { topic, message: 1 + chance.below(Math.max(4, messages.get(topic) ?? 0)) };
}

function pick<T>(all: readonly T[], chance: Random): T {
  const picked = all[chance.below(all.length)];
  if (picked === undefined) throw new Error("there is nothing to pick from");
  return picked;
}
