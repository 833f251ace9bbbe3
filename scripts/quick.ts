/**
 * `npm run quick [-- ARGUMENTS OF VITEST]`: types and lint beside the quick tests, so that none waits for another. The tests have the terminal;
 * what the others found is told below their result, and ends the run with an error.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";

/** What a check that ended said: its exit code, 1 where a signal ended it, and its output. */
export interface Ended {
  readonly name: string;
  readonly code: number;
  readonly output: string;
}

if (import.meta.main) {
  const checks = [script("types"), script("lint")];
  // Three more than cores, because many tests wait; each worker loads its own copy of all modules.
  const workers = `--maxWorkers=${availableParallelism() + 3}`;
  const tests = await script("quick:tests", { args: [workers, ...process.argv.slice(2)], terminal: true });
  const { lines, code } = conclusion([...(await Promise.all(checks)), tests]);
  console.log(lines.join("\n"));
  process.exitCode = code;
}

/** Tells what failed, each with its output, with one line about all at the end. The code is 0 if every check passed, otherwise 1. */
export function conclusion(ended: readonly Ended[]): { readonly lines: readonly string[]; readonly code: 0 | 1 } {
  const failed = ended.filter(({ code }) => code !== 0);
  const found = failed.flatMap(({ name, output }) => (output.trim() === "" ? [] : [`\n${name}:`, output.trimEnd()]));
  const all = ended.map(({ name, code }) => `${name} ${code === 0 ? "passed" : "FAILED"}`).join(", ");
  return { lines: [...found, `\n${all}`], code: failed.length === 0 ? 0 : 1 };
}

/** Runs a script of package.json. Its output is kept unless it has the terminal. */
export async function script(
  name: string,
  { args = [], terminal = false }: { readonly args?: readonly string[]; readonly terminal?: boolean } = {},
): Promise<Ended> {
  const stdio = terminal ? "inherit" : "pipe";
  const child = spawn(process.execPath, ["--run", name, "--", ...args], { stdio: ["inherit", stdio, stdio] });
  const code = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
  const output = await Promise.all([child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))));
  return { name, code: await code, output: output.join("") };
}
