/** Tells the monitor of disks that cannot be written, as functions report of themselves: it becomes an incident of the monitor, which ends by itself. */
import { selfReport } from "../functions/notify/deliver/trouble.ts";
import type { ProbeResult } from "../shared/messages/report.ts";
import { diskProbe, monitorComponent } from "../shared/monitor.ts";
import type { Logger, Publisher } from "../shared/ports.ts";
import { topics } from "../shared/topology.ts";
import type { ReportedTrouble, Troubles } from "./troubles.ts";

/** Dependencies of the reporter. */
export interface DiskReporterOptions {
  readonly troubles: Troubles;
  readonly environment: string;
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** @default 1000 */
  readonly everyMs?: number;
}

/** Interval at which a lasting failure is reported again, in milliseconds. The monitor drops a failure that has not been reported for an hour. */
const repeatMs = 50 * 60_000;

/** Starts to look at the troubles. */
export function startDiskReporter(options: DiskReporterOptions): { stop(): void } {
  const { troubles, environment, publisher, logger, everyMs = 1_000 } = options;
  let reported: { readonly trouble: ReportedTrouble; readonly at: number } | undefined;
  let publishing = false;
  const look = async (): Promise<void> => {
    troubles.look();
    const [trouble] = troubles.disks;
    const now = Date.now();
    const isNews =
      trouble?.since !== reported?.trouble.since || (reported !== undefined && now - reported.at > repeatMs);
    if (!isNews || publishing) return;
    publishing = true;
    const report = selfReport(environment, `disk/${now}`, [resultOf(trouble, now)]);
    try {
      await publisher.publish(topics.measurements, [{ data: report }]);
      reported = trouble && { trouble, at: now };
    } catch (error) {
      logger.warning(`could not report the disk failure: ${(error as Error).message}`);
    } finally {
      publishing = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { stop: () => clearInterval(timer) };
}

function resultOf(trouble: ReportedTrouble | undefined, now: number): ProbeResult {
  const result = {
    probe: diskProbe,
    component: monitorComponent.name,
    at: new Date(now).toISOString(),
    measurements: [],
  };
  if (trouble === undefined) return { ...result, success: true };
  return { ...result, success: false, failure: { kind: "internal", phase: "write", message: trouble.sentence } };
}
