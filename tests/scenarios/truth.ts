/** Checks the record of an incident: each instant, count, duration and quoted message of its document is looked up in the raw reports. */
import { type IncidentDocument, readIncident, type SymptomRecord } from "../../shared/documents/incident.ts";
import type { Fields } from "../../shared/ports.ts";
import { isAbout, type Measured, msOf, type Run, second, shownSpan } from "./measured.ts";
import { falsePostmortem } from "./postmortem-truth.ts";
import { alarming, falseRelapses, lastedAt, relapseSayings } from "./relapse-truth.ts";

/** Returns every statement in the document of an incident that the reports do not confirm, as sentences. */
export function untruths(fields: Fields, measured: Measured): string[] {
  const incident = readIncident(fields);
  // Statements of the monitor about itself are not in the reports of the probes.
  if (incident.verdict === "monitor" || "drill" in fields) return [];
  return [
    ...incident.symptoms.flatMap((symptom) => falseSymptom(symptom, incident, measured)),
    ...falseBeginning(incident, measured),
    ...falseAffected(incident, measured),
    ...incident.timeline.flatMap((line) => falseLine(line, incident, measured)),
    ...[...incident.evidence, ...incident.whys].flatMap((line) => falseSentence(line, incident, measured)),
    ...falseSummary(incident, measured),
    ...falseRecovery(incident),
    ...falseRelapses(incident, measured),
    ...falsePostmortem(incident, measured),
  ];
}

/** Formats a failure as sentences quote it: `in connect (timeout): no answer`. */
function quoted({ result: { failure } }: Run): string {
  return failure === undefined ? "" : `in ${failure.phase} (${failure.kind}): ${failure.message}`;
}

