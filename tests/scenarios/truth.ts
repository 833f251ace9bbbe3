/**
 * Whether the record of an incident is true: each instant, count, duration and quoted message of its document is looked up in the raw reports, by
 * code that shares nothing with what wrote it but the conditions of rules.
 */
import { sourceOf, withSamples } from "../../functions/evaluate/partition/samples.ts";
import type { Plan } from "../../functions/evaluate/plan.ts";
import { findings } from "../../functions/evaluate/rules/rule.ts";
import { type IncidentDocument, readIncident, type SymptomRecord } from "../../shared/documents/incident.ts";
import { periodsOf } from "../../shared/maintenance.ts";
import { isTelling, type ProbeResult, type Report } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { parseDuration, spokenDuration } from "../../shared/text/units.ts";

/** One run of a probe that says something of its target. */
interface Run {
  readonly at: number;
  readonly result: ProbeResult;
}

const second = 1000;

/** What was measured: every report once, those left out in which the prober was in trouble of its own. */
export class Measured {
  readonly plan: Plan;
  readonly #runs = new Map<string, Run[]>();
  readonly #reports: readonly Report[];

  constructor(reports: readonly Report[], plan: Plan) {
    this.plan = plan;
    const once = [...new Map(reports.map((report) => [report.report, report])).values()];
    this.#reports = once.filter(({ prober_unhealthy }) => prober_unhealthy === undefined);
    for (const { trigger, results } of this.#reports) {
      // A validation proves a recovery, and stands in the record of that.
      if (trigger === "validation") continue;
      for (const result of results.filter(isTelling)) {
        const own = this.#runs.get(result.probe) ?? [];
        own.push({ at: Date.parse(result.at), result });
        this.#runs.set(result.probe, own);
      }
    }
    for (const own of this.#runs.values()) own.sort((a, b) => a.at - b.at);
  }

  /** The runs of a probe from one instant to another, both included. */
  runs(probe: string, from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY): readonly Run[] {
    return (this.#runs.get(probe) ?? []).filter(({ at }) => from <= at && at <= until);
  }

  /** The runs of a probe within the second that a clock shows. */
  runsAt(probe: string, at: number): readonly Run[] {
    return this.runs(probe, at, at + second - 1);
  }

  /** Whether a validation found a probe good at or before an instant. */
  wasProvedGood(probe: string, until: number): boolean {
    return this.#reports.some(
      ({ trigger, results }) =>
        trigger === "validation" &&
        results.some((one) => one.probe === probe && one.success && Date.parse(one.at) <= until),
    );
  }

  /**
   * How long a component was down between two instants, in milliseconds, by the definition of docs/availability.md: from the first bad result to the
   * first good one of one of the probes that decide, where that lasts as long as their rule waits.
   */
  downtime(component: string, from: number, until: number): number {
    const own = this.plan.configuration.probes.filter(
      (probe) => probe.component === component && probe.alert !== false,
    );
    const rankOf = ({ reach = "private", secondhand }: (typeof own)[number]): number =>
      reach === "users" ? 0 : reach === "private" && !secondhand ? 1 : 2;
    const best = Math.min(...own.map(rankOf));
    const stretches = own
      .filter((probe) => rankOf(probe) === best)
      .flatMap(({ name, alert }) => {
        const runs = this.#scheduled(name);
        const least = alert === false ? 0 : alert.afterMs;
        return runs.flatMap(({ at, result }, index) => {
          if (result.success || runs[index - 1]?.result.success === false) return [];
          const good = runs.findIndex((run, later) => later > index && run.result.success);
          const last = runs[good < 0 ? runs.length - 1 : good - 1]?.at ?? at;
          return last - at < least ? [] : [{ from: at, until: runs[good]?.at ?? last }];
        });
      })
      .filter((one) => one.until > from && one.from < until);
    const planned = (this.plan.configuration.maintenance ?? [])
      .filter(({ components }) => components?.includes(component) ?? true)
      .flatMap((window) => periodsOf(window, from, until));
    let sum = 0;
    // Every instant of the corpus at which something changes is a whole second.
    for (let at = from; at < until; at += second) {
      const isPlanned = planned.some((period) => period.from <= at && at < period.to);
      if (!isPlanned && stretches.some((one) => one.from <= at && at < one.until)) sum += second;
    }
    return sum;
  }

  #scheduled(probe: string): readonly Run[] {
    const runs = this.#reports
      .filter(({ trigger }) => trigger === "schedule")
      .flatMap(({ results }) => results.filter((one) => one.probe === probe && isTelling(one)))
      .map((result) => ({ at: Date.parse(result.at), result }));
    return runs.sort((a, b) => a.at - b.at);
  }

