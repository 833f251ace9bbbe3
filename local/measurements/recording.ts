/** The measurements of a run, as they come. What cannot be written is a gap in the charts, and ends nothing. */
import { join } from "node:path";
import type { Report } from "../../shared/messages/report.ts";
import { type Recovery, usableDatabase } from "../data/databases.ts";
import type { RecurringFailures } from "../failures.ts";
import { MeasurementsFile, measurementTables } from "./measurements-file.ts";

/** An open recording. */
export interface Recording {
  readonly file: MeasurementsFile;
  record(report: Report): void;
  stop(): void;
}

/** The file of the measurements in a data directory. */
export function measurementsIn(dataDir: string): string {
  return join(dataDir, "measurements.db");
}

/** Opens it. A file that cannot be used is set aside: charts are no reason not to watch. @throws Error where none can be made */
export function openMeasurements(dataDir: string, failures: RecurringFailures, recovery: Recovery): Recording {
  const path = measurementsIn(dataDir);
  usableDatabase(path, measurementTables, { ...recovery, recover: true });
  const file = new MeasurementsFile(path);
  const writing = failures.writing(path);
  return {
    file,
    record: (report) => {
      try {
        file.record(report, Date.now());
        writing.end();
      } catch (error) {
        writing.begin(error instanceof Error ? error : new Error(String(error)));
      }
    },
    stop: () => file.close(),
  };
}
