/** The resources in Google Cloud that the probes of an environment watch, as declared by their kinds. */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { WatchedResource } from "../google/watched.ts";
import type { AnyProber } from "../prober.ts";

const known = new WeakMap<readonly ConfiguredProbe[], readonly WatchedResource[]>();

/** Returns every resource with its component; computed on first use. */
export function resourcesOf(
  probes: readonly ConfiguredProbe[],
  probers: Readonly<Record<string, AnyProber>>,
): readonly WatchedResource[] {
  const resources = known.get(probes) ?? probes.flatMap((probe) => resourcesIn(probe, probers));
  known.set(probes, resources);
  return resources;
}

function resourcesIn(
  { kind, component, settings }: ConfiguredProbe,
  probers: Readonly<Record<string, AnyProber>>,
): WatchedResource[] {
  const prober = ownEntry(probers, kind);
  if (prober?.looksAt === undefined) return [];
  const read = prober.settings.safeParse(settings);
  if (!read.success) return [];
  return prober.looksAt(read.data).map((one) => ({ ...one, component: one.component ?? component }));
}
