/**
 * Symptoms: everything bad that was observed during an incident, kept when it has passed, because it remains to be explained. Each is followed
 * from its first bad measurement on: it begins, goes on, ends, and may return. Pure.
 */
import { ownEntry, setEntry } from "../../../../shared/runtime/entries.ts";
import type { Draft, Facts } from "../../incident/draft.ts";
import { earliestIn } from "../../incident/record/onset.ts";
import { changeNotes, onsetNotes, returnNotes } from "../../incident/record/symptom-text.ts";
import type { TimelineEntry } from "../../incident/state.ts";
import { ledgerSince } from "../../partition/failure-ledger.ts";
import type { ProbeFact } from "../../partition/state.ts";
import type { Plan } from "../../plan.ts";
import type { Symptom } from "../diagnosis.ts";
import { isCertain } from "../timing.ts";
import { failingIn, intermittentIn } from "./built-in.ts";
import { entriesOfEach, probeOf, withLedger } from "./ledger.ts";
import { beyondRoom } from "./room.ts";
import { passedSymptoms, symptomsIn } from "./seen.ts";
import { withWorst } from "./worst.ts";

/** The firing alerts of the rules that are built into probes, by these. */
type Alarms = Readonly<Record<"failing" | "intermittent", ReturnType<typeof failingIn>>>;

/** A symptom as it is now, and what the timeline says of that. */
interface Followed {
  readonly symptom: Symptom;
  readonly notes: readonly TimelineEntry[];
}

/**
 * Everything bad that belongs to the incident, with what has passed; the same object when nothing is new.
 * @param belongs whether something that was not seen before has to do with it
 */
export function withSymptoms(
  draft: Draft,
  facts: Facts,
  plan: Plan,
  belongs: (symptom: Symptom) => boolean,
): Readonly<Record<string, Symptom>> {
  const { incident } = draft;
  const symptoms: Record<string, Symptom> = { ...incident.symptoms };
  // Of many symptoms, fewer failures are kept of each.
  const most = entriesOfEach(Object.keys(symptoms).length);
  let changed = false;
  const take = (followed: Followed | undefined): void => {
    if (followed === undefined) return;
    setEntry(symptoms, followed.symptom.id, followed.symptom);
    changed = true;
    // The symptom that opens an incident is published once the incident has its name.
    if (incident.id !== "") for (const { at, text } of followed.notes) draft.note(at, text);
  };
  const earliest = earliestIn(incident);
  const endOf = (id: string): number => ownEntry(incident.symptoms, id)?.until ?? earliest;
  const all = symptomsIn(facts, plan, (id) => Math.max(earliest, endOf(id)));
  const isNew = (seen: Symptom): boolean => ownEntry(symptoms, seen.id) === undefined && belongs(seen);
  const passed = passedSymptoms(facts, plan).filter((seen) => !all.some(({ id }) => id === seen.id) && isNew(seen));
  const added = [...all.filter(isNew), ...passed];
  const leftOut = beyondRoom([...Object.values(symptoms), ...added], plan);
  const isAdded = new Set(added.map(({ id }) => id).filter((id) => !leftOut.has(id)));
  for (const id of leftOut) {
    delete symptoms[id];
    changed ||= ownEntry(incident.symptoms, id) !== undefined;
  }
  for (const seen of [...all, ...passed]) {
    const known = ownEntry(symptoms, seen.id);
    if (known !== undefined) take(known.until === undefined ? goingOn(known, seen, most) : returned(known, seen, most));
    else if (isAdded.has(seen.id)) take({ symptom: seen, notes: onsetNotes(seen) });
  }
  const alarms = { failing: failingIn(facts.alerts), intermittent: intermittentIn(facts.alerts) };
  for (const symptom of Object.values(symptoms)) take(confirmedOrOver(symptom, facts, alarms, most));
  return changed ? symptoms : incident.symptoms;
}

