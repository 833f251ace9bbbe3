/** Tells the monitor of disks that cannot be written, as functions report of themselves: it becomes an incident of the monitor, which ends by itself. */
import { selfReport } from "../functions/notify/deliver/self-report.ts";
import type { ProbeResult } from "../shared/messages/report.ts";
import { diskProbe, monitorComponent } from "../shared/monitor.ts";
import type { Logger, Publisher } from "../shared/ports.ts";
import { topics } from "../shared/topology.ts";
import type { RecurringFailures, ReportedFailure } from "./failures.ts";

/** Dependencies of the reporter. */
export interface DiskReporterOptions {
  readonly failures: RecurringFailures;
  readonly environment: string;
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** @default 1000 */
  readonly everyMs?: number;
}

/** Interval at which a lasting failure is reported again, in milliseconds. The monitor drops a failure that has not been reported for an hour. */
const repeatMs = 50 * 60_000;

/** Starts to watch for disk failures. */
export function startDiskReporter(options: DiskReporterOptions): { stop(): void } {
  const { failures, environment, publisher, logger, everyMs = 1_000 } = options;
  let reported: { readonly failure: ReportedFailure; readonly at: number } | undefined;
  let publishing = false;
  const look = async (): Promise<void> => {
    failures.look();
    const [failure] = failures.disks;
    const now = Date.now();
    const isNews =
      failure?.since !== reported?.failure.since || (reported !== undefined && now - reported.at > repeatMs);
    if (!isNews || publishing) return;
    publishing = true;
    const report = selfReport(environment, `disk/${now}`, [resultOf(failure, now)]);
    try {
      await publisher.publish(topics.measurements, [{ data: report }]);
      reported = failure && { failure, at: now };
    } catch (error) {
      logger.warning(`could not report the disk failure: ${(error as Error).message}`);
    } finally {
      publishing = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { stop: () => clearInterval(timer) };
}

function resultOf(failure: ReportedFailure | undefined, now: number): ProbeResult {
  const result = {
    probe: diskProbe,
    component: monitorComponent.name,
    at: new Date(now).toISOString(),
    measurements: [],
  };
  if (failure === undefined) return { ...result, success: true };
  return { ...result, success: false, failure: { kind: "internal", phase: "write", message: failure.sentence } };
}
