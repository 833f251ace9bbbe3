/** Readers of notifications: their ledger entries, the messages sent to them, and the results. */
import type { Outgoing, Reply } from "../../functions/notify/channel.ts";
import { channels as kinds } from "../../functions/notify/channels/index.ts";
import { type Delivery, isFinal } from "../../functions/notify/deliver/ledger.ts";
import { recipientsOf } from "../../functions/notify/plan/readers.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { type Reader, readerName } from "../../shared/documents/delivery-summary.ts";
import type { Fields } from "../../shared/ports.ts";
import type { Sent } from "./outcome.ts";
import type { Life, Place, Surroundings } from "./place.ts";
import { keyOf, Receiver, type ReceiverFailure } from "./receivers.ts";

/** An attempt in progress. */
type Attempted = { -readonly [Key in keyof Sent]: Sent[Key] };

/** The readers of a run. */
export class Readers {
  /** By their names. */
  readonly all: Map<string, Reader & { readonly kind: string }> = new Map();
  readonly receivers: Map<string, Receiver> = new Map();
  readonly ledger: Map<string, Delivery> = new Map();
  readonly sent: Attempted[] = [];
  /** Deliveries that are not final. */
  readonly unfinished: Set<string> = new Set();
  readonly #around: Pick<Surroundings, "scheduler" | "faults" | "start" | "healsAt" | "strike" | "log">;
  readonly #onMishap: (sentence: string) => void;
  readonly #planned = new Map<string, string>();
  readonly #claims = new Map<string, number>();
  readonly #workOf = new Map<Attempted, (reason: Error) => void>();

  constructor(
    around: Pick<Surroundings, "scheduler" | "faults" | "start" | "healsAt" | "strike" | "log">,
    onMishap: (sentence: string) => void,
  ) {
    this.#around = around;
    this.#onMishap = onMishap;
  }

  /** Adds the readers of a configuration. */
  add({ channels }: Configuration): void {
    for (const channel of channels) {
      const recipients = recipientsOf(channel, kinds);
      const readers: Reader[] =
        recipients.length === 0
          ? [{ channel: channel.name }]
          : recipients.map((recipient) => ({ channel: channel.name, recipient }));
      for (const reader of readers) {
        const name = readerName(reader);
        if (this.all.has(name)) continue;
        this.all.set(name, { ...reader, kind: channel.kind });
        this.receivers.set(name, new Receiver(channel.kind));
      }
    }
  }

  /** Records a written ledger entry. The notifier's own documents need no strict parsing here. */
  written(id: string, fields: Fields): void {
    const { scheduler, log } = this.#around;
    const delivery = fields as unknown as Delivery;
    this.ledger.set(id, delivery);
    if (delivery.status === "sending") this.#claims.set(id, scheduler.now);
    if (isFinal(delivery)) this.unfinished.delete(id);
    else this.unfinished.add(id);
    if (delivery.payload !== undefined) this.#planned.set(delivery.payload, id);
    log("ledger", () => `${id} is ${delivery.status}: ${delivery.reason}`);
  }

  /** Sends something from an instance. */
  async send(place: Place, life: Life, outgoing: Outgoing, withinMs = 15_000): Promise<Reply> {
    const { scheduler, log } = this.#around;
    const notice = JSON.stringify(outgoing);
    const id = this.#planned.get(notice);
    const delivery = id === undefined ? undefined : this.ledger.get(id);
    const receiver = delivery && this.receivers.get(readerName(delivery));
    if (id === undefined || delivery === undefined || receiver === undefined) {
      this.#onMishap(`nobody planned ${notice}`);
      return { error: "nobody planned it", code: "EINVAL" };
    }
    const reader = readerName(delivery);
    const sent: Attempted = {
      ...{ delivery: id, reader, by: place.name, from: scheduler.now },
      ...{ failure: undefined, notice, key: keyOf(outgoing), accepted: false, claimedAt: this.#claims.get(id) ?? 0 },
    };
    this.sent.push(sent);
    // The message that caused it is known only if the instance works on a single one.
    const [work, other] = life.inFlight;
    if (work !== undefined && other === undefined) this.#workOf.set(sent, work);
    const reply = await place.step(life, "send", () => {
      const failure = this.#failureOf(reader, receiver.attempts);
      sent.failure = failure;
      return receiver.answer(notice, sent.key, failure, scheduler.now);
    });
    const isLate = sent.failure === "slow" || sent.failure === "answer late";
    await place.sleep(life, isLate ? withinMs : 5 + place.chance.below(200));
    sent.to = scheduler.now;
    sent.accepted = "status" in reply && reply.status < 300;
    log(place.name, () => `sent ${id}: ${sent.failure ?? "accepted"}`);
    return reply;
  }

  /** Handles a completed message: its instance had time to record every response that it received meanwhile. */
  concluded(done: (reason: Error) => void): void {
    for (const [sent, work] of this.#workOf) {
      if (work !== done) continue;
      if (sent.accepted) sent.concludedAt = this.#around.scheduler.now;
      this.#workOf.delete(sent);
    }
  }

  /** Handles the crash of an instance: it no longer waits for responses. */
  died({ name }: Place): void {
    for (const sent of this.sent) if (sent.by === name) sent.to ??= this.#around.scheduler.now;
  }

  #failureOf(reader: string, attempt: number): ReceiverFailure {
    const { scheduler, start, healsAt, faults, strike } = this.#around;
    if (scheduler.now >= healsAt) return undefined;
    const place = [...this.all.keys()].indexOf(reader);
    const after = scheduler.now - start;
    for (const fault of faults.of("receiver outage")) {
      if ((fault.reader ?? place) !== place || after < fault.at || after >= fault.at + fault.for) continue;
      strike(fault);
      return "refused";
    }
    for (const fault of faults.ofAttempt(place, attempt)) {
      if (fault.fault !== "receiver failure") continue;
      strike(fault);
      return fault.failure;
    }
    return undefined;
  }
}
