/** Assigns firing alerts to incidents: an open one, one that they reopen, a new one, or none for now. */
import { reopenWithin } from "../../../../shared/reopen-within.ts";
import { ownEntry, setEntry } from "../../../../shared/runtime/entries.ts";
import type { LateData } from "../../cause/diagnosis.ts";
import type { Plan } from "../../plan.ts";
import { Draft, type Facts } from "../draft.ts";
import type { EnvironmentState, KnownAlert, TimelineEntry } from "../state.ts";
import { incidentFor } from "./correlate.ts";
import { lateDataNote, lateDataOf } from "./late-data.ts";
import { openIncident, reopenIncident } from "./opening.ts";
import { relapseOf } from "./relapse.ts";

/** Every incident that is open now, with the alerts that have joined it. */
export interface Placed {
  readonly drafts: ReadonlyMap<string, Draft>;
  /** Ids of those that were opened, and of those that were opened again. */
  readonly opened: readonly string[];
  readonly reopened: readonly string[];
  /** Firing alerts that are held, by their keys: see late-data.ts. */
  readonly lateData: Readonly<Record<string, LateData>>;
  /** Additions to timelines of resolved incidents, by incident id. */
  readonly afterwards: ReadonlyMap<string, readonly TimelineEntry[]>;
}

/**
 * Places the alerts that have begun to fire, and those that were held.
 * @param avoid ids that must not be given to a new incident
 */
export function placed(
  environment: EnvironmentState,
  started: readonly KnownAlert[],
  facts: Facts,
  plan: Plan,
  avoid: ReadonlySet<string>,
): Placed {
  const { incidents, recentlyResolved: resolved = [], reopenable = [] } = environment;
  const drafts = new Map(Object.values(incidents).map((incident) => [incident.id, new Draft(incident)]));
  for (const draft of drafts.values()) draft.rename(facts.news);
  const opened: string[] = [];
  const reopened: string[] = [];
  const { held: lateData, released, over } = heldBefore(environment, facts);
  const afterwards = new Map<string, TimelineEntry[]>();
  for (const late of over) {
    const entry = { at: facts.watermark, text: lateDataNote(late, plan) };
    const draft = drafts.get(late.incident);
    if (draft) draft.note(entry.at, entry.text);
    else afterwards.set(late.incident, [...(afterwards.get(late.incident) ?? []), entry]);
  }
  const window = reopenWithin(plan.configuration);
  for (const alert of [...started, ...released].sort((a, b) => a.since - b.since)) {
    const open = incidentFor(
      alert,
      [...drafts.values()].map(({ incident }) => incident),
      facts,
      plan,
    );
    const others = Object.values(incidents).filter(({ alerts: own }) => !Object.hasOwn(own, alert.key));
    const late = lateDataOf(alert, resolved, others, plan);
    if (late !== undefined && facts.time < late.until && (open === undefined || open.status === "recovering")) {
      setEntry(lateData, alert.key, late);
    } else if (open) {
      drafts.get(open.id)?.join(alert);
    } else {
      const fresh = openIncident(alert, facts, plan, resolved, new Set([...avoid, ...drafts.keys()]));
      const ended = relapseOf(alert, fresh.incident, reopenable, window);
      const draft = ended === undefined ? fresh : reopenIncident(ended, alert, resolved);
      drafts.set(draft.incident.id, draft);
      (ended === undefined ? opened : reopened).push(draft.incident.id);
    }
  }
  return { drafts, opened, reopened, lateData, afterwards };
}

/** The fate of held alerts: some stay held, some fire for longer than late data explains, and for some the data has recovered. */
function heldBefore(
  { lateData = {}, incidents }: EnvironmentState,
  { alerts, news, time }: Facts,
): { readonly held: Record<string, LateData>; readonly released: readonly KnownAlert[]; readonly over: LateData[] } {
  const held: Record<string, LateData> = {};
  const released: KnownAlert[] = [];
  const over: LateData[] = [];
  const renamed = new Map([...news].map(([key, { formerly = key }]) => [formerly, key]));
  for (const [known, late] of Object.entries(lateData)) {
    const key = renamed.get(known) ?? known;
    const alert = ownEntry(alerts, key);
    const isFiring = alert?.status === "firing";
    const source = typeof late === "number" ? undefined : ownEntry(incidents, late.incident);
    const isOver = source === undefined || source.status === "recovering";
    if (isFiring && typeof late !== "number" && isOver && time < late.until) setEntry(held, key, late);
    else if (isFiring) released.push(alert);
    else if (typeof late !== "number") over.push(late);
  }
  return { held, released, over };
}
