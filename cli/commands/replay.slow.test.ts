import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import { recorded, shop } from "./replay.fixtures.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pathkeeper-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, "monitor.yaml");
writeFileSync(config, shop);

const outage = recorded({
  database: ".....XXXXXXX......",
  "backend-health": "......XXXXXX......",
  pages: "...................",
});
const record = outage.map((report) => `${JSON.stringify(report)}\n`).join("");

function replay(input: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const all = ["cli/pathkeeper.mjs", "replay", "--config", config, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: root, encoding: "utf8", input });
  return { status, stdout, stderr };
}

describe("replay", () => {
  it("prints one incident event per line and nothing else", () => {
    const { status, stdout, stderr } = replay(record);
    expect([status, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => parseIncidentEvent(JSON.parse(line)).event)).toEqual([
      "opened",
      "joined",
      "recovering",
      "resolved",
    ]);
    expect(replay(record).stdout).toBe(stdout);
  });

  it("stops at --until", () => {
    const { status, stdout } = replay(record, "--until", "2025-09-16T14:08:30+02:00");
    expect([status, stdout.split("\n").length - 1]).toEqual([0, 2]);
  });

  it.each([
    ["a bad line", `${record}{"v":1\n`, [], `line ${outage.length + 1} is not JSON: `],
    [
      "a bad instant",
      record,
      ["--until", "noon"],
      "--until noon: use a time in RFC 3339, such as 2025-09-16T12:30:00Z",
    ],
    [
      "a slip in the year",
      record,
      ["--until", "2052-09-16T12:30:00Z"],
      "--until 2052-09-16T12:30:00.000Z is more than a year after the last report, at 2025-09-16T12:18:00.400Z",
    ],
    ["a wrong configuration", record, ["--config", "package.json"], "package.json:"],
  ])("refuses %s in one line", (_, input, args, message) => {
    const { status, stdout, stderr } = replay(input, ...args);
    expect([status, stdout, stderr.trimEnd().split("\n").length]).toEqual([2, "", 1]);
    expect(stderr).toContain(message);
  });
});
