/**
 * Incidents: what a change of alerts and probes means for the outages that are open. Pure: `revise` takes the state of the environment
 * and what happened, and returns the next state, with the messages to send in its outbox.
 */
import type { IncidentEventKind, Severity } from "../../shared/messages/incident-event.ts";
import { severities, worse } from "../../shared/messages/incident-event.ts";
import type { Report } from "../../shared/messages/report.ts";
import { topics } from "../../shared/topology.ts";
import { spokenDuration } from "../../shared/units.ts";
import { componentsOf, eventOf } from "./document.ts";
import { type OperatorFields, readEdit } from "./operator.ts";
import type { Change } from "./partition.ts";
import { type Plan, titleOf } from "./plan.ts";
import {
  attemptDue,
  attemptId,
  enterStage,
  nextAttempt,
  outcomeOf,
  requestsFor,
  stageOf,
  withResults,
} from "./recovery.ts";
import { diagnose } from "./root-cause.ts";
import { alertPhrase, clockTime, list, probePhrase } from "./sentences.ts";
import type {
  Diagnosis,
  EnvironmentState,
  Incident,
  KnownAlert,
  OutboxEntry,
  ProbeFact,
  Symptom,
  TimelineEntry,
} from "./state.ts";

/** Something that may concern incidents. */
export interface Happening {
  /** What a report or a tick changed in a partition. */
  readonly changes: readonly Change[];
  /** A report that answers a validation. */
  readonly validation?: Report;
  /** The documents of open incidents as operators left them, by id. */
  readonly documents?: Readonly<Record<string, OperatorFields>>;
  /** Whether time has passed: requests that nobody answered are then made again. */
  readonly tick?: boolean;
}

/** The next state, and the incidents that are not what they were. */
export interface Revised {
  readonly environment: EnvironmentState;
  readonly changed: readonly Incident[];
  /** Ids of those that were opened just now. */
  readonly opened: readonly string[];
}

/** How long after the first failure a sibling, tied only by what both depend on, still joins, in milliseconds. */
const siblingWindow = 1_800_000;
/** The most lines that a timeline keeps: the beginning and the end tell the story. */
const longestTimeline = 150;

/**
 * Works out what happened to the incidents.
 * @param now the time of day, for what is asked of others; everything told uses the time of the measurements
 * @param avoid ids that must not be given to a new incident
 */
export function revise(
  environment: EnvironmentState,
  happening: Happening,
  plan: Plan,
  now: number,
  avoid: ReadonlySet<string> = new Set(),
): Revised {
  const probes = { ...environment.probes };
  const alerts = { ...environment.alerts };
  const started: KnownAlert[] = [];
  for (const change of happening.changes) {
    if (change.what === "probe") probes[change.fact.probe] = change.fact;
    else if (change.alert === undefined) delete alerts[change.key];
    else {
      if (change.alert.status === "firing" && alerts[change.key]?.status !== "firing") started.push(change.alert);
      alerts[change.key] = change.alert;
    }
  }
  const watermark = Math.max(environment.watermark, ...happening.changes.map(({ at }) => at));
  const facts: Facts = { probes, alerts, watermark };

  const drafts = new Map(Object.values(environment.incidents).map((incident) => [incident.id, new Draft(incident)]));
  const opened: string[] = [];
  for (const alert of started.sort((a, b) => a.since - b.since)) {
    const home = homeOf(alert, [...drafts.values()], plan);
    if (home) {
      home.join(alert);
    } else {
      const draft = openIncident(alert, facts, plan, new Set([...avoid, ...drafts.keys()]));
      drafts.set(draft.incident.id, draft);
      opened.push(draft.incident.id);
    }
  }
  for (const draft of drafts.values()) {
    // What was there from the beginning has not joined.
    if (!opened.includes(draft.incident.id)) draft.tellJoined(watermark);
    const document = happening.documents?.[draft.incident.id];
    if (document) applyEdit(draft, document, facts.watermark, now);
    observe(draft, facts, plan);
    follow(draft, facts, happening, plan, now);
  }

  const outbox = [...environment.outbox];
  const incidents: Record<string, Incident> = {};
  for (const draft of drafts.values()) {
    outbox.push(...draft.finish(plan));
    if (draft.incident.status !== "resolved") incidents[draft.incident.id] = draft.incident;
  }
  const changed = [...drafts.values()].filter((draft) => draft.changed).map(({ incident }) => incident);
  return { environment: { v: 1, probes, alerts, incidents, outbox, watermark }, changed, opened };
}

