/**
 * Incidents: what a change of alerts and probes means for the outages that are open. Pure: `revise` takes the state of the environment
 * and what happened, and returns the next state, with the messages to send in its outbox.
 */
import { isDeepStrictEqual } from "node:util";
import { deliveryCountsOf } from "../../../shared/documents/delivery-summary.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { type Severity, severities, worse } from "../../../shared/messages/severity.ts";
import { reopenWithin } from "../../../shared/reopen-within.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { topics } from "../../../shared/topology.ts";
import { diagnose } from "../cause/diagnose.ts";
import type { Diagnosis, LateData } from "../cause/diagnosis.ts";
import { knownProbes, observedOf, withFaults, withIndicators } from "../cause/observed.ts";
import { withSymptoms } from "../cause/symptoms/follow.ts";
import { isDrill } from "../monitor/drill.ts";
import { diagnoseMonitor, isOfMonitor, monitorTitle } from "../monitor/incident-text.ts";
import type { ProbeFact } from "../partition/state.ts";
import { type Plan, titleOf } from "../plan.ts";
import type { Change } from "../rules/alerts.ts";
import { incidentFor, membershipOf } from "./correlate.ts";
import { nextInquiry, withAnswer } from "./diagnosis-request.ts";
import { Draft, type Facts, type IncidentInput } from "./draft.ts";
import { lateDataNote, lateDataOf } from "./late-data.ts";
import { applyEdit, follow } from "./lifecycle.ts";
import { followMuting } from "./muting.ts";
import type { OperatorFields } from "./operator-edits.ts";
import { alertNotes } from "./record/alert-timeline.ts";
import { believed } from "./record/document.ts";
import { incidentId } from "./record/id.ts";
import { clockTime } from "./record/instants.ts";
import { onsetNotes } from "./record/symptom-text.ts";
import { predecessorOf, relapseOf, reopen, reopenableAfter } from "./relapse.ts";
import { dueReminders } from "./reminders.ts";
import { secondCauseAt } from "./second-cause.ts";
import type { EnvironmentState, Incident, KnownAlert, OutboxEntry, RecentlyResolved, TimelineEntry } from "./state.ts";

/** The most causes that are kept of one incident. */
const mostCauses = 12;

/** The next state, and the incidents that are not what they were. */
export interface Revised {
  readonly environment: EnvironmentState;
  readonly changed: readonly Incident[];
  /** Ids of those that were opened just now. */
  readonly opened: readonly string[];
  /** Ids of those that were opened again just now. */
  readonly reopened: readonly string[];
  /** What is to be added to the timelines of incidents that are over, by their ids. */
  readonly afterwards: ReadonlyMap<string, readonly TimelineEntry[]>;
}

/**
 * Works out what happened to the incidents.
 * @param now the time of day, for what is asked of others; everything told uses the time of the measurements
 * @param avoid ids that must not be given to a new incident
 */
