/**
 * The proof of a recovery: when every alert of an incident has cleared, the configured stages are asked for one after the other. Each
 * must be passed by fresh probes, judged by success and by the baselines; only then is the incident resolved.
 */
import type { RecoveryStage } from "../../../../shared/config/model.ts";
import type { ProbeRequest } from "../../../../shared/messages/probe-request.ts";
import type { ProbeResult, Vantage } from "../../../../shared/messages/report.ts";
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import { list } from "../../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../../shared/text/units.ts";
import { topics } from "../../../../shared/topology.ts";
import type { Plan } from "../../plan.ts";
import type { Incident, OutboxEntry, RecoveryState } from "../state.ts";

/** Outcome of an attempt at a stage. */
export type StageOutcome =
  | { readonly outcome: "waiting" }
  | { readonly outcome: "passed" }
  | { readonly outcome: "failed"; readonly reasons: readonly string[] };

/** Minimum delay after a failed attempt, in milliseconds. */
const retryAfter = 10_000;
/** Maximum wait of an attempt for its answer, in milliseconds. */
const maxPatience = 300_000;

/** Name of the stage behind the configured ones, which asks for what was last seen bad. */
const lastStage = "what had failed";
/** Number of requests for probes without an alert, which do not keep an incident open. */
const maxOfLastStage = 3;

/**
 * The first attempt at a stage.
 * @param round how many proofs of the incident there were before: a second one must not be answered by what the first has asked
 * @param remaining of the stage behind the configured ones: its probes
 */
export function enterStage(stage: number, now: number, round = 0, remaining?: readonly string[]): RecoveryState {
  const start = { stage, attempt: 1, requestedAt: now, results: {}, ...(round > 0 ? { round } : {}) };
  return remaining === undefined ? start : { ...start, remaining };
}

/** The next attempt at the same stage. */
export function nextAttempt(recovery: RecoveryState, plan: Plan, now: number): RecoveryState {
  const { proberTrouble, unanswered = 0, ...same } = recovery;
  const isSilent = proberTrouble === undefined && outcomeOf(recovery, plan).outcome === "waiting";
  const next = { ...same, attempt: recovery.attempt + 1, requestedAt: now, results: {} };
  return isSilent ? { ...next, unanswered: unanswered + 1 } : next;
}

/**
 * Probes that were last seen bad during an incident and that no stage of the recovery asks for: those that run seldom, or of which no
 * alert speaks. A heartbeat is not among them, because asking it brings no news.
 */
export function lastSeenBad({ symptoms }: Pick<Incident, "symptoms">, plan: Plan): string[] {
  const asked = new Set(plan.configuration.recovery.stages.flatMap(({ probes }) => probes));
  return Object.values(symptoms)
    .filter(({ source, until }) => source === "probe" && until === undefined)
    .map(({ id }) => id.slice("probe/".length))
    .filter((name) => {
      const probe = plan.probes.get(name);
      return !asked.has(name) && probe !== undefined && probe.awaits === undefined;
    });
}

/** Returns whether a stage gets no further attempt although it was not passed. */
export function isGivenUp({ remaining, attempt }: RecoveryState): boolean {
  return remaining !== undefined && attempt >= maxOfLastStage;
}

/** Identifies an attempt: what the request carries and the report brings back. */
export function attemptId(incident: string, { stage, attempt, round = 0 }: RecoveryState): string {
  return `${incident}/${stage + 1}/${attempt}${round === 0 ? "" : `/${round + 1}`}`;
}

/** The incident and the number of the stage, from 1, of an attempt with this id. */
export function stageOfAttempt(id: string): { incident: string; stage: number } {
  const [incident = "", stage] = id.split("/");
  return { incident, stage: Number(stage) };
}

/** The requests that make the probes of the present stage run, one for each vantage point that it needs. */
export function requestsFor(incident: string, recovery: RecoveryState, plan: Plan): OutboxEntry[] {
  const { environment } = plan.configuration;
  const request = attemptId(incident, recovery);
  const byVantage = Map.groupBy(probesOf(stageOf(recovery, plan), plan), ({ vantage }) => vantage);
  return [...byVantage].map(([vantage, probes]) => {
    const data: ProbeRequest = {
      v: 1,
      environment,
      vantage,
      trigger: "validation",
      group: validationGroup(vantage),
      probes: probes.map(({ name }) => name),
      request,
    };
    const attributes = { environment, vantage, trigger: "validation" };
    return { id: `${request}/${vantage}`, topic: topics.probeRequests, message: { data, attributes } };
  });
}

