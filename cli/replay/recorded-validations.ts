/**
 * Answers the evaluator's requests for validations out of a record.
 *
 * Validations that were recorded are fed to it, under the name of the attempt that is waiting: with other rules, incidents and attempts
 * have other names. Where there are none, results of the schedules that were measured after the request stand in for them.
 */
import { stageOfAttempt } from "../../functions/evaluate/incident/recovery/recovery.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import type { ProbeResult, Report } from "../../shared/messages/report.ts";

/** The requests that wait for an answer, and what the record has shown so far. */
export class RecordedValidations {
  readonly #recorded: boolean;
  /** By incident: each validates one stage at a time. */
  readonly #waiting = new Map<string, Attempt>();
  readonly #newest = new Map<string, ProbeResult>();

  /** @param recorded whether the record holds validations */
  constructor(recorded: boolean) {
    this.#recorded = recorded;
  }

  /** Takes a request of the evaluator. @param now milliseconds since the epoch */
  ask(request: ProbeRequest, now: number): void {
    if (request.trigger !== "validation" || request.request === undefined) return;
    const { incident, stage } = stageOfAttempt(request.request);
    const before = this.#waiting.get(incident);
    if (before?.id === request.request) {
      before.requests.push(request);
      return;
    }
    // The evaluator repeats its request if there is no answer. Results since the first request count; otherwise probes that run rarely could
    // never answer.
    const since = before?.stage === stage ? before.since : now;
    this.#waiting.set(incident, { id: request.request, stage, since, requests: [request] });
  }

  /** Forgets what was asked for an incident. */
  withdraw(incident: string): void {
    this.#waiting.delete(incident);
  }

  /** Returns the validation requests that a report of the record answers. @param now milliseconds since the epoch */
  answers(report: Report, now: number): Report[] {
    if (this.#recorded) return report.trigger === "validation" ? this.#addressed(report) : [];
    if (report.trigger !== "schedule" || report.prober_unhealthy !== undefined) return [];
    for (const result of report.results) {
      const known = this.#newest.get(result.probe);
      if (known === undefined || instantOf(result) >= instantOf(known)) this.#newest.set(result.probe, result);
    }
    return [...this.#waiting].flatMap(([incident, attempt]) => {
      const answers = attempt.requests.flatMap((request) => this.#standIn(request, attempt, now) ?? []);
      if (answers.length < attempt.requests.length) return [];
      this.#waiting.delete(incident);
      return answers;
    });
  }

  /** The incidents whose recovery the record has left unproved, in sentences. */
  unproved(): string[] {
    return [...this.#waiting].map(
      ([incident, { stage }]) => `${incident} remains recovering: the record contains no validation of stage ${stage}`,
    );
  }

  #addressed(report: Report): Report[] {
    const shown = new Set(report.results.map(({ probe }) => probe));
    const addressees = [...this.#waiting.values()].filter(
      ({ since, requests }) =>
        Date.parse(report.started_at) >= since &&
        requests.some(
          ({ vantage, probes = [] }) => vantage === report.vantage && probes.every((name) => shown.has(name)),
        ),
    );
    return addressees.length === 0 ? [report] : addressees.map(({ id }) => ({ ...report, request: id }));
  }

  #standIn(
    { environment, vantage, group, probes = [] }: ProbeRequest,
    { id, since }: Attempt,
    now: number,
  ): Report | undefined {
    const results = probes
      .flatMap((name) => this.#newest.get(name) ?? [])
      .filter((result) => instantOf(result) > since);
    if (results.length < probes.length) return undefined;
    return {
      v: 1,
      report: `${environment}/${group}/${id}`,
      environment,
      vantage,
      group,
      trigger: "validation",
      started_at: new Date(Math.min(now, ...results.map(instantOf))).toISOString(),
      finished_at: new Date(now).toISOString(),
      results,
      request: id,
    };
  }
}

/** One attempt at a stage, as it was asked for. */
interface Attempt {
  readonly id: string;
  readonly stage: number;
  /** Results before this instant do not count, in milliseconds since the epoch. */
  readonly since: number;
  /** One for each vantage point. */
  readonly requests: ProbeRequest[];
}

function instantOf({ at }: ProbeResult): number {
  return Date.parse(at);
}
