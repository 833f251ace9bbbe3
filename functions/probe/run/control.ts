/** The control probe of a batch: a target known to be healthy, which distinguishes failures of the prober from failures of the targets. */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { FailureKind, ProbeResult } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { probers as registry } from "../probers/index.ts";
import { type AttemptPorts, runProbe } from "./attempt.ts";

/** A control probe that runs next to the batch. */
export interface Control {
  /**
   * Returns why these results must be ignored, in one sentence; `undefined` if they are valid. Waits for the control probe only if the
   * results alone do not decide, and ends it otherwise.
   * @param probes that the results belong to
   */
  verdict(results: readonly ProbeResult[], probes: readonly ConfiguredProbe[]): Promise<string | undefined>;
}

/** Starts the control probe, and retries it once immediately if it fails. */
export function startControl(probe: ConfiguredProbe, ports: AttemptPorts): Control {
  const unwanted = new AbortController();
  // Both attempts complete before the next run is due.
  const room = (ports.nextAt ?? Number.POSITIVE_INFINITY) - ports.clock.now();
  const timeoutMs = Math.max(1, Math.min(probe.timeoutMs, room / 2));
  const running = run({ ...probe, timeoutMs, recheck: false }, { ...ports, unwanted: unwanted.signal });
  return {
    async verdict(results, probes) {
      const { probers = registry } = ports;
      const conclusive = results.filter(({ probe }) => hasTarget(probe, probes, probers));
      const doubtful = conclusive.length > 0 && !conclusive.some(answered);
      if (!doubtful) unwanted.abort();
      const failure = await running;
      return doubtful ? failure : undefined;
    },
  };
}

/** Returns whether a result proves that the prober's own network works. */
export function provesHealth(
  result: ProbeResult,
  probes: readonly ConfiguredProbe[],
  probers: NonNullable<AttemptPorts["probers"]>,
): boolean {
  return hasTarget(result.probe, probes, probers) && answered(result);
}

function hasTarget(
  name: string,
  probes: readonly ConfiguredProbe[],
  probers: NonNullable<AttemptPorts["probers"]>,
): boolean {
  const kind = probes.find((probe) => probe.name === name)?.kind ?? "";
  return ownEntry(probers, kind)?.targetless !== true;
}

async function run(probe: ConfiguredProbe, ports: AttemptPorts): Promise<string | undefined> {
  let last: ProbeResult | undefined;
  for (let attempt = 1; attempt <= 2 && !ports.unwanted?.aborted; attempt++) {
    last = await runProbe(probe, ports);
    if (last.success) return undefined;
  }
  const why = last?.failure === undefined ? "" : `: ${last.failure.message}`;
  return `the control probe, a target known to be good, failed twice as well${why}`;
}

/** Failures in which a server responded, if only by refusing: the prober's own network works. */
const answers: ReadonlySet<FailureKind> = new Set(["refused", "http_status", "body", "auth", "database", "sequence"]);

function answered({ success, failure }: ProbeResult): boolean {
  return success || (failure !== undefined && answers.has(failure.kind));
}
