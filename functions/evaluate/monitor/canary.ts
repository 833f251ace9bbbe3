/** The canary at the evaluator: judged by the rules and the search for a cause, in a configuration of its own, and kept in no partition. */
import type { Configuration } from "../../../shared/config/model.ts";
import { type CanaryNotice, canaryName, canaryRequest } from "../../../shared/messages/canary.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { Report, Vantage } from "../../../shared/messages/report.ts";
import { topics } from "../../../shared/topology.ts";
import { revise } from "../incident/revise.ts";
import { emptyEnvironment, type OutboxEntry } from "../incident/state.ts";
import { evaluateReport } from "../partition/fold.ts";
import { emptyPartition } from "../partition/state.ts";
import { type Plan, planOf } from "../plan.ts";
import type { SelfState } from "./state.ts";

/** Minimum interval between canaries, in milliseconds. */
const minApart = 30_000;
/** Lead of the canaries before a watchdog signal is due, in milliseconds: one tick in the cloud. */
const ahead = 65_000;

/** Returns whether a tick requests canaries: one must arrive after the last watchdog signal and before the next is due. */
export function isCanaryDue(
  { canaryAskedAt = 0, signalledAt }: SelfState,
  { configuration }: Plan,
  at: number,
): boolean {
  const { watchdog } = configuration;
  return watchdog !== undefined && at - canaryAskedAt >= minApart && at - signalledAt >= watchdog.everyMs - ahead;
}

/** The vantage points that have something to watch: each has a canary of its own. */
export function canaryVantages({ configuration }: Plan): readonly Vantage[] {
  return [...new Set(configuration.probes.map(({ vantage }) => vantage))];
}

/** The requests for canaries. What is lost is asked for again. */
export function canaryRequests(plan: Plan, at: number): OutboxEntry[] {
  return canaryVantages(plan).map((vantage) => ({
    id: `${canaryName}/${vantage}/${at}`,
    topic: topics.probeRequests,
    message: canaryRequest(plan.configuration.environment, vantage, at),
  }));
}

/** Returns the event that the report of a canary would cause if it were a target; `undefined` if the evaluator does not see it fail. */
export function judgedCanary(report: Report, now: number): OutboxEntry | undefined {
  const { environment, vantage, request, started_at } = report;
  const plan = planOf(canaryConfiguration(environment, vantage));
  const { changes } = evaluateReport(emptyPartition, report, plan);
  const { outbox } = revise(emptyEnvironment, { changes, documents: {} }, plan, now).environment;
  const notification = outbox.find(({ topic }) => topic === topics.notifications);
  if (notification === undefined) return undefined;
  const event = notification.message.data as IncidentEvent;
  const canary = request ?? started_at;
  const data: CanaryNotice = { v: 1, canary, environment, vantage, event };
  return { id: `${canaryName}/${vantage}/${canary}`, topic: topics.notifications, message: { data } };
}

function canaryConfiguration(environment: string, vantage: Vantage): Configuration {
  return {
    environment,
    title: environment,
    timezone: "Etc/UTC",
    components: [{ name: canaryName, title: "Canary", layer: "application", dependsOn: [] }],
    probes: [
      {
        name: canaryName,
        kind: canaryName,
        component: canaryName,
        vantage,
        schedule: "every 1m",
        group: canaryName,
        timeoutMs: 5_000,
        alert: { afterMs: 0, severity: "info" },
        reach: "private",
        settings: {},
      },
    ],
    rules: [],
    baselines: [],
    recovery: { stages: [] },
    channels: [],
    routes: [],
  };
}
