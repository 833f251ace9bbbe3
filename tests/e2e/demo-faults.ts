/**
 * Starts the real demo once and injects each of its faults in turn. Checks the result of `pathkeeper verify` and the root cause found by the
 * evaluator.
 */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { VerifiedStage } from "../../cli/commands/verify.ts";
import { run } from "../../cli/local-probes.fixtures.ts";
import { rehearse } from "../../cli/replay/replay.ts";
import { vocabulary } from "../../cli/vocabulary.ts";
import { planOf } from "../../functions/evaluate/plan.ts";
import { demoConfiguration } from "../../local/demo/configuration.ts";
import { type Demo, startDemo } from "../../local/demo/environment.ts";
import { allWell } from "../../local/demo/faults.ts";
import { lookAt, recordOf } from "../../local/demo/record.fixtures.ts";
import { type FaultName, faultNames, outages, paced } from "../../local/demo/script.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { heartbeatCollection, keepHeartbeat } from "../../shared/documents/heartbeats.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";

/** Slow, so that the demo is measured and not the load of the machine. */
const pace = 0.2;
let dataDir: string;
let demo: Demo;
/** Store of the backup's reports, which the probes read. */
let store: SqliteStore;
let configuration: Configuration;
/** Results of the probes while everything is healthy. */
let well: readonly ProbeResult[];

interface Verified {
  readonly ok: boolean;
  readonly stages: readonly VerifiedStage[];
}

async function verify(): Promise<Verified> {
  const { out, err } = await run("verify", "--config", join(dataDir, "monitor.yaml"), "--secrets", dataDir, "--json");
  expect(err).toEqual([]);
  for (const secret of Object.values(demo.secrets)) expect(out.join("\n")).not.toContain(secret);
  return JSON.parse(out.join("\n")) as Verified;
}

/** Expected reason at this stage for the recovery not to be proved. */
async function reasonsOfStage(stage: string): Promise<readonly string[]> {
  const { ok, stages } = await verify();
  const failed = stages.find(({ outcome }) => outcome === "failed");
  expect([ok, failed?.name]).toEqual([false, stage]);
  return failed?.reasons ?? [];
}

/** Expected failure of this probe, an hour after the last backup. */
async function reasonOfProbe(name: string): Promise<readonly string[]> {
  await store.transaction(async (transaction) => {
    const fields = await transaction.get(heartbeatCollection, "nightly-backup");
    transaction.set(heartbeatCollection, "nightly-backup", { ...fields, at: new Date(Date.now() - 3_600_000) });
  });
  const probes = configuration.probes.filter((probe) => probe.name === name);
  const results = await lookAt({ ...configuration, probes }, demo.secrets);
  return results.flatMap(({ failure }) => failure?.message ?? []);
}

/** Returns whether the demo simulates a fault by putting load on the connector. */
function loadsConnector(name: FaultName): boolean {
  return outages[name].script.some(({ faults }) => faults.connector !== allWell.connector);
}

