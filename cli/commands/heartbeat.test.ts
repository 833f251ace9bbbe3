import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { closedPort, listening } from "../../functions/probe/fixtures.ts";
import { createPublishServer } from "../../local/engine/broker/publish-server.ts";
import type { OutgoingMessage } from "../../shared/ports.ts";
import { run } from "../local-probes.fixtures.ts";

/** A folder as `npm start -- --data` leaves it, for a broker at this port. */
function dataOf(port: number): string {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-beat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "broker.url"), `http://127.0.0.1:${port}\n`);
  return folder;
}

describe("heartbeat", () => {
  it("publishes a success, or a failure with its reason", async () => {
    const published: [string, ...OutgoingMessage[]][] = [];
    const server = createPublishServer({
      publish: async (topic, messages) => {
        published.push([topic, ...messages]);
        return messages.map(() => "1");
      },
    });
    const data = dataOf(await listening(server));
    expect(await run("heartbeat", "nightly-backup", "--data", data)).toEqual({
      code: 0,
      out: ["nightly-backup reported that it ran"],
      err: [],
    });
    expect((await run("heartbeat", "nightly-backup", "--data", data, "--fail", "disk full")).out).toEqual([
      "nightly-backup reported a failure",
    ]);
    expect(published).toEqual([
      ["heartbeats", { data: { name: "nightly-backup", ok: true }, attributes: {} }],
      ["heartbeats", { data: { name: "nightly-backup", ok: false, message: "disk full" }, attributes: {} }],
    ]);
  });

  it("exits with 1 when the publication fails", async () => {
    const { code, out, err } = await run("heartbeat", "nightly-backup", "--data", dataOf(await closedPort()));
    expect([code, out, err.length]).toEqual([1, [], 1]);
    expect(err[0]).toMatch(/^pathkeeper heartbeat: .*heartbeats/);
  });

  it.each([
    [[], "NAME is missing: the name of the job, as set in beat of its probe"],
    [["a", "b"], 'unexpected argument "b"'],
    [
      ["a"],
      "cannot tell where to report: PATHKEEPER_PROJECT is not set: it names the Google Cloud project; specify the system with --project or --data",
    ],
    [["a", "--data", "/nowhere"], "cannot tell where to report: /nowhere/broker.url not found"],
  ])("refuses %j in one line, with exit code 2", async (args, message) => {
    const { code, out, err } = await run("heartbeat", ...args);
    expect([code, out, err.length]).toEqual([2, [], 1]);
    expect(err[0]).toContain(message);
  });
});
