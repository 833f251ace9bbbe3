/** Plays the outage of docs/notification.md: with its configuration, the notifier produces the ledger that the page shows. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { vocabulary } from "../cli/vocabulary.ts";
import { channels as kinds } from "../functions/notify/channels/index.ts";
import { deliveryId, parseDelivery } from "../functions/notify/deliver/ledger.ts";
import { incidentEvent, notifyWorld } from "../functions/notify/fixtures.ts";
import { recipientsOf } from "../functions/notify/plan/readers.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import type { IncidentEvent } from "../shared/messages/incident-event.ts";

const page = readFileSync(new URL("../docs/notification.md", import.meta.url), "utf8");

const day = (time: string): string => `2025-09-16T${time}:00.000Z`;

/** Events of the outage that the page describes. */
const story: readonly Partial<IncidentEvent>[] = [
  { event: "opened", at: day("12:00"), severity: "warning", components: ["database"] },
  { event: "severity_raised", at: day("12:05") },
  { event: "escalated", at: day("12:20") },
  { event: "acknowledged", at: day("12:25"), status: "acknowledged" },
  { event: "reminder", at: day("13:10"), status: "acknowledged" },
  { event: "reminder", at: day("14:10"), status: "acknowledged", occurrence: 2 },
  { event: "resolved", at: day("14:30"), status: "resolved", resolved_at: day("14:30") },
];

it("is notified as the page describes", async () => {
  const loaded = loadConfiguration(/```yaml\n(environment:[\s\S]*?)```/.exec(page)?.[1] ?? "", "page", vocabulary);
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  const { channels, routes, components } = loaded.configuration;
  const send = async () => ({ status: 202, headers: {}, body: "" });
  const { store, clock, push } = notifyWorld({ channels, routes, send: () => send });
  await store.set("silences", "known", {
    component: "database",
    from: new Date(day("13:30")),
    until: new Date(day("15:30")),
    reason: "everybody knows",
  });
  const rows: string[] = [];
  for (const [at, changes] of story.entries()) {
    const event = incidentEvent({
      incident: "20250916-120000-database",
      root_cause: "database",
      components: components.map(({ name }) => name),
      environment: "shop",
      sequence: at + 1,
      first_failure_at: day("11:58"),
      ...changes,
    });
    clock.time = Date.parse(event.at);
    const first = await push(event);
    // If an incident cannot be reopened in a channel, its all-clear is held in case of a relapse.
    if (event.event === "resolved") clock.time += 10 * 60_000;
    expect(event.event === "resolved" ? await push(event) : first).toBe("done");
    const cells = await Promise.all(
      channels.map(async (channel) => {
        const [recipient] = recipientsOf(channel, kinds);
        const own = parseDelivery(await store.get("deliveries", deliveryId(event, channel.name, recipient)));
        const sent = own?.told_by === undefined ? own : parseDelivery(await store.get("deliveries", own.told_by));
        return `${sent?.status === "delivered" ? "✓ " : ""}${sent?.reason}`;
      }),
    );
    rows.push(`| ${event.at.slice(11, 16)} | \`${event.event}\` | ${cells.join(" | ")} |`);
  }
  const [, table = ""] = /\| at \| event \|.*\n\|[-|]+\n([\s\S]*?)\n\n/.exec(page) ?? [];
  expect(table.split("\n")).toEqual(rows);
});