/** Returns whether a quotation is from this run; a long one is truncated. */
function isQuoted(text: string, run: Run): boolean {
  const plain = (one: string): string => one.replaceAll(/[\s.]+/g, " ").trim();
  const [shown, said] = [plain(text), plain(quoted(run))];
  return !run.result.success && (shown.endsWith("…") ? said.startsWith(shown.slice(0, -1)) : shown === said);
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

function falseSymptom(symptom: SymptomRecord, { resolved_at: end }: IncidentDocument, measured: Measured): string[] {
  const { check, kind, since, until, failures } = symptom;
  if (kind !== "probe") return [];
  const problem = (what: string): string => `symptom \`${check}\`: ${what}`;
  const wrong: string[] = [];
  const at = (instant: Date): readonly Run[] => measured.runs(check, instant.getTime(), instant.getTime());
  if (!at(since).some(({ result }) => !result.success))
    wrong.push(problem(`no run failed at ${clock(since.getTime())}`));
  const isGoodAgain =
    until === null || at(until).some(({ result }) => result.success) || measured.wasProvedGood(check, until.getTime());
  const isSilent = measured.runs(check, until?.getTime()).length === 0;
  if (!isGoodAgain && !isSilent) wrong.push(problem(`no run was good at ${clock(until.getTime())}`));
  for (const { showed, from, until: last, count } of failures) {
    const own = measured.runs(check, from.getTime(), last.getTime()).filter((run) => isQuoted(showed, run));
    if (own[0]?.at !== from.getTime())
      wrong.push(problem(`"${showed}" was not seen first at ${clock(from.getTime())}`));
    if (own.at(-1)?.at !== last.getTime())
      wrong.push(problem(`"${showed}" was not seen last at ${clock(last.getTime())}`));
    if (own.length !== count) wrong.push(problem(`"${showed}" was seen ${own.length} times, not ${count}`));
  }
  const counted = failures.reduce((sum, { count }) => sum + count, 0);
  // A run that starts as the incident ends is reported later.
  const failed = measured.runs(check, since.getTime(), until?.getTime() ?? Number(end) - 1);
  const missing = failed.filter(({ result }) => !result.success).length - counted;
  if (end !== null && missing > 0) wrong.push(problem(`${missing} failed runs are in no entry`));
  return wrong;
}

/** An incident of intermittent failures begins with the first failure that counted when its alert fired, or with an earlier ongoing failure. */
function falseBeginning(incident: IncidentDocument, measured: Measured): string[] {
  const { first_failure_at: first, opened_at: opened, opened_by: rule, previous } = incident;
  const probe = /^(.+) intermittent$/.exec(rule ?? "")?.[1];
  if (probe === undefined) return [];
  const fired = measured.burns(probe).find(({ at }) => at === Number(opened));
  if (fired === undefined) return [`"${rule}" did not fire at ${clock(Number(opened))}`];
  const others = [
    ...alarming(incident, "failing").flatMap((one) => measured.alarms(one)),
    ...alarming(incident, "intermittent").flatMap((one) => measured.burns(one).map(({ from }) => from)),
  ];
  const isFailed = measured.runs(probe, Number(first), Number(first)).some(({ result }) => !result.success);
  // Earlier failures belong to the previous incident, which had been resolved by then.
  const isRepetition = previous !== null && isFailed && fired.from < Number(first);
  const isFirst =
    isRepetition || Number(first) === fired.from || (Number(first) < fired.from && others.includes(Number(first)));
  return isFirst ? [] : [`the first failure that counted was at ${clock(fired.from)}, not at ${clock(Number(first))}`];
}

/** Components that failed, from the first failed run of one of their probes to the first good run after the last. */
function falseAffected({ affected, symptoms }: IncidentDocument, measured: Measured): string[] {
  return affected.flatMap(({ component, trouble, from, until }) => {
    if (trouble !== "failed" || from === null) return [];
    const probes = symptoms
      .filter((one) => one.component === component && one.kind === "probe")
      .map(({ check }) => check);
    const failedAt = (at: number): boolean =>
      probes.some((probe) => measured.runs(probe, at, at).some(({ result }) => !result.success));
    const goodAt = (at: number): boolean =>
      probes.some((probe) => measured.runs(probe, at, at).some(({ result }) => result.success)) ||
      probes.some((probe) => measured.wasProvedGood(probe, at) || measured.runs(probe, at).length === 0);
    return [
      ...(failedAt(from.getTime()) ? [] : [`${component} did not fail at ${clock(from.getTime())}`]),
      ...(until === null || goodAt(until.getTime()) ? [] : [`${component} was not good at ${clock(until.getTime())}`]),
    ];
  });
}

const stagePassed = /^Stage (\d+), (.+), passed after (.+?)(?:, at attempt (\d+))?\.$/;

/** Returns when the reports proved a line about a stage, within the displayed second. */
function provedAt(
  [, stage = "", , , attempt = "1"]: RegExpExecArray,
  shown: number,
  measured: Measured,
): number | undefined {
  return measured.proofs(Number(stage), Number(attempt)).find((at) => shown <= at && at < shown + second);
}

/** Returns when validation reached a stage, counted from 1: when the alerts had cleared, or the previous stage had passed. */
function begun(timeline: readonly string[], stage: number, measured: Measured): number[] {
  return timeline.flatMap((line) => {
    const text = line.slice(line.indexOf("  ") + 2);
    if (text.startsWith("All alerts have cleared")) return [instantOf(line)];
    const match = stagePassed.exec(text);
    return match === null || Number(match[1]) >= stage ? [] : (provedAt(match, instantOf(line), measured) ?? []);
  });
}

/** Returns the instant of a line of the timeline. */
function instantOf(line: string): number {
  const [, instant = ""] = /^(\S+ \S+) UTC {2}/.exec(line) ?? [];
  return Date.parse(`${instant.replace(" ", "T")}Z`);
}

/** Returns whether a duration in words is one between two displayed times, in whole seconds. */
function isNearly(words: string, ms: number): boolean {
  return Math.abs((msOf(words) ?? 0) - ms) <= second;
}

/** The sentences of the timeline, each with its check. */
type Saying = readonly [
  pattern: RegExp,
  isTrue: (match: RegExpExecArray, at: number, incident: IncidentDocument, measured: Measured) => boolean,
];

const sayings: readonly Saying[] = [
  [
    /^(?:Again: )?`([^`]+)` fails (in .+?)\.?$/,
    ([, probe = "", failure = ""], at, _, measured) => measured.runsAt(probe, at).some((run) => isQuoted(failure, run)),
  ],
  [
    /^`([^`]+)` fails(?: again)?\.$/,
    ([, probe = ""], at, _, measured) => measured.runsAt(probe, at).some(({ result }) => !result.success),
  ],
  [
    /^`([^`]+)` is good again\.$/,
    ([, probe = ""], at, _, measured) => measured.runsAt(probe, at).some(({ result }) => result.success),
  ],
  [/^`([^`]+)` is silent\.$/, ([, probe = ""], at, _, measured) => measured.runs(probe, at - 60_000, at).length === 0],
  [
    /^"(.+) failing" has cleared\.$/,
    ([, probe = ""], at, _, measured) => measured.runs(probe, 0, at + second).at(-1)?.result.success !== false,
  ],
  [
    /^`([^`]+)` fails intermittently: (\d+) of (\d+) runs failed within (\S+?)(?: besides those of (.+?))?, where /,
    ([, probe = "", failed = "", all = "", window = "", aside], at, _, measured) =>
      measured.hasFailed(probe, at, msOf(window) ?? 0, Number(failed), Number(all), aside !== undefined),
  ],
  ...relapseSayings,
  [
    stagePassed,
    (match, at, { recovery, timeline }, measured) => {
      const [, number = "", name = "", took = "", attempt = "1"] = match;
      const passed = provedAt(match, at, measured);
      if (passed === undefined) return false;
      if (at < Number(recovery?.begun_at)) {
        const before = begun(timeline, Number(number), measured).filter((from) => from <= passed);
        return isNearly(took, passed - Math.max(...before));
      }
      return (
        recovery?.stages.some(
          (stage) =>
            stage.name === name &&
            stage.attempts === Number(attempt) &&
            isAbout(took, shownSpan(Number(stage.begun_at), Number(stage.passed_at))),
        ) === true
      );
    },
  ],
];

function falseLine(line: string, incident: IncidentDocument, measured: Measured): string[] {
  const [, , text = ""] = /^(\S+ \S+) UTC {2}(.*)$/s.exec(line) ?? [];
  const at = instantOf(line);
  const [first, last] = [Number(incident.first_failure_at), Number(incident.resolved_at ?? Number.POSITIVE_INFINITY)];
  const wrong: string[] = [];
  if (Number.isNaN(at)) wrong.push(`no instant: ${line}`);
  const isLate = /^(An alert|"|Late|Figures)/.test(text);
  if (at < first - second || (at > last + second && !isLate))
    wrong.push(`not between the first failure and the end: ${line}`);
  const rule = ruleLine(text, at, measured);
  if (rule !== undefined) return [...wrong, ...(rule ? [] : [`the condition did not see it then: ${line}`])];
  for (const [pattern, isTrue] of sayings) {
    const match = pattern.exec(text);
    if (match !== null && !isTrue(match, at, incident, measured)) wrong.push(`not as the reports say: ${line}`);
  }
  return wrong;
}

/** Returns whether the line of a rule matches the values of its condition; `undefined` if the line is not of a rule. */
function ruleLine(text: string, at: number, measured: Measured): boolean | undefined {
  const plain = text.replace(/^Again: /, "");
  const name = [...measured.plan.rulesByName.keys()].find((one) => plain.startsWith(`${one}: `));
  if (name === undefined) return undefined;
  const [, seen = "", later] = /^(.*?)(?: at (\d\d:\d\d:\d\d) UTC)?\.$/s.exec(plain.slice(name.length + 2)) ?? [];
  const instant = later === undefined ? at : dated(later, at);
  return wasSeen(name, seen, instant, measured);
}

function wasSeen(rule: string, seen: string, at: number, measured: Measured): boolean {
  // Within the displayed second, including runs that started in it.
  return [at, at + second - 1].some((instant) =>
    measured
      .seenBy(rule, instant)
      .some((one) => one === seen || (seen.endsWith("…") && one.startsWith(seen.slice(0, -1)))),
  );
}

/** Returns the instant of a displayed time on the day of another, or the next day. */
function dated(time: string, near: number): number {
  const at = Date.parse(`${new Date(near).toISOString().slice(0, 10)}T${time}Z`);
  return at < near - second ? at + 86_400_000 : at;
}

/** Checks the sentences about a symptom: every failure that they quote occurred at the stated instant. */
function falseSentence(line: string, incident: IncidentDocument, measured: Measured): string[] {
  const began = Number(incident.first_failure_at);
  const wrong: string[] = [];
  const probe = /`([^`]+)` fails (in .+)$/.exec(line);
  const since = / since (\d\d:\d\d:\d\d) UTC(?: until (\d\d:\d\d:\d\d) UTC)?\.$/.exec(line);
  if (probe !== null) {
    const [, name = "", rest = ""] = probe;
    const parts = rest
      .replace(/(?:, from (?:inside|outside))?(?:, since \S+ UTC)?(?: until \S+ UTC)?\.$/, "")
      .split(/, from (?=\d\d:\d\d:\d\d UTC in )/);
    for (const part of parts) {
      const [, time, failure = part] = /^(\d\d:\d\d:\d\d) UTC (.*)$/s.exec(part) ?? [];
      const at = time ?? since?.[1];
      const runs = at === undefined ? measured.runs(name) : measured.runsAt(name, dated(at, began));
      if (!runs.some((run) => isQuoted(failure, run))) wrong.push(`no run failed so${at ? ` at ${at}` : ""}: ${line}`);
    }
    if (since?.[2] !== undefined) {
      const until = dated(since[2], began);
      const good = measured.runsAt(name, until).some(({ result }) => result.success);
      if (!good && !measured.wasProvedGood(name, until + second) && measured.runs(name, until).length > 0)
        wrong.push(`it was not good again then: ${line}`);
    }
  }
  const green =
    /(?:: |because |and |^)((?:`[^`]+`(?:, | and )?)+)(?: and \d+ more)? w(?:as|ere) good all the time/.exec(line);
  for (const [, name = ""] of green?.[1]?.matchAll(/`([^`]+)`/g) ?? []) {
    // Until the cause was named for the last time, no part of it had failed.
    const failed = measured
      .runs(name, began, Number(incident.root_cause_since))
      .filter(({ result }) => !result.success);
    if (failed.length > 0) wrong.push(`\`${name}\` failed: ${line}`);
  }
  return wrong;
}

function falseSummary(incident: IncidentDocument, measured: Measured): string[] {
  const { summary, symptoms, affected, duration, first_failure_at: from, resolved_at: end, impact } = incident;
  const wrong: string[] = [];
  const lasted = /It lasted (.+?)\.$/.exec(summary)?.[1];
  if (end !== null && !isAbout(String(duration), lastedAt(incident, Number(end)))) wrong.push(`duration: ${duration}`);
  if (lasted !== undefined && lasted !== duration) wrong.push(`it lasted ${duration}: ${summary}`);
  const reach = /(\d+) of (\d+) components (?:is|are) affected/.exec(impact);
  if (reach !== null && Number(reach[1]) !== incident.components.length)
    wrong.push(`${impact}: ${incident.components}`);
  for (const { title, component, trouble } of affected) {
    if (trouble !== "failed") continue;
    const said = new RegExp(
      `${title.replaceAll(/[.*+?^$()[\\]{}|\\\\]/g, "\\\\$&")}[^.]*? (?:from|since) (\\d\\d:\\d\\d:\\d\\d) UTC`,
    ).exec(summary);
    if (said === null || !/failed|failing/.test(summary.split(". ")[0] ?? "")) continue;
    const at = dated(said[1] ?? "", Number(from));
    const probes = symptoms.filter((one) => one.component === component && one.kind === "probe");
    const near = probes.some(({ check }) =>
      measured.runs(check, at, at + 60_000).some(({ result }) => !result.success),
    );
    if (!near) wrong.push(`${title} did not begin to fail at ${said[1]}: ${summary}`);
  }
  return wrong;
}

/** Stages follow one another within the validation, and last as long as their instants say. */
function falseRecovery(incident: IncidentDocument): string[] {
  const { recovery, recovering_at: recovering, resolved_at: end, timeline, relapses } = incident;
  if (recovery === null) return [];
  const wrong: string[] = [];
  for (const line of recovery.earlier) if (!isEarlierProof(line, timeline)) wrong.push(`no such proof: ${line}`);
  if (recovering !== null && Number(recovery.begun_at) !== Number(recovering))
    wrong.push("the proof did not begin when the incident was recovering");
  const ends = [...relapses.map(({ resolved_at: over }) => over.getTime()), Number(end)];
  if (recovery.status === "passed" && !ends.includes(Number(recovery.ended_at)))
    wrong.push("the proof did not end with the incident");
  let last = Number(recovery.begun_at);
  for (const { name, begun_at: from, passed_at: to, seconds } of recovery.stages) {
    if (from === null) continue;
    if (Number(from) < last) wrong.push(`stage ${name} began before the one before it had passed`);
    if (to !== null && Math.abs(Number(to) - Number(from) - (seconds ?? 0) * 1000) > 500)
      wrong.push(`stage ${name} took ${seconds} s?`);
    last = Number(to ?? from);
  }
  return wrong;
}

const endings = {
  resolved: / UTC {2}Resolved\. (?!An operator)/,
  regressed: / UTC {2}It is not over: /,
  "resolved by an operator": / UTC {2}Resolved\. An operator/,
};

/**
 * Returns whether, according to the timeline, an earlier validation started when alerts had cleared, and ended after the number of seconds
 * in its sentence.
 */
function isEarlierProof(line: string, timeline: readonly string[]): boolean {
  const [, from, how = "", took = ""] = /^Begun at (\S+) UTC, (.+) after (.+?); /.exec(line) ?? [];
  const ending = Object.entries(endings).find(([name]) => name === how)?.[1];
  const starts = timeline.filter((one) => one.includes(`${from} UTC  All alerts have cleared`)).map(instantOf);
  const ends = timeline.filter((one) => ending?.test(one)).map(instantOf);
  return starts.some((start) => ends.some((end) => isNearly(took, end - start)));
}
