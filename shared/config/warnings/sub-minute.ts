/** Groups of probes that run so often, and are so many, that what rules look back on does not fit into the state of the group. */
import { canYield } from "../../metrics/yields.ts";
import { formatDuration } from "../../text/units.ts";
import type { Problems } from "../file/problems.ts";
import type { Configuration, ConfiguredProbe } from "../model.ts";
import { groupsWithRounds, shortestGap } from "../schedule.ts";
import type { Selection, Vocabulary } from "../schema.ts";

/**
 * Number of samples that the state of one group has room for. A compressed sample with random digits takes about four bytes of its 256 KiB,
 * and the rest holds the results of the probes.
 */
export const mostSamples = 50_000;

/** Maximum delay at which a report is still judged at these intervals, in milliseconds: samples are kept that long. */
const horizonMs = (paceMs: number): number => Math.max(120_000, 10 * paceMs);

/** Refuses such groups, at the schedule of their first probe. */
export function checkSubMinute(configuration: Configuration, problems: Problems, vocabulary: Vocabulary): void {
  const { probes, rules } = configuration;
  const selections = rules.flatMap(({ condition, clearCondition, alertDurationMs }) =>
    [condition, ...(clearCondition === undefined ? [] : [clearCondition])].flatMap((text) =>
      vocabulary.conditionSelectors(text, alertDurationMs),
    ),
  );
  for (const { group, schedule } of groupsWithRounds(probes)) {
    const members = probes.filter((probe) => probe.group === group);
    const paceMs = shortestGap(schedule);
    const samples = members.reduce((sum, probe) => sum + samplesOf(probe, selections, paceMs), 0);
    const [first] = members;
    if (samples <= mostSamples || first === undefined) continue;
    const many = `${members.length} probe${members.length === 1 ? "" : "s"} every ${formatDuration(paceMs)}`;
    const message = `${many} are too many for one group: rules look back on ${samples} of their samples, and its state has room for ${mostSamples}; run them less often, give some another schedule, or shorten the windows of the rules`;
    problems.error({ path: ["probes", first.name, "schedule"] }, { message });
  }
}

/** Number of samples kept per probe: its success, and each metric that a rule uses. */
function samplesOf(probe: ConfiguredProbe, selections: readonly Selection[], paceMs: number): number {
  const windows = new Map([["probe_success", 0]]);
  for (const selection of selections) {
    const { metric, windowMs = 0 } = selection;
    if (canYield(probe, selection)) windows.set(metric, Math.max(windows.get(metric) ?? 0, windowMs));
  }
  let samples = 0;
  for (const windowMs of windows.values()) samples += Math.ceil((horizonMs(paceMs) + windowMs) / paceMs);
  return samples;
}
