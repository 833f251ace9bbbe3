/** Tests that the probes of the demo's own configuration find log entries for each of its changes. */
import { describe, expect, it, onTestFinished } from "vitest";
import { vocabulary } from "../../../cli/vocabulary.ts";
import { probeOnce } from "../../../functions/probe/fixtures.ts";
import { probers } from "../../../functions/probe/probers/index.ts";
import { loadConfiguration } from "../../../shared/config/load.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { demoConfiguration } from "../configuration.ts";
import { allWell, type DemoChange } from "../faults.ts";
import { outages } from "../script.ts";
import { startGoogleApi } from "./api.ts";
import { controlPlane } from "./control-plane.ts";
import { loggingApi } from "./logs.ts";
import { googleNames } from "./record.ts";

const places = {
  ...{ backend: 1, auth: 2, connector: 3, database: 4, website: 5, cache: 9, elsewhere: 6, smtp: 7, webhook: 8 },
  ...{ databaseName: "netra", databaseUser: "netra", email: "someone@demo.localhost", data: "/tmp/demo" },
  googleApi: "http://127.0.0.1:9",
};
const loaded = loadConfiguration(demoConfiguration(places), "monitor.yaml", vocabulary);
if (!("configuration" in loaded)) throw new Error("the configuration of the demo is not valid");
const { configuration } = loaded;

/** Returns the result of a diagnostic probe of the demo, some seconds after a change that the demo plays. */
async function read(kind: string, change: DemoChange | undefined): Promise<ProbeResult> {
  const at = Date.now() - 20_000;
  const { project } = googleNames;
  const stand = await startGoogleApi({
    ...controlPlane(() => ({ ...allWell, ...(change === undefined ? {} : { change }) })),
    "logging.googleapis.com": loggingApi(() => (change === undefined ? [] : [{ change, at }]), project),
  });
  onTestFinished(stand.stop);
  const prober = ownEntry(probers, kind);
  if (prober === undefined) throw new Error(`there is no ${kind}`);
  const about = configuration.components.map(({ name }) => name);
  const options = {
    googleApis: stand.url,
    all: configuration.probes,
    probers,
    diagnosis: { since: at + 2_000, about },
  };
  return probeOnce(prober, { project }, options);
}

const played: readonly (readonly [DemoChange, string, what: RegExp, means: string | undefined])[] = [
  ["deploy", "backend", /^deployed revision backend-00008-xlt$/, undefined],
  ["role", "backend", /^removed roles\/cloudsql\.client from backend@…$/, "Cloud SQL denied"],
  ["firewall", "vpc-connector", /^created firewall rule lock-down, which denies egress$/, undefined],
  ["maintenance", "cloud-sql", /^maintenance by Google of Cloud SQL instance demo-postgres/, undefined],
  ["secret", "auth", /^destroyed a version of secret demo-token-key/, "secret version destroyed"],
];

describe("the demo's logs", () => {
  it.each(played)("report the change %s, its author, and an unrelated change", async (change, component, what) => {
    const { changes = [], failure } = await read("audit_logs", change);
    expect(failure).toBeUndefined();
    const [own, other, ...more] = changes;
    expect(more).toEqual([]);
    expect(own).toMatchObject({ what: expect.stringMatching(what), components: [component] });
    expect(outages[change].causes[0]).toBe(component);
    expect(other?.components.length).toBeGreaterThan(0);
    expect(other?.components).not.toContain(component);
    expect(Date.parse(other?.at ?? "")).toBeLessThan(Date.parse(own?.at ?? ""));
    expect(JSON.stringify(changes)).not.toContain("somebody");
  });

  it.each(played)("contain the messages of %s while it lasts", async (change, component, _, means) => {
    const { log_patterns: patterns = [] } = await read("error_logs", change);
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.every(({ before, count }) => before === 0 && count > 1)).toBe(true);
    const known = patterns.find((pattern) => pattern.means !== undefined);
    expect([known?.component, known?.means?.name]).toEqual(
      means === undefined ? [undefined, undefined] : [component, means],
    );
  });

  it("report nothing without a change", async () => {
    expect(await read("audit_logs", undefined)).toMatchObject({ success: true, changes: [] });
    expect(await read("error_logs", undefined)).toMatchObject({ success: true, log_patterns: [] });
  });
});
