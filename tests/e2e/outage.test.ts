/** The demo's outage, played to its end on the embedded engine: undisturbed, disturbed, and killed in every way. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { bundledFunctions } from "../support/bundles.ts";
import { dataDirectory, LocalSystem, processesOf } from "../support/local-system.ts";

const deadline = 300_000;
const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

function start(...args: string[]): LocalSystem {
  const system = new LocalSystem(["--once", "--pace", "2", ...args]);
  cleanUp.push(() => system.end("SIGKILL"));
  return system;
}

/** What a command prints, called as by its user. */
function pathkeeper(args: readonly string[], input?: Buffer): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/pathkeeper.mjs", ...args], {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** One incident with the right cause, one opening and one all-clear in each channel. */
const asPromised = {
  ok: true,
  problems: [],
  incidents: [{ status: "resolved", severity: "critical", verdict: "platform" }],
  deliveries: {
    "team-email": { opened: 1, resolved: 1 },
    "leadership-email": { opened: 1, resolved: 1 },
    "ops-hook": { opened: 1, resolved: 1 },
  },
};

describe("the outage of the demo", () => {
  it("is one incident, told once to everybody, written down, and the same when its record is replayed", {
    timeout: deadline,
  }, async () => {
    const data = await dataDirectory();
    cleanUp.push(data.remove);
    const record = join(data.path, "reports.ndjson");
    const system = start("--data", data.path, "--record", record);
    const outcome = await system.outcome();
    expect(outcome).toMatchObject({ ...asPromised, repeated: 0, restarts: 0 });
    expect(await system.exitCode()).toBe(0);

    const [incident] = outcome.incidents;
    const written = await readFile(join(data.path, "postmortems", `${incident?.id}.md`), "utf8");
    expect(written).toMatch(/^# Postmortem: Demo: /);
    expect(written).toContain("The cause was VPC connector (platform).");
    expect(written).toMatch(/\| resolved \| `leadership-email`, `ops-hook`, `status-page` and `team-email` /);
    expect(pathkeeper(["postmortem", incident?.id ?? "", "--data", data.path])).toBe(written);

    const replayed = pathkeeper(["replay", "--config", join(data.path, "monitor.yaml")], await readFile(record));
    const events = replayed
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as IncidentEvent);
    expect(new Set(events.map((event) => event.incident)).size).toBe(1);
    expect(events[0]).toMatchObject({ event: "opened" });
    const { root_cause, verdict, severity } = incident ?? {};
    expect(events.at(-1)).toMatchObject({ event: "resolved", status: "resolved", root_cause, verdict, severity });
  });

  it("ends the same with every message twice and out of order, and each function killed", {
    timeout: deadline,
  }, async () => {
    const data = await dataDirectory();
    cleanUp.push(data.remove);
    const system = start("--data", data.path, "--duplicates", "1", "--disorder", "400ms");
    await system.prints("begins to lose connections");
    for (const name of ["probe", "evaluate", "notify"]) {
      process.kill((await processesOf(data.path))[name] ?? 0, "SIGKILL");
      await pause(1_500);
    }
    const outcome = await system.outcome();
    expect(outcome).toMatchObject(asPromised);
    expect(outcome.restarts).toBe(3);
  });

  it("ends the same when all of it is killed and started again", { timeout: deadline }, async () => {
    const data = await dataDirectory();
    cleanUp.push(data.remove);
    const first = start("--data", data.path);
    await first.prints("told ops-hook: opened (delivered)");
    await first.end("SIGKILL");
    const second = start("--data", data.path);
    expect(await second.outcome()).toMatchObject({ ...asPromised, repeated: 0 });
    expect(await second.exitCode()).toBe(0);
  });

  it("is the same from the bundles, each alone in its folder", { timeout: 300_000 }, async () => {
    const bundles = await bundledFunctions();
    cleanUp.push(bundles.remove);
    const system = start("--bundles", bundles.path);
    expect(await system.outcome()).toMatchObject({ ...asPromised, repeated: 0, restarts: 0 });
    expect(await system.exitCode()).toBe(0);
  });

  it("can be left at any time, and leaves nothing running", { timeout: deadline }, async () => {
    const data = await dataDirectory();
    cleanUp.push(data.remove);
    const system = start("--data", data.path);
    await system.prints("All is well");
    const processes = Object.values(await processesOf(data.path));
    await system.end("SIGINT");
    expect(await system.exitCode()).toBe(130);
    expect(processes).toHaveLength(4);
    for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});
