/** Groups of probes that run so often, and are so many, that what rules look back on does not fit into the state of the group. */
import { exportsOf } from "../../metrics/exported.ts";
import { canYield, yieldsMetric } from "../../metrics/yields.ts";
import { formatDuration } from "../../text/units.ts";
import type { Problems } from "../file/problems.ts";
import type { Configuration, ConfiguredProbe } from "../model.ts";
import { horizonFor, shortestGap } from "../schedule.ts";
import type { Vocabulary } from "../schema.ts";

/**
 * What a state takes once it is compressed, in bytes: a value with random digits, the instant and the success of a run, an instant that is kept for a
 * window alone, and what is known of a probe. Measured; a state has room for 256 KiB, a sixth of which is left for failures.
 */
const bytes = { value: 4.5, run: 3.5, instant: 1.2, probe: 100 } as const;
const maxBytes = 215 * 1024;

/** Refuses such groups, at the schedule of their first probe. */
export function checkGroupState(configuration: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  const windows = windowsOf(configuration, vocabulary);
  for (const members of Map.groupBy(configuration.probes, ({ group }) => group).values()) {
    const [first] = members;
    if (first === undefined) continue;
    const paceMs = shortestGap(first.schedule);
    const size = members.reduce((sum, probe) => sum + bytesOf(probe, windows, paceMs), 0);
    if (size <= maxBytes) continue;
    const many =
      members.length === 1
        ? `a probe every ${formatDuration(paceMs)} is`
        : `${members.length} probes every ${formatDuration(paceMs)} are`;
    const message = `${many} too much for one group: what rules and exports look back on takes about ${kibibytes(size)}, and its state has room for ${kibibytes(maxBytes)}; run them less often, give some another schedule, or shorten the windows of the rules`;
    problems.error({ path: ["probes", first.name, "schedule"] }, { message });
  }
}

/** The longest lookback on each metric that is kept, in milliseconds. The samples of a metric are kept alike, whichever of its series a rule selects. */
function windowsOf(configuration: Configuration, vocabulary: Vocabulary): ReadonlyMap<string, number> {
  const { probes, rules } = configuration;
  const windows = new Map((exportsOf(configuration) ?? []).map((metric) => [metric, 0]));
  for (const { condition, clearCondition = condition, alertDurationMs } of rules) {
    for (const text of new Set([condition, clearCondition])) {
      for (const selection of vocabulary.conditionSelectors(text, alertDurationMs)) {
        const { metric, windowMs = 0 } = selection;
        if (!probes.some((probe) => canYield(probe, selection))) continue;
        windows.set(metric, Math.max(windows.get(metric) ?? 0, windowMs));
      }
    }
  }
  return windows;
}

/** Size of what is kept of a probe, in bytes. */
function bytesOf(probe: ConfiguredProbe, windows: ReadonlyMap<string, number>, paceMs: number): number {
  // Samples are kept for as long as a report may be late.
  const runs = Math.ceil(horizonFor(paceMs) / paceMs);
  let size = bytes.probe + runs * bytes.run;
  for (const [metric, windowMs] of windows) {
    if (!yieldsMetric(probe, metric)) continue;
    const earlier = Math.ceil(windowMs / paceMs);
    // Success is nearly always the same, so that only its instants take room.
    const value = metric === "probe_success" ? 0 : bytes.value;
    size += seriesOf(probe, metric) * ((runs + earlier) * value + earlier * bytes.instant);
  }
  return size;
}

function kibibytes(size: number): string {
  return `${Math.ceil(size / 1024)} KiB`;
}

/** Number of series of a metric that a probe yields, as far as its labels are known. */
function seriesOf({ yields = [] }: ConfiguredProbe, metric: string): number {
  const { labels = {} } = yields.find((one) => one.metric === metric) ?? {};
  return Object.values(labels).reduce((product, known) => product * Math.max(1, known.length), 1);
}
