/**
 * Thousands of notices, and ten thousand in `npm run simulate`, through channels that fail at random in every way, told by functions that die at every step: each arrives, or is given
 * up for a stated cause; none arrives twice where its channel has an idempotency key; no all-clear comes before its opening; and the ledger
 * agrees with the logs of the receivers.
 *
 * `PATHKEEPER_SIMULATION_SEED=N npx vitest run tests/simulation/telling` plays another one.
 */
import { describe, expect, it, vi } from "vitest";
import { seed } from "../support/seed.ts";
import { shopWith } from "../support/shop.ts";
import type { Moment } from "./faults.ts";
import { Random } from "./random.ts";
import { played, wrongs } from "./telling.ts";
import { openWire } from "./wire.ts";

const repeat = `repeat with PATHKEEPER_SIMULATION_SEED=${seed} npx vitest run tests/simulation/telling`;

vi.setConfig({ testTimeout: 600_000 });

const moments: readonly Moment[] = ["before", "after"];

const runs = process.env["PATHKEEPER_SIMULATION_RUNS"] === undefined ? 8 : 30;

describe("thousands of notices", () => {
  const totals = { notices: 0, delivered: 0, rejected: 0, suppressed: 0, attempts: 0, crashes: 0, copies: 0 };

  // Functions die over one step in a hundred, in twenty five, in ten, or in four: before it has happened, or after.
  it.each(Array.from({ length: runs }, (_, run) => run + 1))("run %i", async (run) => {
    const chance = new Random(`${seed}/${run}`);
    const share = [0.01, 0.04, 0.1, 0.25][run % 4] ?? 0;
    const outcome = await played(chance, 8, () => (chance.chance(share) ? moments[chance.below(2)] : undefined));
    expect(await wrongs(outcome), repeat).toEqual([]);
    const told = outcome.ledger.filter(({ delivery }) => delivery.payload !== undefined);
    totals.notices += told.length;
    for (const { delivery } of told) {
      if (delivery.status === "delivered" || delivery.status === "rejected" || delivery.status === "suppressed")
        totals[delivery.status] += 1;
    }
    for (const receiver of outcome.receivers.values()) {
      totals.attempts += receiver.attempts;
      totals.copies += receiver.arrivals.length - new Set(receiver.arrivals.map(({ notice }) => notice)).size;
    }
    totals.crashes += outcome.faults.crashes;
  });

  it("were that many, and most of them arrived", () => {
    process.stdout.write(`${JSON.stringify(totals)}; ${repeat}\n`);
    expect(totals.notices).toBeGreaterThanOrEqual(runs * 334);
    // What an hour of silence has overtaken is not told any more; what a receiver will never take is one in a hundred attempts.
    expect(totals.delivered / totals.notices).toBeGreaterThan(0.8);
    expect(totals.rejected / totals.notices).toBeLessThan(0.03);
    expect(totals.crashes).toBeGreaterThan(runs * 34);
  });
});

describe("through real servers", () => {
  it("all of it holds on connections that are refused, reset and left hanging", async () => {
    const chance = new Random(`${seed}/wire`);
    await using wire = await openWire(chance);
    const configuration = shopWith(`
channels:
  hook-a: { kind: webhook, url: ${wire.http}/hook-a, allow_private: true }
  hook-b: { kind: webhook, url: ${wire.http}/hook-b, allow_private: true, cloudevents: binary }
  infra: { kind: email, to: [infra@example.com, ann@example.com], server: ${wire.smtp} }
  boss: { kind: email, to: [boss@example.com], server: ${wire.smtp}, audience: executives }
routes:
  - { channels: [hook-a, hook-b, infra, boss] }
`);
    const fate = (): Moment | undefined => (chance.chance(0.03) ? moments[chance.below(2)] : undefined);
    const outcome = await played(chance, 8, fate, { configuration, carry: wire.carry });
    expect([...(await wrongs(outcome)), ...wire.wrong], repeat).toEqual([]);
    const attempts = [...outcome.receivers.values()].map((receiver) => receiver.attempts);
    expect(Math.min(...attempts), repeat).toBeGreaterThan(20);
  });
});
