/** Whole incidents, sent to a simulated PagerDuty that enforces its documented rules. */

import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { ConfiguredChannel, Route } from "../../../shared/config/model.ts";
import { placeholderSecrets } from "../../../shared/config/secret-reference.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import { fc } from "../../../tests/support/chance.ts";
import type { OutgoingRequest, Reply } from "../channel.ts";
import type { Send } from "../deliver/send.ts";
import { documentOf, incidentEvent, type NotifyWorldForTests, noon, notifyWorld, resolvedEvent } from "../fixtures.ts";

const keys = { first: "1".repeat(32), second: "2".repeat(32), broken: "too short" };

/** Simulates PagerDuty as described in the documentation of the Events API v2. */
class PagerDuty {
  /** History of the alerts by region, key and incident, oldest first: `us 1 incident: opened acknowledged resolved`. */
  readonly alerts = new Map<string, string[]>();
  /** Replies returned before a request is processed. */
  readonly failures: Reply[] = [];

  readonly send: Send = async (outgoing) => {
    const failure = this.failures.shift();
    if (failure !== undefined) return failure;
    const { url, body } = outgoing as OutgoingRequest;
    const region = url === "https://events.eu.pagerduty.com/v2/enqueue" ? "eu" : "us";
    const key = keys[placeholderSecrets(JSON.parse(body).routing_key)[0] as keyof typeof keys] ?? "";
    return this.enqueue(region, key, body);
  };

  /** Resolves all alerts by hand. */
  resolveAll(): void {
    for (const history of this.alerts.values()) history.push("resolved");
  }

  enqueue(region: string, key: string, body: string): Reply {
    const { event_action, dedup_key, payload } = JSON.parse(body);
    const answer = (status: number): Reply => ({ status, headers: {}, body: "" });
    const isEvent =
      /^[0-9a-zA-Z]{32}$/.test(key) &&
      Buffer.byteLength(body) <= 512 * 1024 &&
      typeof dedup_key === "string" &&
      dedup_key.length <= 255 &&
      (event_action === "acknowledge" ||
        event_action === "resolve" ||
        (event_action === "trigger" && isAlert(payload)));
    if (!isEvent) return answer(400);
    const place = `${region} ${key.charAt(0)} ${dedup_key}`;
    const history = this.alerts.get(place) ?? [];
    const isOpen = history.length > 0 && history.at(-1) !== "resolved";
    this.alerts.set(place, history);
    // A trigger is added to an open alert; without one, acknowledge and resolve are dropped.
    if (event_action === "trigger") history.push(isOpen ? "added" : "opened");
    else if (isOpen) history.push(event_action === "resolve" ? "resolved" : "acknowledged");
    return answer(202);
  }

  /** Returns the history of every alert. */
  seen(): Record<string, string> {
    return Object.fromEntries([...this.alerts].map(([place, history]) => [place, history.join(" ")]));
  }
}

function isAlert(payload: { summary?: unknown; source?: unknown; severity?: unknown } | undefined): boolean {
  const { summary, source, severity } = payload ?? {};
  return (
    typeof summary === "string" &&
    summary !== "" &&
    summary.length <= 1_024 &&
    typeof source === "string" &&
    source !== "" &&
    ["critical", "error", "warning", "info"].includes(String(severity))
  );
}

function channel(key: keyof typeof keys, settings: object = {}): ConfiguredChannel {
  return { name: "pager", kind: "pagerduty", settings: { routing_key: { secret: key }, ...settings } };
}

/** Time at which resolutions are no longer held back, in milliseconds since the epoch. Later events are sent immediately. */
const released = Date.parse("2025-09-16T12:40:00Z");

/** Creates a notifier with this configuration, on the store that earlier ones left. */
function configured(pagerDuty: PagerDuty, store: MemoryStore, ...channels: ConfiguredChannel[]): NotifyWorldForTests {
  const routes = [{ channels: channels.map(({ name }) => name), events: incidentEventKinds }];
  const world = notifyWorld({ channels, routes, store, send: () => pagerDuty.send });
  world.clock.time = released;
  return world;
}

const opened = incidentEvent();
const acknowledged = incidentEvent({ event: "acknowledged", status: "acknowledged", sequence: 2 });
const resolved = resolvedEvent({ sequence: 3 });
const alert = opened.incident;

