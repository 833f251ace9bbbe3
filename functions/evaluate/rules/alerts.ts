/** Applies the findings of rules to the alerts of one partition, and returns the changes. */
import { horizonFor } from "../../../shared/config/schedule.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { marginOf } from "../cause/strength.ts";
import type { Excess, SeriesSource } from "../condition/index.ts";
import type { KnownAlert } from "../incident/state.ts";
import type { AlertState, ProbeFact } from "../partition/state.ts";
import { intervalOf, type Plan } from "../plan.ts";
import { absenceText, type SeenAbsence } from "./absence.ts";
import {
  type AlertPhase,
  type AlertTiming,
  bad,
  isQuiet,
  type Judgement,
  phaseOf,
  quiet,
  type Settled,
  SharedStep,
  type Verdict,
} from "./alert.ts";
import { fateOf } from "./configuration-edits.ts";
import { badBefore, type Flapping } from "./flapping.ts";
import { alertKey } from "./labels.ts";
import { type CompiledRule, type Finding, findings } from "./rule.ts";

/** Something that a report or a tick changed. */
export type Change =
  | {
      readonly what: "alert";
      readonly at: number;
      readonly key: string;
      readonly alert: KnownAlert | undefined;
      /** Why it ended although nothing good was measured, as the end of a sentence. */
      readonly reason?: string;
      /** The key that it had before its rule was renamed. */
      readonly formerly?: string;
      /** Its flapping, now that it has ended. */
      readonly calmed?: Flapping;
    }
  | { readonly what: "probe"; readonly at: number; readonly fact: ProbeFact };

/** Alerts by their keys: the rule and its labels. */
export type AlertsByKey = ReadonlyMap<string, AlertState>;

/** The judgements of one alert. */
export interface Judged {
  readonly rule: CompiledRule;
  /** The last that was bad, or else the last. */
  readonly finding: Finding;
  readonly judgements: readonly Judgement[];
}

/** The judgements of one step, by alert key. */
export class Verdicts {
  readonly byKey: Map<string, Judged> = new Map();

  /** Why there is nothing to judge of alerts, by their keys. */
  readonly absences: Map<string, SeenAbsence> = new Map();

  /** The last judgement as a list, because a rule often gives many series the same one at the same instant. */
  #last: readonly [Judgement] = [[Number.NaN, bad]];

