import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "../local-probes.fixtures.ts";
import { shop } from "./replay.fixtures.ts";

/** A folder with the shop's configuration and a file of tests. @returns the path of the tests */
function testsOf(text: string, configuration: string = shop): string {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "monitor.yaml"), configuration);
  const file = join(folder, "tests.yaml");
  writeFileSync(file, text);
  return file;
}

const outage = `tests:
  - name: The database refuses everybody
    timeline:
      from 10m to 40m:
        - database fails in connect (refused)
        - backend-health fails "503 Service Unavailable"
    expect:
`;

describe("pathkeeper test", () => {
  it("passes when every expectation is met", async () => {
    const file = testsOf(`${outage}      incidents:
        - { root_cause: database, verdict: platform, opened_within: 3m, resolved_within: 5m, events: [opened, ..., resolved] }
  - name: A quiet day
    until: 1d
    expect: silence
`);
    const { code, out } = await run("test", file);
    expect(out).toEqual([
      file,
      expect.stringMatching(
        /^ {2}✓ {2}The database refuses everybody {2}1 incident: database, critical, 12m to 42m\d+s$/,
      ),
      "  ✓  A quiet day                     no incident",
      "",
      "2 tests passed",
    ]);
    expect(code).toBe(0);
  });

  it("shows the expectation, the result and the timeline around it", async () => {
    const file = testsOf(`${outage}      incidents: [{ root_cause: backend }]\n`);
    const { code, out } = await run("test", file);
    const text = out.join("\n");
    expect(code).toBe(1);
    expect(text).toMatch(/✗ {2}The database refuses everybody/);
    expect(text).toMatch(/incident 1, root_cause\n +expected {2}backend\n +found {5}database\n/);
    expect(text).toMatch(/10m {2}timeline {2}database fails in connect \(refused\)\n/);
    expect(text).toMatch(/1 of 1 test failed$/);
  });

  it("fails for an unexpected incident", async () => {
    const file = testsOf(`${outage.replace("    expect:\n", "")}    expect: silence\n`);
    const { code, out } = await run("test", file);
    expect(code).toBe(1);
    expect(out.join("\n")).toMatch(/silence\n +expected {2}no incident\n +found {5}\d{8}-\d{6}-database/);
  });

  it("reports every problem in the file with its position", async () => {
    const file = testsOf(`tests:
  - name: Mistakes
    timelin: {}
    timeline:
      from 10m: [databse fails, database fails in connect (tiemout)]
      at noon: acknowledge
      at 5m: aknowledge
    expect:
      incidents: [{ root_cause: databas }]
      notifications: { hook: [opened] }
`);
    const { code, out } = await run("test", file);
    const told = out.filter((line) => line.startsWith(`${file}:`)).map((line) => line.slice(file.length + 1));
    expect(code).toBe(1);
    expect(told).toEqual([
      '3:5  unknown key "timelin": did you mean "timeline"?',
      '5:18  there is no probe and no metric "databse": did you mean "database"?',
      '5:60  there is no failure kind "tiemout": did you mean "timeout"?',
      '6:7  invalid time "at noon": write from 10m to 40m, from 10m, or at 12m',
      '7:14  "aknowledge" cannot be done at an instant: did you mean "acknowledge"?',
      '9:33  there is no component "databas": did you mean "database"?',
      '10:24  there is no channel "hook": there are no channels',
    ]);
  });
});