export function revise(
  environment: EnvironmentState,
  input: IncidentInput,
  plan: Plan,
  now: number,
  avoid: ReadonlySet<string> = new Set(),
): Revised {
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
  const facts: Facts = { probes, alerts, watermark, time, news };

  const drafts = new Map(Object.values(environment.incidents).map((incident) => [incident.id, new Draft(incident)]));
  for (const draft of drafts.values()) draft.rename(news);
  const opened: string[] = [];
  const reopened: string[] = [];
  const window = reopenWithin(plan.configuration);
  const resolved = environment.recentlyResolved ?? [];
  const lateData: Record<string, LateData> = {};
  const afterwards = new Map<string, TimelineEntry[]>();
  const renamed = new Map([...news].map(([key, { formerly = key }]) => [formerly, key]));
  for (const [known, late] of Object.entries(environment.lateData ?? {})) {
    const key = renamed.get(known) ?? known;
    const alert = ownEntry(alerts, key);
    const isFiring = alert?.status === "firing";
    if (typeof late === "number") {
      if (isFiring) started.push(alert);
      continue;
    }
    const source = ownEntry(environment.incidents, late.incident);
    const isOver = source === undefined || source.status === "recovering";
    if (isFiring && isOver && time < late.until) setEntry(lateData, key, late);
    else if (isFiring) started.push(alert);
    else {
      const entry = { at: watermark, text: lateDataNote(late, plan) };
      const draft = drafts.get(late.incident);
      if (draft) draft.note(entry.at, entry.text);
      else afterwards.set(late.incident, [...(afterwards.get(late.incident) ?? []), entry]);
    }
  }
  for (const alert of started.sort((a, b) => a.since - b.since)) {
    const open = incidentFor(
      alert,
      [...drafts.values()].map(({ incident }) => incident),
      facts,
      plan,
    );
    const others = Object.values(environment.incidents).filter(({ alerts: own }) => !Object.hasOwn(own, alert.key));
    const late = lateDataOf(alert, resolved, others, plan);
    if (late !== undefined && time < late.until && (open === undefined || open.status === "recovering")) {
      setEntry(lateData, alert.key, late);
      continue;
    }
    if (open) {
      drafts.get(open.id)?.join(alert);
    } else {
      const fresh = openIncident(alert, facts, plan, resolved, new Set([...avoid, ...drafts.keys()]));
      const ended = relapseOf(alert, fresh.incident, environment.reopenable ?? [], window);
      const draft = ended === undefined ? fresh : reopenIncident(ended, alert, resolved);
      drafts.set(draft.incident.id, draft);
      (ended === undefined ? opened : reopened).push(draft.incident.id);
    }
  }
  for (const draft of drafts.values()) {
    // What was there from the beginning has not joined.
    if (!opened.includes(draft.incident.id)) draft.tellJoined(watermark);
    const document = ownEntry(input.documents, draft.incident.id);
    if (document) applyEdit(draft, document, facts.watermark, now);
    if (input.diagnosis) takeDiagnosis(draft, input.diagnosis, facts, plan);
    observe(draft, facts, plan);
    followSecondCause(draft, time, plan);
    follow(draft, facts, input, plan, now);
    followMuting(draft, document, plan, input.tickAt ?? facts.watermark);
    remind(draft, document, input.tickAt, plan);
    inquire(draft, input.tickAt, plan, now);
  }

  const outbox = [...environment.outbox];
  const incidents: Record<string, Incident> = {};
  for (const draft of drafts.values()) {
    outbox.push(...draft.finish(plan));
    // Nobody waits any more for what a resolved incident has asked.
    if (draft.incident.status === "resolved") withdraw(draft.incident.id, outbox);
    if (draft.incident.status !== "resolved") setEntry(incidents, draft.incident.id, draft.incident);
  }
  const changed = [...drafts.values()].filter((draft) => draft.changed).map(({ incident }) => incident);
  const reopenable = reopenableAfter(
    environment.reopenable,
    [...drafts.values()].map(({ incident }) => incident),
    time,
    window,
  );
  const told = withoutToldLedgers(probes, Object.values(incidents));
  const revised: EnvironmentState = {
    ...{ v: 1, probes: told, alerts, incidents, outbox, watermark },
    ...(reopenable.length > 0 ? { reopenable } : {}),
    ...(Object.keys(lateData).length > 0 ? { lateData } : {}),
  };
  return { environment: revised, changed, opened, reopened, afterwards };
}

/** The facts without the ledgers that are needed no more: of what is good, and of what stands among the symptoms of an incident. */
function withoutToldLedgers(
  probes: Readonly<Record<string, ProbeFact>>,
  incidents: readonly Incident[],
): Readonly<Record<string, ProbeFact>> {
  const isTold = ({ probe, status }: ProbeFact): boolean =>
    status !== "bad" || incidents.some(({ symptoms }) => Object.hasOwn(symptoms, `probe/${probe}`));
  const next: Record<string, ProbeFact> = {};
  for (const [name, fact] of Object.entries(probes)) {
    const { failures, ...rest } = fact;
    setEntry(next, name, failures !== undefined && isTold(fact) ? rest : fact);
  }
  return next;
}

