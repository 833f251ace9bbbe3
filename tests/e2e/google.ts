/** The same outage with Google's clients and emulators, run from the bundles: as close to the cloud as one machine gets. */
import { describe, expect, it } from "vitest";
import { missingEmulator } from "../../local/engine/emulators.ts";
import { dataDirectory, killed, startLocalSystem } from "../support/local-system.ts";
import { startedOnce } from "../support/started-once.ts";
import { deadline } from "./promised.ts";

const missing = missingEmulator("firestore") ?? missingEmulator("pubsub");
if (missing !== undefined) {
  console.warn(`\n######## NOT TESTED: the whole system on Google's emulators ########\n# ${missing}\n`);
}

describe.skipIf(missing !== undefined)("on Google's engine", () => {
  it("reports the outage of the demo as one incident, notified once, although each function is killed", {
    timeout: deadline,
  }, async () => {
    const data = await dataDirectory();
    const system = startLocalSystem([
      "--once",
      "--engine",
      "google",
      "--data",
      data,
      "--bundles",
      await startedOnce("bundles"),
    ]);
    await system.prints("begins to lose every other connection");
    for (const name of ["probe", "evaluate", "notify"]) await killed(data, name);
    expect(await system.outcome()).toMatchObject({
      ok: true,
      problems: [],
      incidents: [{ status: "resolved", verdict: "platform" }],
      deliveries: { "team-email": { opened: 1, resolved: 1 }, "ops-hook": { opened: 1, resolved: 1 } },
      restarts: 3,
    });
  });
});
