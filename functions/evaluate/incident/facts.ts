/** Facts about the environment after a change, and the alerts that started to fire with it. Pure. */
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { Plan } from "../plan.ts";
import type { Change } from "../rules/alerts.ts";
import type { Facts, IncidentInput } from "./draft.ts";
import type { EnvironmentState, Incident, KnownAlert } from "./state.ts";

/** The facts with the news in them, and the alerts that have just begun to fire. */
export function factsAfter(
  environment: EnvironmentState,
  input: IncidentInput,
  plan: Plan,
): { readonly facts: Facts; readonly started: readonly KnownAlert[] } {
  const probes = { ...environment.probes };
  const alerts = { ...environment.alerts };
  const started: KnownAlert[] = [];
  const news = new Map<string, Extract<Change, { what: "alert" }>>();
  for (const change of input.changes) {
    if (change.what === "probe") {
      setEntry(probes, change.fact.probe, change.fact);
      continue;
    }
    const { key, alert, formerly = key } = change;
    const before = ownEntry(alerts, formerly);
    news.set(key, change);
    delete alerts[formerly];
    if (alert === undefined) continue;
    if (alert.status === "firing" && before?.status !== "firing") started.push(alert);
    setEntry(alerts, key, alert);
  }
  if (input.tickAt !== undefined) {
    for (const name of Object.keys(probes)) if (!plan.probes.has(name)) delete probes[name];
  }
  for (const { probe, at, failures } of Object.values(input.probes ?? {})) {
    const known = ownEntry(probes, probe);
    if (known === undefined || failures === undefined || at < known.at) continue;
    setEntry(probes, probe, { ...known, at, failures });
  }
  const watermark = Math.max(environment.watermark, ...input.changes.map(({ at }) => at));
  const time = Math.max(watermark, input.tickAt ?? 0);
  const changes = withReported(environment.changes, input.reported, time);
  return { facts: { probes, alerts, watermark, time, news, changes }, started };
}

/** The most reported changes that are kept, and for how long, in milliseconds. */
const maxReported = 100;
const keptFor = 86_400_000;

/** The changes that were reported lately, with those that have come now, each once. */
function withReported(known: EnvironmentState["changes"] = [], reported: IncidentInput["reported"] = [], now: number) {
  const all = new Map([...known, ...reported].map((change) => [change.id, change]));
  const kept = [...all.values()].filter(({ at }) => now - at <= keptFor);
  return kept.sort((a, b) => a.at - b.at).slice(-maxReported);
}

/** The facts without the ledgers that are needed no more: of what is good, and of what stands among the symptoms of an incident. */
export function withoutRecordedLedgers(
  probes: Readonly<Record<string, ProbeFact>>,
  incidents: readonly Incident[],
): Readonly<Record<string, ProbeFact>> {
  const isRecorded = ({ probe, status }: ProbeFact): boolean =>
    status !== "bad" || incidents.some(({ symptoms }) => Object.hasOwn(symptoms, `probe/${probe}`));
  const next: Record<string, ProbeFact> = {};
  for (const [name, fact] of Object.entries(probes)) {
    const { failures, ...rest } = fact;
    setEntry(next, name, failures !== undefined && isRecorded(fact) ? rest : fact);
  }
  return next;
}
