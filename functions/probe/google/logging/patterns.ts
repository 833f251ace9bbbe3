/** Patterns of error logs: what each log says, how often since the failure and before it, and what it means. Pure. */
import type { ReportedLogPattern } from "../../../../shared/messages/report.ts";
import type { EntryPage, LogEntry } from "./entries.ts";
import type { WatchedLog } from "./sources.ts";
import { patternOf, templatesOf } from "./templates.ts";
import { meaningOf } from "./words.ts";

/** The most that one log is taken to say. */
const mostOfOne = 4;
/** How much more often than before something must come to be told, where it came before. */
const suddenly = 3;

/**
 * What is new or suddenly frequent, what is understood first.
 * @param beforeSeconds how long the time before was
 */
export function patternsIn(
  {
    logs,
    since,
    earlier,
  }: { readonly logs: readonly WatchedLog[]; readonly since: EntryPage; readonly earlier: EntryPage },
  beforeSeconds: number,
): ReportedLogPattern[] {
  return logs.flatMap((log) => {
    const now = since.entries.filter((entry) => log.has(entry) && entry.message !== "");
    const before = earlier.entries.filter((entry) => log.has(entry) && entry.message !== "");
    const all = [...now, ...before];
    const found = templatesOf(all.map(({ message = "" }) => message)).flatMap(
      ({ words, members }): ReportedLogPattern[] => {
        const mine = members.filter((place) => place < now.length).map((place) => now[place] as LogEntry);
        const times = mine.map((entry) => entry.at);
        const [sample] = mine;
        const old = members.length - mine.length;
        if (sample === undefined || !isSudden(times, old, beforeSeconds)) return [];
        const means = meaningOf(sample.message ?? "", { resource: log.title, name: log.name });
        return [
          {
            pattern: patternOf({ words }),
            resource: log.title,
            component: log.component,
            count: mine.length,
            first_at: new Date(Math.min(...times)).toISOString(),
            last_at: new Date(Math.max(...times)).toISOString(),
            before: old,
            before_seconds: beforeSeconds,
            ...(since.more ? { at_least: true as const } : {}),
            ...(means === undefined ? {} : { means }),
          },
        ];
      },
    );
    return found
      .sort((a, b) => Number(b.means !== undefined) - Number(a.means !== undefined) || b.count - a.count)
      .slice(0, mostOfOne);
  });
}

/** Whether something is new, or comes much more often than before. */
function isSudden(times: readonly number[], before: number, beforeSeconds: number): boolean {
  if (before === 0) return true;
  const seconds = Math.max(60, (Math.max(...times) - Math.min(...times)) / 1000);
  return times.length / seconds >= (suddenly * before) / Math.max(60, beforeSeconds);
}