describe("an alert in PagerDuty", () => {
  it("is triggered, acknowledged and resolved", async () => {
    const pagerDuty = new PagerDuty();
    const { push } = configured(pagerDuty, new MemoryStore(), channel("first"));
    for (const event of [opened, acknowledged, resolved]) expect(await push(event)).toBe("done");
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened acknowledged resolved" });
  });

  it.each<[string, ConfiguredChannel[]]>([
    ["has another key", [channel("second")]],
    ["has another, invalid key", [channel("broken")]],
    ["names another region", [channel("first", { region: "eu" })]],
    ["no longer has the channel", []],
    [
      "has another kind of channel under that name",
      [{ name: "pager", kind: "slack", settings: { url: { secret: "x" } } }],
    ],
  ])("is resolved with the key that triggered it when the configuration %s", async (_, channels) => {
    const pagerDuty = new PagerDuty();
    const store = new MemoryStore();
    expect(await configured(pagerDuty, store, channel("first")).push(opened)).toBe("done");
    const { push } = configured(pagerDuty, store, ...channels);
    for (const event of [acknowledged, resolved]) expect(await push(event)).toBe("done");
    const acknowledges = channels.length === 0 ? "opened resolved" : "opened acknowledged resolved";
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: acknowledges });
  });

  it("is opened late after its key is corrected, and resolved with the same key", async () => {
    const pagerDuty = new PagerDuty();
    const store = new MemoryStore();
    const wrong = configured(pagerDuty, store, channel("broken"));
    await wrong.push(opened);
    expect(await wrong.ledger()).toEqual({ "opened:pager": "retrying" });
    await store.set("incidents", alert, documentOf(opened));
    const { push, clock } = configured(pagerDuty, store, channel("second"));
    clock.time += 5 * 60_000;
    expect(await push(opened)).toBe("done");
    const worse = incidentEvent({ event: "severity_raised", sequence: 2 });
    for (const event of [worse, resolved]) expect(await push(event)).toBe("done");
    expect(pagerDuty.seen()).toEqual({ [`us 2 ${alert}`]: "opened resolved" });
  });

  it("is not reopened by the end of the incident after it was resolved by hand", async () => {
    const pagerDuty = new PagerDuty();
    const { push } = configured(pagerDuty, new MemoryStore(), channel("first"));
    await push(opened);
    pagerDuty.resolveAll();
    for (const event of [acknowledged, resolved]) expect(await push(event)).toBe("done");
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened resolved" });
  });

  it("is opened anew, with another key, for the next incident", async () => {
    const pagerDuty = new PagerDuty();
    const { push } = configured(pagerDuty, new MemoryStore(), channel("first"));
    const next = "20250917-080000-vpc-connector";
    for (const event of [opened, resolved, { ...opened, incident: next }]) expect(await push(event)).toBe("done");
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened resolved", [`us 1 ${next}`]: "opened" });
  });
});

