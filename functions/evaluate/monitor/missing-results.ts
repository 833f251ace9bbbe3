/** Tracks the last result of each probe of a reporting group, and since when results are expected of probes that never had one. Pure. */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Plan } from "../plan.ts";
import type { GroupResults, SelfState } from "./state.ts";

/** The last sign of a probe: its newest result, or the instant since which one is awaited. */
export interface LastResult {
  readonly probe: string;
  readonly from: number;
}

/** The last sign of each probe of a group. */
export function lastResults(
  group: string,
  results: GroupResults | undefined,
  missing: SelfState["missing"],
  { configuration }: Plan,
): LastResult[] {
  return configuration.probes.flatMap(({ name, group: of }) => {
    const from = of === group ? (ownEntry(results?.results, name) ?? ownEntry(missing, name)) : undefined;
    return from === undefined ? [] : [{ probe: name, from }];
  });
}

/** Since when probes have been expected that have never had a result, although their group has reported. @param at now */
export function missingSince(
  before: SelfState["missing"],
  results: Readonly<Record<string, GroupResults | undefined>>,
  { configuration }: Plan,
  at: number,
): SelfState["missing"] {
  const awaited = configuration.probes.filter(({ name, group }) => {
    const shown = ownEntry(results, group);
    return shown?.healthyAt !== undefined && ownEntry(shown.results, name) === undefined;
  });
  return Object.fromEntries(awaited.map(({ name }) => [name, ownEntry(before, name) ?? at]));
}
