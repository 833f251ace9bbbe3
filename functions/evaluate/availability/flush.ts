/** Writes days and months of availability: one read and two writes, each five minutes, and nothing while nothing is to be said. */
import { isDeepStrictEqual } from "node:util";
import type { MaintenanceWindow } from "../../../shared/config/model.ts";
import {
  type Availability,
  availabilityCollection,
  type Day,
  dayOf,
  monthOf,
} from "../../../shared/documents/availability.ts";
import type { Fields, Store } from "../../../shared/ports.ts";
import { dayFrom, dayTotals, type Month, monthTotals, type Timed, withDays } from "./period.ts";
import type { Uptimes } from "./uptime.ts";

/** Interval between updates of the documents, in milliseconds. */
export const flushEvery = 300_000;

const day = 86_400_000;
/** Retention of days and months, in milliseconds: a status page shows 90 days, and people compare with a year ago. */
const keepDay: number = 100 * day;
const keepMonth: number = 800 * day;

/**
 * Brings today, yesterday and the months of these incidents up to date. Doing it twice changes nothing.
 * @param at the instant up to which there is something to say
 * @returns this month
 */
export async function flushAvailability(
  store: Store,
  partitions: readonly Uptimes[],
  incidents: readonly Timed[],
  at: number,
  now: number,
  maintenance: readonly MaintenanceWindow[] = [],
): Promise<Availability> {
  const days = Object.fromEntries(
    [dayOf(at - day), dayOf(at)]
      .map((date) => [date, dayFrom(date, partitions, at, maintenance, incidents)] as const)
      .filter(([date, { components }]) => date === dayOf(at) || Object.values(components).some(isKnown)),
  );
  const opened = incidents.filter(({ verdict }) => verdict !== "monitor").map(({ openedAt }) => dayOf(openedAt));
  const months = new Set([...Object.keys(days), ...opened].map((date) => date.slice(0, 7)));
  return store.transaction(async (transaction) => {
    let current = monthTotals(monthOf(at), { days: {}, incidents: {} });
    const known = new Map<string, Month>();
    for (const month of months) known.set(month, decodeMonth(await transaction.get(availabilityCollection, month)));
    for (const [month, before] of known) {
      const after = withDays(month, before, days, incidents);
      if (month === monthOf(at)) current = monthTotals(month, after);
      if (isDeepStrictEqual(before, after)) continue;
      const fields = { ...documentOf(monthTotals(month, after), keepMonth, now), data: JSON.stringify(after) };
      transaction.set(availabilityCollection, month, fields);
      for (const date of new Set([...Object.keys(days), ...opened])) {
        const totals = dayTotals(date, after);
        if (monthOf(Date.parse(date)) !== month || isDeepStrictEqual(dayTotals(date, before), totals)) continue;
        transaction.set(availabilityCollection, date, documentOf(totals, keepDay, now));
      }
    }
    return current;
  });
}

/** The fields read from the document. Programs and the monthly sums use the times of single incidents. */
function documentOf(
  { period, components, journeys, incidents, downtime = {} }: Availability,
  keepMs: number,
  now: number,
): Fields {
  const each = Object.entries(incidents.each).map(([id, { severity, opened_at, detect, acknowledge, recover }]) => {
    const optional = [["acknowledge", acknowledge] as const, ["recover", recover] as const].filter(isGiven);
    return [id, { severity, opened_at, detect, ...Object.fromEntries(optional) }] as const;
  });
  return {
    period,
    components: Object.fromEntries(
      Object.entries(components).map(([name, { maintenance, ...shares }]) => [
        name,
        maintenance === undefined ? shares : { ...shares, maintenance },
      ]),
    ),
    journeys: Object.fromEntries(Object.entries(journeys).map(([name, count]) => [name, { ...count }])),
    incidents: { ...incidents, each: Object.fromEntries(each) },
    downtime,
    updated_at: new Date(now),
    expires_at: new Date(now + keepMs),
  };
}

function decodeMonth(fields: Fields | undefined): Month {
  try {
    const month = JSON.parse(String(fields?.["data"] ?? "")) as Partial<Month>;
    return { days: month.days ?? {}, incidents: month.incidents ?? {} };
  } catch {
    // There is none yet, or somebody has broken it in the console: it begins anew.
    return { days: {}, incidents: {} };
  }
}

function isKnown({ up, down }: Day["components"][string]): boolean {
  return up + down > 0;
}

function isGiven(entry: readonly [string, number | undefined]): entry is readonly [string, number] {
  return entry[1] !== undefined;
}
