/** Cloud Scheduler's part on one machine: asks for each probe group by its schedule, and lets the clock tick. */
import type { Configuration } from "../shared/config/model.ts";
import { nextTrigger } from "../shared/config/schedule.ts";
import { scheduledRequest } from "../shared/messages/probe-request.ts";
import type { Tick } from "../shared/messages/tick.ts";
import type { Logger, OutgoingMessage, Publisher } from "../shared/ports.ts";
import { type Topic, topics } from "../shared/topology.ts";

/** Groups to schedule, and options. */
export interface SchedulerOptions {
  readonly configuration: Configuration;
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** Milliseconds between ticks; the cloud's is a minute. */
  readonly tickMs: number;
}

/** A running scheduler. */
export interface Scheduler {
  stop(): void;
}

/** The longest that one timer can run, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** Starts the schedules. Each group runs once at the start, so that nobody waits hours for the first look. */
export function startScheduler({ configuration, publisher, logger, tickMs }: SchedulerOptions): Scheduler {
  const timers = new Set<NodeJS.Timeout>();
  const publish = (topic: Topic, message: OutgoingMessage): void => {
    publisher.publish(topic, [message]).catch((error: Error) => {
      logger.error(`the scheduler could not publish to ${topic}: ${error.message}`);
    });
  };
  const at = (instant: number, run: () => void): void => {
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        if (Date.now() < instant) at(instant, run);
        else run();
      },
      Math.min(longestTimer, Math.max(0, instant - Date.now())),
    );
    timers.add(timer);
  };

  for (const [, probe] of new Map(configuration.probes.map((each) => [each.group, each]))) {
    const run = (): void => {
      publish(topics.probeRequests, scheduledRequest(configuration.environment, probe));
      const next = nextTrigger(probe.schedule, Date.now());
      if (next !== undefined) at(next, run);
    };
    run();
  }
  const tick = (): void => {
    const data: Tick = { v: 1, environment: configuration.environment };
    publish(topics.ticks, { data });
    at(Date.now() + tickMs, tick);
  };
  at(Date.now() + tickMs, tick);

  return {
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
