/** Plays the demo's script, and takes it up where it stood when the system is killed and started again. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Demo } from "./demo/environment.ts";
import { type ScriptPosition, script, scriptAt } from "./demo/script.ts";

/** A script being played. */
export interface Play {
  /** When it began, milliseconds since the epoch. */
  readonly startedAt: number;
  position(): ScriptPosition;
  stop(): void;
}

/** Begins the script, or goes on with the one that `dataDir` says was not over. */
export async function playScript(demo: Demo, dataDir: string, pace: number): Promise<Play> {
  const file = join(dataDir, "script.json");
  const startedAt = (await unfinished(file, pace)) ?? Date.now();
  await writeFile(file, `${JSON.stringify({ startedAt, pace })}\n`);
  let timer: NodeJS.Timeout | undefined;
  const follow = (): void => {
    const { step, nextInMs, ended } = scriptAt(Date.now() - startedAt, pace);
    demo.setFaults(step.faults);
    if (!ended) timer = setTimeout(follow, Math.max(1, nextInMs));
  };
  follow();
  return {
    startedAt,
    position: () => scriptAt(Date.now() - startedAt, pace),
    stop: () => clearTimeout(timer),
  };
}

/** When the script that was being played began; `undefined` where none was, or it had ended. */
async function unfinished(file: string, pace: number): Promise<number | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, "utf8")) as { startedAt?: number; pace?: number };
    if (typeof kept.startedAt !== "number" || kept.pace !== pace) return undefined;
    return Date.now() - kept.startedAt < (script.at(-1)?.at ?? 0) / pace ? kept.startedAt : undefined;
  } catch {
    return undefined;
  }
}
