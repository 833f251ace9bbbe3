/** The shell of the evaluator: one message in, one commit, and what the commit left in the outbox published. */

import { MalformedMessage } from "../../shared/messages/parse.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import { parseReport, type Report } from "../../shared/messages/report.ts";
import { parseTick } from "../../shared/messages/tick.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { Clock, Logger, MetricPoint, MetricSink, Publisher, Store, Written } from "../../shared/ports.ts";
import { StoreError } from "../../shared/ports.ts";
import { TryAgain } from "../../shared/runtime/shell.ts";
import type { Committed, EvaluatorContext } from "./commit/context.ts";
import {
  commitCanary,
  commitDiagnosis,
  commitReport,
  commitReportedChange,
  commitSelfReport,
  commitValidation,
} from "./commit/report.ts";
import { StoreOutage } from "./commit/store-outage.ts";
import { commitDrift, commitTick, commitWatchdogSignal } from "./commit/tick.ts";
import { takeInHeartbeat } from "./heartbeats.ts";
import { reportedChange } from "./incident/reported-changes.ts";
import type { OutboxEntry, RecentlyResolved } from "./incident/state.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import type { DriftCheck } from "./monitor/drift.ts";
import { leftOutSentence } from "./monitor/export.ts";
import { writeFrontPage } from "./monitor/front-page.ts";
import type { WatchdogSignal } from "./monitor/watchdog.ts";
import { PartitionCache } from "./partition/cache.ts";
import { boundedReport, publicationOf } from "./partition/publication.ts";
import type { Plan } from "./plan.ts";
import { writePostmortem } from "./postmortem/write.ts";

/** Dependencies of the evaluator. */
export interface EvaluatePorts {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sends a heartbeat, where the configuration has one. */
  readonly signal?: WatchdogSignal;
  /** Examines the deployment, where that is wanted: once a day, and each hour while something is missing. */
  readonly drift?: DriftCheck;
  /** Destination of measurements for dashboards. */
  readonly metrics?: MetricSink;
}

/** Options of the evaluator. */
export interface EvaluateOptions {
  /** Whether silence, stalls and pauses become incidents of the monitor. @default true */
  readonly watchesItself?: boolean;
  /** Whether messages carry their publication time, which bounds event time; not during a replay, where that time stands still. @default true */
  readonly knowsPublication?: boolean;
  /** Whether the front page is written, with the estimated cost of a month in US dollars if known. @default not written */
  readonly frontPage?: { readonly monthlyCost?: number };
}

/** Maximum number of postmortems written by a tick. */
const maxPostmortems = 10;

/** Interval between comparisons of the front page with its sources while nothing changes, in milliseconds. */
const frontPageEvery = 300_000;

/** Number of published ids to remember, so that the next commit can remove them from the outbox. */
const rememberedIds = 1_000;

