/** Writes postmortems into the documents of resolved incidents: once each, when the fate of its notifications is known. */

import { isDone } from "../../../shared/documents/delivery-summary.ts";
import { incidentCollection } from "../../../shared/documents/incident.ts";
import type { Store, Value } from "../../../shared/ports.ts";
import type { EvaluatorContext } from "../commit/context.ts";
import { environmentDocument, stateCollection } from "../commit/state-collection.ts";
import { fingerprintOf, isOwnPostmortem } from "../incident/record/own-postmortem.ts";
import { decodeEnvironment, encodeEnvironment, type RecentlyResolved } from "../incident/state.ts";
import { type Account, readAccount } from "./account.ts";
import { postmortemOf } from "./postmortem.ts";

/** Maximum wait for pending notifications, in milliseconds: retries can take a day. */
const patience = 600_000;

/**
 * Writes the postmortem of an incident, unless it is too early. After a crash the document either has it or the next tick writes it. Texts
 * edited by people are left alone.
 * @returns whether nothing is left to do
 * @throws StoreError
 */
export async function writePostmortem(
  { store, mutex, plan }: Pick<EvaluatorContext, "store" | "mutex" | "plan">,
  { id, resolvedAt = 0 }: RecentlyResolved,
  now: number,
): Promise<boolean> {
  const account = await readAccount(store, id);
  const channels = plan.configuration.channels.length;
  const held = account?.deliveries.flatMap(({ held_until }) => held_until?.getTime() ?? []) ?? [];
  const from = Math.max(resolvedAt, ...held);
  if (account !== undefined && !isWhole(account, channels) && now - from < patience) return false;
  const text = account === undefined ? undefined : postmortemOf(account);
  await mutex.take(environmentDocument, () => commit(store, id, text, now));
  return true;
}

/** Returns whether the resolution was sent and no delivery is pending. Pure. */
export function isWhole({ deliveries }: Pick<Account, "deliveries">, channels: number): boolean {
  if (channels === 0) return true;
  return deliveries.some(({ event }) => event === "resolved") && deliveries.every(isDone);
}

/** Writes the text and marks it as written, in one transaction. */
function commit(store: Store, id: string, text: string | undefined, now: number): Promise<void> {
  return store.transaction(async (transaction) => {
    const environment = decodeEnvironment(await transaction.get(stateCollection, environmentDocument));
    const document = await transaction.get(incidentCollection, id);
    const recentlyResolved = (environment.recentlyResolved ?? []).map((one) =>
      one.id === id ? { ...one, reported: text === undefined ? (true as const) : fingerprintOf(text) } : one,
    );
    const before = recentlyResolved.find((one) => one.id === id)?.postmortem;
    transaction.set(stateCollection, environmentDocument, encodeEnvironment({ ...environment, recentlyResolved }, now));
    if (document === undefined || text === undefined || isTheirs(document["postmortem"], before)) return;
    transaction.update(incidentCollection, id, { postmortem: text });
  });
}

/** Returns whether people have edited the postmortem. One that was written before a relapse is outdated. */
function isTheirs(postmortem: Value | undefined, written: string | undefined): boolean {
  return typeof postmortem === "string" && postmortem !== "" && !isOwnPostmortem(postmortem, written);
}
