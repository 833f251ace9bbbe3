/** Plays the demo's script. After the system is killed and restarted, the script continues where it was. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../shared/ports.ts";
import type { Demo } from "./environment.ts";
import { type FaultName, outages, type ScriptPosition, scriptAt } from "./script.ts";

/** A script being played. */
export interface Play {
  /** When it began, milliseconds since the epoch. */
  readonly startedAt: number;
  position(): ScriptPosition;
  stop(): void;
}

/** Outage to play, and options. */
export interface PlayOptions {
  readonly demo: Demo;
  readonly fault: FaultName;
  readonly dataDir: string;
  readonly pace: number;
  readonly logger: Logger;
}

/** Starts the script of a fault, or continues an unfinished one recorded in `dataDir`. */
export async function playScript({ demo, fault, dataDir, pace, logger }: PlayOptions): Promise<Play> {
  const file = join(dataDir, "script.json");
  const { script } = outages[fault];
  const startedAt = (await unfinished(file, { fault, pace })) ?? Date.now();
  await writeFile(file, `${JSON.stringify({ startedAt, fault, pace })}\n`);
  let timer: NodeJS.Timeout | undefined;
  const follow = (): void => {
    const { step, nextInMs, ended } = scriptAt(script, Date.now() - startedAt, pace);
    demo.setFaults(step.faults).catch((error: Error) => logger.error(`could not set the fault: ${error.message}`));
    if (!ended) timer = setTimeout(follow, Math.max(1, nextInMs));
  };
  follow();
  return {
    startedAt,
    position: () => scriptAt(script, Date.now() - startedAt, pace),
    stop: () => clearTimeout(timer),
  };
}

/** Returns when an unfinished script began; `undefined` if there is none. */
async function unfinished(
  file: string,
  { fault, pace }: Pick<PlayOptions, "fault" | "pace">,
): Promise<number | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, "utf8")) as { startedAt?: number; fault?: string; pace?: number };
    if (typeof kept.startedAt !== "number" || kept.pace !== pace || kept.fault !== fault) return undefined;
    return Date.now() - kept.startedAt < (outages[fault].script.at(-1)?.at ?? 0) / pace ? kept.startedAt : undefined;
  } catch {
    return undefined;
  }
}
