/** Mails to servers that are slow, never reply or cannot be trusted, against real servers. */
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { issue } from "../../probe/certificates.fixtures.ts";
import {
  documentOf,
  incidentEvent,
  mailInbox,
  notifyWorld,
  resolvedEvent,
  secretsOf,
  webHook,
  webInbox,
} from "../fixtures.ts";
import { type Delivery, mayHaveArrived, parseDelivery } from "./ledger.ts";
import { sender } from "./send.ts";

const a = "a@example.com";
const minute = 60_000;

function infra(url: string) {
  return { name: "infra", kind: "email", settings: { to: [a], server: url } };
}

async function entryOf(store: ReturnType<typeof notifyWorld>["store"], event: string): Promise<Delivery> {
  const [found] = (await store.query({ collection: "deliveries" })).filter(({ fields }) => fields["event"] === event);
  return parseDelivery(found?.fields) as Delivery;
}

describe("a server that receives the whole mail", () => {
  it("and replies late gets one copy, which is delivered", async () => {
    await using inbox = await mailInbox({
      onData: (stream, _session, done) => {
        stream.resume().on("end", () => setTimeout(done, 3_000));
      },
    });
    const send = sender(secretsOf({}), { deadlineMs: 2_500, finalAnswerMs: 10_000 });
    const { push, store } = notifyWorld({ channels: [infra(inbox.url)], send: () => send });
    expect(await push(incidentEvent())).toBe("done");
    expect(await entryOf(store, "opened")).toMatchObject({ status: "delivered", attempt_count: 1 });
  });

  it("and never replies gets one retry with the same Message-ID, recorded as possibly arrived", async () => {
    const ids: string[] = [];
    await using inbox = await mailInbox({
      onData: (stream) => {
        let text = "";
        stream.on("data", (chunk) => {
          text += chunk;
        });
        stream.on("end", () => ids.push(/^Message-ID:\s*(\S+)/im.exec(text)?.[1] ?? ""));
      },
    });
    const send = sender(secretsOf({}), { deadlineMs: 2_500, finalAnswerMs: 300 });
    const { push, store, clock } = notifyWorld({ channels: [infra(inbox.url)], send: () => send });
    for (let round = 0; round < 5; round++) {
      await push(incidentEvent());
      clock.time += 15 * minute;
    }
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    const entry = await entryOf(store, "opened");
    expect(entry).toMatchObject({
      status: "rejected",
      reason: "may have arrived: no answer to the end of the mail within 0.3 s, twice",
      attempts: [{ outcome: "lost" }, { outcome: "lost" }],
    });
    // A reader who may have received the opening receives later notices and the end, and not the opening again.
    await push(incidentEvent({ event: "severity_raised", sequence: 2, severity: "critical", summary: "It is worse." }));
    for (let round = 0; round < 2; round++) {
      clock.time += 15 * minute;
      await push(resolvedEvent({ sequence: 3 }));
    }
    expect([...new Set(ids)].map((id) => /-connector\.(\w+)\./.exec(id)?.[1])).toEqual([
      "opened",
      "severity_raised",
      "resolved",
    ]);
    expect(await entryOf(store, "opened")).toEqual(entry);
  });

  it("and disconnects may have it; one that disconnects earlier does not", async () => {
    for (const [phase, expected] of [
      ["end", true],
      ["recipient", false],
    ] as const) {
      await using inbox = await mailInbox({
        onRcptTo: (_address, session, done) => {
          if (phase === "recipient") hangUp(session);
          else done();
        },
        onData: (stream, session) => {
          stream.resume().on("end", () => hangUp(session));
        },
        onConnect: (_session, done) => done(),
      });
      const hangUp = (session: object): void => {
        for (const connection of (inbox as unknown as { connections?: Set<{ session: object; _socket: Socket }> })
          .connections ?? [])
          if (connection.session === session) connection._socket.destroy();
      };
      const { push, store } = notifyWorld({
        channels: [infra(inbox.url)],
        send: () => sender(secretsOf({}), { deadlineMs: 2_000 }),
      });
      await push(incidentEvent());
      expect(mayHaveArrived(await entryOf(store, "opened")), phase).toBe(expected);
    }
  });
});

