/**
 * The formatters of `Intl`, each constructed once and shared. A formatter of dates holds 26 to 52 KB that V8 does not count, so thousands of them fill the
 * memory before a collection is due. No other file constructs any; `tests/tidy.test.ts` checks that.
 */

/** The most formatters of each type that are kept; beyond that, the least recently used one is dropped. */
export const maxFormatters = 128;

/** Returns the formatter of dates for a locale and options. @throws RangeError for a time zone that does not exist */
export function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return shared(dateFormats, [locale, options], () => new Intl.DateTimeFormat(locale, options));
}

/**
 * Formats an instant in a time zone to the minute: `16 Sept 2025, 13:58 CEST`.
 * @param weekday whether it begins with the day of the week
 * @throws RangeError for an invalid instant, or a time zone that does not exist
 */
export function zonedMinute(instant: Date, timeZone: string, weekday = false): string {
  return dateFormat("en-GB", {
    timeZone,
    ...(weekday ? { weekday: "short" } : {}),
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(instant);
}

/** Returns the formatter of numbers for a locale and options. */
export function numberFormat(locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return shared(numberFormats, [locale, options], () => new Intl.NumberFormat(locale, options));
}

/** Returns the order of texts for a locale and options. */
export function collator(locale: string, options: Intl.CollatorOptions = {}): Intl.Collator {
  return shared(collators, [locale, options], () => new Intl.Collator(locale, options));
}

const dateFormats = new Map<string, Intl.DateTimeFormat>();
const numberFormats = new Map<string, Intl.NumberFormat>();
const collators = new Map<string, Intl.Collator>();

/** A map keeps the order of insertion: its first entry is the least recently used one. */
function shared<Formatter>(kept: Map<string, Formatter>, form: readonly unknown[], make: () => Formatter): Formatter {
  const key = JSON.stringify(form);
  const formatter = kept.get(key) ?? make();
  kept.delete(key);
  kept.set(key, formatter);
  const [oldest] = kept.keys();
  if (kept.size > maxFormatters && oldest !== undefined) kept.delete(oldest);
  return formatter;
}
