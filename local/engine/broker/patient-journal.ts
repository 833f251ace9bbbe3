/**
 * A journal on a disk that may be full. What cannot be written is kept in memory and written as soon as that is possible, so that messages are still
 * delivered. Only a process that ends in the meantime loses them.
 */
import type { RecurringFailure } from "../../failures.ts";
import type { Delivery, Journal, Message, PendingDelivery, Publication } from "./journal.ts";
import type { Time } from "./time.ts";

/** Delay after a failure, in milliseconds. */
const retryMs = 1_000;
/** Characters of messages that wait in memory at most. */
const maxWaiting = 32 * 2 ** 20;

/** Writes to a journal, now or later. */
export class PatientJournal {
  readonly #journal: Journal;
  readonly #time: Time;
  readonly #failure: RecurringFailure;
  /** Messages that are not in the journal yet, with their pending deliveries. */
  readonly #unwritten = new Map<
    number,
    { readonly message: Message; readonly pending: Map<string, PendingDelivery> }
  >();
  /** Latest state of deliveries in the journal, by subscription and message. */
  readonly #updates = new Map<string, () => void>();
  #waiting = 0;
  #callOff: (() => void) | undefined;

  constructor(journal: Journal, time: Time, failure: RecurringFailure) {
    this.#journal = journal;
    this.#time = time;
    this.#failure = failure;
  }

  /**
   * Takes messages, and strikes off the delivery that is settled by them.
   * @throws Error when more wait to be written than fit into memory
   */
  append(publications: readonly Publication[], settled?: { readonly subscription: string; readonly id: number }): void {
    if (this.#waiting > maxWaiting) throw new Error("too many messages wait to be written");
    for (const { message, pending } of publications) {
      this.#unwritten.set(message.id, { message, pending: new Map(pending.map((one) => [one.subscription, one])) });
      this.#waiting += message.json.length;
    }
    if (settled !== undefined) this.#strike(settled.subscription, settled.id);
    this.#flush();
  }

  /** Strikes a delivery off, and the message with its last one. */
  settle(subscription: string, id: number): void {
    this.#strike(subscription, id);
    this.#flush();
  }

  /** Notes that a delivery failed and when it is due again. */
  postpone(subscription: string, delivery: Delivery): void {
    if (this.#unwritten.has(delivery.message.id)) return;
    this.#updates.set(`${subscription}/${delivery.message.id}`, () => this.#journal.postpone(subscription, delivery));
    this.#flush();
  }

  /** Writes what waits, if that is possible now, and closes the journal. */
  close(): void {
    this.#stopWaiting();
    this.#flush();
    this.#stopWaiting();
    this.#journal.close();
  }

  #stopWaiting(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #strike(subscription: string, id: number): void {
    const unwritten = this.#unwritten.get(id);
    if (unwritten === undefined) {
      this.#updates.set(`${subscription}/${id}`, () => this.#journal.settle(subscription, id));
      return;
    }
    unwritten.pending.delete(subscription);
    if (unwritten.pending.size === 0) this.#forget(id, unwritten.message);
  }

  #forget(id: number, { json }: Message): void {
    this.#unwritten.delete(id);
    this.#waiting -= json.length;
  }

  #flush(): void {
    if (this.#callOff !== undefined) return;
    try {
      const publications = Array.from(this.#unwritten.values(), ({ message, pending }) => ({
        message,
        pending: [...pending.values()],
      }));
      if (publications.length > 0) this.#journal.append(publications);
      for (const { message } of publications) this.#forget(message.id, message);
      for (const [of, update] of this.#updates) {
        update();
        this.#updates.delete(of);
      }
      this.#failure.end();
    } catch (error) {
      this.#failure.begin(error as Error);
      this.#callOff = this.#time.after(retryMs, () => {
        this.#callOff = undefined;
        this.#flush();
      });
    }
  }
}
