/** Incidents posted with a bot token to a simulated Slack that enforces its documented rules. */

import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../../shared/adapters/memory.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../../shared/messages/incident-event.ts";
import { fc } from "../../../../tests/support/chance.ts";
import { repetitions } from "../../../../tests/support/repetitions.ts";
import type { OutgoingRequest, Reply } from "../../channel.ts";
import { type Delivery, deliveryId, parseDelivery } from "../../deliver/ledger.ts";
import type { Send } from "../../deliver/send.ts";
import { incidentEvent, type NotifyWorldForTests, noon, noticeOf, notifyWorld, resolvedEvent } from "../../fixtures.ts";
import { slack } from "../slack.ts";

const room = "C0123456789";

interface Message {
  readonly ts: string;
  readonly thread_ts?: string;
  readonly reply_broadcast?: boolean;
  readonly metadata?: { readonly event_payload: { readonly key: string } };
  text: string;
}

type SlackFailure = "away" | "busy" | "broken" | "lost answer";

/** Simulates Slack's Web API, as documented, with one channel. */
class Slack {
  readonly messages: Message[] = [];
  readonly requests: OutgoingRequest[] = [];
  /** Failures of the next requests, one each. */
  readonly failures: (SlackFailure | undefined)[] = [];
  /** Methods that are refused, with their error. */
  readonly refuses: Readonly<Record<string, string>>;

  constructor(refuses: Readonly<Record<string, string>> = {}) {
    this.refuses = refuses;
  }

  readonly send: Send = async (outgoing) => {
    const request = outgoing as OutgoingRequest;
    this.requests.push(request);
    expect(request.headers["authorization"]).toBe("Bearer ${secret:slack-token}");
    const failure = this.failures.shift();
    if (failure === "away") return { error: "connect ECONNREFUSED", code: "ECONNREFUSED" };
    if (failure === "busy") return { status: 429, headers: { "retry-after": "30" }, body: "" };
    if (failure === "broken") return answer({ ok: false, error: "internal_error" });
    const said = this.answer(request.url.replace("https://slack.com/api/", "").replace(/\?.*/, ""), request);
    return failure === "lost answer" ? { error: "read ECONNRESET", code: "ECONNRESET" } : answer(said);
  };

  answer(method: string, request: OutgoingRequest): object {
    const refused = this.refuses[method];
    if (refused !== undefined) return { ok: false, error: refused };
    const asked =
      request.method === "GET" ? Object.fromEntries(new URL(request.url).searchParams) : JSON.parse(request.body);
    if (asked.channel !== room) return { ok: false, error: "channel_not_found" };
    const oldest = Number(asked.oldest ?? 0);
    switch (method) {
      case "chat.postMessage": {
        const { channel, ...message } = asked;
        if (message.thread_ts !== undefined && !this.find(message.thread_ts))
          return { ok: false, error: "thread_not_found" };
        const ts = `${noon / 1_000 + this.messages.length}.000100`;
        this.messages.push({ ...message, ts });
        return { ok: true, channel, ts, message: { ...message, ts } };
      }
      case "chat.update": {
        const message = this.find(asked.ts);
        if (message === undefined) return { ok: false, error: "message_not_found" };
        message.text = asked.text;
        return { ok: true, channel: room, ts: asked.ts };
      }
      case "conversations.history": {
        const shown = this.messages.filter(({ ts, thread_ts }) => thread_ts === undefined && Number(ts) > oldest);
        return { ok: true, messages: shown.toReversed() };
      }
      case "conversations.replies":
        return { ok: true, messages: this.messages.filter((one) => [one.ts, one.thread_ts].includes(asked.ts)) };
      default:
        return { ok: false, error: "unknown_method" };
    }
  }

  find(wanted: string): Message | undefined {
    return this.messages.find(({ ts }) => ts === wanted);
  }

  /** Returns the messages as people see them: an arrow marks messages in a thread, a cross those also shown in the channel. */
  seen(): string[] {
    return this.messages.map(({ text, thread_ts, reply_broadcast }) => {
      const [state = ""] = text.split(" · ");
      return `${thread_ts === undefined ? "" : reply_broadcast ? "↳+ " : "↳ "}${state}`;
    });
  }

