/**
 * Several instances of each function with one store and one broker, on virtual time. They are the real handlers. Every call of a port is a
 * step at which others can come in between, and at which faults strike.
 */
import { Environment } from "../../cli/scenario/environment.ts";
import type { Scenario } from "../../cli/scenario/file/load.ts";
import { environmentDocument, stateCollection } from "../../functions/evaluate/commit/state-collection.ts";
import { evaluateHandler } from "../../functions/evaluate/handler.ts";
import { decodeEnvironment, type EnvironmentState } from "../../functions/evaluate/incident/state.ts";
import { type Plan, planOf } from "../../functions/evaluate/plan.ts";
import { channels as kinds } from "../../functions/notify/channels/index.ts";
import { notifyHandler } from "../../functions/notify/handler.ts";
import { probeHandler } from "../../functions/probe/handler.ts";
import { scheduleInterval } from "../../shared/config/schedule.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { scheduledRequest } from "../../shared/messages/probe-request.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Report } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { GoogleApi, Logger, Secrets } from "../../shared/ports.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { type Topic, topics } from "../../shared/topology.ts";
import { Broker, Died } from "./broker.ts";
import { type Fault, type FaultKind, Faults, type FunctionName, functions } from "./faults.ts";
import type { Outcome, Schedule } from "./outcome.ts";
import { type Handle, type Life, Place, type Surroundings } from "./place.ts";
import { Random } from "./random.ts";
import { Readers } from "./readers.ts";
import { type Change, changed } from "./rollout.ts";
import { Scheduler } from "./scheduler.ts";
import { Documents } from "./store.ts";
import { runOf } from "./targets.ts";

/** Options of a run. */
export interface PlayOptions {
  /** Whether a story is printed. @default false */
  readonly tells?: boolean;
}

/** Plays a run to its end. */
export function play(schedule: Schedule, scenario: Scenario, options: PlayOptions = {}): Promise<Outcome> {
  return new World(schedule, scenario, options).play();
}

const minute = 60_000;
/** Maximum time until a run comes to rest after its last fault, in milliseconds. */
const longestRest = 180 * minute;
/** Interval at which a run is checked for completion, in milliseconds. */
const lookEvery = 30_000;

class World {
  readonly #schedule: Schedule;
  readonly #scenario: Scenario;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #environment: Environment;
  readonly #documents: Documents;
  readonly #broker: Broker;
  readonly #readers: Readers;
  readonly #chance: Random;
  readonly #places: readonly Place[];
  readonly #events = new Map<string, IncidentEvent>();
  readonly #reports = new Map<string, Report>();
  readonly #unjudged: string[] = [];
  readonly #mishaps: string[] = [];
  readonly #messages = new Map<Topic, number>();
  readonly #story: string[] = [];
  readonly #tells: boolean;
  #over = false;