/** What is known of the environment, the news included. */
interface Facts {
  readonly probes: Readonly<Record<string, ProbeFact>>;
  readonly alerts: Readonly<Record<string, KnownAlert>>;
  readonly watermark: number;
}

/** One incident while it is revised: its next form, and what is to be told of it. */
class Draft {
  incident: Incident;
  changed = false;
  readonly #events: { kind: IncidentEventKind; at: number; change: string }[] = [];
  readonly #requests: OutboxEntry[] = [];
  readonly #joined: string[] = [];

  constructor(incident: Incident, changed = false) {
    this.incident = incident;
    this.changed = changed;
  }

  set(fields: Partial<Incident>): void {
    this.incident = { ...this.incident, ...fields };
    this.changed = true;
  }

  /** Takes fields away. */
  without(...fields: ("recovery" | "recoveringAt" | "problem" | "acknowledgedAt")[]): void {
    const rest: Partial<Incident> = { ...this.incident };
    for (const field of fields) delete (rest as Record<string, unknown>)[field];
    this.incident = rest as Incident;
    this.changed = true;
  }

  note(at: number, text: string): void {
    this.set({ timeline: shortened([...this.incident.timeline, { at, text }]) });
  }

  /** Remembers to tell people; the notice shows the incident as it stands when all of this revision is done. */
  tell(kind: IncidentEventKind, at: number, change: string): void {
    this.#events.push({ kind, at, change });
    this.note(at, change);
  }

  request(entries: readonly OutboxEntry[]): void {
    this.#requests.push(...entries);
  }

  /** Takes an alert in. People hear of it unless it was part of the incident before. */
  join({ key, rule, component, since }: KnownAlert): void {
    if (this.incident.alerts[key] === undefined) this.#joined.push(rule);
    this.set({
      alerts: { ...this.incident.alerts, [key]: { rule, component, firing: true } },
      firstFailureAt: Math.min(this.incident.firstFailureAt, since),
    });
  }

  /** Tells once of all the alerts that joined. */
  tellJoined(at: number): void {
    const rules = [...new Set(this.#joined.splice(0))].map((rule) => `"${rule}"`);
    if (rules.length === 0) return;
    const what = rules.length === 1 ? "joined: it belongs" : "joined: they belong";
    this.tell("joined", at, `${list(rules)} ${what} to the same outage.`);
  }

  finish(plan: Plan): OutboxEntry[] {
    const counts = { ...this.incident.events };
    let sequence = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const told = this.#events.map(({ kind, at, change }) => {
      const occurrence = (counts[kind] ?? 0) + 1;
      counts[kind] = occurrence;
      sequence += 1;
      return { kind, at, change, occurrence, sequence };
    });
    if (told.length > 0) this.set({ events: counts });
    const { environment } = plan.configuration;
    return [
      ...this.#requests,
      ...told.map(({ kind, ...rest }) => ({
        id: `${this.incident.id}:${kind}-${rest.occurrence}`,
        topic: topics.notifications,
        message: {
          data: eventOf(this.incident, kind, rest, plan),
          attributes: { environment, event: kind, incident: this.incident.id, severity: this.incident.severity },
        },
      })),
    ];
  }
}

/** The open incident that an alert belongs to: one outage is one incident. */
function homeOf(alert: KnownAlert, drafts: readonly Draft[], { graph }: Plan): Draft | undefined {
  return drafts
    .filter(({ incident }) => incident.status !== "resolved")
    .filter(({ incident }) => {
      const members = componentsOf(incident);
      const inLine = members.some(
        (member) =>
          graph.distance(member, alert.component) !== undefined ||
          graph.distance(alert.component, member) !== undefined,
      );
      const { rootCause } = incident.diagnosis;
      const sharesCause = rootCause !== "unknown" && graph.distance(alert.component, rootCause) !== undefined;
      const inTime = Math.abs(alert.since - incident.firstFailureAt) <= siblingWindow;
      return inLine || sharesCause || (inTime && members.some((member) => graph.connected(member, alert.component)));
    })
    .sort((a, b) => b.incident.openedAt - a.incident.openedAt)[0];
}

