/** The entry point of the probe function: takes one probe request, and publishes one report for each of its rounds. */
import { setTimeout as wait } from "node:timers/promises";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import type { AwaitedReader, HeartbeatReader } from "../../shared/documents/heartbeats.ts";
import { type ProbeRequest, parseProbeRequest } from "../../shared/messages/probe-request.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Report, Vantage } from "../../shared/messages/report.ts";
import type { Clock, GoogleApi, Logger, Publisher, Secrets } from "../../shared/ports.ts";
import { longestAckDeadline, probePaths, roundsAttribute, topics } from "../../shared/topology.ts";
import { canaryTarget } from "./run/canary.ts";
import { type Round, roundsOf } from "./run/rounds.ts";
import { runProbes } from "./run/run.ts";
import { sharded, shardsOf } from "./run/shards.ts";
import { warmUp } from "./run/warm.ts";

/** External dependencies of the handler. */
export interface ProbePorts {
  readonly configuration: Configuration;
  /** The vantage point of this function; `any` accepts requests for all of them. */
  readonly vantage: Vantage | "any";
  readonly secrets: Secrets;
  readonly google: GoogleApi;
  readonly beats?: HeartbeatReader;
  /** Reads since when a heartbeat has been expected. */
  readonly awaited?: AwaitedReader;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs one round. @default runProbes */
  readonly run?: typeof runProbes;
  /** Warms up a new instance. @default warmUp */
  readonly warm?: () => Promise<void>;
  /** Waits so many milliseconds. @default a timer */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** State that an instance of the function keeps between requests. */
interface Instance {
  /** Settled when the instance is warmed up. */
  ready?: Promise<void>;
  /** Whether it has run probes before. */
  measured: boolean;
}

/**
 * Answers probe requests. A request for more probes than one run takes is republished in parts. Another delivery of a request in progress
 * waits for it; a request for another environment or vantage point is dropped.
 */
export function probeHandler(ports: ProbePorts): (message: PushedMessage, path?: string) => Promise<void> {
  const { configuration, logger } = ports;
  const running = new Map<string, Promise<void>>();
  const instance: Instance = { measured: false };
  return async (message, path) => {
    const request = parseProbeRequest(message.data);
    if (comesAnotherWay(request, message, path)) return;
    const foreign = notOurs(request, ports);
    if (foreign !== undefined) {
      logger.warning(`probe request ignored: ${foreign}`, { group: request.group, subscription: message.subscription });
      return;
    }
    const probes =
      request.trigger === "canary" ? [await canaryTarget(request.vantage)] : chosen(request, configuration.probes);
    const unknown = request.probes?.filter((name) => !probes.some((probe) => probe.name === name)) ?? [];
    if (unknown.length > 0)
      logger.warning(`no such probes at the vantage point ${request.vantage}: ${unknown.join(", ")}`, {
        group: request.group,
      });
    const [first] = probes;
    if (!first && request.request === undefined) {
      logger.warning(`probe request ignored: no probe belongs to the group ${request.group}`);
      return;
    }
    const shards = shardsOf(request, probes.length, message);
    if (shards.length > 0) {
      await ports.publisher.publish(topics.probeRequests, shards);
      return;
    }
    const rounds = roundsOf(request, first?.schedule, message.publishedAt);
    const key = rounds[0]?.reportId ?? request.group;
    // A message that is delivered twice, or a schedule that fires twice, shares the run: it gets the same answer at the same time.
    const run =
      running.get(key) ??
      runRounds(request, sharded(probes, request), rounds, ports, instance).finally(() => running.delete(key));
    running.set(key, run);
    await run;
  };
}

/** Margin before the subscription redelivers a request, in milliseconds: the request must be answered earlier than that. */
const reserveMs = 20_000;
/** Maximum time to answer a request, in milliseconds. */
const answerWithin = 120_000 - reserveMs;
/** Maximum time to answer a request for probes that hold a connection, in milliseconds. */
const answerHoldWithin = longestAckDeadline * 1000 - reserveMs;

async function runRounds(
  request: ProbeRequest,
  probes: readonly ConfiguredProbe[],
  rounds: readonly Round[],
  ports: ProbePorts,
  instance: Instance,
): Promise<void> {
  const { clock, secrets, google, beats, awaited, logger, run = runProbes, sleep = wait, warm = warmUp } = ports;
  const { environment, vantage, group, trigger } = request;
  const holds = probes.some(({ holdMs }) => holdMs !== undefined);
  const until = clock.now() + (holds ? answerHoldWithin : answerWithin);
  const skipped: string[] = [];
  const unpublished: Report[] = [];
  const publishing: Promise<void>[] = [];
  let refusal: unknown;
  const tell = async (reports: readonly Report[]): Promise<void> => {
    try {
      await publish(reports, ports);
    } catch (error) {
      // The following rounds are not affected: they run, and publish these reports along with theirs.
      unpublished.push(...reports);
      refusal = error;
    }
  };
  instance.ready ??= warm();
  await instance.ready;
  for (const round of rounds) {
    if (clock.now() > round.staleAfter) {
      skipped.push(round.reportId);
      continue;
    }
    if (clock.now() < round.at) await sleep(round.at - clock.now());
    const reportId = round.reportId;
    const report = await run({
      environment,
      vantage,
      group,
      trigger,
      reportId,
      request: request.request,
      probes,
      all: ports.configuration.probes,
      diagnosis:
        request.since === undefined ? undefined : { since: Date.parse(request.since), about: request.about ?? [] },
      // A probe that fails by design is no evidence of a failing prober.
      control: trigger === "canary" ? undefined : ports.configuration.control?.[vantage],
      coldStart: !instance.measured,
      secrets,
      google,
      beats,
      awaited,
      clock,
      until,
      nextAt: round.nextAt,
      // A caller that requested certain probes waits for all of them.
      ...(request.request === undefined ? { onPart: (part) => void publishing.push(tell([part])) } : {}),
    });
    instance.measured = true;
    publishing.push(tell([...unpublished.splice(0), report]));
    await Promise.all(publishing.splice(0));
  }
  if (skipped.length > 0)
    logger.warning(`${skipped.length} rounds skipped because they were overdue`, { group, skipped });
  if (unpublished.length > 0) throw refusal;
}

async function publish(reports: readonly Report[], { publisher }: ProbePorts): Promise<void> {
  const messages = reports.map((report) => ({
    data: report,
    attributes: {
      environment: report.environment,
      vantage: report.vantage,
      group: report.group,
      trigger: report.trigger,
    },
  }));
  await publisher.publish(topics.measurements, messages);
}

function chosen(request: ProbeRequest, probes: readonly ConfiguredProbe[]): ConfiguredProbe[] {
  const here = probes.filter((probe) => probe.vantage === request.vantage);
  const named = request.probes;
  if (named === undefined) return here.filter((probe) => probe.group === request.group);
  // A request for probes by name does not wait for probes that hold a connection.
  return here.filter((probe) => named.includes(probe.name) && probe.holdMs === undefined);
}

/** Returns whether another subscription delivers this request too. Filters prevent that where they are applied. */
function comesAnotherWay(
  { trigger }: ProbeRequest,
  { attributes: { [roundsAttribute]: rounds } }: PushedMessage,
  path: string | undefined,
): boolean {
  const ways = [probePaths.asked, probePaths.scheduled];
  if (path === undefined || (!ways.includes(path) && !path.startsWith(probePaths.rounds("")))) return false;
  if (trigger !== "schedule") return path !== probePaths.asked;
  return path !== (rounds === undefined ? probePaths.scheduled : probePaths.rounds(rounds));
}

function notOurs(request: ProbeRequest, { configuration, vantage }: ProbePorts): string | undefined {
  if (request.environment !== configuration.environment) return `it is for the environment ${request.environment}`;
  if (vantage !== "any" && request.vantage !== vantage) return `it is for the vantage point ${request.vantage}`;
  return undefined;
}