/** Tells what is due because time has passed. */
function remind(draft: Draft, document: OperatorFields = {}, tickAt: number | undefined, plan: Plan): void {
  if (tickAt === undefined || draft.incident.status === "resolved" || isDrill(draft.incident)) return;
  // What is muted would be told to nobody, and is told when that is over.
  if (draft.incident.maintenance !== undefined || draft.incident.silencedUntil !== undefined) return;
  const told = Object.entries(deliveryCountsOf(document)).flatMap(([channel, { lastAt }]) =>
    lastAt === undefined ? [] : [[channel, lastAt.getTime()] as const],
  );
  const { routes } = plan.configuration;
  for (const { kind, change, remember } of dueReminders(draft.incident, routes, tickAt, Object.fromEntries(told))) {
    draft.set(remember);
    draft.tell(kind, tickAt, change);
  }
}

function withdraw(incident: string, outbox: OutboxEntry[]): void {
  const isAsked = ({ id, topic }: OutboxEntry): boolean =>
    topic === topics.probeRequests && id.startsWith(`${incident}/`);
  for (let i = outbox.length - 1; i >= 0; i--) if (isAsked(outbox[i] as OutboxEntry)) outbox.splice(i, 1);
}

/** Takes what a diagnosis has found into the incident, where it concerns it. */
function takeDiagnosis(draft: Draft, report: Report, facts: Facts, plan: Plan): void {
  const { diagnosisRequest: request, status, firstFailureAt } = draft.incident;
  if (request === undefined || status === "resolved") return;
  const answered = withAnswer(request, report, facts, firstFailureAt, plan);
  if (answered !== request) draft.set({ diagnosisRequest: answered });
}

/** Asks for what would tell more of the cause: at once when the incident opens, later with each tick. */
function inquire(draft: Draft, tickAt: number | undefined, plan: Plan, now: number): void {
  const { diagnosisRequest: request, status, recovery } = draft.incident;
  if (
    isOfMonitor(draft.incident) ||
    status === "resolved" ||
    recovery !== undefined ||
    (request !== undefined && tickAt === undefined)
  )
    return;
  const next = nextInquiry(draft.incident, plan, now);
  if (next === undefined) return;
  draft.set({ diagnosisRequest: next.request });
  draft.request(next.requests);
}

/** An incident that is over, opened again by an alert. Its end is not the one that is recorded any more. */
function reopenIncident(ended: Incident, alert: KnownAlert, resolved: readonly RecentlyResolved[]): Draft {
  const { reported } = resolved.find(({ id }) => id === ended.id) ?? {};
  const draft = new Draft(typeof reported === "string" ? { ...ended, postmortem: reported } : ended, true);
  reopen(draft, alert);
  return draft;
}

