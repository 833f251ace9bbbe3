/** Every way to act on an incident ends its escalation within one tick, end to end: from the notice to the ledger. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { recorded } from "../cli/commands/replay.fixtures.ts";
import { run } from "../cli/local-probes.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import {
  answersUrl,
  linkKey,
  opened,
  opsgenieRequest,
  pagerDutyEvent,
  pagerDutyRequest,
  pressed,
  slackPayload,
  slackPress,
} from "../functions/notify/answer/answers.fixtures.ts";
import { answerHandler } from "../functions/notify/answer/handler.ts";
import type { AnswerRequest } from "../functions/notify/answer/incoming.ts";
import { signedUrl } from "../functions/notify/answer/link.ts";
import type { Outgoing } from "../functions/notify/channel.ts";
import { channels as kinds } from "../functions/notify/channels/index.ts";
import type { Send } from "../functions/notify/deliver/send.ts";
import { secretsOf } from "../functions/notify/fixtures.ts";
import { SqliteStore } from "../shared/adapters/sqlite.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Fields } from "../shared/ports.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { shopWith } from "./support/shop.ts";

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;
/** The outage begins at 12:05, is an incident at 12:07, and would be escalated at 12:17. */
const lasting = 40;
const incident = "20250916-120700-database";

const shop = `
channels:
  ops: { kind: email, to: [ana@example.com], from: shop@example.com, server: smtp://127.0.0.1 }
  chat: { kind: slack, token: { secret: token }, channel: C0123456789, signing_secret: { secret: slack-signing } }
  pager: { kind: pagerduty, routing_key: { secret: key }, webhook_secret: { secret: pagerduty-webhook } }
  genie: { kind: opsgenie, api_key: { secret: key }, webhook_token: { secret: opsgenie-webhook } }
  boss: { kind: email, to: [boss@example.com], from: shop@example.com, server: smtp://127.0.0.1 }
routes:
  - { channels: [ops, chat, pager, genie] }
  - { channels: [boss], events: [escalated], escalate_after: 10m }
`;

const secrets = secretsOf({
  "answers-key": linkKey,
  "slack-signing": "slack",
  "pagerduty-webhook": "pagerduty",
  "opsgenie-webhook": "opsgenie",
});

const slackAnswer = JSON.stringify({ ok: true, channel: "C0123456789", ts: "1" });

/** The shop during its outage. */
class Shop {
  readonly world: VirtualWorld;
  readonly sent: Outgoing[] = [];
  readonly received: string[] = [];
  readonly #answer: (request: AnswerRequest) => Promise<{ readonly status: number }>;

