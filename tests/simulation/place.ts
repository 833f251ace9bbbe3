/** A slot for successive instances of a function: their clock, their calls of ports, and their crashes. */
import type { Plan } from "../../functions/evaluate/plan.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import { type Clock, PublishError, type Publisher, type Store, StoreError, type Timers } from "../../shared/ports.ts";
import type { Topic } from "../../shared/topology.ts";
import { type Broker, Died } from "./broker.ts";
import { type Fault, type Faults, type FunctionName, type Slot, slotName } from "./faults.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Documents, StepwiseStore } from "./store.ts";

/** Handles a message. */
export type Handle = (message: PushedMessage, path: string) => Promise<void>;

/** One instance of a function during its lifetime. */
export interface Life {
  dead: boolean;
  /** Work in progress; each callback is called on a crash. */
  readonly inFlight: Set<(reason: Error) => void>;
  handle: Handle;
}

/** Environment of a slot. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly documents: Documents;
  readonly broker: Broker;
  readonly seed: number;
  /** Maximum duration of a step without faults, in milliseconds. */
  readonly latencyMs: number;
  /** Start of the run, and end of its faults; milliseconds since the epoch. */
  readonly start: number;
  readonly healsAt: number;
  readonly handlerOf: (place: Place, life: Life, plan: Plan) => Handle;
  readonly strike: (fault: Fault) => void;
  readonly log: (who: string, sentence: () => string) => void;
  readonly onDeath: (place: Place) => void;
  /** Called when a message is done, with its entry in `inFlight`. */
  readonly onDone: (work: (reason: Error) => void) => void;
}

type What = "read" | "write" | "publish" | "send";

/** A slot. */
export class Place {
  readonly function: FunctionName;
  readonly name: string;
  readonly chance: Random;
  readonly clock: Clock;
  /** Calls of ports so far. */
  steps = 0;
  life: Life = { dead: true, inFlight: new Set(), handle: () => Promise.reject(new Died("it has not begun")) };
  readonly #around: Surroundings;
  readonly #outages: readonly (Fault & { readonly fault: "store outage" })[];
  #plan: Plan;