  /** How many of the first so many runs of the schedule succeeded. */
  successesOf(probe: string, attempts: number): number {
    return this.#scheduled(probe)
      .slice(0, attempts)
      .filter(({ result }) => result.success).length;
  }

  /** Everything that the condition of a rule can have seen at an instant. */
  seenBy(rule: string, at: number): string[] {
    const compiled = this.plan.rulesByName.get(rule);
    if (compiled === undefined) return [];
    const telling = this.#reports
      .filter(({ trigger }) => trigger === "schedule")
      .map((report) => ({
        ...report,
        results: report.results.filter((one) => isTelling(one) && Date.parse(one.at) <= at),
      }))
      .sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
    const series = telling.reduce(
      (known, report) => withSamples(known, report, this.plan, Number.NEGATIVE_INFINITY),
      new Map() as ReturnType<typeof withSamples>,
    );
    return findings(compiled, sourceOf([{ series, probes: {} }], this.plan), at).map(({ seen }) => seen);
  }
}

/** Everything in the document of an incident that the reports do not bear out, as sentences. */
export function untruths(fields: Fields, measured: Measured): string[] {
  const incident = readIncident(fields);
  // What the monitor says of itself is not in the reports of the probes.
  if (incident.verdict === "monitor" || "drill" in fields) return [];
  return [
    ...incident.symptoms.flatMap((symptom) => falseSymptom(symptom, incident, measured)),
    ...falseAffected(incident, measured),
    ...incident.timeline.flatMap((line) => falseLine(line, incident, measured)),
    ...[...incident.evidence, ...incident.whys].flatMap((line) => falseSentence(line, incident, measured)),
    ...falseSummary(incident, measured),
    ...falseRecovery(incident),
    ...falsePostmortem(incident, measured),
  ];
}

/** A failure as sentences quote it: `in connect (timeout): no answer`. */
function quoted({ result: { failure } }: Run): string {
  return failure === undefined ? "" : `in ${failure.phase} (${failure.kind}): ${failure.message}`;
}

/** Whether a quotation is of this run; a long one is cut. */
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
  const told = (what: string): string => `symptom \`${check}\`: ${what}`;
  const wrong: string[] = [];
  const at = (instant: Date): readonly Run[] => measured.runs(check, instant.getTime(), instant.getTime());
  if (!at(since).some(({ result }) => !result.success)) wrong.push(told(`no run failed at ${clock(since.getTime())}`));
  const isGoodAgain =
    until === null || at(until).some(({ result }) => result.success) || measured.wasProvedGood(check, until.getTime());
  const isSilent = measured.runs(check, until?.getTime()).length === 0;
  if (!isGoodAgain && !isSilent) wrong.push(told(`no run was good at ${clock(until.getTime())}`));
  for (const { showed, from, until: last, count } of failures) {
    const own = measured.runs(check, from.getTime(), last.getTime()).filter((run) => isQuoted(showed, run));
    if (own[0]?.at !== from.getTime()) wrong.push(told(`"${showed}" was not seen first at ${clock(from.getTime())}`));
    if (own.at(-1)?.at !== last.getTime())
      wrong.push(told(`"${showed}" was not seen last at ${clock(last.getTime())}`));
    if (own.length !== count) wrong.push(told(`"${showed}" was seen ${own.length} times, not ${count}`));
  }
  const counted = failures.reduce((sum, { count }) => sum + count, 0);
  const failed = measured.runs(check, since.getTime(), (until ?? end ?? since).getTime());
  const missing = failed.filter(({ result }) => !result.success).length - counted;
  if (end !== null && until !== null && missing > 0) wrong.push(told(`${missing} failed runs are in no entry`));
  return wrong;
}

