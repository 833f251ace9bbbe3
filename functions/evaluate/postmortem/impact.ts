/** Who was affected, for how long, and what that means for the availability that is promised. */
import { type Availability, errorBudget, periodStart, upRatio } from "../../../shared/documents/availability.ts";
import type { Affected, IncidentDocument } from "../../../shared/documents/incident.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { dateFormat } from "../../../shared/text/formatters.ts";
import { list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { Account } from "./account.ts";
import { failedBetween, failedMs, moment } from "./format.ts";
import { blocks, inline, table } from "./markdown.ts";

/** The section. */
export function impactOf({ incident, months }: Account): (string | undefined)[] {
  const rows = incident.affected.map(({ title, trouble, from, until, impact }) => [
    inline(title),
    inline(trouble),
    moment(from, incident),
    from !== null && until === null ? "not seen to end" : moment(until, incident),
    failedBetween(from, until, incident),
    impact === null || trouble !== "failed" ? "" : inline(impact),
  ]);
  return [
    feltBy(incident),
    table(["component", "what", "from", "until", "for", "what it blocked"], rows),
    ...months.map((month) => availabilityOf(month, incident)),
  ];
}

/** For how long what people use failed; nothing where it did not, or goes on. */
function feltBy(incident: IncidentDocument): string | undefined {
  const felt = incident.affected.filter(({ layer, trouble }) => layer === "application" && trouble === "failed");
  const ends = felt.flatMap(({ from, until }) => (from === null || until === null ? [] : [{ from, until }]));
  if (ends.length === 0) return undefined;
  const from = new Date(Math.min(...ends.map((end) => end.from.getTime())));
  const until = new Date(Math.max(...ends.map((end) => end.until.getTime())));
  const titles = list(
    felt.map(({ title }) => title),
    8,
  );
  return `What people use failed for **${failedBetween(from, until, incident)}**, from ${moment(from, incident)} to ${moment(until, incident)}: ${inline(titles)}.`;
}

/** `September 2025`; a period that is no month stays as it is. */
function monthName(period: string): string {
  const start = periodStart(period);
  const format = dateFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
  return Number.isNaN(start) ? period : format.format(start);
}

/** How a month stands for what was affected, and how much of what it may be down this incident has taken. */
function availabilityOf(month: Availability, { affected, symptoms, relapses }: IncidentDocument): string | undefined {
  const rows = affected.map((one) => rowOf(month, one, relapses)).filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  const walked = symptoms.flatMap(({ check }) => {
    const { attempts = 0, successes = 0 } = ownEntry(month.journeys, check) ?? {};
    const rate = attempts === 0 ? "" : percent(successes / attempts);
    return attempts === 0
      ? []
      : [inline(`\`${check}\` was walked to its end in ${successes} of ${attempts} attempts of the month (${rate}).`)];
  });
  const name = monthName(month.period);
  const head = [
    "component",
    "availability",
    "measured for",
    "target",
    "may be down",
    "taken by this incident",
    "in all",
  ];
  return blocks([
    `Availability in ${name}, as far as it was measured when this was written:`,
    table(head, rows),
    ...walked,
  ]);
}

function rowOf(
  { period, components }: Availability,
  { component, title, trouble, from, until, availability_target: target }: Affected,
  relapses: IncidentDocument["relapses"],
): string[] | undefined {
  const shares = ownEntry(components, component);
  const ratio = shares && upRatio(shares);
  if (shares === undefined || ratio === undefined) return undefined;
  const { allowed, used, left } = errorBudget(period, shares, target);
  const own = trouble === "failed" && from !== null && until !== null ? failedMs(from, until, relapses) : 0;
  const share = allowed > 0 ? ` (${percent(own / 1000 / allowed)})` : "";
  const rest = Number.isFinite(left) ? `, ${left < 0 ? "overdrawn" : `${percent(left)} left`}` : "";
  return [
    inline(title),
    percent(ratio),
    spokenDuration((shares.up + shares.down) * 1000),
    percent(target),
    spokenDuration(allowed * 1000),
    own === 0 ? "–" : `${spokenDuration(own)}${share}`,
    `${spokenDuration(used * 1000)}${rest}`,
  ];
}

function percent(ratio: number): string {
  // Never rounded up to what was not reached.
  return `${Math.floor(ratio * 10_000 + 1e-6) / 100}%`;
}
