import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import { silentLogger } from "../../../shared/runtime/logger.ts";
import { channels } from "../channels/index.ts";
import { incidentEvent, noon, webHook } from "../fixtures.ts";
import { abandonedAfterMs, decide, deliver } from "./delivery.ts";
import { type Delivery, deliveries, deliveryFields, type LedgerEntry } from "./ledger.ts";
import type { ReceiverType } from "./order.ts";
import { afterAttempt, backoff, giveUpAfterMs } from "./outcome.ts";

function entry(
  event: Delivery["event"],
  sequence: number,
  status: Delivery["status"],
  changes: Partial<Delivery> = {},
): LedgerEntry {
  return {
    id: `i:${event}:${changes.channel ?? "ops"}`,
    delivery: {
      incident: "i",
      event,
      channel: "ops",
      kind: "webhook",
      sequence,
      at: new Date(noon),
      title: "t",
      status,
      reason: "route 1",
      attempts: [],
      attempt_count: 0,
      planned_at: new Date(noon),
      expires_at: new Date(noon),
      ...changes,
    },
  };
}

const seconds = (amount: number): Date => new Date(noon + amount * 1000);

describe("decide", () => {
  const opened = entry("opened", 1, "planned");
  const joined = entry("joined", 2, "planned");
  const resolved = entry("resolved", 3, "planned");
  const send = { action: "send", supersedes: [] };
  const wait = { action: "wait" };
  const unanswered = { at: seconds(-60), outcome: "lost", answer: "no answer within 15 s" };
  const busy = { at: seconds(-30), outcome: "retry", answer: "503" };
  const refused = { at: seconds(-1), outcome: "rejected", answer: "404" };

  it.each<[string, LedgerEntry, LedgerEntry[], object]>([
    ["the opening does not wait", opened, [joined, resolved], send],
    ["a delivered notice is final", entry("opened", 1, "delivered"), [], { action: "none" }],
    ["a rejected notice is final", entry("opened", 1, "rejected"), [], { action: "none" }],
    [
      "a notice being sent by another instance waits",
      entry("opened", 1, "sending", { lease_until: seconds(1) }),
      [],
      wait,
    ],
    [
      "a notice is taken over when its lease expires",
      entry("opened", 1, "sending", { lease_until: seconds(0) }),
      [],
      send,
    ],
    [
      "the next attempt waits until it is due",
      entry("opened", 1, "retrying", { next_attempt_at: seconds(1) }),
      [],
      wait,
    ],
    [
      "the next attempt is made when it is due",
      entry("opened", 1, "retrying", { next_attempt_at: seconds(0) }),
      [],
      send,
    ],
    ["an update waits for the opening", joined, [opened], wait],
    [
      "an update does not wait for the opening in another channel",
      joined,
      [entry("opened", 1, "planned", { channel: "mail" })],
      send,
    ],
    ["an update follows a delivered opening", joined, [entry("opened", 1, "delivered")], send],
    ["an update follows a rejected opening", joined, [entry("opened", 1, "rejected")], send],
    [
      "an update does not wait for an abandoned opening",
      joined,
      [entry("opened", 1, "planned", { planned_at: new Date(noon - abandonedAfterMs - 1) })],
      send,
    ],
    [
      "an update waits for one that waited for an opening still being retried",
      entry("reminder", 3, "planned"),
      [
        entry("opened", 1, "delivered", { attempts: [{ at: seconds(-1), outcome: "delivered", answer: "200" }] }),
        entry("joined", 2, "planned", { planned_at: new Date(noon - abandonedAfterMs - 1) }),
      ],
      wait,
    ],
    [
      "an opening is not sent if its end was planned without it",
      entry("opened", 1, "planned"),
      [entry("resolved", 3, "suppressed", { reason: "never announced here" })],
      { action: "suppress", reason: "superseded: resolved before it could be announced here" },
    ],
    [
      "an opening is not sent if an end was planned for others only, at the same time",
      entry("opened", 1, "planned", { planned_at: seconds(-59) }),
      [entry("resolved", 3, "delivered", { channel: "mail" })],
      { action: "suppress", reason: "superseded: resolved before it could be announced here" },
    ],
    [
      "an opening is sent if an end for others was planned long after it",
      entry("opened", 1, "planned", { planned_at: seconds(-60) }),
      [entry("resolved", 3, "delivered", { channel: "mail" })],
      send,
    ],
    [
      "an opening is sent if a relapse revoked the end that was planned for others",
      entry("opened", 1, "planned"),
      [entry("resolved", 3, "delivered", { channel: "mail" }), entry("regressed", 4, "delivered", { channel: "mail" })],
      send,
    ],
    [
      "an update is superseded by the all-clear",
      joined,
      [resolved],
      { action: "suppress", reason: "superseded: the incident is resolved" },
    ],
    [
      "an update is not passed by one that waits for it",
      joined,
      [entry("reminder", 3, "planned", { follows: [2] })],
      send,
    ],
    [
      "an update is superseded by one that was planned without it",
      joined,
      [entry("reminder", 3, "planned", { follows: [1] })],
      { action: "suppress", reason: "superseded: included in a later notification" },
    ],
    [
      "an update is not superseded by one that is not sent",
      joined,
      [entry("reminder", 3, "suppressed", { follows: [1] })],
      send,
    ],
    [
      "an update that may have arrived is not superseded by one that was planned without it",
      entry("joined", 2, "retrying", { attempts: [unanswered] }),
      [entry("reminder", 3, "planned", { follows: [1] })],
      send,
    ],
    ["the all-clear waits for the opening", resolved, [opened], wait],
    [
      "the all-clear supersedes waiting updates",
      resolved,
      [entry("opened", 1, "delivered"), joined],
      { action: "send", supersedes: ["i:joined:ops"] },
    ],
    [
      "the all-clear is suppressed if the opening never arrived",
      resolved,
      [entry("opened", 1, "rejected")],
      { action: "suppress", reason: "never announced here" },
    ],
    [
      "events after a suppressed all-clear are suppressed too",
      entry("status_update", 4, "planned"),
      [entry("opened", 1, "rejected"), entry("resolved", 3, "suppressed")],
      { action: "suppress", reason: "never announced here" },
    ],
    [
      "the all-clear after a rejected opening waits until the updates are suppressed",
      resolved,
      [entry("opened", 1, "rejected", { attempts: [refused] }), joined],
      wait,
    ],
    [
      "the all-clear follows an update that may have arrived before it was superseded",
      resolved,
      [
        entry("opened", 1, "rejected", { attempts: [refused] }),
        entry("joined", 2, "suppressed", { attempts: [unanswered] }),
      ],
      send,
    ],
    [
      "the all-clear follows an opening that may have arrived before it was given up",
      resolved,
      [entry("opened", 1, "rejected", { attempts: [unanswered, busy] })],
      send,
    ],
    [
      "the all-clear is suppressed if the opening was rejected after an attempt without a reply",
      resolved,
      [entry("opened", 1, "rejected", { attempts: [unanswered, refused] })],
      { action: "suppress", reason: "never announced here" },
    ],
    [
      "the all-clear follows a delivered update",
      resolved,
      [entry("opened", 1, "rejected"), entry("joined", 2, "delivered")],
      send,
    ],
  ])("%s", (_, own, others, expected) => {
    expect(decide(own, [own, ...others], noon, false)).toEqual(expected);
  });

  describe("of an event after a held-back change of cause", () => {
    const held = (changes: Partial<Delivery> = {}): LedgerEntry =>
      entry("root_cause_changed", 2, "planned", { held_until: seconds(60), next_attempt_at: seconds(60), ...changes });
    const later = entry("reminder", 3, "planned");
    const delivered = entry("opened", 1, "delivered");
    const decisionFor = (receiver: ReceiverType, cause: LedgerEntry, own = later): object =>
      decide(own, [delivered, cause, own], noon, false, { receiver });

    it("supersedes the change for a person", () => {
      expect(decisionFor("person", held())).toEqual({ action: "send", supersedes: ["i:root_cause_changed:ops"] });
    });

    it.each<[string, ReceiverType, LedgerEntry]>([
      ["a program", "program", held()],
      ["a person, once the change is due", "person", held({ held_until: seconds(0), next_attempt_at: seconds(0) })],
      ["a person who may have received the change", "person", held({ attempts: [unanswered], attempt_count: 1 })],
    ])("waits for the change for %s", (_, receiver, cause) => {
      expect(decisionFor(receiver, cause)).toEqual(wait);
    });
  });

  describe("of a relapse before the opening could be sent", () => {
    const left = (reason: string): LedgerEntry => entry("opened", 1, "suppressed", { reason });
    const takenBack = entry("resolved", 3, "suppressed", { reason: "superseded: it failed again" });
    const regressed = entry("regressed", 4, "planned");
    const decisionFor = (receiver: ReceiverType, opening: LedgerEntry): object =>
      decide(regressed, [opening, takenBack, regressed], noon, false, { receiver });

    it.each<[ReceiverType, string]>([
      ["person", "superseded: included in the resolution"],
      ["pager", "superseded: resolved before it could be announced here"],
      ["program", "superseded: resolved before it could be announced here"],
    ])("replaces the opening that was left to the resolution, for a %s", (receiver, reason) => {
      expect(decisionFor(receiver, left(reason))).toEqual({ ...send, replacesOpening: true });
    });

    it("is suppressed if no route led here", () => {
      const reason = "never announced here";
      expect(decisionFor("person", left("no route: opened, warning, db"))).toEqual({ action: "suppress", reason });
    });

    it("leaves the opening to the next resolution for a person, and sends nothing to a pager", () => {
      const again = entry("resolved", 5, "planned");
      const decisionAgain = (receiver: ReceiverType, opening: LedgerEntry): object =>
        decide(again, [opening, takenBack, regressed, again], noon, false, { receiver });
      expect(decisionAgain("person", left("superseded: included in the resolution"))).toEqual({
        action: "send",
        supersedes: ["i:regressed:ops"],
        replacesOpening: true,
      });
      const reason = "superseded: resolved before it could be announced here";
      expect(decisionAgain("pager", left(reason))).toEqual({ action: "suppress", reason });
    });
  });

  it("does not wait until it is due on the last chance", () => {
    const retrying = entry("opened", 1, "retrying", { next_attempt_at: seconds(1) });
    expect(decide(retrying, [retrying], noon, true)).toEqual(send);
  });
});