/** Where each fault is detected: the stage, and reasons that it must report among others; or the probe, for a fault that no stage covers. */
const shows: Readonly<Record<FaultName, readonly [stage: string | { probe: string }, ...reasons: RegExp[]]>> = {
  connector: [
    "basic health",
    /^`backend-health` fails in response: 503 Service Unavailable/,
    /^`database` fails in authentication: the probe timed out while logging in/,
  ],
  "connector-slow": [
    "basic health",
    /^`database` succeeds, but database_connection_time \(.*\) is not < 3s$/,
    /^`infrastructure` succeeds, but vpc_connector_utilization \(.*\) is not < 70%$/,
  ],
  "database-closed": [
    "basic health",
    /^`backend-health` fails in response: 503/,
    /^`database` fails in authentication: .*not currently accepting connections/,
  ],
  "database-full": [
    "basic health",
    /^`login` fails in response: 503/,
    /^`database` fails in authentication: the server has no free connection for this user: too many connections/,
  ],
  login: ["basic health", /^`login` fails in response: 401 Unauthorized: \{"error":"invalid_credentials"\}/],
  "websocket-503": [
    "websocket",
    /^`websocket` fails in upgrade: the upgrade was answered with 503 Service Unavailable/,
  ],
  "websocket-500": [
    "websocket",
    /^`agent-events` fails in upgrade: the upgrade was answered with 500 Internal Server Error/,
  ],
  agents: [
    "websocket",
    /^`agent-events` fails in agent events: within \S+ no message with \$\.type "agent_thinking" arrived \(1 of 3 arrived: \$\.type "agent_started"\)/,
  ],
  token: [
    "websocket",
    /^`agent-events` fails in welcome: 127\.0\.0\.1:\d+ closed the connection with 4401 \(not logged in\): the token is not valid/,
  ],
  startup: ["basic health", /^`infrastructure` succeeds, but smd_phase_3_duration \(52.*s\) is not < 20s$/],
  deploy: ["basic health", /^`backend-health` fails in response: 500 Internal Server Error: \{"error":"TypeError/],
  role: ["basic health", /^`backend-health` fails in response: 503/],
  firewall: [
    "basic health",
    /^`backend-health` fails in response: 503/,
    /^`database` fails in authentication: the probe timed out while logging in/,
  ],
  maintenance: [
    "basic health",
    /^`backend-health` fails in response: 503/,
    /^`database` fails in authentication: .*not currently accepting connections/,
  ],
  secret: ["basic health", /^`login` fails in response: 500 Internal Server Error: \{"error":"no key to sign/],
  certificate: [
    "basic health",
    /^`certificate` fails in tls: the certificate of www\.demo\.localhost expired on /,
    /^`website` fails in tls: the certificate of www\.demo\.localhost expired on /,
  ],
  "certificate-host": [
    "basic health",
    /^`certificate` fails in tls: the certificate is for other\.www\.demo\.localhost, not for www\.demo\.localhost/,
    /^`website` fails in tls: the certificate is for other\.www\.demo\.localhost, not for 127\.0\.0\.1/,
  ],
  // A missed backup does not affect users: it opens an incident, but does not block a recovery.
  backup: [{ probe: "backup" }, /^`nightly-backup` has not sent a heartbeat for 1 h; expected every 20s$/],
};

describe("verify, in the demo", () => {
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "pathkeeper-faults-"));
    // If the tests run as root, PostgreSQL runs as another user, who needs access.
    await chmod(dataDir, 0o755);
    demo = await startDemo({ dataDir, log: silentLogger, pace });
    vi.stubEnv("PATHKEEPER_GOOGLE_API", demo.googleApi);
    vi.stubEnv("PATHKEEPER_STORE", join(dataDir, "store.db"));
    store = new SqliteStore(join(dataDir, "store.db"));
    demo.startBackup((beat) => keepHeartbeat(store, beat, Date.now()));
    const text = demoConfiguration(
      { ...demo.targets, googleApi: demo.googleApi, smtp: 1, webhook: 1, data: dataDir },
      pace,
    );
    await writeFile(join(dataDir, "monitor.yaml"), text);
    const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
    if (!("configuration" in loaded)) throw new Error("the configuration of the demo is not right");
    configuration = loaded.configuration;
    for (const [name, value] of Object.entries(demo.secrets)) await writeFile(join(dataDir, name), value);
    // On a busy machine, the first run may be slow.
    well = await vi.waitFor(
      async () => {
        const { ok } = await verify();
        const seen = await lookAt(configuration, demo.secrets);
        expect([ok, seen.filter(({ success }) => !success)]).toEqual([true, []]);
        return seen;
      },
      { timeout: 100_000, interval: 200 },
    );
  }, 180_000);

  afterAll(async () => {
    vi.unstubAllEnvs();
    await demo.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("passes stage by stage while everything is healthy", { timeout: 240_000 }, async () => {
    // On a busy machine, the first run may be slow.
    const { ok, stages } = await vi.waitFor(
      async () => {
        const verified = await verify();
        expect(verified.ok).toBe(true);
        return verified;
      },
      { timeout: 100_000, interval: 200 },
    );
    expect(stages.map(({ name, outcome, reasons }) => [name, outcome, reasons])).toEqual([
      ["basic health", "passed", []],
      ["websocket", "passed", []],
      ["golden path", "passed", []],
    ]);
    expect(ok).toBe(true);
    const [walked] = stages[2]?.reports[0]?.results ?? [];
    const steps = walked?.measurements.filter(({ metric }) => metric === "golden_path_step_time");
    expect(steps?.map(({ labels }) => labels["step"])).toEqual([
      "log in",
      "open socket",
      "welcome",
      "send message",
      "agent events",
      "reply",
    ]);
    expect(walked?.measurements).toContainEqual({ metric: "golden_path_cleanup_success", value: 1, labels: {} });
  });

  // Google's metrics arrive minutes late. Those of the connector would contradict the cause of a later fault.
  it.each(faultNames.toSorted((one, other) => Number(loadsConnector(one)) - Number(loadsConnector(other))))(
    "fails at the expected stage with the fault %s, names its cause, and passes after it is repaired",
    {
      timeout: 240_000,
    },
    async (name) => {
      const worst = outages[name].script.at(-3);
      await demo.setFaults(paced(worst ?? outages[name].script[0], pace).faults);
      const [where, ...reasons] = shows[name];
      await vi.waitFor(
        async () => {
          const said = await (typeof where === "string" ? reasonsOfStage(where) : reasonOfProbe(where.probe));
          for (const reason of reasons) expect(said).toContainEqual(expect.stringMatching(reason));
        },
        { timeout: 100_000, interval: 200 },
      );
      const bad = await lookAt(configuration, demo.secrets);
      await demo.setFaults(allWell);
      await vi.waitFor(async () => expect(await verify()).toMatchObject({ ok: true }), {
        timeout: 100_000,
        interval: 200,
      });

      const record = recordOf(configuration, { well, bad });
      const { incidents } = await rehearse({ plan: planOf(configuration), record });
      const { causes, verdict } = outages[name];
      expect(incidents.map(({ fields }) => [fields["root_cause"], fields["verdict"], fields["status"]])).toEqual([
        [expect.toSatisfy((cause: string) => causes.includes(cause)), verdict, "resolved"],
      ]);
    },
  );
});
