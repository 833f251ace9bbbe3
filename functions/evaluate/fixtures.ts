/** An evaluator on virtual time for tests: reports in, incidents and messages out. */
import { MemoryPublisher, MemoryStore } from "../../shared/adapters/memory.ts";
import type { Component, Configuration, ConfiguredProbe, Rule } from "../../shared/config/model.ts";
import { groupName } from "../../shared/config/schedule.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import { canaryProbe } from "../../shared/messages/canary.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import type { Failure, ProbeResult, Report, Vantage } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { factsOf, type KeptFacts } from "../../shared/probe-facts.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { parseDuration } from "../../shared/text/units.ts";
import { probers } from "../probe/probers/index.ts";
import { type EvaluateOptions, type EvaluatePorts, evaluateHandler } from "./handler.ts";
import { planOf } from "./plan.ts";

/** Noon of the day on which the tests play, in milliseconds since the epoch. */
export const noon: number = Date.UTC(2025, 8, 16, 12);

/** Result of a probe in one run: success with its samples, or a failure. */
export type Shown = Readonly<Record<string, number>> | Failure;

/** A component in one line. */
export function component(
  name: string,
  title: string,
  layer: Component["layer"],
  dependsOn: readonly string[] = [],
  impact?: string,
): Component {
  return { name, title, layer, dependsOn, ...(impact === undefined ? {} : { impact }) };
}

/** Declarations of a kind, whatever the settings. */
function factsOfKind(kind: string): KeptFacts {
  const prober = ownEntry(probers, kind);
  if (prober === undefined) return { reach: "private" };
  const { awaits, ...rest } = prober;
  const facts = factsOf({ ...rest, yields: () => prober.yields() }, undefined);
  return awaits === undefined ? facts : { ...facts, awaits: "nightly-backup" };
}

/** A probe that runs every minute and alerts after two. */
export function probe(
  name: string,
  of: string,
  vantage: Vantage = "outside",
  kind = "http",
  schedule = "every 1m",
): ConfiguredProbe {
  return {
    name,
    kind,
    component: of,
    vantage,
    schedule,
    group: groupName(vantage, schedule),
    timeoutMs: 10_000,
    alert: { afterMs: 120_000, severity: "warning" },
    ...factsOfKind(kind),
    settings: {},
  };
}

/** A rule in one line. */
export function rule(
  name: string,
  condition: string,
  duration: string,
  severity: Rule["severity"] = "warning",
  more: Partial<Rule> = {},
): Rule {
  const alertDurationMs = parseDuration(duration) ?? Number.NaN;
  return { name, condition, alertDurationMs, clearDurationMs: alertDurationMs, severity, missing: "keep", ...more };
}

/** A small environment: a connector, a database behind it, two services and what users do. */
export const smallEnvironment: Configuration = {
  environment: "test",
  title: "Test",
  timezone: "Etc/UTC",
  components: [
    { ...component("connector", "VPC connector", "platform"), role: "connector" },
    { ...component("sql", "Cloud SQL", "platform", ["connector"]), role: "database" },
    component("backend", "Backend", "application", ["sql"], "Users get no answers"),
    component("auth", "Auth", "application", ["sql"]),
    component("pages", "Pages", "application"),
  ],
  probes: [
    probe("backend-health", "backend"),
    probe("auth-health", "auth"),
    probe("pages-health", "pages"),
    probe("database", "sql", "inside", "postgres"),
    probe("database-direct", "sql", "outside", "postgres"),
  ],
  rules: [rule("Database Connection Time Warning", "avg_database_connection_time > 25s", "3m")],
  baselines: [{ metric: "database_connection_time", expectation: "<5s" }],
  recovery: {
    stages: [
      { name: "basic health", probes: ["backend-health", "auth-health", "database"] },
      { name: "pages", probes: ["pages-health"] },
    ],
  },
  channels: [],
  routes: [],
};

/** The evaluator with its store, its messages and a clock that only `advance` moves. */
export class Bench {
  configuration: Configuration;
  readonly store: MemoryStore;
  readonly publisher: MemoryPublisher;
  now: number = noon;
  #handle: ReturnType<typeof evaluateHandler>;
  #answered = 0;
  #passed = 0;
  #message = 0;

  /** Warnings and errors that the evaluator logged. */
  readonly logged: string[] = [];
  readonly #options: EvaluateOptions;
  readonly #more: Partial<EvaluatePorts>;

  /** @param options by default the monitor does not watch itself, because most tests let hours pass in silence */
  constructor(
    configuration: Configuration = smallEnvironment,
    options: EvaluateOptions = { watchesItself: false },
    more: Omit<Partial<EvaluatePorts>, "store" | "publisher"> & {
      readonly store?: MemoryStore;
      readonly publisher?: MemoryPublisher;
    } = {},
  ) {
    this.store = more.store ?? new MemoryStore();
    this.publisher = more.publisher ?? new MemoryPublisher();
    this.configuration = configuration;
    this.#options = options;
    this.#more = more;
    this.#handle = this.#start();
  }

  /** Another instance takes over: what was only in memory is gone. */
  restart(): void {
    this.#handle = this.#start();
  }

