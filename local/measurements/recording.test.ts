import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Report } from "../../shared/messages/report.ts";
import { RecurringFailures } from "../failures.ts";
import { measurementsIn, openMeasurements } from "./recording.ts";

function opened(): { folder: string; reported: string[]; open: () => ReturnType<typeof openMeasurements> } {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-recording-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const reported: string[] = [];
  const report = (sentence: string): void => void reported.push(sentence);
  const open = () => {
    const recording = openMeasurements(folder, new RecurringFailures(report), {
      recover: false,
      report,
      now: Date.now(),
    });
    onTestFinished(() => recording.stop());
    return recording;
  };
  return { folder, reported, open };
}

function report(): Report {
  const at = new Date().toISOString();
  const measurements = [{ metric: "probe_success", value: 1, labels: {} }];
  return {
    ...{ v: 1, report: at, environment: "e", vantage: "outside", group: "g", trigger: "schedule" },
    ...{ started_at: at, finished_at: at },
    results: [{ probe: "p", component: "c", at, success: true, measurements }],
  };
}

it("continues with the file of an earlier run", async () => {
  const { folder, reported, open } = opened();
  const first = open();
  first.record(report());
  first.stop();
  expect(await open().file.series()).toHaveLength(1);
  expect(reported).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toEqual([]);
});

it("sets a damaged file aside, reports it, and starts a new one", async () => {
  const { folder, reported, open } = opened();
  writeFileSync(measurementsIn(folder), "this is no database".repeat(1_000));
  const recording = open();
  recording.record(report());
  expect(await recording.file.series()).toHaveLength(1);
  expect(reported).toEqual([expect.stringMatching(/measurements\.db is not a database: it was set aside as/)]);
});

it("reports once that it cannot be written, and continues", () => {
  const { reported, open } = opened();
  const recording = open();
  recording.stop();
  for (let times = 0; times < 3; times++) recording.record(report());
  expect(reported).toHaveLength(1);
});
