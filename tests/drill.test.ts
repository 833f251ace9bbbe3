/** A fire drill end to end: from the report that starts it to its end, as shown by every channel and the incident. */
import { expect, it } from "vitest";
import { drillReport } from "../cli/commands/drill.ts";
import { recorded } from "../cli/commands/replay.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import type { Send } from "../functions/notify/deliver/send.ts";
import { shopWith } from "./support/shop.ts";

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;

const configuration = shopWith(`
channels:
  ops: { kind: webhook, url: https://hooks.example.com/ops }
  boss: { kind: email, to: [boss@example.com, gone@example.com], server: smtps://mail.example.com, audience: executives }
  chat: { kind: slack, url: { secret: slack } }
  page: { kind: status_page, bucket: shop-status }
  slow: { kind: webhook, url: https://hooks.example.com/slow }
routes:
  - { channels: [ops, page], severity: [critical], remind_every: 1m }
maintenance:
  - { name: patching, from: 2025-09-16T11:00, to: 2025-09-16T14:00 }
`);

it("announces a drill as such in every channel, even if muted, and ends it with the delivery times", async () => {
  const notified: string[] = [];
  const send: Send = async (outgoing, now) => {
    const text = JSON.stringify(outgoing);
    if (outgoing.transport === "smtp" && outgoing.to.includes("gone@example.com"))
      return { status: 550, headers: {}, body: "550 no such user" };
    const channel = ["/ops", "boss@", "slack", "/slow"].find((part) => text.includes(part)) ?? "page";
    if (channel === "/slow" && now < start + 5 * minute + 30_000) return { status: 503, headers: {}, body: "" };
    notified.push(
      `${new Date(now).toISOString().slice(11, 19)} ${channel}${/fire drill/i.test(text) ? "" : " UNMARKED"}`,
    );
    return { status: outgoing.transport === "smtp" ? 250 : 200, headers: {}, body: "ok" };
  };
  const world = new VirtualWorld({ configuration, start, send, watchesItself: true });
  await world.store.set("silences", "all", {
    environment: "shop",
    until: new Date(start + 60 * minute),
    reason: "quiet",
  });
  for (const report of recorded({ database: ".".repeat(20) })) world.report(report, Date.parse(report.finished_at));
  for (let at = 1; at <= 20; at++) world.tick(start + at * minute);
  world.report(drillReport("shop", start + 5 * minute), start + 5 * minute + 400);
  await world.run(start + 20 * minute);

  expect(world.mishaps).toEqual([]);
  const [incident, ...others] = await world.store.query({ collection: "incidents" });
  // The drill has revealed an invalid address.
  expect(others.map(({ fields }) => fields["title"])).toEqual([
    "Shop: notifications do not reach boss (gone@example.com)",
  ]);
  expect(incident?.id).toBe("20250916-120500-fire-drill");
  // Channels are independent: within one instant, their order is not defined.
  expect(notified.toSorted()).toEqual([
    "12:05:00 /ops",
    "12:05:00 boss@",
    "12:05:00 slack",
    "12:05:31 /slow",
    "12:07:00 /ops",
    "12:07:00 /slow",
    "12:07:00 boss@",
    "12:07:00 slack",
  ]);
  expect(incident?.fields).toMatchObject({
    drill: true,
    status: "resolved",
    severity: "info",
    verdict: "monitor",
    timeline: [
      "2025-09-16 12:05:00 UTC  Fire drill: started by hand.",
      '2025-09-16 12:05:00 UTC  Opened by "Fire drill". It says nothing about the targets.',
      '2025-09-16 12:07:00 UTC  "Fire drill" has cleared.',
      "2025-09-16 12:07:00 UTC  Resolved. The fire drill is over. Its notification was delivered to boss after 0.4 s, chat after 0.4 s, ops after 0.4 s and slow after 31.4 s. Not to page: opened not sent: fire drills are not announced publicly. Not to every recipient of boss: opened not delivered to gone@example.com: 550 no such user. It lasted 2 min, from 12:05:00 UTC.",
    ],
  });
  const months = await world.store.query({ collection: "availability" });
  expect(months.map(({ id }) => id)).toContain("2025-09");
  for (const { fields } of months) expect(JSON.stringify(fields)).not.toContain("fire-drill");
});
