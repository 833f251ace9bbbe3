/** The form of the section `maintenance`, and what is made of it. */
import { z } from "zod";
import { clockLeaves, clockReaches } from "../maintenance.ts";
import { durationBetween, line, names, timeZone } from "./fields.ts";
import type { MaintenanceWindow } from "./model.ts";

/** Days of the week, as they are written, in the order of JavaScript. */
export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const dateTime = z
  .string({ error: "must be a date and time such as 2025-09-20T22:00" })
  .meta({ examples: ["2025-09-20T22:00", "2025-09-20T22:00Z"] })
  .refine((written) => wallOf(written) !== undefined, {
    error: ({ input }) =>
      `invalid date and time "${input}": write 2025-09-20T22:00 for the clock of the zone, or 2025-09-20T22:00Z`,
  });

const timeOfDay: z.ZodType<number, string> = z
  .string({ error: 'must be a time of day such as "22:00"' })
  .meta({ examples: ["22:00"], pattern: "^([01]\\d|2[0-3]):[0-5]\\d$" })
  .transform((written, context) => {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written) ?? [];
    if (hours !== undefined) return Number(hours) * 60 + Number(minutes);
    const message = `invalid time of day "${written}": write it from "00:00" to "23:59"`;
    context.issues.push({ code: "custom", message, input: written });
    return z.NEVER;
  });

/** An entry of `maintenance`. */
export const maintenanceEntry = z
  .strictObject({
    name: line().max(100).describe("The name of the work, shown as the reason why notifications were withheld."),
    components: names().optional().describe("The components that are worked on. Default: all."),
    from: dateTime.optional().describe("Once: when it begins, by the clock of the zone, or in UTC with Z at its end."),
    to: dateTime.optional().describe("Once: when it ends."),
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .optional()
      .describe("Again and again: the days on which it begins. Default: every day."),
    start: timeOfDay.optional().describe("Again and again: when it begins on these days."),
    end: timeOfDay.optional().describe("When it ends: on the next day, where that is not later than start."),
    duration: durationBetween(60_000, 7 * 86_400_000)
      .optional()
      .describe("In place of end: how long it lasts."),
    timezone: timeZone().optional().describe("IANA zone of its times. Default: that of the file."),
  })
  .superRefine((entry, context) => {
    const mistake = mistakeIn(entry);
    if (mistake === undefined) return;
    const [key, message] = mistake;
    context.addIssue({ code: "custom", path: key === undefined ? [] : [key], message });
  });

/** One entry of `maintenance`; durations in milliseconds, times of day in minutes. */
export type MaintenanceEntry = z.output<typeof maintenanceEntry>;

/** The window of an entry. @param timezone of the file */
export function maintenanceWindow(entry: MaintenanceEntry, timezone: string): MaintenanceWindow {
  const zone = entry.timezone ?? timezone;
  const common = { name: entry.name, timezone: zone, ...(entry.components ? { components: entry.components } : {}) };
  if (entry.start === undefined) {
    const [from, to] = [entry.from ?? "", entry.to ?? ""];
    return { ...common, once: { from: instantOf(from, zone, clockReaches), to: instantOf(to, zone, clockLeaves) } };
  }
  const days = (entry.days ?? weekdays).map((name) => weekdays.indexOf(name)).sort();
  const { start: startMinute, end: endMinute, duration: durationMs } = entry;
  const length = endMinute === undefined ? { durationMs: durationMs ?? 0 } : { endMinute };
  return { ...common, weekly: { days, startMinute, ...length } };
}

type Times = Omit<MaintenanceEntry, "name">;

/** The missing, superfluous or misordered times of an entry: key and sentence. */
function mistakeIn({ from, to, days, start, end, duration }: Times): [keyof Times | undefined, string] | undefined {
  if (from === undefined && start === undefined)
    return [undefined, "does not say when it begins: write from and to for once, or start with end or duration"];
  if (from !== undefined && start !== undefined)
    return [
      "start",
      "cannot be combined with from: use from and to for a single window, or start with end or duration for a weekly one",
    ];
  if (from !== undefined) {
    const weekly = days ? "days" : end === undefined ? (duration === undefined ? undefined : "duration") : "end";
    if (weekly !== undefined) return [weekly, "belongs to start: what happens once has from and to"];
    if (to === undefined) return ["from", "has no end: write to as well"];
    const [begins = Number.NaN, ends = Number.NaN] = [wallOf(from), wallOf(to)];
    return begins >= ends ? ["to", "is not after from: it would end before it begins"] : undefined;
  }
  if (to !== undefined) return ["to", "belongs to from: what happens again and again has end or duration"];
  if (end === undefined && duration === undefined) return ["start", "has no end: write end or duration as well"];
  if (end !== undefined && duration !== undefined)
    return ["duration", "cannot be combined with end: remove one of them"];
  return undefined;
}

/** A written date and time, as if its clock were UTC; `undefined` where it is none. */
function wallOf(written: string): number | undefined {
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)Z?$/.exec(written) ?? [];
  const wall = Date.parse(`${date}T${time}Z`);
  // JavaScript reads the 31st of a shorter month as the first of the next.
  return Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(`${date}T${time}`) ? undefined : wall;
}

function instantOf(written: string, zone: string, by: typeof clockReaches): number {
  const wall = wallOf(written) ?? Number.NaN;
  return written.endsWith("Z") ? wall : by(wall, zone);
}