  methods(): string[] {
    return this.requests.map(({ url }) => url.replace("https://slack.com/api/", "").replace(/\?.*/, ""));
  }
}

function answer(said: object): Reply {
  return { status: 200, headers: {}, body: JSON.stringify(said) };
}

function world(api: Slack, store: MemoryStore = new MemoryStore()): NotifyWorldForTests {
  const settings = { token: { secret: "slack-token" }, channel: room };
  return notifyWorld({
    channels: [{ name: "chat", kind: "slack", settings }],
    routes: [{ channels: ["chat"], events: incidentEventKinds }],
    store,
    send: () => api.send,
  });
}

const opened = incidentEvent();
const joined = incidentEvent({ event: "joined", sequence: 2, at: "2025-09-16T12:10:00.000Z" });
const worse = incidentEvent({ event: "severity_raised", sequence: 3, at: "2025-09-16T12:12:00.000Z" });
const resolved = resolvedEvent({ sequence: 4 });

describe("an incident in Slack, with a bot token", () => {
  it("is one message with the present state, and a thread with the history", async () => {
    const api = new Slack();
    const { push, store } = world(api);
    for (const event of [opened, joined, worse, resolved]) expect(await push(event)).toBe("done");
    expect(api.seen()).toEqual([
      "🟢 RESOLVED",
      "↳ 🔴 OPEN, and wider than before",
      "↳+ 🔴 OPEN, and worse than before",
      "↳+ 🟢 RESOLVED",
    ]);
    const [id, ts] = [deliveryId(opened, "chat"), api.messages[0]?.ts];
    expect((await store.get("deliveries", id))?.["reference"]).toEqual({ channel: room, ts });
  });

  it.each<[string, SlackFailure, string[]]>([
    ["no response", "lost answer", ["chat.postMessage", "conversations.history"]],
    ["a refused connection", "away", ["chat.postMessage", "conversations.history", "chat.postMessage"]],
    ["too many requests", "busy", ["chat.postMessage", "conversations.history", "chat.postMessage"]],
    ["an internal Slack error", "broken", ["chat.postMessage", "conversations.history", "chat.postMessage"]],
  ])("is posted once even if the first attempt ended with %s", async (_, failure, methods) => {
    const api = new Slack();
    const { push, clock } = world(api);
    api.failures.push(failure);
    expect(await push(opened)).toContain("TryAgain");
    clock.time += 60_000;
    expect(await push(opened)).toBe("done");
    expect(api.methods()).toEqual(methods);
    expect(api.seen()).toEqual(["🔴 NEW INCIDENT"]);
    // A message found in the history counts as much as a response.
    expect(await push(joined)).toBe("done");
    expect(api.seen()).toEqual(["🔴 OPEN, and wider than before", "↳ 🔴 OPEN, and wider than before"]);
  });

  it("waits as long as Slack asks when the lookup is rate limited", async () => {
    const api = new Slack();
    const { push, clock, store } = world(api);
    api.failures.push("lost answer", "busy");
    await push(opened);
    clock.time += 10_000;
    await push(opened);
    expect(api.methods()).toEqual(["chat.postMessage", "conversations.history"]);
    expect((await store.get("deliveries", deliveryId(opened, "chat")))?.["next_attempt_at"]).toEqual(
      new Date(clock.time + 30_000),
    );
    clock.time += 30_000;
    expect(await push(opened)).toBe("done");
    expect(api.seen()).toEqual(["🔴 NEW INCIDENT"]);
  });

  it("is finally posted even if the lookup always fails", async () => {
    const api = new Slack({ "conversations.history": "internal_error" });
    const { push, clock } = world(api);
    api.failures.push("away");
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(await push(opened)).toContain("TryAgain");
      clock.time += 600_000;
    }
    expect(api.seen()).toEqual([]);
    expect(await push(opened, { publishedAt: noon })).toBe("done");
    expect(api.seen()).toEqual(["🔴 NEW INCIDENT"]);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ["may not look", { "conversations.history": "missing_scope" }, ["🔴 OPEN, and wider than before"]],
    ["may not change the opening", { "chat.update": "cant_update_message" }, ["🔴 NEW INCIDENT"]],
  ])("is posted even if the app %s", async (_, refuses, [first]) => {
    const api = new Slack(refuses);
    const { push, clock } = world(api);
    api.failures.push("away");
    await push(opened);
    clock.time += 60_000;
    for (const event of [opened, joined]) expect(await push(event)).toBe("done");
    expect(api.seen()).toEqual([first, "↳ 🔴 OPEN, and wider than before"]);
  });

  it("continues in the channel if the opening was deleted", async () => {
    const api = new Slack();
    const { push } = world(api);
    await push(opened);
    api.messages.splice(0);
    expect(await push(worse)).toBe("done");
    expect(api.seen()).toEqual(["🔴 OPEN, and worse than before"]);
    expect(api.messages[0]).not.toHaveProperty("reply_broadcast");
  });

  it.each<[string, string]>([
    ["invalid_auth", "rejected: invalid_auth: copy the token of the bot, xoxb-…, into the secret again"],
    ["not_in_channel", "rejected: not_in_channel: invite the app to the channel, or correct the ID"],
    ["msg_too_long", "rejected: msg_too_long"],
  ])("records advice in the ledger when refused with %s", async (error, said) => {
    const { push, store } = world(new Slack({ "chat.postMessage": error }));
    await push(opened);
    const [entry] = await store.query({ collection: "deliveries" });
    const { attempts } = parseDelivery(entry?.fields) as Delivery;
    expect(`${attempts[0]?.outcome}: ${attempts[0]?.answer}`).toBe(said);
    // Failures that a person can correct are retried for a while.
    expect(entry?.fields["status"]).toBe(error === "msg_too_long" ? "rejected" : "retrying");
  });

  it.each<[string, Reply, object]>([
    ["ratelimited", answer({ ok: false, error: "ratelimited" }), { outcome: "retry", afterMs: 60_000 }],
    [
      "429 with a delay",
      { status: 429, headers: { "retry-after": "7" }, body: "" },
      { outcome: "retry", afterMs: 7_000 },
    ],
    ["an unrelated page", { status: 200, headers: {}, body: "<html>" }, { outcome: "retry" }],
    ["503", { status: 503, headers: {}, body: "" }, { outcome: "retry", answer: "503" }],
    [
      "a long page from a proxy",
      { status: 502, headers: {}, body: "x".repeat(400_000) },
      { outcome: "retry", answer: `502 ${"x".repeat(199)}…` },
    ],
  ])("is retried after %s", (_, reply, expected) => {
    const settings = slack.settings.parse({ token: { secret: "slack-token" }, channel: room });
    const outgoing = slack.render(settings, noticeOf(opened));
    expect(slack.converse?.(outgoing, { attempts: 0, plannedAt: noon }, [reply])).toMatchObject(expected);
  });

  const story: Readonly<Record<string, IncidentEvent>> = { opened, joined, worse, resolved };
  const twice = [...Object.keys(story), ...Object.keys(story)];

  it("has every notice once, in order, despite failures", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length }),
        fc.array(fc.constantFrom<(SlackFailure | undefined)[]>("away", "busy", "broken", "lost answer", undefined), {
          maxLength: 5,
        }),
        async (messages, failures) => {
          const api = new Slack();
          const { push, clock } = world(api);
          api.failures.push(...failures);
          let waiting = messages;
          for (let round = 0; waiting.length > 0 && round < 100; round += 1) {
            const still: string[] = [];
            for (const name of waiting)
              if ((await push(story[name] ?? opened, { publishedAt: noon })) !== "done") still.push(name);
            waiting = still;
            clock.time += 60_000;
          }
          expect(waiting).toEqual([]);
          const keys = api.messages.map(({ metadata }) => metadata?.event_payload.key ?? "");
          expect(new Set(keys).size).toBe(keys.length);
          // If the incident was over before its opening could be sent, one message reports both.
          expect(api.seen()[0]).toMatch(/^🟢 RESOLVED/);
          if (keys.length === 1) return;
          expect(api.seen().at(-1)).toBe("↳+ 🟢 RESOLVED");
          expect(api.messages.slice(1).every(({ thread_ts }) => thread_ts === api.messages[0]?.ts)).toBe(true);
        },
      ),
      { numRuns: repetitions(100), seed: 20250916 },
    );
  });
});
