/** The record of a recovery: each attempt to prove it, stage by stage, as the incident's document keeps it. Pure. */
import type { RecoveryStage } from "../../../../shared/config/model.ts";
import type { RecoveryFields } from "../../../../shared/documents/incident.ts";
import { list } from "../../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../../shared/text/units.ts";
import { clockTime, dateTime } from "../record/instants.ts";

/** One stage, as it went; all instants in milliseconds since the epoch. */
export interface StageRecord {
  readonly name: string;
  /** `failed`: the newest attempt did, and another follows. `not_run`: it has no probes, or it did not come to it. */
  readonly status: "waiting" | "validating" | "failed" | "passed" | "not_run";
  readonly begunAt?: number;
  readonly failedAt?: number;
  readonly passedAt?: number;
  readonly attempts: number;
  /** Number of attempts without a complete answer. */
  readonly unanswered: number;
  /** Attempts that failed: the first, and the newest. */
  readonly failures: readonly { readonly at: number; readonly attempt: number; readonly reason: string }[];
}

/** One recovery, from the clearing of all alerts on. */
export interface RecoveryRecord {
  readonly begunAt: number;
  readonly endedAt?: number;
  /** How it ended: every stage passed, an alert fired again, or an operator ended it. */
  readonly outcome?: "passed" | "regressed" | "cut_short";
  readonly stages: readonly StageRecord[];
}

/** The most failures of a stage, and recoveries of an incident, that are kept. */
const maxFailures = 5;
const maxRecoveries = 4;

/** With a new recovery, of which no stage has begun. Of many, the first and the newest are kept. */
export function begun(
  records: readonly RecoveryRecord[],
  stages: readonly RecoveryStage[],
  now: number,
): readonly RecoveryRecord[] {
  const record: RecoveryRecord = {
    begunAt: now,
    stages: stages.map(untried),
  };
  return firstAndNewest([...records, record], maxRecoveries);
}

/** With one more stage behind the others. */
export function extended(records: readonly RecoveryRecord[], stage: RecoveryStage): readonly RecoveryRecord[] {
  const last = records.at(-1);
  return last === undefined
    ? records
    : [...records.slice(0, -1), { ...last, stages: [...last.stages, untried(stage)] }];
}

function untried({ name, probes }: RecoveryStage): StageRecord {
  return { name, status: probes.length === 0 ? "not_run" : "waiting", attempts: 0, unanswered: 0, failures: [] };
}

/** With one more attempt at a stage. */
export function attempted(records: readonly RecoveryRecord[], stage: number, now: number): readonly RecoveryRecord[] {
  return inStage(records, stage, (known) => ({
    ...known,
    status: "validating",
    begunAt: known.begunAt ?? now,
    attempts: known.attempts + 1,
  }));
}

/** With the newest attempt at a stage failed. */
export function failed(
  records: readonly RecoveryRecord[],
  stage: number,
  reason: string,
  now: number,
): readonly RecoveryRecord[] {
  return inStage(records, stage, (known) => ({
    ...known,
    status: "failed",
    failedAt: now,
    failures: firstAndNewest([...known.failures, { at: now, attempt: known.attempts, reason }], maxFailures),
  }));
}

/** With the newest attempt at a stage left without a whole answer. */
export function unanswered(
  records: readonly RecoveryRecord[],
  stage: number,
  reason: string,
  now: number,
): readonly RecoveryRecord[] {
  return inStage(failed(records, stage, reason, now), stage, (known) => ({
    ...known,
    unanswered: known.unanswered + 1,
  }));
}

/** With a stage passed. */
export function passed(records: readonly RecoveryRecord[], stage: number, now: number): readonly RecoveryRecord[] {
  return inStage(records, stage, (known) => ({ ...known, status: "passed", passedAt: now }));
}

/** With the recovery that goes on ended; the same where none goes on. */
export function ended(
  records: readonly RecoveryRecord[],
  outcome: NonNullable<RecoveryRecord["outcome"]>,
  now: number,
): readonly RecoveryRecord[] {
  const last = records.at(-1);
  if (last === undefined || last.endedAt !== undefined) return records;
  const stages = last.stages.map(
    (stage): StageRecord =>
      stage.status === "waiting" || stage.status === "validating" ? { ...stage, status: "not_run" } : stage,
  );
  return [...records.slice(0, -1), { ...last, stages, outcome, endedAt: now }];
}

/** The newest as the field `recovery` of the document shows it, and what became of those before it; null before any. */
export function recoveryFields(records: readonly RecoveryRecord[] = []): RecoveryFields | null {
  const last = records.at(-1);
  if (last === undefined) return null;
  const { begunAt, endedAt, outcome, stages } = last;
  return {
    status: outcome ?? "validating",
    begun_at: new Date(begunAt),
    ended_at: instant(endedAt),
    seconds: secondsBetween(begunAt, endedAt),
    stages: stages.map((stage) => ({
      name: stage.name,
      status: stage.status,
      begun_at: instant(stage.begunAt),
      passed_at: instant(stage.passedAt),
      failed_at: instant(stage.failedAt),
      seconds: secondsBetween(stage.begunAt, stage.passedAt),
      attempts: stage.attempts,
      unanswered: stage.unanswered,
      failures: stage.failures.map(({ at, attempt, reason }) => `${dateTime(at)}  Attempt ${attempt}: ${reason}.`),
    })),
    earlier: records.slice(0, -1).map(sentenceOf),
  };
}

/** "Begun at 12:13:00 UTC, regressed after 2 min; basic health had passed." */
function sentenceOf({ begunAt, endedAt = begunAt, outcome = "regressed", stages }: RecoveryRecord): string {
  const done = stages.filter(({ status }) => status === "passed").map(({ name }) => name);
  const how = done.length === 0 ? "no stage had passed" : `${list(done)} had passed`;
  const ends = { regressed: "regressed", passed: "resolved", cut_short: "resolved by an operator" };
  return `Begun at ${clockTime(begunAt)}, ${ends[outcome]} after ${spokenDuration(clockSpan(begunAt, endedAt))}; ${how}.`;
}

function inStage(
  records: readonly RecoveryRecord[],
  index: number,
  change: (stage: StageRecord) => StageRecord,
): readonly RecoveryRecord[] {
  const last = records.at(-1);
  if (last === undefined) return records;
  const stages = last.stages.map((stage, place) => (place === index ? change(stage) : stage));
  return [...records.slice(0, -1), { ...last, stages }];
}

function firstAndNewest<T>(items: readonly T[], most: number): readonly T[] {
  return items.length <= most ? items : [...items.slice(0, 1), ...items.slice(1 - most)];
}

function secondsBetween(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, Math.round((to - from) / 100) / 10);
}

function instant(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
