/** The first probe of a process, with or without the warm-up: prints the milliseconds of the warm-up, of the first and of a late probe. */
import { runProbe } from "../functions/probe/run/attempt.ts";
import { warmUp } from "../functions/probe/run/warm.ts";
import type { ConfiguredProbe } from "../shared/config/model.ts";

const [url = "", warm] = process.argv.slice(2);
const started = performance.now();
if (warm === "warm") await warmUp();
const warmed = performance.now() - started;

const probe: ConfiguredProbe = {
  name: "first",
  kind: "http",
  component: "target",
  vantage: "outside",
  schedule: "every 1m",
  group: "outside-1m",
  timeoutMs: 5_000,
  alert: false,
  settings: { url, ip_version: 4 },
};
const nothing = (): Promise<never> => Promise.reject(new Error("not needed"));

async function reported(): Promise<number> {
  const { measurements } = await runProbe(probe, {
    secrets: { read: nothing },
    google: { request: nothing, accessToken: nothing, idToken: nothing },
    clock: { now: () => Date.now() },
  });
  return 1000 * (measurements.find(({ metric }) => metric === "http_response_time")?.value ?? Number.NaN);
}

const first = await reported();
for (let run = 2; run < 100; run++) await reported();
console.log(JSON.stringify([warmed, first, await reported()]));
