/** Recipients of a mail channel, each delivered independently, against a real SMTP server. */
import type { SMTPServerOptions } from "smtp-server";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../../shared/messages/report.ts";
import type { OutgoingMail } from "../channel.ts";
import { email } from "../channels/email.ts";
import { channels as kinds } from "../channels/index.ts";
import {
  configurationOf,
  documentOf,
  heldLedger,
  incidentEvent,
  mailInbox,
  noon,
  noticeOf,
  notifyWorld,
  resolvedEvent,
} from "../fixtures.ts";
import { plan } from "../plan/plan.ts";
import { deliveryFields, type LedgerEntry } from "./ledger.ts";

const incident = incidentEvent().incident;
const minute = 60_000;
const [a, b, c] = ["a@example.com", "b@example.com", "c@example.com"];

function infra(url: string, to: readonly string[] = [a, b, c]) {
  return { name: "infra", kind: "email", settings: { to, server: url } };
}

/** Creates the refusal of an SMTP server. */
function refusal(responseCode: number): Error {
  return Object.assign(new Error("not now"), { responseCode });
}

/** Creates a mail server that refuses recipients according to a function of address and number of attempts. */
function refusing(codes: (address: string, times: number) => number | undefined): SMTPServerOptions {
  const times = new Map<string, number>();
  return {
    onRcptTo: ({ address }, _session, done) => {
      times.set(address, (times.get(address) ?? 0) + 1);
      const code = codes(address, times.get(address) ?? 0);
      done(code === undefined ? null : refusal(code));
    },
  };
}

/** Returns the received mails, as `a@example.com NEW`, in alphabetical order. */
function arrivals({ received }: Awaited<ReturnType<typeof mailInbox>>): string[] {
  return received.map(({ to, text }) => `${[to ?? []].flat()[0]?.text} ${text?.split(" ")[0]}`).sort();
}

