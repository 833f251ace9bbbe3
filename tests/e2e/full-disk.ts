/** `npm start` on a disk that is full: monitoring goes on, and the logs do when there is space again. */
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { listening } from "../../functions/probe/fixtures.ts";
import { dataDirectory, processesOf, startLocalSystem } from "../support/local-system.ts";

it("survives a full disk: incidents are told, one sentence says so, and logging resumes", {
  timeout: 120_000,
}, async () => {
  let isDown = false;
  let requests = 0;
  const shop = await listening(
    createServer((_request, response) => {
      requests += 1;
      response.writeHead(isDown ? 503 : 200).end();
    }),
  );
  const told: string[] = [];
  const hook = await listening(
    createServer(async (request, response) => {
      const { data: event } = (await json(request)) as { data: { event: string; root_cause: string } };
      told.push(`${event.event} ${event.root_cause}`);
      response.end();
    }),
  );
  const data = await dataDirectory();
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
  const logs = join(data, "logs");
  const names = ["local", "probe", "evaluate", "notify"];
  mkdirSync(logs);
  for (const name of names) symlinkSync("/dev/full", join(logs, `${name}.log`));
  const output = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(output));
  const args = ["--config", config, "--data", data, "--record", "/dev/full"];
  const system = startLocalSystem(args, { stdout: output });
  await vi.waitUntil(() => requests > 0, { timeout: 60_000 });

  // What the broker cannot deliver meanwhile, it logs.
  process.kill((await processesOf(data))["evaluate"] ?? 0, "SIGKILL");
  isDown = true;
  await vi.waitUntil(() => told.includes("opened shop"), { timeout: 60_000 });
  await vi.waitUntil(() => told.includes("opened pathkeeper"), { timeout: 60_000 });
  expect(told.filter((one) => one === "opened shop")).toHaveLength(1);
  await vi.waitUntil(() => system.output.includes("cannot write"), { timeout: 20_000 });

  for (const name of names) rmSync(join(logs, `${name}.log`));
  const local = join(logs, "local.log");
  await vi.waitUntil(() => lstatSync(local, { throwIfNoEntry: false })?.isFile(), { timeout: 20_000 });
  expect(readFileSync(local, "utf8")).toMatch(
    /^\{"severity":"INFO","message":"evaluate-[\w-]+: message \d+ comes again/m,
  );

  await system.end("SIGINT");
  expect(await system.exitCode()).toBe(0);
  const complaints = system.output.split("\n").filter((line) => /ENOSPC|no space left/.test(line));
  expect(complaints.sort()).toEqual([
    expect.stringMatching(/^cannot write .*\/logs\/\w+\.log: no space left on device; monitoring goes on/),
    expect.stringMatching(/^the record \/dev\/full ends here: ENOSPC/),
  ]);
  expect(system.output).not.toMatch(/ at .*:\d+:\d+/);
});
