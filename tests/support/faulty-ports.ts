/** Puts crashes between the functions and their ports: a function crashes before or after one of its writes or publications. */
import { Crash, type WorldPorts } from "../../cli/virtual/world.ts";
import type { Send } from "../../functions/notify/deliver/send.ts";
import type { OutgoingMessage, Publisher, Query, Store, Stored, Transaction } from "../../shared/ports.ts";

/** Moment of a crash: before a step, after it, or, in a publication, when only the first message has been published. */
export type Moment = "before" | "after" | "between";

/** A step of a function. */
export interface Step {
  /** From 0, over the whole run. */
  readonly number: number;
  /** From 1, within this delivery of a message. */
  readonly ofDelivery: number;
  /** Number of the delivery of the message, from 1. */
  readonly attempt: number;
  readonly what: What;
  /** Whether no other step was in progress when it began. */
  readonly alone: boolean;
}

/** Visible effects of a function. */
export type What = "write" | "publish" | "send";

/** Decides whether a function crashes at a step. */
export type Fate = (step: Step) => Moment | undefined;

/** Ports that count steps and crash as decided. */
export class FaultyPorts {
  /** Every step of the run. */
  readonly steps: What[] = [];
  crashes = 0;
  readonly #fate: Fate;
  #attempt = 0;
  #ofDelivery = 0;
  #underWay = 0;
  /** A crashed function does nothing more, including work that was in progress. */
  #dead: Crash | undefined;

  constructor(fate: Fate = () => undefined) {
    this.#fate = fate;
  }

  readonly onDelivery = (attempt: number): void => {
    this.#attempt = attempt;
    this.#ofDelivery = 0;
    this.#dead = undefined;
  };

  readonly sending =
    (send: Send): Send =>
    (...sent) =>
      this.step("send", () => send(...sent));

  readonly between = ({ store, publisher }: WorldPorts): WorldPorts => ({
    store: new FaultyStore(store, this),
    publisher: new FaultyPublisher(publisher, this),
  });

  /** Reads, unless it has crashed. */
  async read<T>(take: () => Promise<T>): Promise<T> {
    if (this.#dead !== undefined) throw this.#dead;
    return take();
  }

  /** Runs a step, or crashes at it. */
  async step<T>(what: What, take: () => Promise<T>, begin?: () => Promise<unknown>): Promise<T> {
    if (this.#dead !== undefined) throw this.#dead;
    this.#ofDelivery += 1;
    const moment = this.#fate({
      number: this.steps.length,
      ofDelivery: this.#ofDelivery,
      attempt: this.#attempt,
      what,
      alone: this.#underWay === 0,
    });
    this.steps.push(what);
    if (moment === undefined) return this.#take(take);
    this.crashes += 1;
    const crash = new Crash(`it died ${moment} step ${this.steps.length - 1}, a ${what}`);
    if (moment === "before") this.#dead = crash;
    if (moment === "between") await begin?.();
    if (moment === "after") await take();
    this.#dead = crash;
    throw crash;
  }

  async #take<T>(take: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await take();
    } finally {
      this.#underWay -= 1;
    }
  }
}

class FaultyStore implements Store {
  readonly #store: Store;
  readonly #faults: FaultyPorts;

  constructor(store: Store, faults: FaultyPorts) {
    this.#store = store;
    this.#faults = faults;
  }

  get: Store["get"] = (collection, id) => this.#faults.read(() => this.#store.get(collection, id));
  query = (query: Query): Promise<Stored[]> => this.#faults.read(() => this.#store.query(query));
  set: Store["set"] = (...write) => this.#faults.step("write", () => this.#store.set(...write));
  create: Store["create"] = (...write) => this.#faults.step("write", () => this.#store.create(...write));
  update: Store["update"] = (...write) => this.#faults.step("write", () => this.#store.update(...write));
  delete: Store["delete"] = (...write) => this.#faults.step("write", () => this.#store.delete(...write));
  transaction = <T>(body: (transaction: Transaction) => Promise<T>): Promise<T> =>
    this.#faults.step("write", () => this.#store.transaction(body));
  close = (): Promise<void> => this.#store.close();
}

class FaultyPublisher implements Publisher {
  readonly #publisher: Publisher;
  readonly #faults: FaultyPorts;

  constructor(publisher: Publisher, faults: FaultyPorts) {
    this.#publisher = publisher;
    this.#faults = faults;
  }

  publish = (topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> =>
    this.#faults.step(
      "publish",
      () => this.#publisher.publish(topic, messages),
      () => this.#publisher.publish(topic, messages.slice(0, Math.ceil(messages.length / 2))),
    );
  close = (): Promise<void> => this.#publisher.close();
}
