/** The same outage with Google's clients throughout, on Google's emulators. */
import { describe, expect, it } from "vitest";
import { missingEmulator } from "../../local/emulators.ts";
import { LocalSystem } from "../support/local-system.ts";

const missing = missingEmulator("firestore") ?? missingEmulator("pubsub");
if (missing !== undefined) {
  console.warn(`\n######## NOT TESTED: the whole system on Google's emulators ########\n# ${missing}\n`);
}

describe.skipIf(missing !== undefined)("on Google's engine", () => {
  it("the outage of the demo is one incident, told once to everybody", { timeout: 150_000 }, async () => {
    const system = new LocalSystem(["--once", "--pace", "4", "--engine", "google"]);
    try {
      expect(await system.outcome()).toMatchObject({
        ok: true,
        problems: [],
        incidents: [{ status: "resolved", verdict: "platform" }],
        deliveries: { "team-email": { opened: 1, resolved: 1 }, "ops-hook": { opened: 1, resolved: 1 } },
        repeated: 0,
      });
    } finally {
      await system.end("SIGTERM");
    }
  });
});