function openIncident(
  alert: KnownAlert,
  facts: Facts,
  plan: Plan,
  resolved: readonly RecentlyResolved[],
  avoid: ReadonlySet<string>,
): Draft {
  const openedAt = alert.firedAt ?? facts.watermark;
  const { key, rule, component } = alert;
  const blank: Incident = {
    id: "",
    title: "",
    status: "open",
    severity: alert.severity,
    openedAt,
    firstFailureAt: alert.since,
    openedBy: rule,
    alerts: { [key]: { rule, component, firing: true } },
    symptoms: {},
    diagnosis: { rootCause: "unknown", verdict: "unknown", confidence: 0, evidence: [], whys: [], working: [] },
    timeline: [],
    events: {},
  };
  const draft = new Draft(blank);
  observe(draft, facts, plan);
  const { rootCause } = draft.incident.diagnosis;
  const fails = Object.values(draft.incident.symptoms).some(({ source }) => source === "probe");
  const failing = [...new Set(Object.values(draft.incident.symptoms).map((symptom) => symptom.component))];
  draft.set({
    id: incidentId(openedAt, rootCause === "unknown" ? component : rootCause, avoid),
    title: isOfMonitor(draft.incident)
      ? monitorTitle(draft.incident, plan)
      : `${plan.configuration.title}: ${list(failing.map((name) => titleOf(plan, name)))} ${fails ? "failing" : "degraded"}`,
  });
  for (const { at, text } of Object.values(draft.incident.symptoms).flatMap(onsetNotes)) draft.note(at, text);
  const cause = isOfMonitor(draft.incident)
    ? "No target is judged by it"
    : rootCause === "unknown"
      ? "The cause is not known yet"
      : `The likely cause is ${titleOf(plan, rootCause)}`;
  draft.tell("opened", openedAt, `Opened by "${rule}". ${cause}.`);
  const before = predecessorOf(draft.incident, resolved);
  if (before?.resolvedAt !== undefined) {
    draft.set({ previous: before.id });
    const ago = spokenDuration(openedAt - before.resolvedAt);
    draft.note(openedAt, `The same was in trouble before: ${before.id}, resolved ${ago} earlier.`);
  }
  return draft;
}

/** Brings alerts, symptoms, diagnosis and severity up to what is known. */
function observe(draft: Draft, facts: Facts, plan: Plan): void {
  const { incident } = draft;
  const alerts = Object.entries(incident.alerts).map(([key, alert]) => {
    const known = ownEntry(facts.alerts, key);
    const firing = known?.status === "firing";
    for (const { at, text } of alertNotes(alert, known, facts.news.get(key), facts.watermark, plan))
      draft.note(at, text);
    const { flapping: _, absence: __, ...rest } = alert;
    const component = known?.component ?? alert.component;
    const held = known?.flapping && { flapping: known.flapping };
    return [key, { ...rest, component, firing, ...held, ...(known?.absence && { absence: known.absence }) }] as const;
  });
  const isNew = ([key, { firing, component, flapping, absence }]: (typeof alerts)[number]): boolean => {
    const before = ownEntry(incident.alerts, key);
    if (before?.firing !== firing || before.component !== component) return true;
    return before.flapping?.since !== flapping?.since || before.absence?.what !== absence?.what;
  };
  if (alerts.some(isNew)) {
    draft.set({ alerts: Object.fromEntries(alerts) });
  }
  const known: Facts = { ...facts, probes: knownProbes(draft.incident, facts.probes, plan) };
  // What targets show has nothing to do with the monitor's own trouble.
  const isOwn = isOfMonitor(draft.incident);
  const indicators = isOwn ? {} : withIndicators(draft.incident, known, plan);
  const faults = isOwn ? [] : withFaults(draft.incident, known);
  if (indicators !== draft.incident.indicators && Object.keys(indicators).length > 0) draft.set({ indicators });
  if (faults !== draft.incident.faults && faults.length > 0) {
    for (const { says, since } of faults.slice(draft.incident.faults?.length ?? 0)) {
      if (draft.incident.id !== "") draft.note(Math.max(since, draft.incident.firstFailureAt), `Found: ${says}.`);
    }
    draft.set({ faults });
  }

  const before = draft.incident.diagnosis;
  const diagnosed = (): Diagnosis => {
    const symptoms = withSymptoms(draft, known, plan, membershipOf(draft.incident, known, plan));
    if (symptoms !== draft.incident.symptoms) draft.set({ symptoms });
    return isOwn
      ? diagnoseMonitor(Object.values(symptoms), plan)
      : diagnose(observedOf(draft.incident, known, plan), before);
  };
  let diagnosis = diagnosed();
  if (diagnosis.rootCause !== before.rootCause) {
    // What the new cause explains belongs to the incident at once.
    draft.set({ diagnosis });
    diagnosis = diagnosed();
  }
  if (!isDeepStrictEqual(diagnosis, before)) draft.set({ diagnosis });
  if (diagnosis.rootCause !== before.rootCause) {
    const since = draft.incident.id === "" ? draft.incident.openedAt : facts.watermark;
    const { causeSince, causes: listed } = draft.incident;
    // Of an incident that an older version opened, the present cause is known.
    const named = listed ?? (causeSince === undefined ? [] : [{ component: before.rootCause, since: causeSince }]);
    const recoveredAt = recoveryOf(before.rootCause, draft.incident);
    const earlier = named.map((cause, index) =>
      index === named.length - 1 && recoveredAt !== undefined ? { ...cause, recoveredAt } : cause,
    );
    const causes = [...earlier, { component: diagnosis.rootCause, since }];
    draft.set({ causeSince: since, causes: causes.slice(-mostCauses) });
    if (draft.incident.id !== "")
      draft.tell("root_cause_changed", facts.watermark, causeChange(before, diagnosis, recoveredAt, plan));
  }
  const severity = severityOf(draft.incident, facts, plan);
  if (severities.indexOf(severity) <= severities.indexOf(draft.incident.severity)) return;
  draft.set({ severity });
  if (draft.incident.id !== "") draft.tell("severity_raised", facts.watermark, `The severity is ${severity} now.`);
}

