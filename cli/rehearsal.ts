/** The real evaluator on virtual time: reports and ticks in, incident events out. */
import { evaluateHandler } from "../functions/evaluate/handler.ts";
import type { Plan } from "../functions/evaluate/plan.ts";
import { MemoryPublisher, MemoryStore } from "../shared/adapters/memory.ts";
import { type IncidentEvent, parseIncidentEvent } from "../shared/messages/incident-event.ts";
import { parseProbeRequest } from "../shared/messages/probe-request.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Tick } from "../shared/messages/tick.ts";
import { topics } from "../shared/topology.ts";
import type { ReportRecord } from "./record.ts";
import { RecordedValidations } from "./recorded-validations.ts";

/** A rehearsal, and who hears of it. */
export interface RehearsalOptions {
  readonly plan: Plan;
  readonly record: ReportRecord;
  /** Milliseconds since the epoch; what is later is left out. @default the end of the record */
  readonly until?: number | undefined;
  readonly onEvent: (event: IncidentEvent) => void;
  /** Called with each report. @param at milliseconds since the epoch */
  readonly onReport?: (done: number, at: number) => void;
}

/**
 * Plays a record: its reports in the order in which they were finished, and a tick with each whole minute from the first of them on.
 * @returns what there is to remark about it, in sentences
 */
export async function rehearse({ plan, record, until, onEvent, onReport }: RehearsalOptions): Promise<string[]> {
  const stage = new Stage(plan, record.holdsValidations, onEvent);
  const end = until ?? record.lastAt ?? 0;
  let done = 0;
  let nextTick = Number.POSITIVE_INFINITY;
  for (const report of record.reports()) {
    const at = Date.parse(report.finished_at);
    if (at > end) break;
    if (done === 0) nextTick = Math.ceil(at / minute) * minute;
    // A report that was finished with the minute comes before its tick.
    for (; nextTick < at; nextTick += minute) await stage.tick(nextTick);
    await stage.hear(report, at);
    done += 1;
    onReport?.(done, at);
  }
  for (; nextTick <= end; nextTick += minute) await stage.tick(nextTick);
  return stage.remarks();
}

const minute = 60_000;

/** The evaluator with all that it needs, and a clock that only what happens moves. */
class Stage {
  #now = 0;
  readonly #environment: string;
  readonly #onEvent: (event: IncidentEvent) => void;
  readonly #publisher = new MemoryPublisher();
  readonly #validations: RecordedValidations;
  readonly #handle: ReturnType<typeof evaluateHandler>;
  /** What the evaluator logged, and how often. */
  readonly #logged = new Map<string, number>();

  constructor(plan: Plan, holdsValidations: boolean, onEvent: (event: IncidentEvent) => void) {
    this.#environment = plan.configuration.environment;
    this.#onEvent = onEvent;
    this.#validations = new RecordedValidations(holdsValidations);
    const log = (message: string): void => void this.#logged.set(message, (this.#logged.get(message) ?? 0) + 1);
    this.#handle = evaluateHandler(
      {
        store: new MemoryStore(),
        publisher: this.#publisher,
        clock: { now: () => this.#now },
        logger: { info: log, warning: log, error: log },
      },
      plan,
      { watchesItself: false },
    );
  }

  async hear(report: Report, at: number): Promise<void> {
    this.#now = at;
    if (report.trigger !== "validation") await this.#push("/measurements", report);
    for (const answer of this.#validations.answers(report, at)) await this.#push("/measurements", answer);
  }

  async tick(at: number): Promise<void> {
    this.#now = at;
    const tick: Tick = { v: 1, environment: this.#environment };
    await this.#push("/ticks", tick);
  }

  remarks(): string[] {
    const logged = [...this.#logged].map(([message, times]) => (times === 1 ? message : `${message} (${times} times)`));
    return [...logged, ...this.#validations.unproved()];
  }

  async #push(path: string, data: unknown): Promise<void> {
    await this.#handle({ messageId: "", publishedAt: this.#now, attributes: {}, data, subscription: "" }, path);
    for (const message of this.#publisher.published.splice(0)) this.#listen(message.topic, message.data);
  }

  #listen(topic: string, data: unknown): void {
    if (topic === topics.probeRequests) this.#validations.ask(parseProbeRequest(data), this.#now);
    if (topic !== topics.notifications) return;
    const event = parseIncidentEvent(data);
    if (event.event === "regressed" || event.event === "resolved") this.#validations.withdraw(event.incident);
    this.#onEvent(event);
  }
}
