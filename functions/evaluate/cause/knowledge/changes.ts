/**
 * Changes and log messages as evidence, which come with a diagnosis. A change of a component shortly before it started to fail, and log
 * messages that name a cause, sharpen an answer that the measurements allow; they add no candidate and outweigh nothing.
 */
import type {
  ChangeKind,
  ProbeResult,
  ReportedChange,
  ReportedLogPattern,
} from "../../../../shared/messages/report.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import { spokenDuration } from "../../../../shared/text/units.ts";
import { clockTime } from "../../incident/record/instants.ts";

/** A change, as it is kept; the instant in milliseconds since the epoch. */
export interface Change extends Omit<ReportedChange, "at"> {
  readonly at: number;
}

/** A repeated message of an error log; instants in milliseconds since the epoch. */
export interface LogPattern extends Omit<ReportedLogPattern, "first_at" | "last_at"> {
  readonly firstAt: number;
  readonly lastAt: number;
}

/** The most that is kept of one result. */
const maxChanges = 30;
const maxPatterns = 12;

/** The changes of a result, newest first. `undefined` where it does not look for any, or could not. */
export function changesOf({ changes }: ProbeResult): readonly Change[] | undefined {
  return changes?.slice(0, maxChanges).map(changeFrom);
}

/** A change as a report or a message brings it, bounded. */
export function changeFrom({ at, what, resource, ...rest }: ReportedChange): Change {
  return {
    ...rest,
    at: Date.parse(at),
    what: bounded(what, [], 160),
    ...(resource === undefined ? {} : { resource: bounded(resource, [], 120) }),
  };
}

/** Log messages in a result. `undefined` if the probe does not read logs, or could not. */
export function logPatternsOf({ log_patterns: patterns }: ProbeResult): readonly LogPattern[] | undefined {
  return patterns?.slice(0, maxPatterns).map(({ first_at, last_at, pattern, ...rest }) => ({
    ...rest,
    pattern: bounded(pattern, [], 160),
    firstAt: Date.parse(first_at),
    lastAt: Date.parse(last_at),
  }));
}

/** Maximum lead of a change over the first failure that it can have caused, in milliseconds. */
const longestDelay = 1_800_000;
/** Maximum apparent delay of a change, in milliseconds: clocks differ, and entries may be written when the change ends. */
const slack = 60_000;

/** The change that fits a failure best: the last one before it that is not too old; where there is none, one that came with it. */
export function fittingChange(changes: readonly Change[], failedAt: number): Change | undefined {
  const near = changes
    .filter(({ at }) => at <= failedAt + slack && failedAt - at <= longestDelay)
    .sort((a, b) => b.at - a.at);
  return near.find(({ at }) => at <= failedAt) ?? near.at(-1);
}

/** Kinds of changes that may touch a component although nothing says so. */
const wide: ReadonlySet<ChangeKind> = new Set(["network", "firewall", "iam", "secret", "dns", "quota", "policy"]);

/** Returns whether a change may concern any of these components. */
export function concerns({ components, kind, elsewhere }: Change, names: ReadonlySet<string>): boolean {
  if (elsewhere === true) return false;
  return components.length === 0 ? wide.has(kind) : components.some((name) => names.has(name));
}

/** A change as one sentence. @param failedAt the first failure, in milliseconds since the epoch */
export function changeSentence({ what, resource, by, at }: Change, failedAt: number): string {
  const of = resource === undefined ? "" : ` (${resource})`;
  const who = by === undefined ? "" : ` by ${bounded(by, [], 80)}`;
  const before = failedAt - at;
  const when =
    before < 1_000 ? "at the time of the first failure" : `${spokenDuration(before)} before the first failure`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${of}${who} at ${clockTime(at)}, ${when}.`;
}

/** Describes a log message in one sentence, with its counts. */
export function logSentence({
  pattern,
  resource,
  count,
  firstAt,
  before,
  before_seconds,
  at_least,
}: LogPattern): string {
  const times = `${at_least ? "at least " : ""}${count === 1 && !at_least ? "once" : `${count} times`}`;
  const earlier =
    before_seconds === 0
      ? ""
      : `, ${before === 0 ? "never" : before === 1 ? "once" : `${before} times`} in the ${spokenDuration(before_seconds * 1000)} before`;
  return `\`${pattern.replaceAll("`", "'")}\` ${times} since ${clockTime(firstAt)} in the log of the ${resource}${earlier}.`;
}
