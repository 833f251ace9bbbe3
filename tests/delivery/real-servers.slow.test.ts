/**
 * Sends notifications through real servers on this machine, with a notifier that crashes at every step. On connections that are refused,
 * reset and left hanging, each notification is delivered, or given up for a stated reason. `PATHKEEPER_SIMULATION_SEED=N npx vitest run
 * tests/delivery` plays another seed.
 */
import { expect, it, vi } from "vitest";
import { Random } from "../simulation/random.ts";
import type { Moment } from "../support/faulty-ports.ts";
import { seed } from "../support/seed.ts";
import { shopWith } from "../support/shop.ts";
import { runDelivery, violations } from "./delivery.ts";
import { openServers } from "./servers.ts";

const repeat = `repeat with PATHKEEPER_SIMULATION_SEED=${seed} npx vitest run tests/delivery`;

vi.setConfig({ testTimeout: 600_000 });

const moments: readonly Moment[] = ["before", "after"];

it("delivers notifications over connections that are refused, reset or left hanging", async () => {
  const chance = new Random(`${seed}/wire`);
  await using servers = await openServers();
  const configuration = shopWith(`
channels:
  hook-a: { kind: webhook, url: ${servers.http}/hook-a, allow_private: true }
  hook-b: { kind: webhook, url: ${servers.http}/hook-b, allow_private: true, cloudevents: binary }
  infra: { kind: email, to: [infra@example.com, ann@example.com], server: ${servers.smtp} }
  boss: { kind: email, to: [boss@example.com], server: ${servers.smtp}, audience: executives }
routes:
  - { channels: [hook-a, hook-b, infra, boss] }
`);
  const fate = (): Moment | undefined => (chance.chance(0.03) ? moments[chance.below(2)] : undefined);
  const outcome = await runDelivery(chance, 8, fate, { configuration, transport: servers.transport });
  expect([...(await violations(outcome)), ...servers.violations], repeat).toEqual([]);
  const attempts = [...outcome.receivers.values()].map((receiver) => receiver.attempts);
  expect(Math.min(...attempts), repeat).toBeGreaterThan(20);
});
