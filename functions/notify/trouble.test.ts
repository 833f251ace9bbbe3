import { expect, it } from "vitest";
import { heldLedger, noon } from "./fixtures.ts";
import type { Delivery, DeliveryStatus } from "./ledger.ts";
import { channelTroubles } from "./trouble.ts";

const minutes = (amount: number): Date => new Date(noon + amount * 60_000);
const name = "opened of 20250916-120000-vpc-connector";

it.each<[string, DeliveryStatus, Partial<Delivery>, string[]]>([
  ["was rejected", "rejected", { reason: "410" }, [`false ${name} was not delivered: 410`]],
  [
    "has been tried for a quarter of an hour",
    "retrying",
    { attempt_count: 7 },
    [`false ${name} has been tried for 15 min: 503`],
  ],
  [
    "is tried again by another instance",
    "sending",
    { attempt_count: 7 },
    [`false ${name} has been tried for 15 min: 503`],
  ],
  ["is tried for less", "retrying", { attempt_count: 6, planned_at: minutes(1) }, []],
  ["only waits for its place", "planned", { attempt_count: 0 }, []],
  ["arrived late", "delivered", { attempt_count: 8, delivered_at: minutes(15) }, ["true "]],
  ["arrived in time", "delivered", { attempt_count: 2, delivered_at: minutes(1) }, []],
  ["was overtaken after some attempts", "suppressed", { attempt_count: 3 }, []],
])("a notice that %s", (_, status, changes, expected) => {
  const attempts = [{ at: minutes(14), outcome: "retry", answer: "503" }];
  const ledger = heldLedger("ops", [[{}, status]]).map(({ delivery }) => ({ ...delivery, attempts, ...changes }));
  const troubles = channelTroubles(ledger, noon + 15 * 60_000);
  expect(troubles.map(({ success, failure }) => `${success} ${failure?.message ?? ""}`)).toEqual(expected);
  for (const { probe, at } of troubles) expect([probe, at]).toEqual(["channel/ops", minutes(14).toISOString()]);
});
