/** Starts the target of the benchmarks in a separate process. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TargetPorts } from "./target.ts";

/** Starts it. */
export async function startTarget(): Promise<{ ports: TargetPorts; stop: () => void }> {
  const child = spawn(process.execPath, [new URL("./target.ts", import.meta.url).pathname], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout }))
    return { ports: JSON.parse(line) as TargetPorts, stop: () => void child.stdin.end() };
  throw new Error("the target did not start");
}