describe("TLS that fails", () => {
  it("sends no mail and no request, so that no all-clear follows", async () => {
    const { key, cert } = await issue({ name: "127.0.0.1", hosts: ["127.0.0.1"] });
    const server = createTlsServer({ key, cert });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const broken = createServer((socket) => socket.on("error", () => {}).on("data", () => socket.destroy()));
    await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      broken.close();
    });
    const ports = [server, broken].map((one) => (one.address() as { port: number }).port);
    const channels = ports.flatMap((port, at) => [
      { ...infra(`smtps://127.0.0.1:${port}`), name: `mail-${at}` },
      webHook(`hook-${at}`, `https://127.0.0.1:${port}/`),
    ]);
    const { push, store } = notifyWorld({ channels });
    await push(incidentEvent());
    const entries = (await store.query({ collection: "deliveries" })).map(
      ({ fields }) => parseDelivery(fields) as Delivery,
    );
    expect(entries.map(({ channel, status, attempts: [first] }) => `${channel} ${status} ${first?.outcome}`)).toEqual(
      channels.map(({ name }) => `${name} retrying retry`).sort(),
    );
    expect(entries.some(mayHaveArrived)).toBe(false);
  });
});

describe("a failure that a person can correct", () => {
  it("is retried for an hour and reported immediately; once corrected, the notice has the present state", async () => {
    let password = "wrong";
    await using inbox = await mailInbox({
      authOptional: false,
      onAuth: ({ password: given }, _session, done) =>
        given === password ? done(null, { user: "x" }) : done(new Error("Invalid login")),
    });
    const url = inbox.url.replace("smtp://", "smtp://mailer:right@");
    const { push, store, clock, publisher } = notifyWorld({
      channels: [infra("smtps://placeholder.example.com")].map((channel) => ({
        ...channel,
        settings: { to: [a], server: { secret: "smtp" } },
      })),
      secrets: { smtp: url },
    });
    await store.set("incidents", incidentEvent().incident, documentOf(incidentEvent()));
    await push(incidentEvent());
    expect(await entryOf(store, "opened")).toMatchObject({ status: "retrying", attempts: [{ outcome: "rejected" }] });
    const reported = publisher.published.filter(({ topic }) => topic === "measurements");
    expect(JSON.stringify(reported)).toContain("was refused to a@example.com: 535");
    const worse = incidentEvent({
      event: "severity_raised",
      sequence: 2,
      summary: "Nobody can log in.",
      severity: "critical",
    });
    await store.set("incidents", incidentEvent().incident, documentOf(worse));
    await push(worse);
    password = "right";
    clock.time += 12 * minute;
    expect(await push(incidentEvent())).toBe("done");
    expect(await push(worse)).toBe("done");
    expect(inbox.received.map(({ text }) => text?.includes("Nobody can log in."))).toEqual([true]);
    expect(await entryOf(store, "severity_raised")).toMatchObject({
      status: "suppressed",
      reason: "included in the opening",
    });
  });

  it.each([401, 403, 404])("such as %i is given up after an hour", async (status) => {
    await using inbox = await webInbox((response) => response.writeHead(status).end());
    const { push, clock, ledger } = notifyWorld({ channels: [webHook("ops", inbox.url)] });
    for (let minutes = 0; minutes <= 70; minutes += 5) {
      await push(incidentEvent());
      clock.time += 5 * minute;
    }
    expect(inbox.received.length).toBeGreaterThan(10);
    expect(await ledger()).toEqual({
      "opened:ops": expect.stringMatching(/^rejected: gave up after \d+ attempts in .*: 4/),
    });
  });
});

