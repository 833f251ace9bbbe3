/** The demo's outage on the embedded engine, run from the sources, with every disturbance at once. */
import { expect, it } from "vitest";
import { dataDirectory, killed, processesOf, startLocalSystem } from "../support/local-system.ts";
import { asPromised, deadline } from "./promised.ts";

it("reaches the same result with duplicate and reordered messages, each function killed, and the whole system restarted", {
  timeout: 2 * deadline,
}, async () => {
  const options = [
    "--once",
    "--data",
    await dataDirectory(),
    "--pace",
    "2",
    "--duplicates",
    "1",
    "--disorder",
    "400ms",
  ];
  const [, , data = ""] = options;
  const first = startLocalSystem([...options]);
  await first.prints("begins to lose every other connection");
  for (const name of ["probe", "evaluate", "notify"]) await killed(data, name);
  const restarted = await processesOf(data);
  for (const channel of ["team-email", "leadership-email", "ops-hook"])
    await first.prints(`told ${channel}: opened (delivered)`);
  // Each function was restarted once on purpose, and never crashed.
  expect(await processesOf(data)).toEqual(restarted);
  await first.end("SIGKILL");
  const second = startLocalSystem([...options]);
  expect(await second.outcome()).toMatchObject({ ...asPromised, repeated: 0, restarts: 0 });
  expect(await second.exitCode()).toBe(0);
});

it("can be stopped at any time, and leaves nothing running", { timeout: deadline }, async () => {
  const data = await dataDirectory();
  const system = startLocalSystem(["--once", "--data", data]);
  await system.prints("Everything works");
  const processes = Object.values(await processesOf(data));
  await system.end("SIGINT");
  expect(await system.exitCode()).toBe(130);
  expect(processes).toHaveLength(4);
  for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
