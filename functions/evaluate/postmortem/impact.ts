/** The impact of an incident: who was affected, for how long, and how much of the error budget it used. */

import {
  type Availability,
  errorBudget,
  periodSeconds,
  periodStart,
  upRatio,
} from "../../../shared/documents/availability.ts";
import type { Affected, IncidentDocument } from "../../../shared/documents/incident.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { dateFormat } from "../../../shared/text/formatters.ts";
import { list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { troubleText } from "../incident/record/onset-text.ts";
import type { Account } from "./account.ts";
import { moment } from "./format.ts";
import { inline, table } from "./markdown.ts";

/**
 * Writes the section. The only source of downtime is the monthly availability: a component was first seen failing at `from` and last at `until`,
 * but may have been healthy in between.
 */
export function impactOf({ id, incident, months }: Account): (string | undefined)[] {
  const rows = incident.affected.map((one) => [
    inline(one.title),
    inline(troubleText(one)),
    moment(one.from, incident),
    one.from !== null && one.until === null ? "end not observed" : moment(one.until, incident),
    ofEachMonth(months, (month) => downtimeIn(month, id, one)),
    ofEachMonth(months, (month) => budgetIn(month, id, one)),
    one.impact === null || one.trouble !== "failed" ? "" : inline(one.impact),
  ]);
  const head = ["component", "status", "from", "until", "downtime", "error budget", "user impact"];
  return [feltBy(id, incident, months), table(head, rows), ...months.map((month) => ofMonth(month, id, incident))];
}

/** Returns the longest downtime of a failed application component, which is also in the table; `undefined` if none was measured. */
function feltBy(id: string, { affected }: IncidentDocument, months: readonly Availability[]): string | undefined {
  const felt = affected.filter(({ layer, trouble }) => layer === "application" && trouble === "failed");
  const taken = felt.map((one) => months.reduce((sum, month) => sum + (takenIn(month, id, one) ?? 0), 0));
  const longest = Math.max(0, ...taken);
  const worst = felt[taken.indexOf(longest)];
  if (longest === 0 || worst === undefined) return undefined;
  return `User-facing downtime: **${spokenDuration(longest * 1000)}** (longest: ${inline(worst.title)}).`;
}

/** Describes each month, with its name if there are several; a dash if there is nothing. */
function ofEachMonth(months: readonly Availability[], describe: (month: Availability) => string | undefined): string {
  const parts = months.flatMap((month) => {
    const text = describe(month);
    return text === undefined ? [] : [months.length === 1 ? text : `${monthName(month.period)}: ${text}`];
  });
  return parts.length === 0 ? "–" : parts.join("; ");
}

/** Downtime caused by this incident, in whole seconds; `undefined` if there was none or it was not measured. */
function takenIn({ downtime }: Availability, id: string, { component }: Affected): number | undefined {
  const taken = ownEntry(ownEntry(downtime, id), component);
  return taken === 0 ? undefined : taken;
}

function downtimeIn(month: Availability, id: string, one: Affected): string | undefined {
  const taken = takenIn(month, id, one);
  return taken === undefined ? undefined : spokenDuration(taken * 1000);
}

/** "6.48%, 93.51% left": the share that this incident took, and what is left after everything else. */
function budgetIn(month: Availability, id: string, one: Affected): string | undefined {
  const taken = takenIn(month, id, one);
  const shares = ownEntry(month.components, one.component);
  if (taken === undefined || shares === undefined || upRatio(shares) === undefined) return undefined;
  const { allowed, left } = errorBudget(month.period, shares, one.availability_target);
  if (allowed <= 0) return "no budget";
  return `${percent(taken / allowed)}, ${left < 0 ? "overspent" : `${percent(left)} left`}`;
}

/** Lists the monthly budgets of the affected components, and how often failed journeys were completed. */
function ofMonth(month: Availability, id: string, { affected, symptoms }: IncidentDocument): string | undefined {
  const own = affected.filter((one) => takenIn(month, id, one) !== undefined);
  const targets = [...new Set(own.map((one) => one.availability_target))];
  const allowed = (target: number): string => spokenDuration((1 - target) * periodSeconds(month.period) * 1000);
  const allows = targets.map((target) => `a target of ${percent(target)} allows ${allowed(target)}`);
  const completed = symptoms.flatMap(({ check }) => {
    const { attempts = 0, successes = 0 } = ownEntry(month.journeys, check) ?? {};
    const share = percent(successes / attempts);
    return attempts === 0 ? [] : [`\`${check}\` completed ${successes} of ${attempts} attempts (${share})`];
  });
  const parts = [...(allows.length === 0 ? [] : [`${list(allows)} of downtime`]), ...completed];
  return parts.length === 0 ? undefined : inline(`In ${monthName(month.period)}, ${parts.join("; ")}.`);
}

/** Formats a month as `September 2025`; any other period is returned unchanged. */
function monthName(period: string): string {
  const start = periodStart(period);
  const format = dateFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
  return Number.isNaN(start) ? period : format.format(start);
}

function percent(ratio: number): string {
  // Never rounded up to what was not reached.
  return `${Math.floor(ratio * 10_000 + 1e-6) / 100}%`;
}