function openIncident(alert: KnownAlert, facts: Facts, plan: Plan, avoid: ReadonlySet<string>): Draft {
  const openedAt = alert.firedAt ?? facts.watermark;
  const { key, rule, component } = alert;
  const blank: Incident = {
    id: "",
    title: "",
    status: "open",
    severity: alert.severity,
    openedAt,
    firstFailureAt: alert.since,
    alerts: { [key]: { rule, component, firing: true } },
    symptoms: {},
    diagnosis: { rootCause: "unknown", verdict: "unknown", confidence: 0, evidence: [], whys: [] },
    timeline: [],
    events: {},
  };
  const draft = new Draft(blank);
  observe(draft, facts, plan);
  const { rootCause } = draft.incident.diagnosis;
  const failing = [...new Set(Object.values(draft.incident.symptoms).map((symptom) => symptom.component))];
  draft.set({
    id: incidentId(openedAt, rootCause === "unknown" ? component : rootCause, avoid),
    title: `${plan.configuration.title}: ${list(failing.map((name) => titleOf(plan, name)))} failing`,
  });
  for (const { since, phrase } of Object.values(draft.incident.symptoms)) draft.note(since, `${phrase}.`);
  const cause =
    rootCause === "unknown" ? "The cause is not known yet" : `The likely cause is ${titleOf(plan, rootCause)}`;
  draft.tell("opened", openedAt, `Opened by "${rule}". ${cause}.`);
  return draft;
}

/** `yyyymmdd-hhmmss-component`, with a number behind it where that is taken. */
function incidentId(at: number, component: string, avoid: ReadonlySet<string>): string {
  const digits = new Date(at).toISOString().replaceAll(/[-:]/g, "");
  const id = `${digits.slice(0, 8)}-${digits.slice(9, 15)}-${component}`;
  let free = id;
  for (let number = 2; avoid.has(free); number++) free = `${id}-${number}`;
  return free;
}

/** Brings alerts, symptoms, diagnosis and severity up to what is known. */
function observe(draft: Draft, facts: Facts, plan: Plan): void {
  const { incident } = draft;
  const alerts = Object.entries(incident.alerts).map(([key, alert]) => {
    const firing = facts.alerts[key]?.status === "firing";
    if (alert.firing && !firing) draft.note(facts.watermark, `"${alert.rule}" has cleared.`);
    return [key, { ...alert, firing }] as const;
  });
  if (alerts.some(([key, { firing }]) => incident.alerts[key]?.firing !== firing)) {
    draft.set({ alerts: Object.fromEntries(alerts) });
  }
  const symptoms = withSymptoms(draft, facts, plan);
  if (symptoms === draft.incident.symptoms) return;
  draft.set({ symptoms });

  const good = Object.values(facts.probes).filter((fact) => fact.status === "good" && !symptoms[`probe/${fact.probe}`]);
  const before = draft.incident.diagnosis;
  const diagnosis = diagnose(Object.values(symptoms), good, plan.graph, before);
  draft.set({ diagnosis });
  if (draft.incident.id !== "" && diagnosis.rootCause !== before.rootCause) {
    draft.tell("root_cause_changed", facts.watermark, causeChange(before, diagnosis, plan));
  }
  const severity = severityOf(draft.incident, facts, plan);
  if (severities.indexOf(severity) <= severities.indexOf(draft.incident.severity)) return;
  draft.set({ severity });
  if (draft.incident.id !== "") draft.tell("severity_raised", facts.watermark, `The severity is ${severity} now.`);
}

function causeChange(before: Diagnosis, after: Diagnosis, plan: Plan): string {
  const from = before.rootCause === "unknown" ? "" : ` and no longer ${titleOf(plan, before.rootCause)}`;
  const reason = after.evidence[0];
  const because = reason === undefined ? "" : ` ${reason}`;
  return after.rootCause === "unknown"
    ? `The cause is not known any more: ${titleOf(plan, before.rootCause)} does not explain what is seen.`
    : `The likely cause is ${titleOf(plan, after.rootCause)}${from}.${because}`;
}

