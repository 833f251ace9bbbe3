/** Patterns of error logs: the message of each, its frequency since the failure and before it, and its meaning. Pure. */
import type { SeenLogPattern } from "../../prober.ts";
import type { TargetText } from "../../text/target-text.ts";
import type { EntryPage } from "./entries.ts";
import { type LogSource, meaningOf } from "./known-messages.ts";
import type { WatchedLog } from "./sources.ts";
import { patternLike, templatesOf } from "./templates.ts";

/** Maximum number of patterns of one log. */
const maxOfOne = 4;
/** Minimum increase in frequency, as a factor, for a pattern that occurred before to be reported. */
const suddenly = 3;

/** Returns the patterns that are new or suddenly frequent, recognized ones first. @param beforeSeconds length of the baseline period */
export function patternsIn(
  {
    logs,
    since,
    earlier,
  }: { readonly logs: readonly WatchedLog[]; readonly since: EntryPage; readonly earlier: EntryPage },
  beforeSeconds: number,
): SeenLogPattern[] {
  return logs.flatMap((log) => {
    const now = since.entries.filter((entry) => log.has(entry));
    const all = [...now, ...earlier.entries.filter((entry) => log.has(entry))];
    const texts = all.map(({ message }) => message?.judge((text) => text) ?? "");
    const found = templatesOf(texts).flatMap((template): SeenLogPattern[] => {
      const mine = template.members.flatMap((place) => now[place] ?? []);
      const times = mine.map((entry) => entry.at);
      const [{ message: sample } = {}] = mine;
      const old = template.members.length - mine.length;
      if (sample === undefined || !isSudden(times, old, beforeSeconds)) return [];
      return [
        {
          pattern: sample.masked((text) => patternLike(template, text)),
          resource: log.title,
          component: log.component,
          count: mine.length,
          first_at: new Date(Math.min(...times)).toISOString(),
          last_at: new Date(Math.max(...times)).toISOString(),
          before: old,
          before_seconds: beforeSeconds,
          ...(since.more ? { at_least: true as const } : {}),
          ...meansOf(sample, { resource: log.title, name: log.name }),
        },
      ];
    });
    return found
      .sort((a, b) => Number(b.means !== undefined) - Number(a.means !== undefined) || b.count - a.count)
      .slice(0, maxOfOne);
  });
}

/** Returns the meaning of a message. The parts quoted from it contain no secrets. */
function meansOf(message: TargetText, source: LogSource): Pick<SeenLogPattern, "means"> {
  const means = message.judge((text) => meaningOf(text, source));
  if (means === undefined) return {};
  const cited = (field: "says" | "remedy"): TargetText =>
    message.masked((text) => meaningOf(text, source)?.[field] ?? means.name);
  return { means: { ...means, says: cited("says"), remedy: cited("remedy") } };
}

/** Returns whether a pattern is new, or much more frequent than before. */
function isSudden(times: readonly number[], before: number, beforeSeconds: number): boolean {
  if (before === 0) return true;
  const seconds = Math.max(60, (Math.max(...times) - Math.min(...times)) / 1000);
  return times.length / seconds >= (suddenly * before) / Math.max(60, beforeSeconds);
}
