/**
 * Computes the windows of the alarms that Google evaluates from the schedules of a configuration. The maximum lookback of Cloud Monitoring
 * is 23 hours and 30 minutes, alignment and duration together.
 * @see https://cloud.google.com/monitoring/quotas#alerting_uptime_limits
 */
import type { Configuration } from "../../shared/config/model.ts";
import { longestGap } from "../../shared/config/schedule.ts";
import type { AlarmWindows, MeasurementsAlarm, SilenceWindow } from "../../shared/deployment/deployment.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import { spokenDuration } from "../../shared/text/units.ts";
import type { PushSubscription } from "../../shared/topology.ts";

/** The schedule of the tick. */
export const tickSchedule = "* * * * *";

/** The longest that a condition on a threshold may look back, in seconds. */
const longestLookback = 23.5 * 3600;

/** Pub/Sub counts each minute, and its points come up to four minutes later. */
const alignment = 300;

/** Allowed delay of scheduled runs and of the points that count them, in seconds. */
const lateness = 300;

/** Minimum duration of missing data before an alarm fires, in seconds. */
const minDuration = 600;

/** Maximum age of an unacknowledged message before an alarm fires, in seconds. */
const minWait = 600;

/** Works out the waits of the alarms. @param subscriptions that are deployed */
export function alarmWindows(configuration: Configuration, subscriptions: readonly PushSubscription[]): AlarmWindows {
  const byWait = Map.groupBy(subscriptions, ({ maximumBackoffSeconds, ackDeadlineSeconds }) =>
    Math.max(minWait, 2 * maximumBackoffSeconds, 2 * ackDeadlineSeconds),
  );
  return {
    no_measurements: measurementsAlarm(configuration),
    evaluator_silent: silenceWindow(longestGap(tickSchedule) / 1000),
    waiting: [...byWait]
      .sort(([a], [b]) => a - b)
      .map(([age_seconds, own]) => ({ age_seconds, subscriptions: own.map(({ name }) => name) })),
  };
}

function measurementsAlarm(configuration: Configuration): MeasurementsAlarm | null {
  const { probes } = configuration;
  if (probes.length === 0) return null;
  // A report of any group shows that there are measurements.
  const gap = Math.ceil(Math.min(...probes.map(({ schedule }) => longestGap(schedule))) / 60_000) * 60;
  const window = silenceWindow(gap);
  const age_seconds = gap + alignment + minDuration;
  if (alignment + window.duration_seconds <= longestLookback)
    return { watched_by: "pubsub", gap_seconds: gap, ...window, age_seconds };
  if (exportsOf(configuration) === undefined) return null;
  const none = { alignment_seconds: 0, duration_seconds: 0 };
  return {
    watched_by: "evaluator",
    gap_seconds: gap,
    ...none,
    age_seconds,
    silence: spokenDuration(age_seconds * 1000),
  };
}

/** Silence is found in a short window again and again, not in one long window: what was just deployed has reported nothing yet, and is given time as well. */
function silenceWindow(gap: number): SilenceWindow {
  const duration = Math.max(minDuration, gap + lateness);
  return {
    alignment_seconds: alignment,
    duration_seconds: duration,
    silence: spokenDuration((alignment + duration) * 1000),
  };
}
