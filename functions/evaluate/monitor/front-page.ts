/**
 * The front page in the console: open incidents, blind spots, and the state of the monitor and of this month, in whole sentences. It is
 * derived from other documents and written outside of their transactions: a lost or late page loses nothing else.
 */
import {
  type Availability,
  availabilityCollection,
  errorBudget,
  monthOf,
  periodSeconds,
  periodStart,
  readAvailability,
  targetOf,
  upRatio,
} from "../../../shared/documents/availability.ts";
import { frontPageCollection } from "../../../shared/documents/front-page.ts";
import { type IncidentDocument, incidentCollection, readIncident } from "../../../shared/documents/incident.ts";
import { selfGroup } from "../../../shared/monitor.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { EvaluatorContext } from "../commit/context.ts";
import { environmentDocument, stateCollection } from "../commit/state-collection.ts";
import { dateTime } from "../incident/record/instants.ts";
import { decodeEnvironment } from "../incident/state.ts";
import { type Plan, staleAfter } from "../plan.ts";
import { decodeSelf, type GroupResults, groupResultsOf, type SelfState } from "./state.ts";

/** Sources of the page. */
export interface FrontPageFacts {
  /** Incidents that are not resolved, by id. */
  readonly open: Readonly<Record<string, IncidentDocument>>;
  readonly self: SelfState;
  readonly results: Readonly<Record<string, GroupResults | undefined>>;
  readonly month: Availability | undefined;
  /** US dollars of a month, as estimated when it was built. */
  readonly monthlyCost?: number | undefined;
}

/** Writes the front page, unless it says already what it would say. @returns what it says, for the next call */
export async function writeFrontPage(
  { store, plan, partitions }: Pick<EvaluatorContext, "store" | "plan" | "partitions">,
  known: string | undefined,
  now: number,
  monthlyCost?: number,
): Promise<string> {
  const [environment, self, month] = await Promise.all([
    store.get(stateCollection, environmentDocument),
    store.get(stateCollection, selfGroup),
    store.get(availabilityCollection, monthOf(now)),
  ]);
  const ids = Object.values(decodeEnvironment(environment).incidents).flatMap(({ id, status }) =>
    status === "resolved" ? [] : [id],
  );
  const documents = await Promise.all(ids.map((id) => store.get(incidentCollection, id)));
  const states = await Promise.all(plan.groups.map((group) => partitions.get(store, group)));
  const page = frontPageOf(
    {
      open: Object.fromEntries(
        ids.flatMap((id, at) => (documents[at] === undefined ? [] : [[id, readIncident(documents[at])]])),
      ),
      self: decodeSelf(self),
      results: Object.fromEntries(plan.groups.map((group, at) => [group, states[at] && groupResultsOf(states[at])])),
      month: readAvailability(month),
      monthlyCost,
    },
    plan,
    now,
  );
  const says = JSON.stringify(page);
  if (says !== known)
    await store.set(frontPageCollection, plan.configuration.environment, { ...page, updated_at: new Date(now) });
  return says;
}

/** The page. Its fields sort in the order in which they are read. Pure. */
export function frontPageOf(facts: FrontPageFacts, plan: Plan, now: number): Fields {
  const { open, self, month } = facts;
  const incidents = Object.entries(open).sort(([a], [b]) => (a < b ? 1 : -1));
  const unseen = unseenOf(facts, plan, now);
  const checks = Object.values(self.checks).filter(({ goodSince }) => goodSince === undefined);
  const { title } = plan.configuration;
  const count =
    incidents.length === 0
      ? "no open incident"
      : incidents.length === 1
        ? "1 open incident"
        : `${incidents.length} open incidents`;
  return {
    "1_summary": `${title} has ${count}. ${unseen.length === 0 ? "All probes report." : "Some probes do not report."} ${checks.length === 0 ? "The monitor works." : "The monitor has problems."}`,
    "2_open_incidents": incidents.map(([id, incident]) => incidentLine(id, incident, plan)),
    "3_not_seen": unseen,
    "4_monitor": [
      self.tickAt === 0 ? "The evaluator has not received a tick yet." : "The evaluator runs.",
      ...checks.map(({ rule, seen, since }) => `${asSentence(`${rule}: ${seen}`)} Since ${dateTime(since)}.`),
    ],
    "5_this_month": month === undefined ? ["Nothing has been measured this month yet."] : monthLines(month, plan),
    "6_cost": costLine(facts.monthlyCost, now),
    "7_how_to_acknowledge":
      "Open the incident in the collection incidents, click the field status and enter acknowledged. To mute it, enter a time in silenced_until. The monitor applies edits within a minute; the field problem explains invalid edits.",
  };
}