/** Everything bad that belongs to the incident, with what has passed; the same object when nothing is new. */
function withSymptoms(draft: Draft, facts: Facts, plan: Plan): Readonly<Record<string, Symptom>> {
  const { incident } = draft;
  const members = componentsOf(incident);
  const near = (component: string): boolean => members.some((member) => plan.graph.connected(member, component));
  const symptoms: Record<string, Symptom> = { ...incident.symptoms };
  let changed = false;
  for (const seen of [...probeSymptoms(facts), ...alertSymptoms(facts)]) {
    const known = symptoms[seen.id];
    if (!near(seen.component) || (known && known.until === undefined)) continue;
    symptoms[seen.id] = known ? { ...seen, since: known.since } : seen;
    changed = true;
    if (incident.id !== "") draft.note(seen.since, `${seen.phrase}.`);
  }
  for (const [id, symptom] of Object.entries(symptoms)) {
    if (symptom.until !== undefined || stillBad(symptom, facts)) continue;
    symptoms[id] = { ...symptom, until: facts.watermark };
    changed = true;
    if (symptom.source === "probe") draft.note(facts.watermark, `\`${id.slice("probe/".length)}\` is good again.`);
  }
  return changed ? symptoms : incident.symptoms;
}

function probeSymptoms(facts: Facts): Symptom[] {
  return Object.values(facts.probes)
    .filter(({ status }) => status === "bad")
    .map((fact) => ({
      id: `probe/${fact.probe}`,
      component: fact.component,
      source: "probe",
      since: fact.since,
      phrase: probePhrase(fact),
      vantage: fact.vantage,
      ...(fact.failure === undefined ? {} : { failure: fact.failure }),
    }));
}

/** Alerts of configured rules; those built into a probe say nothing that the probe does not. */
function alertSymptoms(facts: Facts): Symptom[] {
  return Object.values(facts.alerts)
    .filter(({ rule, labels }) => rule !== `${labels["probe"]} failing`)
    .map((alert) => ({
      id: `alert/${alert.key}`,
      component: alert.component,
      source: "rule",
      since: alert.since,
      phrase: alertPhrase(alert),
    }));
}

function stillBad({ id, source }: Symptom, facts: Facts): boolean {
  return source === "probe"
    ? facts.probes[id.slice("probe/".length)]?.status !== "good"
    : facts.alerts[id.slice("alert/".length)] !== undefined;
}

/** What users feel decides: a failing component whose failure blocks something makes it critical. */
function severityOf(incident: Incident, facts: Facts, plan: Plan): Severity {
  const ofAlerts = Object.keys(incident.alerts)
    .map((key) => facts.alerts[key]?.severity ?? "info")
    .reduce(worse, incident.severity);
  const blocks = Object.values(incident.symptoms).some(
    ({ source, component }) => source === "probe" && plan.graph.component(component).impact !== undefined,
  );
  return blocks ? "critical" : ofAlerts;
}

/** Leads the incident from open over recovering to resolved, and back when it regresses. */
function follow(draft: Draft, facts: Facts, happening: Happening, plan: Plan, now: number): void {
  const { incident } = draft;
  if (incident.status === "resolved") return;
  const firing = Object.values(incident.alerts).filter((alert) => alert.firing);
  if (firing.length > 0) {
    if (incident.recovery === undefined) return;
    draft.without("recovery", "recoveringAt");
    draft.set({ status: incident.acknowledgedAt === undefined ? "open" : "acknowledged" });
    const rules = [...new Set(firing.map(({ rule }) => `"${rule}"`))];
    draft.tell(
      "regressed",
      facts.watermark,
      `It is not over: ${list(rules)} fired again while the recovery was validated.`,
    );
    return;
  }
  if (incident.recovery === undefined) {
    const after = spokenDuration(facts.watermark - incident.firstFailureAt);
    draft.set({ status: "recovering", recoveringAt: facts.watermark });
    draft.tell(
      "recovering",
      facts.watermark,
      `All alerts have cleared, ${after} after the first failure. The recovery is being validated.`,
    );
    advance(draft, 0, facts, plan, now);
    return;
  }
  if (happening.validation) takeValidation(draft, happening.validation, facts, plan, now);
  const { recovery } = draft.incident;
  if (happening.tick && draft.incident.status !== "resolved" && recovery && attemptDue(recovery, plan, now)) {
    const next = nextAttempt(recovery, now);
    draft.set({ recovery: next });
    draft.request(requestsFor(draft.incident.id, next, plan));
  }
}

