/** The same outage with Google's clients throughout, on Google's emulators, from the bundles: as near to the cloud as one machine comes. */
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { missingEmulator } from "../../local/emulators.ts";
import { bundledFunctions } from "../support/bundles.ts";
import { dataDirectory, LocalSystem, processesOf } from "../support/local-system.ts";

const missing = missingEmulator("firestore") ?? missingEmulator("pubsub");
if (missing !== undefined) {
  console.warn(`\n######## NOT TESTED: the whole system on Google's emulators ########\n# ${missing}\n`);
}

describe.skipIf(missing !== undefined)("on Google's engine", () => {
  it("the outage of the demo is one incident, told once, though each function is killed", {
    timeout: 400_000,
  }, async () => {
    const data = await dataDirectory();
    const bundles = await bundledFunctions();
    // The two emulators leave little of two cores: at a faster pace probes run out of time before they run out of target.
    const options = ["--once", "--pace", "1", "--engine", "google"];
    const system = new LocalSystem([...options, "--data", data.path, "--bundles", bundles.path]);
    try {
      await system.prints("begins to lose connections");
      for (const name of ["probe", "evaluate", "notify"]) {
        process.kill((await processesOf(data.path))[name] ?? 0, "SIGKILL");
        await pause(1_500);
      }
      expect(await system.outcome()).toMatchObject({
        ok: true,
        problems: [],
        incidents: [{ status: "resolved", verdict: "platform" }],
        deliveries: { "team-email": { opened: 1, resolved: 1 }, "ops-hook": { opened: 1, resolved: 1 } },
        restarts: 3,
      });
    } finally {
      await system.end("SIGTERM");
      await data.remove();
      await bundles.remove();
    }
  });
});