  /** Deploys another configuration: another instance, over the same documents. */
  configure(configuration: Configuration): void {
    this.configuration = configuration;
    this.restart();
  }

  /** One minute: every group reports, validations are answered, the clock ticks. Probes not named are good. */
  async minute(shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    for (const report of this.reports(shown)) await this.deliver(report);
    await this.answerValidations(shown);
    this.now += 60_000;
    await this.tick();
    await this.answerValidations(shown);
  }

  /** The reports of this minute, one for each group. */
  reports(shown: Readonly<Record<string, Shown>> = {}): Report[] {
    const at = new Date(this.now).toISOString();
    return [...Map.groupBy(this.configuration.probes, ({ group }) => group)].map(([group, probes]) => ({
      ...this.#frame(group, probes[0]?.vantage ?? "outside", "schedule", `test/${group}/${at}`),
      results: probes.map((each) => result(each, shown[each.name] ?? {}, at)),
    }));
  }

  async deliver(report: Report): Promise<void> {
    await this.#push("/measurements", report);
  }

  /** @param at when it was published */
  async tick(at: number = this.now): Promise<void> {
    await this.#push("/ticks", { v: 1, environment: this.configuration.environment }, at);
    await this.passCanaries();
  }

  /** Somebody reports a change. @param at when it was published */
  async change(data: object, at: number = this.now): Promise<void> {
    await this.#push("/changes", data, at);
  }

  /** Runs the probes that were asked for, by a diagnosis or to validate a recovery. */
  async answerValidations(shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    for (;;) {
      const requests = this.#published("probe-requests") as ProbeRequest[];
      const request = requests[this.#answered];
      if (request === undefined) return;
      this.#answered += 1;
      if (request.trigger === "canary") continue;
      const at = new Date(this.now).toISOString();
      const asked = this.configuration.probes.filter(({ name }) => request.probes?.includes(name));
      await this.deliver({
        ...this.#frame(request.group, request.vantage, request.trigger, `test/${request.group}/${request.request}`),
        results: asked.map((each) => result(each, shown[each.name] ?? {}, at)),
        request: request.request,
      });
    }
  }

  /** Lets the canaries arrive that were asked for, as every tick does. */
  async passCanaries(vantages: readonly Vantage[] = ["inside", "outside"]): Promise<void> {
    const requests = this.#published("probe-requests") as ProbeRequest[];
    for (const { trigger, vantage, request } of requests.slice(this.#passed)) {
      this.#passed += 1;
      if (trigger !== "canary" || request === undefined || !vantages.includes(vantage)) continue;
      const arrived = {
        probe: canaryProbe(vantage),
        component: "pathkeeper",
        at: request,
        success: true,
        measurements: [],
      };
      await this.deliver({
        ...this.#frame("self", "outside", "schedule", `test/self/${vantage}/${request}`),
        results: [arrived],
      });
    }
  }

  /** All published events in order, without repeats. */
  get events(): IncidentEvent[] {
    const announced = this.#published("notifications") as IncidentEvent[];
    return [...new Map(announced.map((event) => [`${event.incident}:${event.sequence}`, event])).values()];
  }

  /** Published events, as `12:04 opened`. */
  get story(): string[] {
    return this.events.map(({ at, event }) => `${at.slice(11, 16)} ${event}`);
  }

  /** The documents of all incidents, oldest first. */
  async incidents(): Promise<{ id: string; fields: Fields }[]> {
    return this.store.query({ collection: incidentCollection });
  }

  #start(): ReturnType<typeof evaluateHandler> {
    const clock = { now: () => this.now };
    const { store, publisher } = this;
    const log = (message: string): void => void this.logged.push(message);
    return evaluateHandler(
      { store, publisher, clock, logger: { ...silentLogger, warning: log, error: log }, ...this.#more },
      planOf(this.configuration),
      this.#options,
    );
  }

  #push(path: string, data: unknown, publishedAt: number = this.now): Promise<void> {
    this.#message += 1;
    return this.#handle(
      { messageId: String(this.#message), publishedAt, attributes: {}, data, subscription: "" },
      path,
    );
  }

  #published(topic: string): unknown[] {
    return this.publisher.published.filter((message) => message.topic === topic).map(({ data }) => data);
  }

  #frame(group: string, vantage: Vantage, trigger: Report["trigger"], report: string): Omit<Report, "results"> {
    const at = new Date(this.now).toISOString();
    const { environment } = this.configuration;
    return { v: 1, report, environment, vantage, group, trigger, started_at: at, finished_at: at };
  }
}

/** A failure in one line: `timeout/connect`. */
export function failing(text: string): Failure {
  const [kind, phase = ""] = text.split("/");
  return { kind: kind as Failure["kind"], phase, message: `failed with ${kind}` };
}

function result({ name, component: of }: ConfiguredProbe, shown: Shown, at: string): ProbeResult {
  const failure = "kind" in shown ? (shown as Failure) : undefined;
  const samples = failure === undefined ? Object.entries(shown as Record<string, number>) : [];
  const success = failure === undefined;
  return {
    probe: name,
    component: of,
    at,
    success,
    failure,
    measurements: [["probe_success", success ? 1 : 0] as const, ...samples].map(([metric, value]) => ({
      metric,
      value,
      labels: {},
    })),
  };
}