  /** @param greylistsBoss whether the boss's server accepts no mail for now */
  constructor(greylistsBoss: boolean = false) {
    const send: Send = async (outgoing, now) => {
      this.sent.push(outgoing);
      if (outgoing.transport !== "smtp") return { status: 202, headers: {}, body: slackAnswer };
      if (!outgoing.to.includes("boss@example.com")) return { status: 250, headers: {}, body: "" };
      if (greylistsBoss) return { status: 451, headers: {}, body: "try again later" };
      this.received.push(`${new Date(now).toISOString().slice(11, 16)} ${outgoing.subject}`);
      return { status: 250, headers: {}, body: "" };
    };
    const configuration = shopWith(shop);
    this.world = new VirtualWorld({ configuration, start, send, answersUrl });
    const { store, clock } = this.world;
    this.#answer = answerHandler({
      store,
      secrets,
      clock,
      logger: silentLogger,
      configuration,
      kinds,
      answersUrl,
      reply: async () => {},
    });
    const reports = recorded({ database: `${".".repeat(5)}${"X".repeat(lasting)}` }) as Report[];
    for (const report of reports) this.world.report(report, Date.parse(report.finished_at));
    for (let at = 1; at < lasting; at++) this.world.tick(start + at * minute + 30_000);
  }

  /** Advances the time to so many seconds after twelve. */
  until(seconds: number): Promise<void> {
    return this.world.run(start + seconds * 1000);
  }

  async answer(request: AnswerRequest): Promise<void> {
    expect((await this.#answer(request)).status).toBe(200);
  }

  /** Returns the link in the mail, as it was sent. */
  link(title: string): string {
    const mail = this.sent.find((outgoing) => outgoing.transport === "smtp");
    const unsigned = mail?.transport === "smtp" ? new RegExp(`${title}: (\\S+)`).exec(mail.text)?.[1] : undefined;
    expect(mail?.transport === "smtp" && mail.links?.includes(unsigned ?? "")).toBe(true);
    return signedUrl(unsigned ?? "", linkKey, this.world.clock.now());
  }

  /** Returns the delivery of the escalation in the ledger. */
  async escalation(): Promise<Fields | undefined> {
    const found = await this.world.store.query({ collection: "deliveries", where: [["event", "==", "escalated"]] });
    return found.find(({ fields }) => fields["channel"] === "boss")?.fields;
  }

  async document(): Promise<Fields> {
    return (await this.world.store.get("incidents", incident)) ?? {};
  }
}

/** Ways to act at 12:16:45, in the last minute before the escalation. */
const ways: readonly (readonly [name: string, act: (shop: Shop) => Promise<unknown>, by: string])[] = [
  [
    "a link in a mail",
    async (at) => {
      const link = at.link("Acknowledge");
      await at.answer(opened(link));
      expect(await at.document()).toMatchObject({ status: "open" });
      await at.answer(pressed(link));
    },
    "ana@example.com, with a link",
  ],
  [
    "a button in Slack",
    (at) => at.answer(slackPress("chat", "slack", at.world.clock.now(), slackPayload(incident))),
    "ana, in Slack",
  ],
  [
    "an acknowledgement in PagerDuty",
    (at) => at.answer(pagerDutyRequest("pager", "pagerduty", pagerDutyEvent(incident))),
    "Ana Smith, in PagerDuty",
  ],
  [
    "an acknowledgement in Opsgenie",
    (at) => at.answer(opsgenieRequest("genie", "opsgenie", incident)),
    "ana@example.com, in Opsgenie",
  ],
  [
    "an edit in the console",
    (at) => at.world.store.update("incidents", incident, { status: "acknowledged" }),
    "an operator, in the document",
  ],
  ["the command line", (at) => byCommand(at, "ack", "--by", "Ana"), "Ana, on the command line"],
];

/** Runs a command on a folder of `npm start -- --data` that contains the current documents. */
async function byCommand({ world }: Shop, ...args: string[]): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "pathkeeper-answers-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const file = join(data, "store.db");
  const copy = new SqliteStore(file);
  await copy.set("incidents", incident, (await world.store.get("incidents", incident)) ?? {});
  await copy.close();
  expect(await run(...args, "--data", data)).toMatchObject({ code: 0 });
  const edited = new SqliteStore(file);
  await world.store.set("incidents", incident, (await edited.get("incidents", incident)) ?? {});
  await edited.close();
}

describe("the escalation of an incident", () => {
  it("is sent if nobody acts", async () => {
    const at = new Shop();
    await at.until(lasting * 60);
    expect(at.received).toEqual([expect.stringMatching(/^12:17 \[ESCALATED\] /)]);
  });

  it.each(ways)("ends within one tick by %s, and records the actor and channel", async (_, act, by) => {
    const at = new Shop();
    await at.until(16 * 60 + 45);
    expect(await at.document()).toMatchObject({ status: "open" });
    await act(at);
    await at.until(17 * 60 + 30);
    expect(await at.document()).toMatchObject({ status: "acknowledged", acknowledged_by: by, edited_by: null });
    await at.until(lasting * 60);
    expect(at.received).toEqual([]);
    const lines = (await at.document())["timeline"] as string[];
    expect(lines.map((line) => line.slice(25)).filter((line) => line.startsWith("Acknowledged"))).toEqual([
      `Acknowledged by ${by}.`,
    ]);
    expect(at.world.mishaps).toEqual([]);
  });

  it("that is pending when somebody acts is not sent, and the ledger records the actor and channel", async () => {
    const at = new Shop(true);
    await at.until(17 * 60 + 45);
    expect(await at.escalation()).toMatchObject({ status: "retrying" });
    await at.answer(slackPress("chat", "slack", at.world.clock.now(), slackPayload(incident)));
    await at.until(25 * 60);
    expect(await at.escalation()).toMatchObject({
      status: "suppressed",
      reason: "superseded: acknowledged by ana, in Slack",
    });
  });
});
