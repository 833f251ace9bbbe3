import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";

/** Says its id, each request to end, and each further one. */
const script = `
  import { interruption } from ${JSON.stringify(new URL("./interruption.ts", import.meta.url).href)};
  const stay = setInterval(() => {}, 1_000);
  interruption(() => console.log("again")).addEventListener("abort", () => console.log("asked"));
  process.on("SIGUSR2", () => clearInterval(stay));
  console.log(process.pid);`;
const run = ["--input-type=module", "-e", script];

/** Starts a process, and reads what it prints line by line. */
async function started(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(file, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, npm_lifecycle_event: undefined, ...env },
  });
  if (child.stdout === null) throw new Error("no output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const says = async (): Promise<string> => String((await lines.next()).value);
  const pid = Number(await says());
  onTestFinished(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  });
  return { child, pid, says };
}

describe("a run", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("is stopped by %s", async (signal) => {
    const { child, pid, says } = await started(process.execPath, run);
    process.kill(pid, signal);
    expect(await says()).toBe("asked");
    process.kill(pid, "SIGUSR2");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("treats the signal of the terminal and the one forwarded by npm as one request", async () => {
    const { child, pid, says } = await started(process.execPath, run);
    process.kill(pid, "SIGINT");
    expect(await says()).toBe("asked");
    process.kill(pid, "SIGINT");
    process.kill(pid, "SIGUSR2");
    const ended = once(child, "exit");
    expect(await says()).toBe("undefined");
    expect(await ended).toEqual([0, null]);
  });

  it("stops at once on a second signal", async () => {
    const { pid, says } = await started(process.execPath, run);
    process.kill(pid, "SIGTERM");
    expect(await says()).toBe("asked");
    const asking = setInterval(() => process.kill(pid, "SIGTERM"), 200);
    onTestFinished(() => clearInterval(asking));
    expect(await says()).toBe("again");
  });

  it("ends with the npm process that started it, even through a shell", async () => {
    const shell = ["-c", '"$@" & wait', "sh", process.execPath, ...run];
    const { child, says } = await started("sh", shell, { npm_lifecycle_event: "start" });
    child.kill("SIGKILL");
    expect(await says()).toBe("asked");
  });

  it("ends if the npm process that started it was killed before it began", async () => {
    const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const script = String(scripts.start).replace("node local/main.ts", '"$@"');
    const npm = ["-c", 'sh -c "$0" sh "$@"; :', `kill -KILL $PPID; ${script}`, process.execPath, ...run];
    const { says } = await started("sh", npm, { npm_lifecycle_event: "start" });
    expect(await says()).toBe("asked");
  });
});