  constructor(schedule: Schedule, scenario: Scenario, { tells = false }: PlayOptions) {
    this.#schedule = schedule;
    this.#scenario = scenario;
    this.#tells = tells;
    this.#scheduler = new Scheduler(scenario.start);
    this.#faults = new Faults(schedule.faults);
    this.#environment = new Environment(scenario);
    this.#chance = new Random(`${schedule.seed}/broker`);
    const onMishap = (sentence: string): unknown => this.#mishaps.push(sentence);
    this.#documents = new Documents((collection, id, fields) => {
      if (collection === "deliveries") this.#readers.written(id, fields);
    });
    this.#broker = new Broker({
      scheduler: this.#scheduler,
      chance: this.#chance,
      faults: this.#faults,
      push: (target, message, path) => this.#push(target, message, path),
      onPublished: (topic, data) => this.#published(topic, data),
      onMishap,
      log: (sentence) => this.#log("broker", sentence),
    });
    const around: Surroundings = {
      ...{ scheduler: this.#scheduler, faults: this.#faults, documents: this.#documents, broker: this.#broker },
      ...{ seed: schedule.seed, latencyMs: schedule.latencyMs },
      ...{ start: scenario.start, healsAt: scenario.start + scenario.until },
      handlerOf: (place, life, plan) => this.#handlerOf(place, life, plan),
      strike: (fault) => this.#strike(fault),
      log: (who, sentence) => this.#log(who, sentence),
      onDeath: (place) => this.#readers.died(place),
      onDone: (work) => this.#readers.concluded(work),
    };
    this.#readers = new Readers(around, onMishap);
    this.#readers.add(scenario.plan.configuration);
    this.#places = functions.flatMap((name) =>
      Array.from(
        { length: schedule.instances },
        (_, index) => new Place({ function: name, number: index + 1 }, scenario.plan, around),
      ),
    );
  }

  async play(): Promise<Outcome> {
    const { start, until, plan } = this.#scenario;
    const { environment, probes } = plan.configuration;
    for (const fault of this.#faults.all) this.#prepare(fault);
    for (const [, [first]] of Map.groupBy(probes, ({ group }) => group)) {
      if (first === undefined) continue;
      const request = scheduledRequest(environment, first);
      this.#every(scheduleInterval(first.schedule) ?? minute, () =>
        this.#broker.publish(topics.probeRequests, request),
      );
    }
    this.#every(minute, () => this.#broker.publish(topics.ticks, { data: { v: 1, environment } }));
    let end = start + until;
    await this.#scheduler.run(end);
    while (!this.#isAtRest() && end < start + until + longestRest) {
      end += lookEvery;
      await this.#scheduler.run(end);
    }
    this.#over = true;
    return this.#outcome(end);
  }

  /** Repeats something, at whole multiples of an interval, until the run ends. */
  #every(interval: number, work: () => unknown): void {
    const again = (at: number): void =>
      this.#scheduler.at(at, () => {
        if (this.#over) return;
        work();
        again(at + interval);
      });
    again(Math.ceil(this.#scenario.start / interval) * interval);
  }

  #outcome(end: number): Outcome {
    const steps = (name: FunctionName): number =>
      this.#places.filter((place) => place.function === name).reduce((sum, place) => sum + place.steps, 0);
    const struck = new Map<FaultKind, number>();
    for (const { fault } of this.#faults.struck) struck.set(fault, (struck.get(fault) ?? 0) + 1);
    const { all: readers, receivers, ledger, sent } = this.#readers;
    return {
      ...{ schedule: this.#schedule, scenario: this.#scenario, documents: this.#documents },
      ...{ readers, receivers, ledger, sent, events: this.#events, reports: this.#reports },
      ...{ unjudged: this.#unjudged, mishaps: this.#mishaps, struck, story: this.#story },
      environment: this.#state(),
      isAtRest: this.#isAtRest(),
      endedAt: end - this.#scenario.start,
      profile: {
        steps: { probe: steps("probe"), evaluate: steps("evaluate"), notify: steps("notify") },
        messages: this.#messages,
        readers: readers.size,
      },
    };
  }

  #state(): EnvironmentState {
    return decodeEnvironment(this.#documents.get(stateCollection, environmentDocument));
  }

  #isAtRest(): boolean {
    const isNewsPending = (this.#broker.pending.get(topics.notifications) ?? 0) > 0;
    if (this.#readers.unfinished.size > 0 || isNewsPending) return false;
    const { incidents, outbox, recentlyResolved = [] } = this.#state();
    const waits = Object.values(incidents).some(
      ({ diagnosis }) => this.#schedule.isPatient || diagnosis.verdict !== "monitor",
    );
    if (waits || outbox.length > 0) return false;
    return recentlyResolved.every(({ reported }) => reported !== undefined);
  }

  #push(target: FunctionName, message: PushedMessage, path: string): Promise<void> {
    const alive = this.#places.filter((place) => place.function === target && !place.life.dead);
    const place = alive[this.#chance.below(alive.length)];
    return place?.accept(message, path) ?? Promise.reject(new Died(`no ${target} is there`));
  }

  /** Returns the real handler of a function. */
  #handlerOf(place: Place, life: Life, plan: Plan): Handle {
    const common = { publisher: place.publisher(life), clock: place.clock };
    const { configuration } = plan;
    switch (place.function) {
      case "evaluate":
        return evaluateHandler({ ...common, store: place.store(life), logger: this.#evaluateLogger(place) }, plan);
      case "notify":
        return notifyHandler({
          ...common,
          store: place.store(life),
          timers: place.timers(life),
          logger: silentLogger,
          configuration,
          kinds,
          send: (outgoing, _, withinMs) => this.#readers.send(place, life, outgoing, withinMs),
        });
      case "probe":
        return probeHandler({
          ...common,
          configuration,
          vantage: "any",
          secrets: unused,
          google: unused,
          logger: silentLogger,
          run: async (run) => {
            const { report, durationMs } = runOf(run, this.#scheduler.now, this.#environment, this.#scenario);
            await place.sleep(life, durationMs);
            return report;
          },
          warm: async () => {},
          sleep: (milliseconds) => place.sleep(life, milliseconds),
        });
    }
  }

  #evaluateLogger({ name }: Place): Logger {
    const note = (message: string): void => {
      const isUnjudged = message.startsWith("a report was not judged: ") && !message.endsWith("repeated");
      if (isUnjudged) this.#unjudged.push(message);
      this.#log(name, () => message);
    };
    return { info: note, warning: note, error: note };
  }

  /** Schedules a fault that occurs at a certain time. */
  #prepare(fault: Fault): void {
    const { start } = this.#scenario;
    if (fault.fault === "edit") this.#scheduler.at(start + fault.at, () => this.#edit(fault));
    if (fault.fault !== "configuration change") return;
    const plan = planAfter(this.#scenario, fault.change);
    this.#readers.add(plan.configuration);
    for (const [index, place] of this.#places.entries()) {
      const after = Math.floor((fault.over * index) / this.#places.length);
      this.#scheduler.at(start + fault.change.at + after, () => {
        this.#strike(fault);
        place.deploy(plan);
      });
    }
  }

  #edit(fault: Fault & { readonly fault: "edit" }): void {
    const { fields, silenceMs } = fault.edit;
    const { now } = this.#scheduler;
    const silenced = silenceMs === undefined ? {} : { silenced_until: new Date(now + silenceMs) };
    const written = { ...fields, ...silenced };
    for (const { id, fields: document } of this.#documents.of(incidentCollection)) {
      if (document["status"] === "resolved") continue;
      this.#strike(fault);
      this.#documents.commit([{ kind: "update", collection: incidentCollection, id, fields: written }]);
    }
  }

  #published(topic: Topic, data: unknown): void {
    this.#messages.set(topic, (this.#messages.get(topic) ?? 0) + 1);
    if (topic === topics.notifications) {
      const event = data as IncidentEvent;
      const key = `${event.incident}:${event.sequence}`;
      const known = this.#events.get(key);
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(event))
        this.#mishaps.push(`${key} is told in two versions: ${known.event} and ${event.event}`);
      this.#events.set(key, event);
      this.#log("topic", () => `${event.event} of ${event.incident}: ${event.summary}`);
    } else if (topic === topics.measurements) {
      const report = data as Report;
      const isScheduled = report.trigger === "schedule" && report.group !== selfGroup;
      if (isScheduled && !this.#reports.has(report.report)) this.#reports.set(report.report, report);
    }
  }

  #strike(fault: Fault): void {
    if (!this.#faults.struck.has(fault)) this.#log("fault", () => JSON.stringify(fault));
    this.#faults.struck.add(fault);
  }

  #log(who: string, sentence: () => string): void {
    if (!this.#tells) return;
    const after = (this.#scheduler.now - this.#scenario.start) / 1000;
    this.#story.push(`${after.toFixed(3).padStart(9)} s  ${who}: ${sentence()}`);
  }
}

const plansAfter = new WeakMap<Scenario, Map<string, Plan>>();

/** Returns the plan after a change; computed once. */
function planAfter(scenario: Scenario, change: Change): Plan {
  const known = plansAfter.get(scenario) ?? new Map<string, Plan>();
  plansAfter.set(scenario, known);
  const plan = known.get(change.description) ?? planOf(changed(scenario.plan.configuration, change));
  known.set(change.description, plan);
  return plan;
}

/** Ports that are never called here. */
const unused: Secrets & GoogleApi = {
  read: () => Promise.reject(new Error("nothing is read here")),
  request: () => Promise.reject(new Error("nothing is asked here")),
  accessToken: () => Promise.reject(new Error("nothing is asked here")),
  idToken: () => Promise.reject(new Error("nothing is asked here")),
};