/** A symptom that had recovered and is bad again. */
function returned(known: Symptom, seen: Symptom, most: number): Followed {
  const { until = seen.since, most: _, intermittent: __, ...rest } = known;
  const { most: cap, intermittent } = seen;
  const again: Symptom = {
    ...withLedger(withoutEnd(rest), seen.failures, most),
    ...(cap === undefined ? {} : { most: cap }),
    ...(intermittent === undefined ? {} : { intermittent }),
    goodMs: (known.goodMs ?? 0) + Math.max(0, seen.since - until),
    againSince: seen.since,
    times: (known.times ?? 1) + 1,
  };
  return { symptom: withWorst(again, seen), notes: returnNotes(known, seen) };
}

function withoutEnd({ until: _, ...symptom }: Symptom): Symptom {
  return symptom;
}

/** A symptom that is still bad; `undefined` if nothing of it is new. */
function goingOn(known: Symptom, seen: Symptom, most: number): Followed | undefined {
  const next = withWorst(withLedger(known, seen.failures, most), seen);
  const { intermittent } = seen;
  const isNewly = intermittent !== undefined && intermittent.at !== known.intermittent?.at;
  if (seen.since >= known.since && next === known && !isNewly) return undefined;
  const symptom = {
    ...next,
    since: Math.min(known.since, seen.since),
    ...(isNewly ? { intermittent } : {}),
  };
  return { symptom, notes: changeNotes(known, symptom) };
}

/** A symptom that is now beyond chance, or over; `undefined` if unchanged. */
function confirmedOrOver(symptom: Symptom, facts: Facts, alarms: Alarms, most: number): Followed | undefined {
  const fact = symptom.source === "probe" ? ownEntry(facts.probes, probeOf(symptom)) : undefined;
  const isOver = symptom.until === undefined && !isStillBad(symptom, facts, alarms);
  const confirmed = symptom.confirmed === true || isConfirmed(symptom, facts, alarms);
  // The ledger of what has ended is whole, but for what comes late.
  const isGoingOn = fact === undefined || fact.status === "bad";
  const updated = isGoingOn ? symptom : withLedger(symptom, ledgerSince(fact.failures, symptom.since), most);
  if (!isOver && updated === symptom && confirmed === (symptom.confirmed === true)) return undefined;
  // It was good again when it was measured to be, whatever else is newer.
  const until = fact?.status === "good" ? Math.max(symptom.since, fact.since) : facts.watermark;
  const next = { ...updated, ...(confirmed ? { confirmed } : {}), ...(isOver ? { until } : {}) };
  if (symptom.source === "rule") return { symptom: next, notes: [] };
  const end = { at: until, text: `\`${probeOf(symptom)}\` ${endings[fact?.status ?? "none"]}.` };
  return { symptom: next, notes: [...changeNotes(symptom, updated), ...(isOver ? [end] : [])] };
}

const endings: Readonly<Record<ProbeFact["status"] | "none", string>> = {
  good: "is good again",
  unknown: "no longer reports",
  bad: "is bad",
  none: "is no longer configured",
};

function isConfirmed(symptom: Symptom, { watermark }: Facts, { failing, intermittent }: Alarms): boolean {
  const probe = probeOf(symptom);
  return isCertain(symptom, watermark) || failing.has(probe) || intermittent.has(probe);
}

/** Returns whether it continues: a silent probe says nothing, and an uncertain symptom does not become certain that way. */
function isStillBad(symptom: Symptom, { alerts, probes }: Facts, { intermittent }: Alarms): boolean {
  const { id, source, confirmed } = symptom;
  if (source === "rule") return ownEntry(alerts, id.slice("alert/".length)) !== undefined;
  const status = ownEntry(probes, probeOf(symptom))?.status ?? "good";
  // A good run in between does not end it.
  return intermittent.has(probeOf(symptom)) || status === "bad" || (status === "unknown" && confirmed === true);
}
