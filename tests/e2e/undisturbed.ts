/** The demo's outage on the embedded engine, played to its end by the bundled functions, without disturbances. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { dataDirectory, startLocalSystem } from "../support/local-system.ts";
import { startedOnce } from "../support/started-once.ts";
import { asPromised, deadline } from "./promised.ts";

/** Returns the output of a command, run as a user would. */
function pathkeeper(args: readonly string[], input?: Buffer): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/pathkeeper.mjs", ...args], {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

it("reports one outage as one incident, notifies everyone once, records it, and replays the record with the same result", {
  timeout: deadline,
}, async () => {
  const data = await dataDirectory();
  const record = join(data, "reports.ndjson");
  const system = startLocalSystem([
    "--once",
    "--bundles",
    await startedOnce("bundles"),
    "--data",
    data,
    "--record",
    record,
  ]);
  const outcome = await system.outcome();
  expect(outcome).toMatchObject({ ...asPromised, repeated: 0, restarts: 0 });
  expect(await system.exitCode()).toBe(0);

  const [incident] = outcome.incidents;
  const written = await readFile(join(data, "postmortems", `${incident?.id}.md`), "utf8");
  expect(written).toMatch(/^# Postmortem: Demo: /);
  expect(written).toContain("The cause was VPC connector (platform).");
  const [, notifications = ""] = /^## Notifications\n\n(.*)$/m.exec(written) ?? [];
  expect(notifications).toMatch(/^Delivered: opened to .*; resolved to /);
  for (const name of ["leadership-email", "ops-hook", "status-page", "team-email"])
    expect(notifications).toContain(`\`${name}\``);
  expect(pathkeeper(["postmortem", incident?.id ?? "", "--data", data])).toBe(written);

  const replayed = pathkeeper(["replay", "--config", join(data, "monitor.yaml")], await readFile(record));
  const events = replayed
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as IncidentEvent);
  expect(new Set(events.map((event) => event.incident)).size).toBe(1);
  expect(events[0]).toMatchObject({ event: "opened" });
  const { root_cause, verdict, severity } = incident ?? {};
  expect(events.at(-1)).toMatchObject({ event: "resolved", status: "resolved", root_cause, verdict, severity });
});
