/** One core of the simulation: plays its share of the seeds until its time is up, or until an invariant is violated. */
import { parentPort, workerData } from "node:worker_threads";
import { newTally, outageOf, playCounted, type Tally } from "./campaign.ts";
import { loadOutages } from "./outages.ts";
import { shrunk, storyOf, trialOf } from "./shrink.ts";
import { scheduleOf, singleDeaths } from "./weather.ts";

/** Assignment of a worker. */
export interface WorkerRequest {
  readonly firstSeed: number;
  /** Number of workers that share the seeds. */
  readonly stride: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Maximum computing time of all workers together, in seconds. @default no limit besides `until` */
  readonly cpuSeconds?: number;
  /** Maximum number of schedules. @default no limit besides `until` */
  readonly most?: number;
  /** Whether an instance crashes once at each of its steps, instead of at random. @default false */
  readonly deaths?: boolean;
}

/** Message of a worker, sent periodically and at the end. */
export interface WorkerMessage {
  readonly tally: Tally;
  /** A failing seed, as a story. */
  readonly story?: string;
  readonly seed?: number;
  readonly broken?: readonly string[];
  readonly isLast: boolean;
}

const { firstSeed, stride, until, deaths = false, ...limits } = workerData as WorkerRequest;
const { most = Number.POSITIVE_INFINITY, cpuSeconds = Number.POSITIVE_INFINITY } = limits;
const tally = newTally();
const outages = await loadOutages().catch((error: unknown) => {
  const story = error instanceof Error ? error.message : String(error);
  sendMessage({
    tally,
    seed: firstSeed,
    broken: [`the outages play as expected without faults: ${story}`],
    story,
    isLast: false,
  });
  return [];
});
const every = deaths ? singleDeaths(outages) : undefined;
let lastSentAt = Date.now();
let failed = outages.length === 0;
const isTime = (): boolean => Date.now() < until && usedSeconds() < cpuSeconds;
for (let n = 0; n < most && isTime() && !failed; n++) {
  const seed = firstSeed + n * stride;
  const schedule = every === undefined ? scheduleOf(seed, outages) : every[seed];
  if (schedule === undefined) break;
  const failure = await playCounted(schedule, outages, tally);
  if (failure !== undefined) {
    failed = true;
    const outage = outageOf(failure.schedule.outage, outages);
    const smallest = await shrunk(failure, trialOf(outage));
    sendMessage({ tally, seed, broken: failure.broken, story: await storyOf(smallest, outage), isLast: false });
  } else if (Date.now() - lastSentAt > 5_000) {
    lastSentAt = Date.now();
    sendMessage({ tally, isLast: false });
  }
  // Yields, so that the main thread can send messages.
  await new Promise(setImmediate);
}
sendMessage({ tally, isLast: true });

/** Returns the computing time of all threads of the process, in seconds. */
function usedSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function sendMessage(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