/** Who failed, from the first failure of one of its probes to the first good run after the last. */
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

/** Sayings of the timeline, and what makes them false. */
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
    /^All alerts have cleared, (.+) after the first failure\./,
    ([, took = ""], at, { first_failure_at: from }) => isAbout(took, at - Number(from)),
  ],
  [
    /^Resolved\. .*It lasted (.+), from (\S+) UTC\.$/,
    ([, took = "", from = ""], _, { first_failure_at: first, resolved_at: end }) =>
      isAbout(took, Number(end) - Number(first)) && clock(Number(first)) === from,
  ],
  [
    /^Nobody has acknowledged it for (.+)\.$/,
    ([, waited = ""], at, { opened_at: opened }) => at - Number(opened) >= (msOf(waited) ?? 0) - second,
  ],
  [
    /^Stage \d+, (.+), passed after (.+?)(?:, at attempt (\d+))?\.$/,
    ([, name = "", took = "", attempt = "1"], _, { recovery }) =>
      (recovery?.earlier.length ?? 0) > 0 ||
      recovery?.stages.some(
        (stage) =>
          stage.name === name && stage.attempts === Number(attempt) && isAbout(took, (stage.seconds ?? 0) * 1000),
      ) === true,
  ],
];

/** Whether a duration in words is one in milliseconds, to what the words can say. */
function isAbout(words: string, ms: number): boolean {
  return Math.max(0, ms) < second ? /^(0 s|1 s|under 1 s|\d+ ms)$/.test(words) : words === spokenDuration(ms);
}

function msOf(words: string): number | undefined {
  return parseDuration(words.replaceAll(" ", "").replace("min", "m"));
}