/** Makes the handler of reports (on `/measurements`), ticks (on `/ticks`), beats (on `/heartbeats`) and changes (on `/changes`). */
export function evaluateHandler(
  ports: EvaluatePorts,
  plan: Plan,
  options: EvaluateOptions = {},
): (message: PushedMessage, path: string) => Promise<void> {
  const published = new Set<string>();
  const { watchesItself = true, knowsPublication = true, frontPage } = options;
  const context: EvaluatorContext = {
    store: ports.store,
    plan,
    mutex: new KeyedMutex(),
    partitions: new PartitionCache(),
    published,
    watchesItself,
    exports: ports.metrics !== undefined,
    signals: ports.signal !== undefined,
    checksDrift: ports.drift !== undefined,
    ticks: { at: 0 },
    latest: Number.POSITIVE_INFINITY,
    catchingUp: false,
  };
  const outage = new StoreOutage();
  const publish = async (outbox: readonly OutboxEntry[]): Promise<void> => {
    const byTopic = Map.groupBy(outbox, ({ topic }) => topic);
    for (const [topic, entries] of byTopic) {
      await ports.publisher.publish(
        topic,
        entries.map(({ message }) => message),
      );
    }
    for (const { id } of outbox) published.add(id);
    for (const id of published) {
      if (published.size <= rememberedIds) break;
      published.delete(id);
    }
  };

  let page: string | undefined;
  let lookedAt = 0;
  const refreshFrontPage = async (): Promise<void> => {
    try {
      lookedAt = ports.clock.now();
      page = await writeFrontPage(context, page, lookedAt, frontPage?.monthlyCost);
    } catch (error) {
      ports.logger.warning(`the front page was not written: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  let refusedLast = 0;
  const exportPoints = async (points: readonly MetricPoint[], leftOut: number): Promise<void> => {
    const [{ at } = { at: 0 }] = points.slice(-1);
    const all = [...points, { metric: "export_refused", labels: {}, value: refusedLast, at }];
    const { refused = 0, reason = "" } = (await ports.metrics?.write(all).catch(notWritten(all.length))) ?? {};
    refusedLast = refused + leftOut;
    if (leftOut > 0) ports.logger.warning(leftOutSentence(leftOut));
    if (refused > 0) ports.logger.warning(`${refused} of ${all.length} points were not exported: ${reason}`);
  };

  return async (message, path) => {
    let committed: Committed;
    try {
      const now = ports.clock.now();
      // A clock of our own that is behind does not make a message one of the future.
      const latest = knowsPublication ? Math.max(now, message.publishedAt) : context.latest;
      committed = await commit(message, path, ports, { ...context, latest, catchingUp: outage.isCatchingUp(now) });
      outage.worked(ports.clock.now());
    } catch (error) {
      if (error instanceof StoreError && error.code === "unavailable") outage.failed(ports.clock.now());
      else if (error instanceof TryAgain) outage.worked(ports.clock.now());
      if (error instanceof StoreError && error.retryable) throw new TryAgain(`the store is busy: ${error.message}`);
      throw error;
    }
    if (committed.ignored !== undefined) ports.logger.info(`a report was not judged: ${committed.ignored}`);
    for (const remark of committed.remarks ?? []) ports.logger.warning(remark);
    await publish(committed.outbox);
    const { signalAt, driftAt, points = [], pointsLeftOut = 0, unreported = [] } = committed;
    const isNews = committed.outbox.length > 0 || (path === "/ticks" && ports.clock.now() - lookedAt >= frontPageEvery);
    await Promise.all([
      ...(frontPage !== undefined && isNews ? [refreshFrontPage()] : []),
      report(ports, context, unreported),
      ...(signalAt === undefined ? [] : [signalWatchdog(ports, context, signalAt)]),
      ...(driftAt === undefined ? [] : [checkDrift(ports, context, driftAt)]),
      ...(points.length === 0 ? [] : [exportPoints(points, pointsLeftOut)]),
    ]);
  };
}

/** Handlers by origin of a report: the rules of the configuration judge only scheduled reports. */
const commitBy = {
  schedule: commitReport,
  diagnosis: commitDiagnosis,
  validation: commitValidation,
  canary: commitCanary,
} as const;

/** Sends the sign of life that a tick has deserved. If it does not arrive, the next tick tries again; nothing else depends on it. */
async function signalWatchdog(
  { signal: send, clock, logger }: EvaluatePorts,
  context: EvaluatorContext,
  at: number,
): Promise<void> {
  if (send === undefined) return;
  try {
    await send();
    await commitWatchdogSignal(context, at, clock.now());
  } catch (error) {
    logger.warning(`the watchdog signal was not sent: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Maximum duration of a drift check, in milliseconds: well within the interval of ticks. */
const driftPatience = 25_000;

/** Examines the deployment. What cannot be examined is said in the log; nothing else depends on it. */
async function checkDrift(
  { drift, clock, logger }: EvaluatePorts,
  context: EvaluatorContext,
  at: number,
): Promise<void> {
  if (drift === undefined) return;
  try {
    const findings = await drift(AbortSignal.timeout(driftPatience));
    for (const sentence of findings.unknown) logger.warning(`the drift check is incomplete: ${sentence}`);
    await commitDrift(context, findings, at, clock.now());
  } catch (error) {
    logger.warning(
      `the deployment was not checked for drift: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Writes what postmortems are due, the oldest first. One that fails is tried again with the next tick; nothing else depends on it. */
async function report(
  { clock, logger }: EvaluatePorts,
  context: EvaluatorContext,
  unreported: readonly RecentlyResolved[],
): Promise<void> {
  for (const closed of unreported.slice(0, maxPostmortems)) {
    try {
      await writePostmortem(context, closed, clock.now());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warning(`the postmortem of ${closed.id} was not written: ${reason}`);
    }
  }
}

/** A sink that fails as none should: nothing depends on it all the same. */
function notWritten(refused: number): (error: unknown) => Written {
  return (error) => ({ written: 0, refused, reason: error instanceof Error ? error.message : String(error) });
}

async function commit(
  message: PushedMessage,
  path: string,
  { clock, logger }: EvaluatePorts,
  context: EvaluatorContext,
): Promise<Committed> {
  const { environment } = context.plan.configuration;
  switch (path) {
    case "/measurements": {
      const written = parseReport(message.data);
      if (written.environment !== environment) return foreign(written, environment, logger);
      const publication = Number.isFinite(context.latest) ? publicationOf(written, message.publishedAt) : undefined;
      const report = publication === undefined ? written : boundedReport(written, publication);
      if (report.group === selfGroup) return commitSelfReport(context, report, clock.now());
      return commitBy[report.trigger](context, report, clock.now(), publication);
    }
    case "/ticks": {
      const tick = parseTick(message.data);
      if (tick.environment !== environment) return { outbox: [] };
      return commitTick(context, message.publishedAt, clock.now());
    }
    case "/heartbeats": {
      await takeInHeartbeat(message, context.plan.configuration, {
        store: context.store,
        logger,
        latest: context.latest,
      });
      return { outbox: [] };
    }
    case "/changes": {
      const change = reportedChange(message, context.plan.configuration, logger);
      return change === undefined ? { outbox: [] } : commitReportedChange(context, change, clock.now());
    }
    default:
      throw new MalformedMessage(`unknown path ${path}: push to /measurements, /ticks, /heartbeats or /changes`);
  }
}

function foreign(report: Report, environment: string, logger: Logger): Committed {
  logger.warning(`the evaluator of ${environment} received a report for ${report.environment}`, {
    report: report.report,
  });
  return { outbox: [] };
}
