/** Simulates the targets of the probes: their state is the timeline of an outage. */
import type { Environment } from "../../cli/scenario/environment.ts";
import type { Scenario } from "../../cli/scenario/file/load.ts";
import type { ProbeRun } from "../../functions/probe/run/run.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import type { Report } from "../../shared/messages/report.ts";
import { formerName } from "./rollout.ts";

const minute = 60_000;

/**
 * Returns the report of a run, and the duration of the run in milliseconds. A scheduled run shows the state at its scheduled time, so that a
 * repeated run reports the same; a requested run shows the current state.
 */
export function runOf(
  run: ProbeRun,
  now: number,
  environment: Environment,
  { start, plan }: Scenario,
): { readonly report: Report; readonly durationMs: number } {
  const { reportId, request, vantage, group, trigger } = run;
  const due = request === undefined ? Date.parse(reportId.slice(reportId.lastIndexOf("/") + 1)) : undefined;
  const at = due ?? now;
  const shown = run.probes.map((probe) => {
    const interval = scheduleInterval(probe.schedule) ?? minute;
    const number = due === undefined ? undefined : Math.floor((due - start) / interval);
    const former = { ...probe, name: formerName(probe.name) };
    const known = plan.probes.get(former.name) ?? former;
    return { probe, ...environment.look({ ...former, component: known.component }, at - start, number) };
  });
  const results = shown.flatMap(({ probe, result }) =>
    result === undefined ? [] : [{ ...result, probe: probe.name, component: probe.component }],
  );
  const durationMs = Math.max(300, ...shown.map((one) => one.durationMs));
  const unhealthy = environment.unhealthy(vantage, at - start);
  const report: Report = {
    ...{ v: 1, report: reportId, environment: run.environment, vantage, group, trigger },
    ...{ started_at: new Date(at).toISOString(), finished_at: new Date(at + durationMs).toISOString(), results },
    ...(request === undefined ? {} : { request }),
    ...(unhealthy === undefined ? {} : { prober_unhealthy: unhealthy }),
  };
  return { report, durationMs };
}
