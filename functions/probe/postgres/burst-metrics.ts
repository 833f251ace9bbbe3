/** The measurements of a burst of connections to PostgreSQL, and its failures. Pure. */

import type { SeenFailure } from "../net/faults.ts";
import type { Assessment } from "../prober.ts";
import { cite } from "../text/target-text.ts";
import { type Burst, type BurstStage, type LossClass, lossClasses, openedBy } from "./burst.ts";

/** The metric of each type of loss. */
export const lossMetrics = {
  unanswered: "database_connect_burst_unanswered",
  reset: "database_connect_burst_resets",
  tls: "database_connect_burst_tls_failures",
} as const satisfies Record<LossClass, string>;

/** The SQLSTATE of a server that has no free connections. Reported even if none was refused. */
const noneLeft = "53300";

/** Returns the samples of a burst; none for one that opened no connections. */
export function burstMeasurements(burst: Burst): Assessment["measurements"][number][] {
  const most = Math.max(0, ...burst.map(openedBy));
  if (most === 0) return [];
  const times = burst.flatMap(({ ready }) => ready);
  const lost = Math.max(...burst.map(({ losses }) => losses.length));
  return [
    // A connection that the server refuses does not count as lost on the way.
    { metric: "database_connect_burst_success", value: (most - lost) / most },
    ...burst.flatMap((seen) => stageMeasurements(seen)),
    ...(times.length === 0 ? [] : [{ metric: "database_connect_burst_time" as const, value: Math.max(...times) }]),
  ];
}

function stageMeasurements(seen: BurstStage): Assessment["measurements"][number][] {
  const { stage, losses, refusals } = seen;
  const codes = Map.groupBy(refusals, ({ code = "none" }) => code);
  return [
    { metric: "database_connect_burst_connections", value: openedBy(seen), labels: { stage } },
    ...lossClasses.map((one) => ({
      metric: lossMetrics[one],
      value: losses.filter((loss) => loss.class === one).length,
      labels: { stage },
    })),
    ...[...new Set([noneLeft, ...codes.keys()])].map((code) => ({
      metric: "database_connect_burst_refusals" as const,
      value: codes.get(code)?.length ?? 0,
      labels: { stage, code },
    })),
  ];
}

/** Returns the failure of a burst with a stage in which every connection failed; a single one can be lost by chance. */
export function burstFailure(burst: Burst = []): SeenFailure | undefined {
  const enough = Math.min(2, Math.max(0, ...burst.map(openedBy)));
  const failed = burst.find((stage) => stage.ready.length === 0 && openedBy(stage) >= enough);
  const first = failed?.refusals[0] ?? failed?.losses[0]?.failure;
  if (!failed || !first) return undefined;
  const what = { connect: "connections", tls: "TLS handshakes", answer: "connections", login: "logins" }[failed.stage];
  return { ...first, message: cite`none of ${openedBy(failed)} simultaneous ${what} succeeded: ${first.message}` };
}