function incidentLine(id: string, incident: IncidentDocument, plan: Plan): string {
  const { severity, status, opened_at, summary, title, root_cause, confidence, team, deliveries } = incident;
  const cause =
    root_cause === "unknown"
      ? "The cause is not known yet."
      : `The likely cause is ${calledBy(plan, root_cause)} (confidence ${Math.round(confidence * 100)} %).`;
  const notified = Object.entries(deliveries).map(
    ([channel, sentence]) => `${channel}: ${sentence.replace(/\.$/, "")}`,
  );
  return [
    `${severity[0]?.toUpperCase() ?? ""}${severity.slice(1)}, ${status} since ${opened_at === null ? "an unknown time" : dateTime(opened_at.getTime())}:`,
    asSentence(summary === "" ? title : summary),
    cause,
    team === null ? "No team owns it." : `Owner: ${team}.`,
    notified.length === 0 ? "No notifications yet." : `Notifications: ${list(notified, 20)}.`,
    `Document: incidents/${id}.`,
  ].join(" ");
}

function unseenOf({ results: heard, self }: FrontPageFacts, plan: Plan, now: number): string[] {
  return plan.groups.flatMap((group): string[] => {
    const probes = plan.configuration.probes.filter((probe) => probe.group === group);
    const patience = Math.max(0, ...probes.map((probe) => staleAfter(plan, probe.name)));
    const results = ownEntry(heard, group);
    const since = results?.at ?? ownEntry(self.expected, group);
    const lines = (results?.unable ?? []).map(({ probe, since: from, why }) =>
      asSentence(`The probe ${probe} has been unable to run since ${dateTime(from)}: ${why}`),
    );
    if (since === undefined || now - since <= patience) return lines;
    return [
      ...lines,
      results === undefined
        ? `The group ${group} has never reported.`
        : `The group ${group} last reported at ${dateTime(results.at)}.`,
    ];
  });
}

function monthLines(month: Availability, plan: Plan): string[] {
  return Object.entries(month.components).flatMap(([component, shares]) => {
    const ratio = upRatio(shares);
    if (ratio === undefined) return [];
    const { left } = errorBudget(month.period, shares, targetOf(plan.configuration, component));
    const down = shares.down === 0 ? "It was never down." : `It was down for ${spokenDuration(shares.down * 1000)}.`;
    const budget = Number.isFinite(left)
      ? ` ${left < 0 ? "Its error budget is exceeded." : `${Math.round(left * 100)} % of its error budget is left.`}`
      : "";
    return [
      `${calledBy(plan, component)} was up ${(Math.floor(ratio * 1e5) / 1e3).toFixed(3)} % of the time that was measured. ${down}${budget}`,
    ];
  });
}

/** The title of a component; its name where the configuration does not have it any more. */
function calledBy({ configuration }: Plan, component: string): string {
  return configuration.components.find(({ name }) => name === component)?.title ?? component;
}

function costLine(monthly: number | undefined, now: number): string {
  if (monthly === undefined) return "The command npx --no pathkeeper cost estimates what the monitor costs.";
  const period = monthOf(now);
  const passed = Math.min(1, (now - periodStart(period)) / 1000 / periodSeconds(period));
  return `The monitor has cost about $${((Math.round(passed * 20) / 20) * monthly).toFixed(2)} of an estimated $${monthly.toFixed(2)} this month.`;
}