  constructor(slot: Slot, plan: Plan, around: Surroundings) {
    this.function = slot.function;
    this.name = slotName(slot);
    this.chance = new Random(`${around.seed}/${this.name}`);
    this.clock = { now: this.#clockOf(around) };
    this.#around = around;
    this.#outages = around.faults.of("store outage");
    this.#plan = plan;
    this.#revive();
  }

  /** Deploys a new plan: current work completes with the old one, and later messages go to a new instance. */
  deploy(plan: Plan): void {
    this.#plan = plan;
    if (!this.life.dead) this.#revive();
  }

  /** Delivers a message to the instance. @throws Died if it crashes while handling it */
  accept(message: PushedMessage, path: string): Promise<void> {
    const { life } = this;
    return new Promise((resolve, reject) => {
      life.inFlight.add(reject);
      life.handle(message, path).then(
        () => {
          life.inFlight.delete(reject);
          if (!life.dead) this.#around.onDone(reject);
          resolve();
        },
        (error: unknown) => {
          life.inFlight.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** The ports of one instance. */
  store(life: Life): Store {
    return new StepwiseStore(this.#around.documents, (what, effect) => this.step(life, what, effect));
  }

  publisher(life: Life): Publisher {
    const { broker } = this.#around;
    return {
      publish: (topic, messages) => {
        const some = (count: number): string[] =>
          messages.slice(0, count).map((message) => broker.publish(topic as Topic, message));
        const half = Math.ceil(messages.length / 2);
        return this.step(
          life,
          "publish",
          () => some(messages.length),
          () => some(half),
        );
      },
      close: async () => {},
    };
  }

  timers(life: Life): Timers {
    return {
      after: (milliseconds, work) => {
        let isCancelled = false;
        this.#around.scheduler.after(milliseconds, () => {
          if (!isCancelled && !life.dead) work();
        });
        return () => {
          isCancelled = true;
        };
      },
    };
  }

  sleep(life: Life, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#around.scheduler.after(milliseconds, () => {
        if (!life.dead) resolve();
      });
    });
  }

  /**
   * Takes a step of an instance, with the faults that strike it. A crashed instance never continues.
   * @param part the partial effect of a step that can be done in part
   */
  step<T>(life: Life, what: What, effect: () => T, part?: () => unknown): Promise<T> {
    const { scheduler, faults: all, latencyMs, healsAt, strike } = this.#around;
    this.steps += 1;
    const faults = scheduler.now >= healsAt ? [] : all.ofStep(this.name, this.steps);
    let wait = 1 + this.chance.below(latencyMs);
    for (const fault of faults) {
      if (fault.fault !== "stall") continue;
      wait += fault.by;
      strike(fault);
    }
    return new Promise((resolve, reject) => {
      scheduler.after(wait, () => {
        if (life.dead) {
          // A request in flight at the crash may still arrive.
          if (this.chance.chance(0.5)) attempt(effect);
          return;
        }
        const outage = what === "read" || what === "write" ? this.#outageNow() : undefined;
        if (outage !== undefined) {
          strike(outage);
          reject(new StoreError("unavailable", "the store does not answer"));
          return;
        }
        for (const fault of faults) {
          const fate = this.#fateOf(fault, what, life, effect, part);
          if (fate === undefined) continue;
          strike(fault);
          if (fate instanceof Error) reject(fate);
          return;
        }
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Returns the effect of a fault on a step: an error, or a step that never completes; `undefined` if the fault does not concern it. */
  #fateOf(
    fault: Fault,
    what: What,
    life: Life,
    effect: () => unknown,
    part: (() => unknown) | undefined,
  ): Error | "dead" | undefined {
    const failed = (why: string): Error =>
      what === "publish" ? new PublishError(why, true) : new StoreError("unavailable", why);
    switch (fault.fault) {
      case "death":
        if (fault.moment === "between" && part === undefined) return undefined;
        if (fault.moment === "between") part?.();
        if (fault.moment === "after") attempt(effect);
        this.#die(life);
        return "dead";
      case "lost answer":
        if (what === "send") return undefined;
        attempt(effect);
        return failed("the answer is lost");
      case "refusal":
        return what === "send" ? undefined : failed("it is refused");
      case "contention":
        return what === "write" ? new StoreError("contention", "others write at the same moment") : undefined;
      case "partial publication":
        if (part === undefined) return undefined;
        part();
        return failed("only a part is published");
      default:
        return undefined;
    }
  }

  #outageNow(): Fault | undefined {
    const { scheduler, start } = this.#around;
    const after = scheduler.now - start;
    return this.#outages.find(({ at, for: lasts }) => at <= after && after < at + lasts);
  }

  /** Starts a new instance without any memory. */
  #revive(): void {
    const life: Life = { dead: false, inFlight: new Set(), handle: async () => {} };
    life.handle = this.#around.handlerOf(this, life, this.#plan);
    this.life = life;
  }

  #die(life: Life): void {
    const { scheduler, log, onDeath } = this.#around;
    life.dead = true;
    log(this.name, () => "dies");
    onDeath(this);
    for (const reject of life.inFlight) reject(new Died(`${this.name} died`));
    life.inFlight.clear();
    scheduler.after(100 + this.chance.below(2_000), () => {
      if (this.life === life) this.#revive();
    });
  }

  #clockOf({ scheduler, faults, start, strike }: Surroundings): () => number {
    const isOwn = ({ slot }: { readonly slot: Slot }): boolean => slotName(slot) === this.name;
    const skews = faults.of("clock skew").filter(isOwn);
    const jumps = faults.of("clock jump").filter(isOwn);
    const skew = skews.reduce((sum, { by }) => sum + by, 0);
    for (const fault of skews) strike(fault);
    return () => {
      const after = scheduler.now - start;
      let shown = scheduler.now + skew;
      for (const jump of jumps) {
        if (after < jump.at || after >= jump.at + jump.for) continue;
        shown += jump.by;
        strike(jump);
      }
      return shown;
    };
  }
}

/** Does work whose result nobody waits for. */
function attempt(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // The caller is gone.
  }
}
