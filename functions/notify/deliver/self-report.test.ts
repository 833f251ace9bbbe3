import { describe, expect, it } from "vitest";
import { heldLedger, noon } from "../fixtures.ts";
import type { Delivery, DeliveryStatus } from "./ledger.ts";
import { channelProblems } from "./self-report.ts";

const minutes = (amount: number): Date => new Date(noon + amount * 60_000);
const name = "opened of 20250916-120000-vpc-connector";

it.each<[string, DeliveryStatus, Partial<Delivery>, string[]]>([
  ["was rejected", "rejected", { reason: "410" }, [`false ${name} was not delivered: 410`]],
  [
    "has been retried for 15 minutes",
    "retrying",
    { attempt_count: 7 },
    [`false ${name} has been retried for 15 min: 503`],
  ],
  [
    "is retried by another instance",
    "sending",
    { attempt_count: 7 },
    [`false ${name} has been retried for 15 min: 503`],
  ],
  ["has been retried for less than 15 minutes", "retrying", { attempt_count: 6, planned_at: minutes(1) }, []],
  ["only waits for an earlier one", "planned", { attempt_count: 0 }, []],
  ["arrived late", "delivered", { attempt_count: 8, delivered_at: minutes(15) }, ["true "]],
  ["arrived on time", "delivered", { attempt_count: 2, delivered_at: minutes(1) }, []],
  ["was superseded after some attempts", "suppressed", { attempt_count: 3 }, []],
])("a notice that %s", (_, status, changes, expected) => {
  const attempts = [{ at: minutes(14), outcome: "retry", answer: "503" }];
  const ledger = heldLedger("ops", [[{}, status]]).map(({ delivery }) => ({ ...delivery, attempts, ...changes }));
  const troubles = channelProblems(ledger, noon + 15 * 60_000);
  expect(troubles.map(({ success, failure }) => `${success} ${failure?.message ?? ""}`)).toEqual(expected);
  for (const { probe, at } of troubles) expect([probe, at]).toEqual(["channel/ops", minutes(14).toISOString()]);
});

describe("with several recipients", () => {
  const attempts = [{ at: minutes(14), outcome: "retry", answer: "451" }];
  const late: Partial<Delivery> = { status: "retrying", attempt_count: 7, attempts };
  const arrived: Partial<Delivery> = { status: "delivered", attempt_count: 1, delivered_at: minutes(1) };
  const arrivedLate: Partial<Delivery> = { status: "delivered", attempt_count: 8, attempts, delivered_at: minutes(15) };
  const refused: Partial<Delivery> = { status: "rejected", reason: "550", attempts };
  const untried: Partial<Delivery> = { status: "planned" };

  it.each<[string, Partial<Delivery>[], string[]]>([
    ["one is refused", [arrived, refused], ["false ops (r1)"]],
    ["one is late", [arrived, late, arrived], ["false ops (r1)"]],
    ["all are refused", [refused, refused], ["false ops", "false ops"]],
    ["all are refused or late", [refused, late], ["false ops", "false ops"]],
    ["all are late, some without an attempt", [late, untried], ["false ops"]],
    [
      "one is refused while the others are still being retried",
      [refused, { ...late, planned_at: minutes(10) }],
      ["false ops (r0)"],
    ],
    ["the late ones arrive one after the other", [arrivedLate, late], ["true ops (r0)", "true ops", "false ops (r1)"]],
  ])("when %s", (_, states, expected) => {
    const ledger = states.flatMap((changes, index) =>
      heldLedger("ops", [[{}, "planned"]]).map(({ delivery }) => ({ ...delivery, ...changes, recipient: `r${index}` })),
    );
    const troubles = channelProblems(ledger, noon + 15 * 60_000);
    expect(troubles.map(({ success, probe }) => `${success} ${probe.replace("channel/", "")}`)).toEqual(expected);
    for (const { failure } of troubles) if (failure) expect(failure.message).toMatch(/ to r\d: (451|550)$/);
  });
});
