/** The real demo, read by `init`; each of its faults that the probes of the file can see; and the cause that the evaluator names. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { planOf } from "../../../functions/evaluate/plan.ts";
import { type Demo, startDemo } from "../../../local/demo/environment.ts";
import { allWell } from "../../../local/demo/faults.ts";
import { lookAt, recordOf } from "../../../local/demo/record.fixtures.ts";
import { type FaultName, outages, paced } from "../../../local/demo/script.ts";
import { loadConfiguration } from "../../../shared/config/load.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { silentLogger } from "../../../shared/runtime/logger.ts";
import { run } from "../../local-probes.fixtures.ts";
import { rehearse } from "../../replay/replay.ts";
import { vocabulary } from "../../vocabulary.ts";

/** Slow, so that what is measured is the demo and not how busy the machine is. */
const pace = 0.5;
let folder: string;
let demo: Demo;
let secrets: Record<string, string>;

/** Component names of the demo's own configuration, and those that init generates. */
const called: Readonly<Record<string, string>> = {
  "vpc-connector": "demo-connector",
  "cloud-sql": "demo-postgres",
  backend: "backend",
  auth: "auth",
  websocket: "backend-websocket",
  certificates: "certificates",
};

/** Faults that the generated probes can detect. Init has no information about logins, agents, tokens, startup phases and backups. */
const visible: readonly FaultName[] = [
  "deploy",
  "database-closed",
  "database-full",
  "websocket-503",
  "websocket-500",
  "certificate",
  "certificate-host",
  // Google's figures are minutes late: those of the connector would speak against the cause of a fault that comes after them.
  "connector-slow",
  "connector",
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pathkeeper-init-"));
  // If the tests run as root, PostgreSQL runs as another user, who needs access.
  await chmod(folder, 0o755);
  demo = await startDemo({ dataDir: folder, log: silentLogger, pace });
  const { connector, databaseName, databaseUser } = demo.targets;
  const { "demo-database-password": password = "", "demo-authority": authority = "" } = demo.secrets;
  const url = `postgres://${databaseUser}:${password}@127.0.0.1:${connector}/${databaseName}`;
  vi.stubEnv("PATHKEEPER_GOOGLE_API", demo.googleApi);
  vi.stubEnv("DATABASE_URL", url);
  vi.stubEnv("PATHKEEPER_SECRET_DEMO_AUTHORITY", authority);
  secrets = { "database-url": url, "demo-authority": authority };
}, 180_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
});

/**
 * With all optional inputs, and with the project name alone. In the second case, only the services show that a database is closed, full or
 * slow.
 */
const ways: readonly (readonly [name: string, options: readonly string[], visible: readonly FaultName[]])[] = [
  ["told of the database and the authority", ["--url-from", "DATABASE_URL", "--ca", "demo-authority"], visible],
  ["told of the project alone", [], ["deploy", "websocket-503", "websocket-500", "certificate", "connector"]],
];

describe.each(ways)("init, %s", (name, options, visible) => {
  const file = (): string => join(folder, `${name.replaceAll(" ", "-")}.yaml`);
  let text: string;
  let printed: readonly string[];
  let configuration: Configuration;
  /** Probe results while the environment is healthy. */
  let well: readonly ProbeResult[];

  beforeAll(async () => {
    const { code, out, err } = await run("init", "--project", "pathkeeper-demo", ...options, "--config", file());
    expect([code, err]).toEqual([0, []]);
    printed = out;
    text = await readFile(file(), "utf8");
    const loaded = loadConfiguration(text, file(), vocabulary, Date.now());
    if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.warnings.map(({ message }) => message)).toEqual([expect.stringContaining("nobody is notified")]);
    configuration = loaded.configuration;
    well = await wellAgain();
  }, 180_000);

  /** Returns the probe results after recovery. Probes that did not work from this machine have alerts disabled. */
  function wellAgain(): Promise<readonly ProbeResult[]> {
    const silent = new Set(configuration.probes.flatMap(({ name, alert }) => (alert === false ? [name] : [])));
    return vi.waitFor(
      async () => {
        const seen = await lookAt(configuration, secrets);
        expect(seen.filter((one) => (!one.success && !silent.has(one.probe)) || isFull(one))).toEqual([]);
        return seen;
      },
      { timeout: 100_000, interval: 200 },
    );
  }

  it("finds working targets, and writes no secret", () => {
    expect(printed.join("\n")).toContain("wrote ");
    for (const secret of Object.values(demo.secrets)) expect(`${text}${printed.join("\n")}`).not.toContain(secret);
    expect(well.filter(({ success }) => success).length).toBeGreaterThan(10);
  });

  it.each(visible)("names the cause of %s", { timeout: 240_000 }, async (fault) => {
    const worst = outages[fault].script.at(-3) ?? outages[fault].script[0];
    await demo.setFaults(paced(worst, pace).faults);
    const bad = await vi.waitFor(
      async () => {
        const seen = await lookAt(configuration, secrets);
        expect(seen.some((result) => isBad(result, well))).toBe(true);
        // Everything works then, only slowly. Pools that are just being filled may give up once.
        if (fault === "connector-slow") expect(seen.filter((one) => failsNow(one, well))).toEqual([]);
        return seen;
      },
      { timeout: 60_000, interval: 200 },
    );
    await demo.setFaults(allWell);
    await wellAgain();
    const record = recordOf(configuration, { well, bad });
    const { incidents } = await rehearse({ plan: planOf(configuration), record });
    const { causes, verdict } = outages[fault];
    const expected = causes.map((cause) => called[cause]);
    const found = incidents.map(({ fields }) => [fields["root_cause"], fields["verdict"], fields["status"]]);
    expect(found).toEqual([[expect.toSatisfy((cause: string) => expected.includes(cause)), verdict, "resolved"]]);
  });
});

/** Returns true if a result shows a fault: a new failure, or a connector near its limit. */
function isBad(result: ProbeResult, well: readonly ProbeResult[]): boolean {
  return failsNow(result, well) || isFull(result);
}

function failsNow({ probe, success }: ProbeResult, well: readonly ProbeResult[]): boolean {
  return !success && well.some((one) => one.probe === probe && one.success);
}

/** Returns true if a connector is near its limit. Google's metrics show this for some minutes after the fault. */
function isFull({ measurements }: ProbeResult): boolean {
  return measurements.some(({ metric, value }) => metric === "vpc_connector_utilization" && value > 0.7);
}