describe("a relapse", () => {
  const minute = 60_000;
  const end = Date.parse("2025-09-16T12:30:00Z");
  const regressed = (at: number): IncidentEvent =>
    incidentEvent({ event: "regressed", sequence: 3, at: new Date(at).toISOString() });
  const resolvedAgain = (at: number): IncidentEvent => {
    const instant = new Date(at).toISOString();
    return resolvedEvent({ sequence: 4, occurrence: 2, at: instant, resolved_at: instant });
  };
  /** Creates a notifier, delivers each event at its time, and retries held-back notices once a minute until they are released. */
  async function told(route: Partial<Route>, ...events: readonly IncidentEvent[]): Promise<[PagerDuty, string[]]> {
    const pagerDuty = new PagerDuty();
    const bodies: string[] = [];
    const send: Send = async (outgoing, ...rest) => {
      bodies.push((outgoing as OutgoingRequest).body);
      return pagerDuty.send(outgoing, ...rest);
    };
    const world = notifyWorld({
      channels: [channel("first")],
      routes: [{ channels: ["pager"], ...route }],
      store: new MemoryStore(),
      send: () => send,
    });
    const last = Date.parse(events.at(-1)?.at ?? "") + 11 * minute;
    let waiting: IncidentEvent[] = [];
    for (let time = Date.parse(opened.at); time <= last; time += minute) {
      world.clock.time = time;
      const due = events.filter(({ at }) => Date.parse(at) <= time && Date.parse(at) > time - minute);
      const still: IncidentEvent[] = [];
      for (const event of [...waiting, ...due]) if ((await world.push(event)) !== "done") still.push(event);
      waiting = still;
    }
    expect(waiting).toEqual([]);
    return [pagerDuty, bodies];
  }

  it("within ten minutes finds the alert still open, which is resolved once", async () => {
    const first = resolvedEvent({ sequence: 2 });
    const [pagerDuty] = await told({}, opened, first, regressed(end + 6 * minute), resolvedAgain(end + 30 * minute));
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened added resolved" });
  });

  it("after ten minutes opens a new alert, which names the previous one", async () => {
    const first = resolvedEvent({ sequence: 2 });
    const again = end + 20 * minute;
    const [pagerDuty, bodies] = await told({}, opened, first, regressed(again), resolvedAgain(end + 40 * minute));
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened resolved opened resolved" });
    const earlier = JSON.parse(bodies[2] ?? "").payload.custom_details["Earlier alert"];
    expect(earlier).toMatch(/^resolved here Tue, 16 Sept 2025, 14:40 CEST, with the same deduplication key: /);
    expect(earlier).toContain(alert);
    expect(JSON.parse(bodies[0] ?? "").payload.custom_details["Earlier alert"]).toBeUndefined();
  });

  it("that does not occur leaves the alert open for ten minutes, then resolves it", async () => {
    const [pagerDuty] = await told({}, opened, resolvedEvent({ sequence: 2 }));
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened resolved" });
  });

  it("is sent regardless of the events in the route", async () => {
    const first = resolvedEvent({ sequence: 2 });
    const [pagerDuty] = await told({ events: ["opened", "resolved"] }, opened, first, regressed(end + 20 * minute));
    expect(pagerDuty.seen()).toEqual({ [`us 1 ${alert}`]: "opened resolved opened" });
  });
});

describe("reordered and repeated messages, and failures", () => {
  const middle = ["severity_raised", "acknowledged", "joined", "recovering", "regressed", "reminder"] as const;
  const story: Readonly<Record<string, IncidentEvent>> = {
    opened,
    ...Object.fromEntries(middle.map((event, at) => [event, incidentEvent({ event, sequence: at + 2 })])),
    resolved: resolvedEvent({ sequence: middle.length + 2 }),
  };
  const before = Object.keys(story).filter((name) => name !== "resolved");
  const all = Object.keys(story);
  const failureReplies: Readonly<Record<string, Reply>> = {
    busy: { status: 429, headers: {}, body: "" },
    broken: { status: 500, headers: {}, body: "" },
    away: { error: "connect ECONNREFUSED", code: "ECONNREFUSED" },
  };

  it("open and resolve one alert once, or none if the incident was over first", async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(
        // Messages arrive in any order and twice, the end after the others have arrived once; the configuration changes at some point;
        // PagerDuty is sometimes unavailable.
        fc.shuffledSubarray(before, { minLength: before.length }),
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.nat(before.length + all.length + 1),
        fc.array(fc.constantFrom(...Object.keys(failureReplies)), { maxLength: 8 }),
        async (once, again, changeAt, failures) => {
          const messages = [...once, "resolved", ...again];
          const pagerDuty = new PagerDuty();
          const store = new MemoryStore();
          const earlier = configured(pagerDuty, store, channel("first"));
          const after = configured(pagerDuty, store, channel("second"));
          pagerDuty.failures.push(...failures.flatMap((name) => failureReplies[name] ?? []));
          let waiting = messages.map((name, at) => ({ name, world: at < changeAt ? earlier : after }));
          for (let time = noon; waiting.length > 0 && time < noon + 6 * 3_600_000; time += 60_000) {
            const still: typeof waiting = [];
            for (const { name, world } of waiting) {
              world.clock.time = time;
              const event = story[name];
              if (event !== undefined && (await world.push(event)) !== "done") still.push({ name, world: after });
            }
            waiting = still;
          }
          expect(waiting).toEqual([]);
          const [history, ...others] = [...pagerDuty.alerts.values()];
          expect(others).toEqual([]);
          if (failures.length === 0) expect(history).toBeDefined();
          if (history !== undefined) expect(history.join(" ")).toMatch(/^opened( added| acknowledged)* resolved$/);
          opened += history === undefined ? 0 : 1;
        },
      ),
      { numRuns: 100, seed: 20250916 },
    );
    expect(opened).toBeGreaterThan(5);
  });
});
