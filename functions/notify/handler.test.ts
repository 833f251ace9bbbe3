import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { encodePush } from "../../shared/messages/push.ts";
import { parseReport } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { incidentEvent, mailInbox, noon, notifyWorld, resolvedEvent, webHook, webInbox } from "./fixtures.ts";

const incident = incidentEvent().incident;
const minute = 60_000;

describe("an outage from its opening to the all-clear", () => {
  it("is sent by mail in one thread and by webhook, and summarized on the incident", async () => {
    await using mails = await mailInbox();
    await using hooks = await webInbox();
    const infra = { name: "infra", kind: "email", settings: { to: ["infra@example.com"], server: mails.url } };
    const { store, clock, push, ledger, summary } = notifyWorld({
      channels: [infra, webHook("ops", `${hooks.url}/in`)],
    });
    await store.set("incidents", incident, { title: "t", deliveries: { "status-page": "updated" } });

    expect(await push(incidentEvent())).toBe("done");
    clock.time += 30 * minute;
    expect(await push(resolvedEvent())).toBe("done");

    const [first, last] = mails.received;
    expect(first?.subject).toBe(`[CRITICAL] Netra staging: VPC connector failing · ${incident}`);
    expect(last?.subject).toBe(first?.subject?.replace("CRITICAL", "RESOLVED"));
    expect(last?.inReplyTo).toBe(first?.messageId);
    expect(first?.text?.split("\n")[0]).toBe("NEW INCIDENT · critical P0 · Netra staging");
    expect(last?.text?.split("\n")[0]).toBe("RESOLVED · critical P0 · Netra staging");
    expect(last?.text).toContain("Since: Tue, 16 Sept 2025, 13:58 CEST");
    expect(last?.text).toContain("Lasted: 32 min");
    expect(hooks.received.map(({ headers, body }) => [headers["webhook-id"], JSON.parse(body).type])).toEqual([
      [`${incident}:opened:ops`, "incident.opened"],
      [`${incident}:resolved:ops`, "incident.resolved"],
    ]);
    expect(await ledger()).toEqual({
      "opened:infra:infra@example.com": "delivered",
      "opened:ops": "delivered",
      "resolved:infra:infra@example.com": "delivered",
      "resolved:ops": "delivered",
    });
    expect(await summary()).toEqual({
      "status-page": "updated",
      infra: "resolved delivered 2025-09-16 12:30:00 UTC",
      ops: "resolved delivered 2025-09-16 12:30:00 UTC",
    });
  });

  it("sends the all-clear to all notified readers, regardless of later routes and silences", async () => {
    await using hooks = await webInbox();
    const { store, push, ledger } = notifyWorld({
      channels: [webHook("ops", `${hooks.url}/ops`), webHook("sales", `${hooks.url}/sales`)],
      routes: [{ channels: ["ops"], severity: ["critical"] }],
    });
    await push(incidentEvent());
    await store.set("silences", "s", {
      environment: "netra-staging",
      until: new Date(noon + minute),
      reason: "too loud",
    });
    await push(incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." }));
    await push(resolvedEvent({ sequence: 3, severity: "info" }));
    expect(hooks.received.map(({ url, headers }) => `${url} ${headers["webhook-id"]}`)).toEqual([
      `/ops ${incident}:opened:ops`,
      `/ops ${incident}:resolved:ops`,
    ]);
    expect(await ledger()).toMatchObject({
      "severity_raised:ops":
        "suppressed: silenced (environment netra-staging) until 2025-09-16T12:01:00.000Z: too loud",
      "resolved:sales": "suppressed: never announced here",
    });
  });

  it("is sent once if the opening is late: it includes changes of the same moment", async () => {
    await using hooks = await webInbox();
    const { push, ledger } = notifyWorld({
      channels: [webHook("ops", hooks.url)],
      routes: [
        { channels: ["ops"], severity: ["critical"], events: ["opened", "severity_raised", "root_cause_changed"] },
      ],
    });
    const worse: Partial<IncidentEvent> = { severity: "critical", summary: "It is worse." };
    await push(incidentEvent({ severity: "warning" }));
    await push(incidentEvent({ ...worse, event: "root_cause_changed", sequence: 2, change: "It is the database." }));
    await push(incidentEvent({ ...worse, event: "severity_raised", sequence: 3, change: "It is critical now." }));
    await push(
      incidentEvent({ ...worse, event: "severity_raised", sequence: 4, occurrence: 2, impact: "Nobody can buy" }),
    );
    expect(hooks.received.map(({ headers }) => headers["webhook-id"])).toEqual([
      `${incident}:opened:ops`,
      `${incident}:severity_raised-2:ops`,
    ]);
    expect(await ledger()).toMatchObject({
      "root_cause_changed:ops": "suppressed: sent as the opening, which had not been announced here",
      "severity_raised:ops": "suppressed: included in the opening",
    });
  });

  it("does not send a change after a later one planned concurrently by another instance", async () => {
    await using hooks = await webInbox();
    const { store, push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    await push(incidentEvent({ severity: "warning" }));
    const query = store.query.bind(store);
    store.query = async (...asked) => {
      store.query = query;
      const before = await query(...asked);
      await push(incidentEvent({ event: "severity_raised", sequence: 3, summary: "It is worse." }));
      return before;
    };
    await push(incidentEvent({ event: "root_cause_changed", sequence: 2, summary: "It is the database." }));
    expect(hooks.received.map(({ headers }) => headers["webhook-id"])).toEqual([
      `${incident}:opened:ops`,
      `${incident}:severity_raised:ops`,
    ]);
    expect(await ledger()).toMatchObject({
      "root_cause_changed:ops": "suppressed: superseded: included in a later notification",
    });
  });

  describe("whose first notice to a renamed channel is planned at the same time as the end", () => {
    /** Pushes an event to the one instance while the other, which has read the ledger, has not planned its own yet. */
    async function planTogether(planned: "before" | "after") {
      await using hooks = await webInbox();
      const old = notifyWorld({ channels: [webHook("ops", `${hooks.url}/ops`)] });
      const { store } = old;
      const renamed = notifyWorld({ channels: [webHook("team", `${hooks.url}/team`)], store });
      await old.push(incidentEvent());
      const joined = (): Promise<string> => renamed.push(incidentEvent({ event: "joined", sequence: 2 }));
      const resolved = (): Promise<string> => old.push(resolvedEvent({ sequence: 3 }));
      const [first, second] = planned === "before" ? [resolved, joined] : [joined, resolved];
      const query = store.query.bind(store);
      store.query = async (...asked) => {
        store.query = query;
        const before = await query(...asked);
        await second();
        return before;
      };
      await first();
      return { received: hooks.received.map(({ url, body }) => `${url} ${JSON.parse(body).type}`), ...old };
    }

    it("tells that channel of the end as well, if the instance that plans the end sees the notice", async () => {
      const { received } = await planTogether("before");
      expect(received.toSorted()).toEqual([
        "/ops incident.opened",
        "/ops incident.resolved",
        "/team incident.opened",
        "/team incident.resolved",
      ]);
    });

    it("tells that channel nothing, if it does not", async () => {
      const { received, ledger } = await planTogether("after");
      expect(received).toEqual(["/ops incident.opened", "/ops incident.resolved"]);
      expect(await ledger()).toMatchObject({
        "opened:team": "suppressed: superseded: resolved before it could be announced here",
      });
    });
  });

  it("honours silenced_until, and ignores an invalid value with a warning", async () => {
    await using hooks = await webInbox();
    const { store, logger, push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    const silences: Record<string, Fields> = {
      endless: { environment: "netra-staging", reason: "no end" },
      vague: { until: new Date(noon + minute) },
      wrong: { environment: "netra-staging", until: "tomorrow" },
    };
    for (const [id, fields] of Object.entries(silences)) await store.set("silences", id, fields);
    await store.set("incidents", incident, { silenced_until: "soon" });
    expect(await push(incidentEvent())).toBe("done");
    expect(hooks.received).toHaveLength(1);
    expect(logger.lines.filter((line) => line.startsWith("warning"))).toEqual([
      "warning notify ignores silences/endless: until: must be a timestamp {}",
      "warning notify ignores silences/vague: set exactly one of component, rule and environment {}",
      "warning notify ignores silences/wrong: until: must be a timestamp {}",
      `warning notify ignores silenced_until of incidents/${incident}: until: must be a timestamp {}`,
    ]);
    await store.set("incidents", incident, { silenced_until: new Date(noon + minute) });
    await push(incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." }));
    expect((await ledger())["severity_raised:ops"]).toMatch(/^suppressed: silenced \(incident/);
  });
});

describe("a redelivered message", () => {
  it("notifies once when delivered twice, in sequence or concurrently", async () => {
    await using hooks = await webInbox();
    const { push, ledger } = notifyWorld({
      channels: [webHook("a", `${hooks.url}/a`), webHook("b", `${hooks.url}/b`)],
    });
    const ends = await Promise.all([push(incidentEvent()), push(incidentEvent()), push(incidentEvent())]);
    expect(ends).toContain("done");
    expect(await push(incidentEvent())).toBe("done");
    expect(hooks.received.map(({ url }) => url).sort()).toEqual(["/a", "/b"]);
    expect(await ledger()).toEqual({ "opened:a": "delivered", "opened:b": "delivered" });
  });

  it("is sent once more, with the same id, when the lease of a dead instance expires", async () => {
    await using hooks = await webInbox();
    let crashes = 1;
    const { store, clock, push, ledger } = notifyWorld({
      channels: [webHook("ops", hooks.url)],
      send: (send) => async (outgoing, now) => {
        const reply = await send(outgoing, now);
        if (crashes-- > 0) throw new Error("the instance is gone");
        return reply;
      },
    });
    expect(await push(incidentEvent())).toBe("Error: the instance is gone");
    expect(await push(incidentEvent())).toBe(`TryAgain: opened of ${incident} is still pending for ops`);
    expect(hooks.received).toHaveLength(1);
    clock.time += minute;
    expect(await push(incidentEvent())).toBe("done");
    expect(hooks.received.map(({ headers }) => headers["webhook-id"])).toEqual(Array(2).fill(`${incident}:opened:ops`));
    expect(await ledger()).toEqual({ "opened:ops": "delivered" });
    expect((await store.get("deliveries", `${incident}:opened:ops`))?.["attempts"]).toMatchObject([
      { outcome: "lost" },
      { outcome: "delivered" },
    ]);
  });

  it("keeps the state of its event, even if the incident and the configuration have changed", async () => {
    await using hooks = await webInbox((response, count) => response.writeHead(count === 1 ? 503 : 204).end());
    const { store, clock, push } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    await push(incidentEvent());
    const document = await store.get("deliveries", `${incident}:opened:ops`);
    clock.time += 10 * minute;
    await push(incidentEvent({ summary: "something else" }));
    expect(hooks.received[1]?.body).toBe(hooks.received[0]?.body);
    expect(JSON.parse(String(document?.["payload"])).body).toBe(hooks.received[0]?.body);
  });
});

describe("a failing receiver", () => {
  it("is retried after the requested delay, without delaying others", async () => {
    await using busy = await webInbox((response, count) =>
      count === 1 ? response.writeHead(429, { "retry-after": "90" }).end("slow down") : response.writeHead(204).end(),
    );
    await using fine = await webInbox();
    const { store, clock, push, ledger, summary } = notifyWorld({
      channels: [webHook("busy", busy.url), webHook("fine", fine.url)],
    });
    await store.set("incidents", incident, {});
    const notDone = `TryAgain: opened of ${incident} is still pending for busy`;

    expect(await push(incidentEvent())).toBe(notDone);
    expect(await ledger()).toEqual({ "opened:busy": "retrying", "opened:fine": "delivered" });
    expect(await summary()).toEqual({
      busy: "opened not delivered yet: 429 slow down, next attempt 2025-09-16 12:01:30 UTC",
      fine: "opened delivered 2025-09-16 12:00:00 UTC",
    });
    clock.time += 89_000;
    expect(await push(incidentEvent())).toBe(notDone);
    expect(busy.received).toHaveLength(1);
    clock.time += 1_000;
    expect(await push(incidentEvent())).toBe("done");
    expect([busy.received.length, fine.received.length]).toEqual([2, 1]);
    expect(await ledger()).toEqual({ "opened:busy": "delivered", "opened:fine": "delivered" });
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ["400", (response) => response.writeHead(400).end("bad payload"), "rejected: 400 bad payload"],
    [
      "410",
      (response) => response.writeHead(410).end(),
      "rejected: 410: the receiver is gone for good, remove the channel",
    ],
    [
      "302",
      (response) => response.writeHead(302, { location: "/x" }).end(),
      "rejected: 302: redirects are not followed, configure the final address",
    ],
    ["503", (response) => response.writeHead(503).end(), "retrying"],
    ["a reset", ({ socket }) => socket?.resetAndDestroy(), "retrying"],
    ["no response", () => {}, "retrying"],
  ])("that responds with %s", async (_, answer, state) => {
    await using hooks = await webInbox(answer);
    const { push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    expect(await push(incidentEvent())).toBe(
      state === "retrying" ? `TryAgain: opened of ${incident} is still pending for ops` : "done",
    );
    expect(await ledger()).toEqual({ "opened:ops": state });
  });

  it("is given up after a day, or on the last delivery of the message", async () => {
    await using hooks = await webInbox((response) => response.writeHead(503).end());
    for (const [later, extra, reason] of [
      [24 * 60 * minute, {}, "gave up after 2 attempts in 1 d: 503"],
      [1_000, { deliveryAttempt: 100 }, "gave up after 2 attempts in 1 s: 503"],
    ] as const) {
      const { clock, logger, push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
      await push(incidentEvent());
      clock.time += later;
      expect(await push(incidentEvent(), extra)).toBe("done");
      expect(await ledger()).toEqual({ "opened:ops": `rejected: ${reason}` });
      expect(logger.lines.at(-2)).toContain(`error notify cannot deliver ${incident}:opened:ops: ${reason}`);
    }
  });

  it("on a private address is refused unless the channel allows it", async () => {
    await using hooks = await webInbox();
    const url = hooks.url.replace("http:", "https:");
    const { push, ledger } = notifyWorld({ channels: [webHook("ops", url, { allow_private: false })] });
    expect(await push(incidentEvent())).toBe("done");
    expect((await ledger())["opened:ops"]).toMatch(/^rejected: the address is private/);
    expect(hooks.received).toEqual([]);
  });
});

describe("a channel that fails", () => {
  it("is retried by a separate message, while the original is acknowledged", async () => {
    await using hooks = await webInbox((response, _, { url }) => response.writeHead(url === "/ops" ? 503 : 204).end());
    const { handle, publisher, clock, ledger } = notifyWorld({
      channels: [webHook("ops", `${hooks.url}/ops`), webHook("infra", `${hooks.url}/infra`)],
    });
    const message = { messageId: "1", attributes: { severity: "critical" }, subscription: "", publishedAt: noon };
    await handle({ ...message, data: incidentEvent() }, "/notifications");
    const owed = publisher.published.filter(({ topic }) => topic === "retries");
    expect(owed.map(({ data, attributes }) => [data, attributes])).toEqual([
      [incidentEvent(), { severity: "critical", channel: "ops" }],
    ]);
    expect(await ledger()).toEqual({ "opened:ops": "retrying", "opened:infra": "delivered" });
    clock.time += minute;
    const again = { ...message, data: incidentEvent(), attributes: { channel: "ops" } };
    await expect(handle(again, "/retries")).rejects.toThrow(`opened of ${incident} is still pending for ops`);
    expect(hooks.received.map(({ url }) => url).sort()).toEqual(["/infra", "/ops", "/ops"]);
  });

  it("is given up alone when its message becomes a dead letter", async () => {
    await using hooks = await webInbox((response) => response.writeHead(503).end());
    const { handle, push, ledger } = notifyWorld({
      channels: [webHook("ops", hooks.url), webHook("infra", hooks.url)],
    });
    await push(incidentEvent());
    const letter = { messageId: "7", data: incidentEvent(), subscription: "", publishedAt: noon };
    await handle({ ...letter, attributes: { channel: "ops" } }, "/dead-letters");
    expect(await ledger()).toEqual({
      "opened:ops": "rejected: gave up after 1 attempt, its message is a dead letter: 503",
      "opened:infra": "retrying",
    });
  });
});

describe("events out of order", () => {
  it("wait for the opening: an early all-clear is sent second", async () => {
    await using hooks = await webInbox();
    const { clock, push } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    const publishedAt = clock.time;
    expect(await push(resolvedEvent(), { publishedAt })).toBe(
      `TryAgain: resolved of ${incident} waits for the message of its opening`,
    );
    clock.time += 5_000;
    expect(await push(incidentEvent())).toBe("done");
    expect(await push(resolvedEvent(), { publishedAt })).toBe("done");
    expect(hooks.received.map(({ body }) => JSON.parse(body).type)).toEqual(["incident.opened", "incident.resolved"]);
  });

  it("after an all-clear wait for the relapse that they belong to", async () => {
    await using hooks = await webInbox();
    const { push } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    for (const event of [incidentEvent(), resolvedEvent({ sequence: 2 })]) expect(await push(event)).toBe("done");
    const raised = incidentEvent({ event: "severity_raised", sequence: 4 });
    expect(await push(raised)).toBe(`TryAgain: severity_raised of ${incident} waits for the message of its opening`);
    expect(await push(incidentEvent({ event: "regressed", sequence: 3 }))).toBe("done");
    expect(await push(raised)).toBe("done");
    // The relapse already includes the raised severity.
    expect(hooks.received.map(({ body }) => JSON.parse(body).type).slice(2)).toEqual(["incident.regressed"]);
  });

  it("wait 15 minutes: after that, the incident permanently counts as never announced", async () => {
    await using hooks = await webInbox();
    const { clock, push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    clock.time += 15 * minute;
    expect(await push(resolvedEvent(), { publishedAt: noon })).toBe("done");
    expect(await push(incidentEvent())).toBe("done");
    expect(hooks.received).toEqual([]);
    expect(await ledger()).toEqual({
      "opened:ops": "suppressed: superseded: the incident is resolved",
      "resolved:ops": "suppressed: never announced here",
    });
  });

  it("are not sent after the all-clear, even if planned before it", async () => {
    await using hooks = await webInbox((response, count) => response.writeHead(count === 2 ? 503 : 204).end());
    const { clock, push, ledger } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    const raised = incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." });
    await push(incidentEvent());
    await push(raised);
    expect(await ledger()).toEqual({ "opened:ops": "delivered", "severity_raised:ops": "retrying" });
    expect(await push(resolvedEvent({ sequence: 3 }))).toBe("done");
    clock.time += 10 * minute;
    expect(await push(raised)).toBe("done");
    expect(await push(incidentEvent({ event: "recovering", sequence: 2 }))).toBe("done");
    expect(hooks.received.map(({ body }) => JSON.parse(body).type)).toEqual([
      "incident.opened",
      "incident.severity_raised",
      "incident.resolved",
    ]);
    expect(await ledger()).toMatchObject({
      "severity_raised:ops": "suppressed: superseded: the incident is resolved",
      "recovering:ops": "suppressed: superseded: the incident is resolved",
      "resolved:ops": "delivered",
    });
  });

  it("do not overtake an opening that is still being retried", async () => {
    await using hooks = await webInbox((response, count) => response.writeHead(count === 1 ? 503 : 204).end());
    const { clock, push } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    await push(incidentEvent());
    expect(await push(resolvedEvent())).toBe(`TryAgain: resolved of ${incident} is still pending for ops`);
    clock.time += minute;
    expect(await push(incidentEvent())).toBe("done");
    expect(await push(resolvedEvent())).toBe("done");
    expect(hooks.received.map(({ body }) => JSON.parse(body).type)).toEqual([
      "incident.opened",
      "incident.opened",
      "incident.resolved",
    ]);
  });
});

describe("prevented failures", () => {
  it("a secret in a document or a log line", async () => {
    await using hooks = await webInbox((response, _count, { url, headers }) =>
      response.writeHead(500).end(`${url} ${JSON.stringify(headers)}`),
    );
    await using mails = await mailInbox({
      authOptional: false,
      onAuth: ({ username, password }, _session, done) => done(new Error(`no ${username} ${password}`)),
    });
    const secrets = {
      url: `${hooks.url}/canary-path/x?key=canary-query`,
      dead: "https://canary-user:canary-pass@127.0.0.1:1/canary-dead",
      bearer: "canary-bearer",
      key: Buffer.from("canary-signing-key-canary").toString("base64"),
      bad: "canary bad signing key",
      smtp: mails.url.replace("smtp://", "smtp://canary-login:canary-password@"),
    };
    const url = { secret: "url" };
    const settings = {
      url,
      allow_private: true,
      signing_key: { secret: "key" },
      headers: { Auth: { secret: "bearer" } },
    };
    const { store, logger, push, ledger } = notifyWorld({
      secrets,
      channels: [
        { name: "hook", kind: "webhook", settings },
        { name: "bad-key", kind: "webhook", settings: { ...settings, signing_key: { secret: "bad" } } },
        { name: "dead", kind: "webhook", settings: { url: { secret: "dead" } } },
        { name: "missing", kind: "webhook", settings: { url: { secret: "missing" } } },
        { name: "mail", kind: "email", settings: { to: ["a@example.com"], server: { secret: "smtp" } } },
      ],
    });
    await store.set("incidents", incident, {});
    const end = await push(incidentEvent());
    expect(end.split("; ").sort().join("; ")).toBe(
      ["bad-key", "hook", "mail", "missing"]
        .map((channel) => `TryAgain: opened of ${incident} is still pending for ${channel}`)
        .join("; "),
    );
    expect(Object.keys(await ledger())).toHaveLength(5);
    const written = JSON.stringify([
      await store.query({ collection: "deliveries" }),
      await store.query({ collection: "incidents" }),
      logger.lines,
      end,
    ]);
    expect(written).not.toContain("canary");
    for (const secret of Object.values(secrets)) expect(written).not.toContain(secret);
  });

  it("a malformed message that is redelivered forever", async () => {
    const { push } = notifyWorld({ channels: [] });
    expect(await push({ ...incidentEvent(), sequence: 0 })).toMatch(
      /^MalformedMessage: not a incident event: sequence/,
    );
  });

  it("an incident without a document that blocks its events", async () => {
    await using hooks = await webInbox();
    const { logger, push } = notifyWorld({ channels: [webHook("ops", hooks.url)] });
    expect(await push(incidentEvent())).toBe("done");
    expect(logger.lines.at(-1)).toBe(`warning notify finds no incident ${incident} to note its deliveries on {}`);
  });

  it.each<[string, Record<string, string>, unknown, string[]]>([
    [
      "that was given up",
      {
        CloudPubSubDeadLetterSourceSubscription: "evaluate-measurements",
        CloudPubSubDeadLetterSourceDeliveryCount: "100",
      },
      null,
      ["dead-letters: a message to evaluate-measurements was abandoned after 100 attempts"],
    ],
    [
      "that could not be read",
      { function: "evaluate", reason: "not a report: v: expected 1" },
      encodePush({ messageId: "1", publishedAt: noon, attributes: {}, data: { v: 2 }, subscription: "s" }),
      ["dead-letters: evaluate could not read a message: not a report: v: expected 1"],
    ],
    ["of its own, which would repeat forever", {}, { group: "self" }, []],
    [
      "of its own that could not be read",
      { function: "evaluate", reason: "not a report" },
      encodePush({ messageId: "1", publishedAt: noon, attributes: {}, data: { group: "self" }, subscription: "s" }),
      [],
    ],
    [
      "of an event that was never planned",
      { CloudPubSubDeadLetterSourceSubscription: "notify-notifications" },
      incidentEvent(),
      [`dead-letters: a message to notify-notifications was abandoned: opened of ${incident}`],
    ],
  ])("a dead letter %s that is announced twice or never", async (_, attributes, data, reported) => {
    const { handle, logger, publisher } = notifyWorld({ channels: [] });
    const letter = { messageId: "7", attributes, data, subscription: "", publishedAt: noon };
    await handle(letter, "/dead-letters");
    expect(logger.lines).toEqual([
      `error a message could not be processed and is a dead letter: 7 ${JSON.stringify({ messageId: "7", attributes })}`,
    ]);
    const reports = publisher.published.map(({ topic, data: report }) => ({ topic, report: parseReport(report) }));
    expect(reports.map(({ topic, report }) => `${topic} ${report.group}`)).toEqual(
      reported.map(() => "measurements self"),
    );
    const results = reports.flatMap(({ report }) => report.results);
    expect(results.map(({ probe, failure }) => `${probe}: ${failure?.message}`)).toEqual(reported);
    expect(results.map(({ at }) => at)).toEqual(reported.map(() => new Date(noon).toISOString()));
  });

  it("a dead letter that leaves a notice unfinished forever, or takes it from a sending instance", async () => {
    await using hooks = await webInbox((response) => response.writeHead(503).end());
    const { handle, clock, push, ledger, publisher, store } = notifyWorld({
      channels: [webHook("ops", hooks.url), webHook("infra", "https://127.0.0.1:1/")],
    });
    await push(incidentEvent());
    await store.update("deliveries", `${incident}:opened:ops`, {
      status: "sending",
      lease_until: new Date(noon + minute),
    });
    const letter = { messageId: "7", attributes: {}, data: incidentEvent(), subscription: "", publishedAt: noon };
    await expect(handle(letter, "/dead-letters")).rejects.toThrow(`opened of ${incident} is being sent`);
    clock.time += minute;
    await handle(letter, "/dead-letters");
    expect((await ledger())["opened:ops"]).toBe(
      "rejected: gave up after 2 attempts, its message is a dead letter: the sending instance did not report back",
    );
    const reports = publisher.published.filter(({ topic }) => topic === "measurements");
    const reported = reports.map(({ data }) => parseReport(data).results.map(({ probe }) => probe));
    expect(reported.at(-1)).toEqual(["channel/infra", "channel/ops"]);
  });
});