  add(rule: CompiledRule, finding: Finding, at: number, verdict: Verdict): void {
    const key = keyOf(rule.name, finding);
    const [[lastAt, lastVerdict]] = this.#last;
    if (at !== lastAt || verdict !== lastVerdict) this.#last = [[at, verdict]];
    const known = this.byKey.get(key);
    if (known === undefined) this.byKey.set(key, { rule, finding, judgements: this.#last });
    else {
      const shown = verdict === bad || known.judgements.every(([, before]) => before !== bad);
      this.byKey.set(key, {
        rule,
        finding: shown ? withFailuresOf(known.finding, finding) : known.finding,
        judgements: [...known.judgements, ...this.#last],
      });
    }
  }
}

/** A finding with the failed runs of an earlier one, where it counts them: what was counted then counts. */
function withFailuresOf({ failedAt: earlier }: Finding, finding: Finding): Finding {
  const { failedAt } = finding;
  return earlier === undefined || failedAt === undefined
    ? finding
    : { ...finding, failedAt: failuresOf(earlier, failedAt) };
}

/** The most failed runs that are kept of an alert: the first, and those after which it may have come back. */
const maxFailures = 60;

function failuresOf(known: readonly number[], found: readonly number[]): readonly number[] {
  const all = [...new Set([...known, ...found])].sort((a, b) => a - b);
  return all.length <= maxFailures ? all : [...all.slice(0, 1), ...all.slice(1 - maxFailures)];
}

/** The key of the alert of a rule for what it found. */
export function keyOf(rule: string, { labels }: Pick<Finding, "labels">): string {
  return alertKey(rule, labels);
}

/** One step of the alerts of a partition. */
export interface Step {
  readonly partition: string;
  readonly plan: Plan;
  readonly source: SeriesSource;
  /** The newest instant known. */
  readonly watermark: number;
  /** Changes are appended here. */
  readonly changes: Change[];
}

/** Folds judgements into alerts, compacts them, and says what changed. The same object when nothing did. */
export function applied(alerts: AlertsByKey, verdicts: Verdicts, step: Step): AlertsByKey {
  const { plan } = step;
  const current = conforming.get(alerts) === plan ? alerts : edited(alerts, step);
  if (current.size === 0 && verdicts.byKey.size === 0) return current;
  const next = new Map<string, AlertState>();
  const changesBefore = step.changes.length;
  const shared = new SharedStep(step.watermark, horizonFor);
  for (const [key, alert] of current) {
    const judged = verdicts.byKey.get(key);
    const known = withAbsence(alert, verdicts.absences.get(key), judged, plan);
    const kept = advanced(key, known, judged?.rule ?? plan.rulesByName.get(alert.rule), judged, shared, step, alert);
    if (kept !== undefined) next.set(key, kept);
  }
  for (const [key, judged] of verdicts.byKey) {
    if (current.has(key)) continue;
    const alert = begun(judged);
    const kept = advanced(key, alert, judged.rule, judged, shared, step, alert);
    if (kept !== undefined) next.set(key, kept);
  }
  const isNews = [...verdicts.absences].some(([key, { what }]) => {
    const alert = current.get(key);
    return alert?.status === "firing" && alert.absence?.what !== what;
  });
  const isJudged = verdicts.byKey.size > 0 || isNews;
  const changed = current !== alerts || isJudged || step.changes.length > changesBefore;
  if (!changed) return alerts;
  conforming.set(next, plan);
  return next;
}

const none: readonly Judgement[] = [];

/** Returns the alert after a step and records what changed; `undefined` if nothing of it needs to be stored. */
function advanced(
  key: string,
  alert: AlertState,
  rule: CompiledRule | undefined,
  judged: Judged | undefined,
  shared: SharedStep,
  { plan, partition, watermark, changes }: Step,
  before: AlertState,
): AlertState | undefined {
  if (rule === undefined) return alert;
  const after = shared.settled(alert.history, judged?.judgements ?? none, timingOf(rule, alert, plan));
  const { phase } = after;
  const now = restated(alert, rule, after, judged, shared);
  if (differs(now, before)) {
    const known = knownAlert(key, now, phase, partition);
    const calmed = before.flapping !== undefined && now.flapping === undefined ? { calmed: before.flapping } : {};
    const reason = known === undefined && alert.absence !== undefined ? { reason: reasonOf(alert, rule, plan) } : {};
    changes.push({ what: "alert", at: phase.lastAt ?? watermark, key, alert: known, ...calmed, ...reason });
  }
  return phase.status === "inactive" && isQuiet(now.history) ? undefined : now;
}

/** Returns the alert with the reason why it cannot be judged at present. An alert that was never announced needs no reason. */
function withAbsence(
  alert: AlertState,
  absent: SeenAbsence | undefined,
  judged: Judged | undefined,
  plan: Plan,
): AlertState {
  const { absence: known, ...rest } = alert;
  const what = absent?.what;
  if (alert.status !== "firing" || (what === undefined && judged !== undefined))
    return known === undefined ? alert : rest;
  if (what === undefined || what === known?.what) return alert;
  const { base, recent } = alert.history;
  const last = known?.since ?? absent?.since ?? recent.at(-1)?.[0] ?? base.lastAt ?? 0;
  const policy = plan.rulesByName.get(alert.rule)?.missing;
  // Missing data may be what it fires for.
  return policy?.[what] === "fire" ? alert : { ...alert, absence: { what, since: last } };
}

function reasonOf(alert: AlertState, rule: CompiledRule, plan: Plan): string {
  const { probe } = alert.labels;
  const probes = probe === undefined ? yieldingTo(rule, plan) : [probe];
  return alert.absence === undefined ? "" : absenceText(alert.absence, probes);
}

/** The probes that yield what a rule looks at. */
export function yieldingTo({ condition }: CompiledRule, plan: Plan): readonly string[] {
  return [...new Set(condition.selectors.flatMap(({ metric, matchers }) => plan.yielding(metric, matchers)))];
}

/** Alerts that are known to be as the rules of a plan want them, so that edits are not looked for with every report. */
const conforming = new WeakMap<AlertsByKey, Plan>();

/** The alerts after the configuration was edited: moved to the new name of their rule, begun anew, or ended with a reason. */
function edited(alerts: AlertsByKey, { partition, plan, source, watermark, changes }: Step): AlertsByKey {
  const next = new Map<string, AlertState>();
  let changed = false;
  const spoken = new Map<CompiledRule, ReadonlySet<string>>();
  const speaksOf = (rule: CompiledRule, key: string): boolean => {
    const keys = spoken.get(rule) ?? new Set(findings(rule, source, watermark).map((found) => keyOf(rule.name, found)));
    spoken.set(rule, keys);
    return keys.has(key);
  };
  for (const [key, alert] of alerts) {
    const fate = fateOf(alert, partition, plan);
    if (fate.what === "same") {
      next.set(key, alert);
      continue;
    }
    changed = true;
    if (fate.what === "renamed") {
      const moved = keyOf(fate.rule.name, alert);
      if (!alerts.has(moved)) {
        const renamed = { ...alert, rule: fate.rule.name };
        next.set(moved, renamed);
        const known = knownAlert(
          moved,
          renamed,
          phaseOf(alert.history, timingOf(fate.rule, alert, plan), watermark),
          partition,
        );
        if (known) changes.push({ what: "alert", at: watermark, key: moved, alert: known, formerly: key });
        continue;
      }
    } else if (fate.what === "rejudged" && speaksOf(fate.rule, key)) {
      // Bad judgements of an old condition do not apply to a new one, so an alert that was not announced starts again.
      const history = alert.status === "firing" ? alert.history : quiet;
      next.set(key, { ...alert, history, criterion: fate.rule.criterion });
      continue;
    }
    if (alert.status === "inactive") continue;
    const reason =
      fate.what === "ended"
        ? fate.reason
        : fate.what === "renamed"
          ? "its rule was removed from the configuration"
          : "its condition was changed and no longer covers this";
    changes.push({ what: "alert", at: watermark, key, alert: undefined, reason });
  }
  if (!changed) conforming.set(alerts, plan);
  return changed ? next : alerts;
}

/** An alert that is heard of for the first time. */
function begun({ rule, finding }: Judged): AlertState {
  return {
    rule: rule.name,
    labels: finding.labels,
    component: componentOf(rule, finding),
    severity: rule.severity,
    criterion: rule.criterion,
    history: quiet,
    status: "inactive",
    seen: "",
  };
}

/** The alert as it is now. The values seen are put into words only where somebody will read them. */
function restated(
  alert: AlertState,
  rule: CompiledRule,
  after: Settled,
  judged: Judged | undefined,
  shared: SharedStep,
): AlertState {
  const { phase } = after;
  const { status } = phase;
  const flapping = phase.status === "firing" ? phase.flapping : undefined;
  const component = judged === undefined ? (rule.component ?? alert.component) : componentOf(rule, judged.finding);
  const fired = phase.status === "firing" && alert.status !== "firing";
  const isUnread = status === "firing" && !fired && flapping?.since === alert.flapping?.since;
  const isBad = !isUnread && judged?.judgements.some(([, verdict]) => verdict === bad) === true;
  const isJudgedBad = status !== "inactive" && judged?.judgements.some(([, verdict]) => verdict === bad) === true;
  const excess = isJudgedBad ? worse(alert, judged.finding.excess, phase.lastAt ?? 0) : knownExcess(alert, status);
  const now: AlertState = {
    rule: alert.rule,
    labels: judged?.finding.labels ?? alert.labels,
    component,
    ...gradeOf(rule, alert, judged),
    criterion: alert.criterion,
    history: fired ? shared.announced(after) : after.history,
    status,
    ...(isBad
      ? seenOf(judged)
      : alert.seenAt === undefined
        ? { seen: alert.seen }
        : { seen: alert.seen, seenAt: alert.seenAt }),
    ...excess,
    ...countedOf(alert, status, fired, judged),
    ...(alert.absence === undefined || status === "inactive" ? {} : { absence: alert.absence }),
  };
  return flapping === undefined ? now : { ...now, flapping };
}

/** The failed runs that made it fire. Later ones only matter where one is earlier than all: it came late. */
function countedOf(
  { failedAt: known }: AlertState,
  status: AlertPhase["status"],
  fired: boolean,
  judged: Judged | undefined,
): Pick<AlertState, "failedAt"> {
  if (status === "inactive") return {};
  const { failedAt: found } = judged?.finding ?? {};
  if (found !== undefined && (fired || known === undefined)) return { failedAt: failuresOf([], found) };
  if (known === undefined) return {};
  const isEarlier = (found?.[0] ?? Number.POSITIVE_INFINITY) < (known[0] ?? 0);
  return { failedAt: isEarlier ? failuresOf(known, found ?? []) : known };
}

/** The last bad finding and its time. */
function seenOf({ finding, judgements }: Judged): Pick<AlertState, "seen" | "seenAt"> {
  const seenAt = judgements.findLast(([, verdict]) => verdict === bad)?.[0];
  return { seen: bounded(finding.seen), ...(seenAt === undefined ? {} : { seenAt }) };
}

/** Severity: that of the rule, or of the last bad finding. */
function gradeOf(
  rule: CompiledRule,
  alert: AlertState,
  judged: Judged | undefined,
): Pick<AlertState, "severity" | "capped"> {
  const { severity = rule.graded ? undefined : rule.severity, capped } = judged?.finding ?? {};
  if (severity === undefined) {
    return { severity: alert.severity, ...(alert.capped === undefined ? {} : { capped: alert.capped }) };
  }
  return { severity, ...(capped === undefined ? {} : { capped }) };
}

type AlertExcess = Pick<AlertState, "excess" | "excessAt">;

function knownExcess({ excess, excessAt }: AlertState, status: AlertState["status"]): AlertExcess {
  return excess === undefined || excessAt === undefined || status === "inactive" ? {} : { excess, excessAt };
}

/** Excess beyond the limit. Growth is reported once per doubling, so that a slowly rising value causes few writes. */
function worse(alert: AlertState, excess: Excess | undefined, at: number): AlertExcess {
  if (excess === undefined) return knownExcess(alert, alert.status);
  const isSame = alert.excess !== undefined && marginOf(excess) < 2 * marginOf(alert.excess);
  return isSame && alert.status !== "inactive" ? knownExcess(alert, alert.status) : { excess, excessAt: at };
}

/** Returns whether the incidents must process the alert again. One more change of a flapping alert does not count. */
function differs(now: AlertState, before: AlertState): boolean {
  if (now.status !== before.status) return true;
  if (now.status === "inactive") return false;
  return (
    now.severity !== before.severity ||
    now.capped !== before.capped ||
    now.component !== before.component ||
    now.excessAt !== before.excessAt ||
    now.failedAt?.[0] !== before.failedAt?.[0] ||
    now.absence?.what !== before.absence?.what ||
    (now.flapping === undefined) !== (before.flapping === undefined)
  );
}

function knownAlert(key: string, alert: AlertState, phase: AlertPhase, partition: string): KnownAlert | undefined {
  if (phase.status === "inactive") return undefined;
  const usual = badBefore(phase.results ?? 0);
  const { rule, component, labels, severity, seen, seenAt, failedAt } = alert;
  return {
    key,
    rule,
    component,
    labels,
    severity,
    status: phase.status,
    since: failedAt?.[0] ?? phase.since,
    ...(failedAt === undefined ? {} : { failedAt }),
    ...(phase.status === "firing" ? { firedAt: phase.firedAt } : {}),
    seen,
    ...(usual > 0 ? { badBefore: usual } : {}),
    ...(seenAt === undefined ? {} : { seenAt }),
    ...knownExcess(alert, phase.status),
    partition,
    ...(alert.capped === undefined ? {} : { capped: alert.capped }),
    ...(alert.absence === undefined ? {} : { absence: alert.absence }),
    ...(phase.status === "firing" && phase.flapping !== undefined ? { flapping: phase.flapping } : {}),
  };
}

function componentOf(rule: CompiledRule, { labels, series }: Finding): string {
  return rule.component ?? labels["component"] ?? series[0]?.labels["component"] ?? "unknown";
}

function timingOf(rule: CompiledRule, { labels }: AlertState, plan: Plan): AlertTiming {
  const { alertDurationMs, clearDurationMs, flapping } = rule;
  return { alertDurationMs, clearDurationMs, flapping, intervalMs: intervalOf(plan, labels["probe"]) };
}