function falseLine(line: string, incident: IncidentDocument, measured: Measured): string[] {
  const [, instant = "", text = ""] = /^(\S+ \S+) UTC {2}(.*)$/s.exec(line) ?? [];
  const at = Date.parse(`${instant.replace(" ", "T")}Z`);
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

/** Whether the line of a rule says what its condition saw; `undefined` where it is none. */
function ruleLine(text: string, at: number, measured: Measured): boolean | undefined {
  const plain = text.replace(/^Again: /, "");
  const name = [...measured.plan.rulesByName.keys()].find((one) => plain.startsWith(`${one}: `));
  if (name === undefined) return undefined;
  const [, seen = "", later] = /^(.*?)(?: at (\d\d:\d\d:\d\d) UTC)?\.$/s.exec(plain.slice(name.length + 2)) ?? [];
  const instant = later === undefined ? at : dated(later, at);
  return wasSeen(name, seen, instant, measured);
}

function wasSeen(rule: string, seen: string, at: number, measured: Measured): boolean {
  // Within the second that a clock shows, and as of runs that began in it.
  return [at, at + second - 1].some((instant) =>
    measured
      .seenBy(rule, instant)
      .some((one) => one === seen || (seen.endsWith("…") && one.startsWith(seen.slice(0, -1)))),
  );
}

/** The instant of a clock on the day of another, or the day after. */
function dated(time: string, near: number): number {
  const at = Date.parse(`${new Date(near).toISOString().slice(0, 10)}T${time}Z`);
  return at < near - second ? at + 86_400_000 : at;
}

/** Sentences on a symptom: every failure that they quote was there at the instant that they give. */
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
    // Until the cause was named for the last time nothing of it had failed.
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
  if (end !== null && !isAbout(String(duration), Number(end) - Number(from))) wrong.push(`duration: ${duration}`);
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

/** Stages follow one another, within the proof, and take as long as their instants say. */
function falseRecovery({ recovery, recovering_at: begun, resolved_at: end }: IncidentDocument): string[] {
  if (recovery === null) return [];
  const wrong: string[] = [];
  if (begun !== null && Number(recovery.begun_at) !== Number(begun))
    wrong.push("the proof did not begin when the incident was recovering");
  if (recovery.status === "passed" && Number(recovery.ended_at) !== Number(end))
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

/** Its instants are those of the record, and its numbers follow from the reports. */
function falsePostmortem(incident: IncidentDocument, measured: Measured): string[] {
  const {
    postmortem,
    timeline,
    affected,
    symptoms,
    first_failure_at: first,
    opened_at: opened,
    resolved_at: end,
  } = incident;
  if (postmortem === null || postmortem === "") return [];
  const wrong: string[] = [];
  const text = postmortem.replaceAll(/\\([^\w\s])/g, "$1");
  const about = (pattern: RegExp): readonly string[] => pattern.exec(text)?.slice(1) ?? [];
  const [after] = about(/opened this incident (.+?) after the first failure/);
  if (after !== undefined && !isAbout(after, Number(opened) - Number(first))) wrong.push(`opened after ${after}`);
  const [lasted] = about(/It ended (.+?) after the first failure/);
  if (lasted !== undefined && !isAbout(lasted, Number(end) - Number(first))) wrong.push(`ended after ${lasted}`);
  const [checks, components] = about(/(\d+) checks? of (\d+) components? saw it/);
  const seen = new Set(symptoms.map(({ component }) => component)).size;
  if (checks !== undefined && (Number(checks) !== symptoms.length || Number(components) !== seen))
    wrong.push(`${checks} checks of ${components}`);
  const known = new Set(timeline.map((line) => line.slice(11, 19)));
  for (const [, clockShown = ""] of text.matchAll(/^- \*\*(?:\S+ )?(\d\d:\d\d:\d\d)\*\* /gm)) {
    if (!known.has(clockShown)) wrong.push(`nothing happened at ${clockShown}`);
  }
  for (const { title, component, availability_target: target } of affected) {
    const row =
      text
        .split("\n")
        .find((line) => line.startsWith(`| ${title} | `))
        ?.split(" | ") ?? [];
    const [, , , , downtime = "–", budget = "–"] = row;
    if (downtime === "–") continue;
    const down = measured.downtime(component, Number(first), Number(end));
    if (downtime.includes(":")) {
      // Of several months, each with its part.
      if (!isAbout(spokenDuration(sumOf(downtime)), down))
        wrong.push(`${title} was down for ${spokenDuration(down)}, not ${downtime}`);
      continue;
    }
    if (!isAbout(downtime, down)) wrong.push(`${title} was down for ${spokenDuration(down)}, not ${downtime}`);
    const month = new Date(Number(first));
    const allowed =
      (1 - target) *
      (Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1) -
        Date.UTC(month.getUTCFullYear(), month.getUTCMonth()));
    const share = Math.floor((down / allowed) * 10_000 + 1e-6) / 100;
    if (!budget.startsWith(`${share}%`)) wrong.push(`${title} took ${share}%, not ${budget}`);
  }
  for (const [, probe = "", successes, attempts, share] of text.matchAll(
    /`([^`]+)` was walked to its end in (\d+) of (\d+) attempts \((.+?)%\)/g,
  )) {
    const found = measured.successesOf(probe, Number(attempts));
    const exact = Math.floor((found / Number(attempts)) * 10_000 + 1e-6) / 100;
    if (found !== Number(successes) || exact !== Number(share))
      wrong.push(`\`${probe}\` succeeded ${found} times of ${attempts}`);
  }
  const downtimes = text
    .split("\n")
    .flatMap((line) => (/^\| .+ \| failed \| /.test(line) ? [spokenDuration(sumOf(line.split(" | ")[4] ?? ""))] : []));
  const [longest] = about(/What people use failed for \*\*(.+?)\*\*/);
  if (longest !== undefined && !downtimes.includes(longest)) wrong.push(`${longest} is not in the table`);
  return wrong.map((what) => `postmortem: ${what}`);
}

/** The sum of "20 min", or of "September 2025: 20 min; October 2025: 40 min", in milliseconds. */
function sumOf(downtime: string): number {
  return downtime.split("; ").reduce((sum, part) => sum + (msOf(part.replace(/^\w+ \d{4}: /, "")) ?? 0), 0);
}
