import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { emptyEnvironment, encodeEnvironment } from "../../functions/evaluate/incident/state.ts";
import { listening } from "../../functions/probe/fixtures.ts";
import { audited, fakeLogging } from "../../functions/probe/google/logging/fake-logging.fixtures.ts";
import { createPublishServer } from "../../local/engine/broker/publish-server.ts";
import { connectStore } from "../../shared/adapters/select.ts";
import type { OutgoingMessage } from "../../shared/ports.ts";
import { fileOf, run } from "../local-probes.fixtures.ts";

const configuration = `environment: test
components:
  backend: { layer: application }
probes:
  what-changed: { kind: audit_logs, component: backend, schedule: every 1h, project: shop-1 }
  requests: { kind: cloud_run, component: backend, project: shop-1, region: us-central1, service: backend }
channels: { ops: { kind: slack, url: { secret: s } } }
routes: [{ channels: [ops] }]
`;

const deployment = (service: string, minutesAgo: number): object =>
  audited(
    minutesAgo,
    "run.googleapis.com",
    "google.cloud.run.v1.Services.ReplaceService",
    `namespaces/shop-1/services/${service}`,
  );

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A folder as `npm start -- --data` leaves it. */
function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-changes-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("changes", () => {
  it("shows the audit log changes of the environment, newest first", async () => {
    const { port, asked } = await fakeLogging(() => [
      deployment("backend", 90),
      deployment("newsletter", 20),
      deployment("backend", 10),
    ]);
    vi.stubEnv("PATHKEEPER_GOOGLE_API", `http://127.0.0.1:${port}`);
    const { code, out, err } = await run("changes", fileOf(configuration), "--since", "3h");
    expect([code, err]).toEqual([0, []]);
    expect(out).toHaveLength(2);
    expect(out.every((line) => /UTC +backend +deployed a revision \(Cloud Run service backend\)$/.test(line))).toBe(
      true,
    );
    const from = Date.parse(/timestamp>="([^"]+)"/.exec(asked[0]?.filter ?? "")?.[1] ?? "");
    expect(Math.round((Date.now() - from) / 60_000)).toBe(180);
  });

  it("includes reported changes, and prints JSON", async () => {
    const data = dataFolder();
    const store = await connectStore({ PATHKEEPER_STORE: join(data, "store.db") });
    const reported = (id: string, minutesAgo: number) => {
      const change = { kind: "deployment" as const, what: "released 1.4.2", components: ["backend"] };
      return { ...change, id, at: Date.now() - minutesAgo * 60_000 };
    };
    const environment = { ...emptyEnvironment, changes: [reported("old", 300), reported("new", 5)] };
    await store.set("state", "environment", encodeEnvironment(environment, Date.now()));
    await store.close();
    const { code, out } = await run("changes", "--data", data, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out.join("\n"))).toMatchObject([{ id: "new", what: "released 1.4.2", components: ["backend"] }]);
  });

  it("reports a missing permission, and exits with 1", async () => {
    vi.stubEnv("PATHKEEPER_GOOGLE_API", "http://127.0.0.1:1");
    const { code, out, err } = await run("changes", "--config", fileOf(configuration));
    expect([code, out]).toEqual([1, []]);
    expect(err).toEqual([expect.stringMatching(/^pathkeeper changes: google_api: Cloud Logging was not read/)]);
  });

  it.each([
    [["--since", "tomorrow"], "--since tomorrow is an invalid duration: use a value such as 30m or 2h"],
    [["list"], 'unexpected argument "list": write report COMPONENT WHAT, or nothing'],
    [["report", "backend"], "report needs a component and what was changed"],
    [["report", "backend", "released", "--at", "noon"], "--at noon is an invalid time"],
    [["report", "backend", "released", "--link", "release 7"], "--link release 7 is an invalid URL"],
    [["report", "backnd", "released"], 'unknown component "backnd": did you mean "backend"?'],
  ])("refuses %j in one line, with exit code 2", async (args, message) => {
    const { code, err } = await run("changes", ...args, "--config", fileOf(configuration));
    expect([code, err.length]).toEqual([2, 1]);
    expect(err[0]).toContain(message);
  });

  it("refuses to run without a probe that reads changes", async () => {
    const without = configuration.replace(/ {2}what-changed.*\n/, "");
    const { code, err } = await run("changes", "--config", fileOf(without));
    expect(code).toBe(2);
    expect(err[0]).toContain("has no probe of kind audit_logs");
  });
});

describe("changes report", () => {
  it("publishes a change from a pipeline", async () => {
    const published: [string, ...OutgoingMessage[]][] = [];
    const server = createPublishServer({
      publish: async (topic, messages) => {
        published.push([topic, ...messages]);
        return messages.map(() => "1");
      },
    });
    const data = dataFolder();
    writeFileSync(join(data, "broker.url"), `http://127.0.0.1:${await listening(server)}\n`);
    const args = [
      "--data",
      data,
      "--config",
      fileOf(configuration),
      "--at",
      "2025-09-16T12:00:00+02:00",
      "--by",
      "pipeline 7",
    ];
    expect(await run("changes", "report", "backend", "released 1.4.2", ...args)).toEqual({
      code: 0,
      out: ["reported: backend released 1.4.2"],
      err: [],
    });
    const message = { component: "backend", what: "released 1.4.2", at: "2025-09-16T10:00:00.000Z", by: "pipeline 7" };
    expect(published).toEqual([["changes", { data: message, attributes: {} }]]);
  });
});