/** Takes the results of a report into the attempt that it answers. */
export function withResults(recovery: RecoveryState, results: readonly ProbeResult[], plan: Plan): RecoveryState {
  const judged = results.map((result) => [result.probe, judgeResult(result, plan)] as const);
  return { ...recovery, results: { ...recovery.results, ...Object.fromEntries(judged) } };
}

/** Returns whether the current attempt has passed, failed, or still waits for results. */
export function outcomeOf(recovery: RecoveryState, plan: Plan): StageOutcome {
  const reasons = reasonsIn(recovery, plan);
  if (silentIn(recovery, plan).length > 0) return { outcome: "waiting" };
  return reasons.length === 0 ? { outcome: "passed" } : { outcome: "failed", reasons };
}

/** Why an attempt has come to nothing, as the end of a sentence: what failed, who did not answer, and for how long. */
export function silenceOf(recovery: RecoveryState, plan: Plan, now: number): string {
  const silent = list(silentIn(recovery, plan).map((name) => `\`${name}\``));
  const proberFailure =
    recovery.proberTrouble === undefined ? "" : `: the prober itself failed (${recovery.proberTrouble})`;
  const silence = `${silent} did not respond within ${spokenDuration(now - recovery.requestedAt)}${proberFailure}`;
  return [...reasonsIn(recovery, plan), silence].join("; ");
}

/** Returns whether a new attempt is due: the last one failed some time ago, or its answer must have been lost. */
export function attemptDue(recovery: RecoveryState, plan: Plan, now: number): boolean {
  const waited = now - recovery.requestedAt;
  if (outcomeOf(recovery, plan).outcome === "failed") return waited >= retryAfter;
  const longest = Math.max(0, ...probesOf(stageOf(recovery, plan), plan).map(({ timeoutMs }) => timeoutMs));
  const patience = 2 * longest + 30_000;
  // Answers may take longer than that: each silent attempt doubles the patience of the next.
  return waited >= Math.max(patience, Math.min(maxPatience, patience * 2 ** (recovery.unanswered ?? 0)));
}

/** The stage that is being validated; one without probes where the configuration has none. */
export function stageOf({ stage, remaining }: RecoveryState, plan: Plan): RecoveryStage {
  if (remaining !== undefined) return { name: lastStage, probes: remaining };
  return plan.configuration.recovery.stages[stage] ?? { name: "all clear", probes: [] };
}

/** Name of the group under which validations from a vantage point report. */
export function validationGroup(vantage: Vantage): string {
  return `${vantage}-validation`;
}

/** Success that keeps to its baselines, or the reason why not. */
function judgeResult(result: ProbeResult, plan: Plan): true | string {
  if (!result.success) {
    const { failure } = result;
    const how = failure === undefined ? "" : ` in ${bounded(failure.phase, [], 40)}: ${bounded(failure.message)}`;
    return `\`${result.probe}\` fails${how.replace(/\.$/, "")}`;
  }
  const missed = result.measurements.flatMap(({ metric, value, labels }) =>
    plan.baselines
      .filter((check) => check.metric === metric)
      .filter(({ matchers }) => Object.entries(matchers).every(([name, wanted]) => ownEntry(labels, name) === wanted))
      .filter((check) => !check.holds(value))
      .map((check) => check.describe(value)),
  );
  return missed.length === 0 ? true : `\`${result.probe}\` succeeds, but ${list(missed)}`;
}

/** Why probes of the stage have failed in the present attempt. */
function reasonsIn(recovery: RecoveryState, plan: Plan): string[] {
  return probesOf(stageOf(recovery, plan), plan).flatMap(({ name }) => {
    const result = ownEntry(recovery.results, name);
    return typeof result === "string" ? [result] : [];
  });
}

/** The probes of the stage that have not answered the present attempt. */
function silentIn(recovery: RecoveryState, plan: Plan): string[] {
  const needed = probesOf(stageOf(recovery, plan), plan).map(({ name }) => name);
  return needed.filter((name) => ownEntry(recovery.results, name) === undefined);
}

function probesOf(stage: RecoveryStage, plan: Plan): { name: string; vantage: Vantage; timeoutMs: number }[] {
  // A connection that is held answers too late: its own next run shows whether it holds again.
  return stage.probes.flatMap((name) => plan.probes.get(name) ?? []).filter(({ holdMs }) => holdMs === undefined);
}
