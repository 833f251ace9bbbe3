import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { parseReport, type Report } from "../../shared/messages/report.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { openRecorder } from "./recorder.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = (id: string): Report => ({
  v: 1,
  report: id,
  environment: "shop",
  vantage: "outside",
  group: "outside-1m",
  trigger: "schedule",
  started_at: "2025-09-16T12:04:00.000Z",
  finished_at: "2025-09-16T12:04:01.000Z",
  results: [],
});

it("appends a line for each report, in order, also to an existing file", async () => {
  const file = join(folder, "reports.ndjson");
  for (const run of ["first", "second"]) {
    const recorder = await openRecorder(file, silentLogger);
    for (let number = 1; number <= 50; number++) recorder.write(report(`${run}/${number}`));
    await recorder.stop();
  }
  const lines = readFileSync(file, "utf8").split("\n");
  expect(lines.pop()).toBe("");
  const ids = lines.map((line) => parseReport(JSON.parse(line)).report);
  const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
  expect(ids).toEqual(["first", "second"].flatMap((run) => numbers.map((number) => `${run}/${number}`)));
});

it("reports at once that a file cannot be written", async () => {
  const file = join(folder, "nowhere", "reports.ndjson");
  await expect(openRecorder(file, silentLogger)).rejects.toThrow(`cannot record to ${file}: ENOENT`);
});

it("logs once that a disk is full, and lets the run continue", async () => {
  const logged: string[] = [];
  const recorder = await openRecorder("/dev/full", { ...silentLogger, error: (message) => logged.push(message) });
  recorder.write(report("one"));
  recorder.write(report("two"));
  await recorder.stop();
  expect(logged).toEqual([expect.stringContaining("the record /dev/full ends here: ENOSPC")]);
});