/** Follows the second cause, and says so in the timeline when it has stood. */
function followSecondCause(draft: Draft, time: number, plan: Plan): void {
  const { secondCause: known, diagnosis, status } = draft.incident;
  const next = secondCauseAt(known, diagnosis.alsoBroken, time);
  if (next === known || status === "resolved") return;
  if (next === undefined) draft.without("secondCause");
  else draft.set({ secondCause: next });
  if (next?.isNoted && !known?.isNoted) {
    draft.note(next.since, `${titleOf(plan, next.component)} is broken as well, by itself.`);
  }
}

/** What is said of another cause. @param recoveredAt when the one before was good again, in milliseconds */
function causeChange(before: Diagnosis, after: Diagnosis, recoveredAt: number | undefined, plan: Plan): string {
  if (recoveredAt !== undefined) {
    const over = `${titleOf(plan, before.rootCause)} has worked again since ${clockTime(recoveredAt)}, and what fails now does not follow from it.`;
    if (after.rootCause === "unknown") return `${over} The cause of what goes on is not known.`;
    return `${over} The likely cause is ${titleOf(plan, after.rootCause)} now.`;
  }
  const from = before.rootCause === "unknown" ? "" : ` and no longer ${titleOf(plan, before.rootCause)}`;
  const reason = after.evidence[0];
  const because = reason === undefined ? "" : ` ${reason}`;
  return after.rootCause === "unknown"
    ? `The cause is not known any more: ${titleOf(plan, before.rootCause)} does not explain what is seen.`
    : `The likely cause is ${titleOf(plan, after.rootCause)}${from}.${because}`;
}

/** When everything that a component showed was good again, in milliseconds; `undefined` where it showed nothing, or goes on. */
function recoveryOf(component: string, { symptoms }: Incident): number | undefined {
  const own = Object.values(symptoms).filter((symptom) => symptom.component === component);
  const until = Math.max(...own.map((symptom) => symptom.until ?? Number.POSITIVE_INFINITY));
  return own.length > 0 && Number.isFinite(until) ? until : undefined;
}

/** What users feel decides: a failing component whose failure blocks something makes it critical. */
function severityOf(incident: Incident, facts: Facts, plan: Plan): Severity {
  const ofAlerts = Object.keys(incident.alerts)
    .map((key) => ownEntry(facts.alerts, key)?.severity ?? "info")
    .reduce(worse, incident.severity);
  const felt = believed(incident).filter(
    ({ source, component }) => source === "probe" && plan.graph.component(component).impact !== undefined,
  );
  return felt.map(({ most = "critical" }) => most).reduce(worse, ofAlerts);
}
