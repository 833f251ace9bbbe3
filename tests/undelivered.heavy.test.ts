/**
 * An undelivered notification is itself an incident, sent through the working channels: from the receiver's response to the all-clear,
 * through every function.
 */
import { describe, expect, it } from "vitest";
import { recorded } from "../cli/commands/replay.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import type { Reply } from "../functions/notify/channel.ts";
import type { Send } from "../functions/notify/deliver/send.ts";
import type { Report } from "../shared/messages/report.ts";
import { shopWith } from "./support/shop.ts";

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;

const shop = `
channels:
  ops: { kind: webhook, url: https://hooks.example.com/ops }
  infra: { kind: webhook, url: https://hooks.example.com/infra }
  boss: { kind: webhook, url: https://hooks.example.com/boss, audience: executives }
routes:
  - { channels: [ops], severity: [critical, warning] }
`;

/**
 * Plays an outage from 12:05 to 12:15 with the responses of each channel by minute.
 * @returns the notices that the receivers have, as `12:07 ops opened database`
 */
async function played(
  answers: Readonly<Record<string, (at: number) => Reply>>,
  until: number,
  text: string = shop,
): Promise<{ notified: string[]; world: VirtualWorld }> {
  const notified: string[] = [];
  const send: Send = async (outgoing, now) => {
    if (outgoing.transport !== "http") throw new Error("only webhooks here");
    const { root_cause: cause } = JSON.parse(outgoing.body).data;
    const [, event = "", channel = ""] = outgoing.signature?.id.split(":") ?? [];
    const reply = answers[channel]?.((now - start) / minute) ?? { status: 204, headers: {}, body: "" };
    const arrived = "status" in reply && reply.status < 300;
    if (arrived) notified.push(`${new Date(now).toISOString().slice(11, 16)} ${channel} ${event} ${cause}`);
    return reply;
  };
  const world = new VirtualWorld({ configuration: shopWith(text), start, send });
  const reports = recorded({ database: `${".".repeat(5)}${"X".repeat(10)}${".".repeat(until - 15)}` }) as Report[];
  for (const report of reports) world.report(report, Date.parse(report.finished_at));
  for (let at = 1; at <= until; at++) world.tick(start + at * minute + 30_000);
  await world.run(start + until * minute);
  return { notified, world };
}

const gone = (): Reply => ({ status: 410, headers: {}, body: "" });
const accepted: Reply = { status: 204, headers: {}, body: "" };

describe("a rejected notification", () => {
  it("is sent to a working channel, to engineers first, even without a route to it", async () => {
    const { notified, world } = await played({ ops: gone }, 80);
    expect(notified).toEqual(["12:07 infra opened pathkeeper", "13:07 infra resolved pathkeeper"]);
    expect(world.mishaps).toEqual([]);
    const [incident] = await world.store.query({
      collection: "incidents",
      where: [["title", "==", "Shop: notifications do not reach ops"]],
    });
    expect(incident?.fields).toMatchObject({
      verdict: "monitor",
      summary: expect.stringContaining(
        "Notices do not reach ops: opened of 20250916-120700-database was not delivered: 410",
      ),
      deliveries: {
        ops: "resolved not sent: never announced here",
        boss: "resolved not sent: never announced here",
        infra: "resolved delivered 2025-09-16 13:07:30 UTC",
      },
    });
  });

  it("is sent by route if a route leads to a working channel", async () => {
    const routed = `${shop}  - { channels: [ops, boss], components: [pathkeeper] }\n`;
    const { notified } = await played({ ops: gone }, 80, routed);
    expect(notified).toEqual(["12:07 boss opened pathkeeper", "13:07 boss resolved pathkeeper"]);
  });

  it("by two channels is sent to the third, as one incident", async () => {
    const routed = shop.replace("[ops]", "[ops, infra]");
    const { notified } = await played({ ops: gone, infra: gone }, 30, routed);
    expect(notified).toEqual(["12:07 boss opened pathkeeper"]);
  });

  it("by another channel is sent to the readers notified of the first", async () => {
    const { notified } = await played(
      { ops: gone, boss: gone },
      30,
      `${shop}  - { channels: [boss], events: [reminder], remind_every: 5m }\n`,
    );
    expect(notified).toEqual(["12:07 infra opened pathkeeper", "12:12 infra joined pathkeeper"]);
  });

  it("by every channel is given up", async () => {
    const { notified, world } = await played({ ops: gone, infra: gone, boss: gone }, 120);
    expect(notified).toEqual([]);
    const incidents = await world.store.query({ collection: "incidents" });
    expect(incidents.map(({ fields }) => [fields["title"], fields["status"], fields["alerts"]])).toEqual([
      ["Shop: Database failing", "resolved", ["database failing"]],
      [
        "Shop: notifications do not reach ops",
        "resolved",
        ["Notices do not reach ops", "Notices do not reach infra", "Notices do not reach boss"],
      ],
    ]);
  });
});

describe("a notification that is not delivered for a quarter of an hour", () => {
  it("is sent to a working channel, and resolved on delivery", async () => {
    const { notified } = await played(
      { ops: (at) => (at < 31 ? { status: 503, headers: {}, body: "" } : accepted) },
      60,
    );
    expect(notified).toEqual([
      "12:24 infra opened pathkeeper",
      "12:44 ops opened database",
      "12:44 ops resolved database",
      "12:44 infra resolved pathkeeper",
    ]);
  });
});

describe("events that become dead letters", () => {
  it("are sent to a working channel, with their content", async () => {
    const dies = (): Reply => {
      throw new Error("the notifier falls over");
    };
    const { notified, world } = await played({ ops: dies }, 17 * 60);
    expect(notified.filter((line) => line.includes("opened"))).toEqual(["12:24 infra opened pathkeeper"]);
    const ledger = await world.store.query({ collection: "deliveries", where: [["channel", "==", "ops"]] });
    expect(
      ledger.map(({ id, fields }) => `${id.replace(/^[^:]*-/, "")} ${fields["status"]}: ${fields["reason"]}`),
    ).toEqual([
      "database:opened:ops rejected: gave up after 97 attempts, its message is a dead letter: the sending instance did not report back",
      "database:recovering:ops suppressed: superseded: the incident is resolved",
      // The opening may have arrived, so its end would be notified.
      "database:resolved:ops rejected: gave up after 1 attempt, its message is a dead letter: the sending instance did not report back",
      "pathkeeper:opened:ops suppressed: it is about this channel: notifications do not reach it",
      "pathkeeper:resolved:ops suppressed: never announced here",
    ]);
  });
});