describe("a channel that is renamed or removed", () => {
  it.each<[string, (url: string) => ReturnType<typeof webHook>[]]>([
    ["removed", () => []],
    ["renamed", (url) => [webHook("new", `${url}/new`)]],
    ["given another URL", (url) => [webHook("ops", `${url}/elsewhere`)]],
  ])("%s still sends the end to the receiver of the opening, with the same settings", async (_, changed) => {
    await using inbox = await webInbox();
    const before = notifyWorld({
      channels: [webHook("ops", `${inbox.url}/old`, { headers: { "x-team": "infra" } })],
    });
    await before.push(incidentEvent());
    const after = notifyWorld({ channels: changed(inbox.url), store: before.store });
    expect(await after.push(resolvedEvent())).toBe("done");
    expect(inbox.received.map(({ url, headers, body }) => [url, headers["x-team"], JSON.parse(body).type])).toEqual([
      ["/old", "infra", "incident.opened"],
      ["/old", "infra", "incident.resolved"],
    ]);
  });
});

describe("an incident that was over before its opening could be sent", () => {
  /** @param isBack whether the incident recurs before the receiver recovers. @default false */
  async function late(kind: "mail" | "hook" | "pager", isBack = false) {
    const bodies: string[] = [];
    let isAway = true;
    const channel = {
      mail: infra("smtp://127.0.0.1:1"),
      hook: webHook("infra", "http://127.0.0.1:1/"),
      pager: { name: "infra", kind: "pagerduty", settings: { routing_key: { secret: "key" } } },
    }[kind];
    const { push, clock, store } = notifyWorld({
      channels: [channel],
      send: () => async (outgoing) => {
        if (isAway) return { error: "connect ECONNREFUSED", code: "ECONNREFUSED" };
        bodies.push(outgoing.transport === "smtp" ? outgoing.text : "body" in outgoing ? outgoing.body : "");
        return { status: outgoing.transport === "smtp" ? 250 : 202, headers: {}, body: "ok" };
      },
    });
    await push(incidentEvent());
    clock.time += 30 * minute;
    await push(resolvedEvent());
    const present = isBack
      ? incidentEvent({ event: "regressed", sequence: 3, summary: "The connector is full again." })
      : resolvedEvent();
    await store.set("incidents", present.incident, documentOf(present));
    if (isBack) {
      // The opening is left to the resolution before the relapse revokes it.
      clock.time += 30 * minute;
      await push(incidentEvent());
      await push(present);
    }
    isAway = false;
    clock.time += 90 * minute;
    await push(incidentEvent());
    await push(resolvedEvent());
    clock.time += 15 * minute;
    await push(present);
    return { bodies, opened: await entryOf(store, "opened"), resolved: await entryOf(store, "resolved") };
  }

  it("is one mail with its start and end, marked as resolved", async () => {
    const { bodies, opened, resolved } = await late("mail");
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/was down from .* to .*, and is over/);
    expect(bodies[0]).not.toContain("NEW INCIDENT");
    expect(opened).toMatchObject({ status: "suppressed", reason: "superseded: included in the resolution" });
    expect(resolved.status).toBe("delivered");
  });

  it("is one opening mail if it recurs before that mail is sent", async () => {
    const { bodies, opened, resolved } = await late("mail", true);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/^STILL OPEN, notified late/);
    expect(bodies[0]).toContain("The connector is full again.");
    expect(opened).toMatchObject({ status: "suppressed", reason: "superseded: included in the resolution" });
    expect(resolved).toMatchObject({ status: "suppressed", reason: "superseded: it failed again" });
  });

  it("triggers a pager once if it recurs", async () => {
    const { bodies } = await late("pager", true);
    expect(bodies.map((body) => JSON.parse(body).event_action)).toEqual(["trigger"]);
  });

  it("is sent to a webhook as every event in order", async () => {
    const { bodies } = await late("hook");
    expect(bodies.map((body) => JSON.parse(body).type)).toEqual(["incident.opened", "incident.resolved"]);
  });

  it("triggers no pager", async () => {
    const { bodies, opened, resolved } = await late("pager");
    expect(bodies).toEqual([]);
    expect([opened.reason, resolved.reason]).toEqual(
      Array(2).fill("superseded: resolved before it could be announced here"),
    );
  });
});