describe("backoff", () => {
  it("doubles from 5 s to 10 min, adds at most a fifth, and is deterministic", () => {
    const bases = [5, 10, 20, 40, 80, 160, 320, 600, 600];
    for (const [at, base] of bases.entries()) {
      const wait = backoff("i:opened:ops", at + 1) / 1000;
      expect(wait).toBe(backoff("i:opened:ops", at + 1) / 1000);
      expect(wait).toBeGreaterThanOrEqual(base);
      expect(wait).toBeLessThanOrEqual(base * 1.2);
    }
    expect(backoff("i:opened:ops", 8)).not.toBe(backoff("i:opened:mail", 8));
  });
});

describe("afterAttempt", () => {
  const sending = entry("opened", 1, "sending", { lease_until: seconds(60) });

  it("marks it as delivered", () => {
    expect(afterAttempt(sending, { outcome: "delivered", answer: "204" }, noon + 1000, false)).toMatchObject({
      status: "delivered",
      reason: "route 1",
      delivered_at: seconds(1),
      lease_until: undefined,
      attempts: [{ at: seconds(1), outcome: "delivered", answer: "204" }],
    });
  });

  it("retries a mail without a final reply once, not counting attempts of instances that died", () => {
    const once = { outcome: "retry", answer: "no answer to the end of the mail within 240 s", unsure: "once" } as const;
    const died = { at: seconds(-60), outcome: "lost", answer: "the sending instance did not report back" };
    const first = afterAttempt({ ...sending, delivery: { ...sending.delivery, attempts: [died] } }, once, noon, false);
    expect(first.status).toBe("retrying");
    expect(afterAttempt({ id: sending.id, delivery: first }, once, noon + 60_000, false)).toMatchObject({
      status: "rejected",
      reason: "may have arrived: no answer to the end of the mail within 240 s, twice",
    });
  });

  it("records that it may have arrived if only the reply is missing", () => {
    const unsure = { outcome: "retry", answer: "read ECONNRESET", unsure: true } as const;
    expect(afterAttempt(sending, unsure, noon, false)).toMatchObject({
      status: "retrying",
      attempts: [{ at: seconds(0), outcome: "lost", answer: "read ECONNRESET" }],
    });
  });

  it("waits for the requested delay, and at least for the backoff", () => {
    const next = (afterMs: number): number =>
      afterAttempt(sending, { outcome: "retry", answer: "429", afterMs }, noon, false).next_attempt_at?.getTime() ?? 0;
    expect(next(90_000)).toBe(noon + 90_000);
    expect(next(0)).toBe(noon + backoff(sending.id, 1));
  });

  it("gives up after a day, or on the last chance", () => {
    const retry = { outcome: "retry", answer: "503" } as const;
    expect(afterAttempt(sending, retry, noon + giveUpAfterMs - 60_000, false).status).toBe("retrying");
    expect(afterAttempt(sending, retry, noon + giveUpAfterMs, false)).toMatchObject({
      status: "rejected",
      reason: "gave up after 1 attempt in 1 d: 503",
      next_attempt_at: undefined,
    });
    expect(afterAttempt(sending, retry, noon + 60_000, true).reason).toBe("gave up after 1 attempt in 1 min: 503");
  });

  it("keeps the newest 20 attempts and counts them all", () => {
    let { delivery } = sending;
    for (let n = 1; n <= 25; n++) {
      delivery = afterAttempt({ id: sending.id, delivery }, { outcome: "retry", answer: `${n}` }, noon, false);
    }
    expect(delivery.attempt_count).toBe(25);
    expect(delivery.attempts.map(({ answer }) => answer)).toEqual(Array.from({ length: 20 }, (_, n) => `${n + 6}`));
  });
});

describe("deliver", () => {
  it("records a delivery even if another instance has suppressed it in the meantime", async () => {
    const store = new MemoryStore();
    const payload = JSON.stringify({
      v: 2,
      transport: "http",
      method: "POST",
      url: "https://hooks.example.com/",
      headers: {},
    });
    const opened = entry("opened", 1, "planned", { payload });
    await store.set(deliveries, opened.id, deliveryFields(opened.delivery));
    const world = {
      store,
      clock: { now: () => noon },
      logger: silentLogger,
      kinds: channels,
      configuration: { channels: [webHook("ops", "https://hooks.example.com/")] },
      send: async () => {
        const suppressed = { ...opened.delivery, status: "suppressed", reason: "superseded: it failed again" } as const;
        await store.set(deliveries, opened.id, deliveryFields(suppressed));
        return { status: 200, headers: {}, body: "" };
      },
    };
    const occasion = { event: incidentEvent(), ledger: [opened], lastChance: false };
    await deliver(opened, occasion, world as unknown as Parameters<typeof deliver>[2]);
    expect(await store.get(deliveries, opened.id)).toMatchObject({ status: "delivered", reason: "route 1" });
  });
});