function takeValidation(draft: Draft, report: Report, facts: Facts, plan: Plan, now: number): void {
  const { recovery, id } = draft.incident;
  if (recovery === undefined || report.request !== attemptId(id, recovery)) return;
  if (report.prober_unhealthy !== undefined) return;
  const next = withResults(recovery, report.results, plan);
  draft.set({ recovery: next });
  const seen = { ...facts, watermark: Math.max(facts.watermark, Date.parse(report.finished_at)) };
  const outcome = outcomeOf(next, plan);
  const stage = stageOf(next, plan);
  if (outcome.outcome === "failed") {
    draft.note(
      seen.watermark,
      `Validation of stage ${next.stage + 1}, ${stage.name}, failed: ${outcome.reasons.join("; ")}.`,
    );
  } else if (outcome.outcome === "passed") {
    const took = spokenDuration(now - next.stageSince);
    draft.note(seen.watermark, `Stage ${next.stage + 1}, ${stage.name}, passed after ${took}.`);
    advance(draft, next.stage + 1, seen, plan, now);
  }
}

/** Enters the stage of that index, or resolves the incident behind the last. */
function advance(draft: Draft, stage: number, facts: Facts, plan: Plan, now: number): void {
  const { stages } = plan.configuration.recovery;
  const next = stages.findIndex((candidate, index) => index >= stage && candidate.probes.length > 0);
  if (next >= 0) {
    const recovery = enterStage(next, now);
    draft.set({ recovery });
    draft.request(requestsFor(draft.incident.id, recovery, plan));
    return;
  }
  const proof = stages.length === 0 ? "No recovery stages are configured." : "Every stage of the recovery has passed.";
  resolve(draft, facts.watermark, proof);
}

function resolve(draft: Draft, at: number, proof: string): void {
  const { firstFailureAt } = draft.incident;
  draft.set({ status: "resolved", resolvedAt: at });
  draft.tell(
    "resolved",
    at,
    `Resolved. ${proof} It lasted ${spokenDuration(at - firstFailureAt)}, from ${clockTime(firstFailureAt)}.`,
  );
}

/** Honours what an operator wrote into the document. */
function applyEdit(draft: Draft, document: OperatorFields, watermark: number, now: number): void {
  const edit = readEdit(draft.incident, document);
  // An edit has no measurement to take its time from.
  const at = Math.max(watermark, now);
  if (edit.problem !== draft.incident.problem) {
    if (edit.problem === undefined) draft.without("problem");
    else draft.set({ problem: edit.problem });
  }
  if (edit.restoresStatus) draft.changed = true;
  if (edit.note !== undefined && edit.note !== draft.incident.note) {
    draft.set({ note: edit.note });
    draft.note(at, `Note by an operator: ${edit.note}`);
  }
  switch (edit.status) {
    case "acknowledged":
      draft.set({ acknowledgedAt: at, ...(draft.incident.status === "open" ? { status: "acknowledged" } : {}) });
      draft.tell("acknowledged", at, "Acknowledged by an operator, in the document.");
      break;
    case "resolved":
      resolve(draft, at, "An operator resolved it, in the document.");
      break;
    case "open":
      draft.without("acknowledgedAt");
      draft.set({ status: "open" });
      draft.note(at, "An operator took the acknowledgement back.");
      break;
    case undefined:
      break;
  }
}

function shortened(timeline: readonly TimelineEntry[]): readonly TimelineEntry[] {
  return timeline.length <= longestTimeline
    ? timeline
    : [...timeline.slice(0, 50), ...timeline.slice(51 - longestTimeline)];
}