describe("a recipient with a transient refusal", () => {
  it.each([421, 450, 451, 452])("is retried after %i, without a second copy for others", async (code) => {
    await using inbox = await mailInbox(refusing((address, times) => (address === b && times <= 2 ? code : undefined)));
    const { store, clock, push, ledger, summary, publisher } = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
    await store.set("incidents", incident, {});
    expect(await push(incidentEvent())).toBe(`TryAgain: opened of ${incident} is still pending for infra`);
    expect(await ledger()).toEqual({ [`opened:infra:${a}`]: "delivered", [`opened:infra:${b}`]: "retrying" });
    expect(await summary()).toEqual({
      infra: expect.stringMatching(/^opened not delivered yet to b@example\.com: 4\d\d .*not now, next attempt 2025-/),
    });
    clock.time += minute;
    expect(await push(incidentEvent())).toMatch(/^TryAgain/);
    clock.time += minute;
    expect(await push(incidentEvent())).toBe("done");
    expect(arrivals(inbox)).toEqual([`${a} NEW`, `${b} NEW`]);
    expect(await summary()).toEqual({ infra: "opened delivered 2025-09-16 12:02:00 UTC" });
    clock.time += 30 * minute;
    expect(await push(resolvedEvent())).toBe("done");
    expect(arrivals(inbox)).toEqual([`${a} NEW`, `${a} RESOLVED`, `${b} NEW`, `${b} RESOLVED`]);
    expect(publisher.published.filter(({ topic }) => topic === "measurements")).toEqual([]);
  });

  it("gets a delayed change with the present state, without outdated details", async () => {
    await using inbox = await mailInbox(refusing((_, times) => (times === 2 ? 451 : undefined)));
    const { store, clock, push } = notifyWorld({ channels: [infra(inbox.url, [a])] });
    await store.set("incidents", incident, {});
    await push(incidentEvent());
    const change = "Nobody is at it, and it is worse.";
    const worse = incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse.", change });
    expect(await push(worse)).toMatch(/^TryAgain/);
    await store.set("incidents", incident, documentOf({ ...worse, status: "acknowledged" }));
    clock.time += 5 * minute;
    expect(await push(worse)).toBe("done");
    expect(inbox.received[1]?.subject).toMatch(/^\[ACKNOWLEDGED\]/);
    expect(inbox.received[1]?.text).toMatch(/^ACKNOWLEDGED, and worse than before · /);
    expect(inbox.received[1]?.text).not.toContain(change);
  });

  it("at the end of the mail is retried as well", async () => {
    const accepted: string[] = [];
    let refusals = 2;
    await using inbox = await mailInbox({
      onData: (stream, { envelope }, done) => {
        stream.resume().on("end", () => {
          const address = envelope.rcptTo.map((recipient) => recipient.address).join();
          if (address === b && refusals-- > 0) return done(refusal(451));
          accepted.push(address);
          done();
        });
      },
    });
    const { clock, push, ledger } = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
    for (const end of [/^TryAgain/, /^TryAgain/, /^done$/]) {
      expect(await push(incidentEvent())).toMatch(end);
      clock.time += minute;
    }
    expect(accepted).toEqual([a, b]);
    expect(await ledger()).toEqual({ [`opened:infra:${a}`]: "delivered", [`opened:infra:${b}`]: "delivered" });
  });

  it("delays no other recipient, and gets events in order", async () => {
    await using inbox = await mailInbox(refusing((address, times) => (address === b && times <= 2 ? 451 : undefined)));
    const { clock, push } = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
    await push(incidentEvent());
    await push(incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." }));
    expect(arrivals(inbox)).toEqual([`${a} NEW`, `${a} OPEN,`]);
    for (let round = 0; round < 2; round++) {
      clock.time += minute;
      await push(incidentEvent());
      await push(incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." }));
    }
    expect(
      inbox.received.filter(({ to }) => [to ?? []].flat()[0]?.text === b).map(({ text }) => text?.slice(0, 4)),
    ).toEqual(["NEW ", "OPEN"]);
    expect(inbox.received).toHaveLength(4);
  });
});

describe("a recipient with a permanent refusal", () => {
  it("becomes an incident of the monitor, is recorded in the ledger, and gets no all-clear", async () => {
    await using inbox = await mailInbox(refusing((address) => (address === c ? 550 : undefined)));
    const { store, clock, push, ledger, summary, publisher } = notifyWorld({ channels: [infra(inbox.url)] });
    await store.set("incidents", incident, {});
    expect(await push(incidentEvent())).toBe("done");
    expect(await ledger()).toEqual({
      [`opened:infra:${a}`]: "delivered",
      [`opened:infra:${b}`]: "delivered",
      [`opened:infra:${c}`]: expect.stringMatching(/^rejected: 550 .*not now/),
    });
    const [reported] = publisher.published.filter(({ topic }) => topic === "measurements");
    expect(parseReport(reported?.data).results).toMatchObject([
      {
        probe: `channel/infra (${c})`,
        success: false,
        failure: { message: expect.stringMatching(/^opened of .* was not delivered to c@example\.com: 550 /) },
      },
    ]);
    clock.time += 30 * minute;
    expect(await push(resolvedEvent())).toBe("done");
    expect((await ledger())[`resolved:infra:${c}`]).toBe("suppressed: never announced here");
    expect(arrivals(inbox)).toEqual([`${a} NEW`, `${a} RESOLVED`, `${b} NEW`, `${b} RESOLVED`]);
    expect(await summary()).toEqual({
      infra: expect.stringMatching(/^opened not delivered to c@example\.com: 550 .*not now$/),
    });
    expect((await store.get("incidents", incident))?.["told"]).toMatchObject({ infra: { unreached: 1 } });
  });

  it("is reported as a problem of the channel if all recipients are refused", async () => {
    await using inbox = await mailInbox(refusing(() => 550));
    const { push, ledger, publisher } = notifyWorld({ channels: [infra(inbox.url)] });
    expect(await push(incidentEvent())).toBe("done");
    expect(Object.values(await ledger()).map((state) => state.slice(0, 13))).toEqual(Array(3).fill("rejected: 550"));
    const [reported] = publisher.published.filter(({ topic }) => topic === "measurements");
    expect(parseReport(reported?.data).results.map(({ probe }) => probe)).toEqual(Array(3).fill("channel/infra"));
  });

  it("is not notified of it; other recipients are, even without another channel", () => {
    const monitorEvent = incidentEvent({
      root_cause: "pathkeeper",
      verdict: "monitor",
      components: ["pathkeeper"],
      alerts: [`Notices do not reach infra (${c})`],
    });
    const routes = [{ channels: ["infra"], severity: ["info"] as const }];
    const configuration = configurationOf([infra("smtp://127.0.0.1:1")], routes);
    const { deliveries, suppressed } = plan(monitorEvent, { configuration, kinds, silences: [], ledger: [] }, noon);
    expect(deliveries.map(({ recipient, reason }) => `${recipient}: ${reason}`)).toEqual([
      `${a}: no route leads to a working channel`,
      `${b}: no route leads to a working channel`,
    ]);
    expect(suppressed.map(({ recipient, reason }) => `${recipient}: ${reason}`)).toEqual([
      `${c}: it is about this recipient: notifications do not reach it`,
    ]);
  });

  it("is announced by another channel once all recipients are unreachable, one after another", () => {
    const alerts = [a, b].map((recipient) => `Notices do not reach infra (${recipient})`);
    const monitorEvent = incidentEvent({
      root_cause: "pathkeeper",
      verdict: "monitor",
      components: ["pathkeeper"],
      alerts,
    });
    const ops = { name: "ops", kind: "webhook", settings: { url: "https://127.0.0.1:1/" } };
    const configuration = configurationOf([infra("smtp://127.0.0.1:1", [a, b]), ops], [{ channels: ["infra"] }]);
    const { deliveries } = plan(monitorEvent, { configuration, kinds, silences: [], ledger: [] }, noon);
    expect(deliveries.map(({ channel, reason }) => `${channel}: ${reason}`)).toEqual([
      "ops: no route leads to a working channel",
    ]);
  });
});

describe("recipients added or removed", () => {
  it("get the end at the address and server of the opening; new ones get an opening", async () => {
    await using inbox = await mailInbox();
    const before = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
    await before.push(incidentEvent());
    const { store } = before;
    const worse = { event: "severity_raised", sequence: 2, summary: "It is worse." } as const;
    await notifyWorld({ channels: [infra(inbox.url, [b, c])], store }).push(incidentEvent(worse));
    await notifyWorld({ channels: [infra(inbox.url, [c])], store }).push(resolvedEvent({ sequence: 3 }));
    expect(arrivals(inbox)).toEqual([
      `${a} NEW`,
      `${a} RESOLVED`,
      `${b} NEW`,
      `${b} OPEN,`,
      `${b} RESOLVED`,
      `${c} NEW`,
      `${c} RESOLVED`,
    ]);
  });

  it("get the end after the channel was removed or changed its kind", async () => {
    for (const channels of [[], [{ name: "infra", kind: "webhook", settings: { url: "https://127.0.0.1:1/" } }]]) {
      await using inbox = await mailInbox();
      const before = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
      await before.push(incidentEvent());
      await notifyWorld({ channels, store: before.store }).push(resolvedEvent());
      expect(arrivals(inbox)).toEqual([`${a} NEW`, `${a} RESOLVED`, `${b} NEW`, `${b} RESOLVED`]);
    }
  });

  it("are planned on redelivery, without notifying others twice", async () => {
    await using inbox = await mailInbox();
    const before = notifyWorld({ channels: [infra(inbox.url, [a])] });
    await before.push(incidentEvent());
    await notifyWorld({ channels: [infra(inbox.url, [a, b])], store: before.store }).push(incidentEvent());
    expect(arrivals(inbox)).toEqual([`${a} NEW`, `${b} NEW`]);
  });
});

describe("a notice planned for a whole channel by an older version", () => {
  const held = (status: "delivered" | "planned", payload?: OutgoingMail): LedgerEntry[] =>
    heldLedger("infra", [[{}, status]]).map(({ id, delivery }) => ({
      id,
      delivery: { ...delivery, kind: "email", ...(payload ? { payload: JSON.stringify(payload) } : {}) },
    }));

  it("is sent once, and its end goes to every recipient in the same thread", async () => {
    await using inbox = await mailInbox();
    const channel = infra(inbox.url, [a, b]);
    const { store, push } = notifyWorld({ channels: [channel] });
    const notice = noticeOf(incidentEvent());
    const key = `${incident}:opened:infra`;
    const payload = email.render(email.settings.parse(channel.settings), { ...notice, key, thread: key });
    for (const { id, delivery } of held("planned", payload as OutgoingMail))
      await store.set("deliveries", id, deliveryFields(delivery));
    expect(await push(incidentEvent())).toBe("done");
    expect(inbox.received).toHaveLength(1);
    expect(await push(resolvedEvent())).toBe("done");
    const [opened, ...ends] = inbox.received;
    expect(ends.map(({ to, inReplyTo }) => [[to ?? []].flat()[0]?.text, inReplyTo]).sort()).toEqual([
      [a, opened?.messageId],
      [b, opened?.messageId],
    ]);
  });

  it("is sent in order: later events wait for it", async () => {
    await using inbox = await mailInbox();
    const { store, push } = notifyWorld({ channels: [infra(inbox.url, [a, b])] });
    for (const { id, delivery } of held("planned")) {
      const retrying = { ...delivery, status: "retrying", next_attempt_at: new Date(noon + minute) } as const;
      await store.set("deliveries", id, deliveryFields(retrying));
    }
    const worse = incidentEvent({ event: "severity_raised", sequence: 2, summary: "It is worse." });
    expect(await push(worse)).toBe(`TryAgain: severity_raised of ${incident} is still pending for infra`);
    expect(inbox.received).toEqual([]);
  });
});

describe("many recipients", () => {
  const many = Array.from({ length: 50 }, (_, index) => `r${index}@example.com`);

  it("are all notified, over a few concurrent connections", async () => {
    let open = 0;
    let most = 0;
    await using inbox = await mailInbox({
      onConnect: (_session, done) => {
        open += 1;
        most = Math.max(most, open);
        done();
      },
      onClose: () => {
        open -= 1;
      },
    });
    const { push, ledger } = notifyWorld({ channels: [infra(inbox.url, many)] });
    expect(await push(incidentEvent())).toBe("done");
    expect(Object.values(await ledger())).toEqual(Array(50).fill("delivered"));
    expect(new Set(inbox.received.map(({ messageId }) => messageId)).size).toBe(50);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(5);
  });

  it("in many channels are planned, even with long texts", async () => {
    const long = Array.from({ length: 100 }, (_, index) => `Fact ${index}: ${"é".repeat(400)}.`);
    const channels = Array.from({ length: 8 }, (_, index) => ({
      ...infra("smtp://127.0.0.1:1", many),
      name: `mail-${index}`,
    }));
    const { push, ledger } = notifyWorld({
      channels,
      send: () => async () => ({ status: 250, headers: {}, body: "250 ok" }),
    });
    const event = incidentEvent({ evidence: long, whys: long, next_steps: long });
    expect(await push(event)).toBe("done");
    expect(Object.keys(await ledger())).toHaveLength(100);
  });

  it("have separate rate limits, and do not wait for each other", async () => {
    await using inbox = await mailInbox();
    const channel = { ...infra(inbox.url, [a, b, c]), perMinute: 2 };
    const { clock, push } = notifyWorld({ channels: [channel] });
    expect(await push(incidentEvent())).toBe("done");
    const worse = incidentEvent({
      event: "severity_raised",
      sequence: 2,
      severity: "warning",
      summary: "It is worse.",
    });
    expect(await push(worse)).toBe(
      `TryAgain: severity_raised of ${incident} is still pending for infra (at most 2 notices a minute)`,
    );
    clock.time += minute;
    expect(await push(worse)).toBe("done");
    expect(inbox.received).toHaveLength(6);
  });

  it("do not block the function: deliveries that cannot start in time are retried later", async () => {
    const { clock, push, ledger } = notifyWorld({
      channels: [infra("smtp://127.0.0.1:1", many)],
      send: () => async () => {
        clock.time += 8_000;
        return { error: "no answer within 15 s", code: "ETIMEDOUT" };
      },
    });
    await push(incidentEvent());
    const states = Map.groupBy(Object.values(await ledger()), (state) => state.split(":")[0]);
    expect(states.get("retrying")?.length).toBeLessThan(20);
    expect(states.get("planned")?.length).toBeGreaterThan(30);
  });
});

describe("mails to several recipients", () => {
  it("have distinct ids and threads, even for similar addresses", () => {
    const to = ["a+b@example.com", "a.b@example.com", "A+B@example.com", "a-b@example.com"];
    const settings = email.settings.parse({ to });
    const recipients = email.recipients?.(settings) ?? [];
    expect(recipients).toEqual(["a+b@example.com", "a.b@example.com", "a-b@example.com"]);
    const configuration = configurationOf([infra("smtp://127.0.0.1:1", to)]);
    const context = { configuration, kinds, silences: [], ledger: [] };
    const opened = plan(incidentEvent(), context, noon).deliveries;
    const ledger = opened.map(({ key, recipient }): LedgerEntry => {
      const [entry] = heldLedger("infra", [[{}, "delivered"]]) as [LedgerEntry];
      return { id: key, delivery: { ...entry.delivery, recipient } };
    });
    const resolved = plan(resolvedEvent(), { ...context, ledger }, noon).deliveries;
    const mails = [...opened, ...resolved].map(({ payload }) => payload as OutgoingMail);
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(6);
    expect(mails.slice(3).map(({ inReplyTo }) => inReplyTo)).toEqual(
      mails.slice(0, 3).map(({ messageId }) => messageId),
    );
    expect(mails.map((mail) => mail.to)).toEqual([...recipients, ...recipients].map((recipient) => [recipient]));
  });
});
