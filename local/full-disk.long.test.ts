/** `npm start` on a disk that becomes full, and has space again. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { listening } from "../functions/probe/fixtures.ts";
import { dataDirectory, startLocalSystem } from "../tests/support/local-system.ts";

/** Makes a disk of a few megabytes at a folder, until the test is over. @returns whether this machine allows it */
function smallDisk(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m,mode=711", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  return true;
}

/** Leaves no room on the disk of a folder. @returns the file that takes it */
function fill(folder: string): string {
  const file = join(folder, "filler");
  try {
    for (const size of [65_536, 512]) for (;;) writeFileSync(file, Buffer.alloc(size), { flag: "a" });
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  }
  return file;
}

it("continues while the disk is full, reports it, and catches up when there is space", {
  timeout: 180_000,
}, async (context) => {
  const data = await dataDirectory();
  if (!smallDisk(data)) {
    console.warn("\n######## NOT TESTED: a full disk, for which a file system must be mounted ########\n");
    context.skip();
  }
  let isDown = false;
  let requests = 0;
  const shop = await listening(
    createServer((_request, response) => {
      requests += 1;
      response.writeHead(isDown ? 503 : 200).end();
    }),
  );
  const reported: string[] = [];
  const hook = await listening(
    createServer(async (request, response) => {
      const { data: event } = (await json(request)) as { data: { event: string; alerts: string[] } };
      reported.push(`${event.event}: ${event.alerts.join(", ")}`);
      response.end();
    }),
  );
  const config = join(data, "shop.yaml");
  writeFileSync(
    config,
    `environment: shop
components: { shop: { title: Shop, layer: application } }
probes:
  shop: { kind: http, component: shop, schedule: every 1s, url: "http://127.0.0.1:${shop}/", alert_after: 2s }
channels: { hook: { kind: webhook, url: "http://127.0.0.1:${hook}/", allow_private: true } }
routes: [{ channels: [hook] }]
`,
  );
  const output = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(output));
  const args = ["--config", config, "--data", data, "--record", join(data, "reports.ndjson")];
  const system = startLocalSystem(args, { stdout: output });
  await vi.waitUntil(() => requests > 2, { timeout: 60_000 });

  const filler = fill(data);
  await system.prints("cannot write ");
  isDown = true;
  const before = requests;
  // A request for a group is made each minute: those of two minutes are made while nothing can be written.
  await vi.waitUntil(() => requests > before + 65, { timeout: 150_000 });
  expect(reported).toEqual([]);

  rmSync(filler);
  await system.prints("can be written again");
  await vi.waitUntil(() => reported.some((one) => one === "opened: shop failing"), { timeout: 30_000 });
  await vi.waitUntil(() => reported.some((one) => one === "opened: Disk cannot be written"), { timeout: 30_000 });
  await vi.waitUntil(() => reported.some((one) => one === "resolved: Disk cannot be written"), { timeout: 30_000 });
  await system.end("SIGTERM");
  expect(await system.exitCode()).toBe(0);
  const complaints = system.output.split("\n").filter((line) => /full|no space left/.test(line));
  expect(complaints.sort()).toEqual([
    expect.stringMatching(/^cannot write .*: (database or disk is full|no space left on device); monitoring continues/),
    expect.stringMatching(/^the record .*reports\.ndjson ends here: ENOSPC/),
  ]);
  expect(system.output).not.toMatch(/ at .*:\d+:\d+/);
});
