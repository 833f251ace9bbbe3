/** Invariants of notices: every reader is notified once, in order, and of the end. */
import { type Delivery, mayHaveArrived } from "../../../functions/notify/deliver/ledger.ts";
import { includedInResolution, resolvedBeforeAnnounced } from "../../../functions/notify/deliver/order.ts";
import { isAbout } from "../../../functions/notify/deliver/self-report.ts";
import { revokedByRelapse } from "../../../functions/notify/plan/relapse.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import { routesTo } from "../../../shared/routes.ts";
import type { Outcome } from "../outcome.ts";
import { hasFault, isOf, isUnfinished } from "./reading.ts";

export function unnotifiedReaders(outcome: Outcome): string[] {
  const isSilenced = outcome.schedule.faults.some(
    (fault) => fault.fault === "edit" && fault.edit.silenceMs !== undefined,
  );
  if (isSilenced || hasFault(outcome, "configuration change")) return [];
  const { routes } = outcome.scenario.plan.configuration;
  const openings = [...outcome.events.values()].filter(({ event }) => event === "opened");
  return byReader(outcome).flatMap(({ name, reader, entries, received }) =>
    openings.flatMap((opening) => {
      if (isUnfinished(outcome, opening.incident) || isAbout(opening, reader)) return [];
      if (routesTo(reader.channel, opening, routes).length === 0) return [];
      if (received.some(({ delivery }) => delivery.incident === opening.incident)) return [];
      const own = entries.filter(({ incident }) => incident === opening.incident);
      // A receiver may reject a notice, and nobody is paged for a resolved incident.
      const isExcused = own.some(({ status, reason }) => status === "rejected" || reason === resolvedBeforeAnnounced);
      const why = own.map(({ event, status, reason }) => `${event} is ${status}, ${reason}`).join("; ");
      return isExcused ? [] : [`${name} never heard of ${opening.incident}: ${why}`];
    }),
  );
}

export function unendedReaders(outcome: Outcome): string[] {
  return byReader(outcome).flatMap(({ name, entries, received }) =>
    [...Map.groupBy(received, ({ delivery }) => delivery.incident)].flatMap(([incident, arrivals]) => {
      if (isUnfinished(outcome, incident)) return [];
      const own = entries.filter((entry) => entry.incident === incident);
      const end = own.filter(({ event }) => event === "resolved").at(-1);
      if (end === undefined) return [`${name} heard of ${incident}, and its end is not even planned`];
      const last = arrivals.reduce((newest, one) => (one.delivery.sequence > newest.delivery.sequence ? one : newest));
      // A reader notified of the end, and not of the relapse, has the correct state in the end.
      if (last.delivery.event === "resolved") return [];
      const cameBack = own.some(({ event, sequence }) => event === "regressed" && sequence > end.sequence);
      // A receiver may reject the resolution.
      if (end.status === "rejected" || (end.reason === revokedByRelapse && cameBack)) return [];
      return [`${name} heard of ${incident}, and not that it is over: ${end.status}, ${end.reason}`];
    }),
  );
}

export function outOfOrder(outcome: Outcome): string[] {
  return byReader(outcome).flatMap(({ name, entries, received }) => {
    const wrong: string[] = [];
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { delivery, notice } of received) {
      if (seen.has(notice)) continue;
      seen.add(notice);
      const { incident, event, sequence } = delivery;
      const before = last.get(incident) ?? 0;
      const own = entries.filter((other) => other.incident === incident && other !== delivery);
      // Without a response, only the receiver knows that nothing arrived.
      const isUnsure = own.some(mayHaveArrived);
      const isBoth = own.some(({ reason }) => reason === includedInResolution);
      if (sequence < before) wrong.push(`${name} heard of ${event} of ${incident} after what came later`);
      if (event === "resolved" && before === 0 && !isUnsure && !isBoth)
        wrong.push(`${name} heard that ${incident} is over, and not that it began`);
      last.set(incident, Math.max(before, sequence));
    }
    return wrong;
  });
}

export function duplicates(outcome: Outcome): string[] {
  const wrong: string[] = [];
  const keys = new Map<string, string>();
  for (const [delivery, sent] of Map.groupBy(outcome.sent, (one) => one.delivery)) {
    const first = sent.find(({ concludedAt }) => concludedAt !== undefined);
    // An earlier claim could not know of it.
    const late = sent.find(({ claimedAt }) => claimedAt > (first?.concludedAt ?? Number.POSITIVE_INFINITY));
    if (late !== undefined) wrong.push(`${delivery} was sent again after whoever had sent it was done with it`);
    const own = new Set(sent.map(({ key }) => key));
    const [key] = own;
    if (own.size > 1) wrong.push(`${delivery} was sent with the keys ${[...own].join(", ")}`);
    else if (key !== undefined) {
      const other = keys.get(`${sent[0]?.reader} ${key}`);
      if (other !== undefined) wrong.push(`${delivery} and ${other} have the same key ${key}`);
      keys.set(`${sent[0]?.reader} ${key}`, delivery);
    }
    const isTaken = (one: (typeof sent)[number]): boolean =>
      one.failure === undefined || one.failure.startsWith("answer");
    const taken = sent.filter(isTaken);
    if (key !== undefined) {
      const notices = new Set(taken.map(({ notice }) => notice));
      if (notices.size > 1) wrong.push(`${delivery} was told in ${notices.size} versions`);
      continue;
    }
    if (
      taken.length > 1 &&
      taken.slice(0, -1).some(({ failure }) => failure === undefined) &&
      !isLeaseAtRisk(outcome) &&
      !hasFault(outcome, "death")
    )
      wrong.push(`${delivery} was sent again after its receiver had said that it has it`);
  }
  return wrong;
}

export function concurrentAttempts(outcome: Outcome): string[] {
  if (isLeaseAtRisk(outcome)) return [];
  return [...Map.groupBy(outcome.sent, ({ delivery }) => delivery)].flatMap(([delivery, sent]) => {
    const overlap = sent.some(({ to = Number.POSITIVE_INFINITY }, place) => {
      const next = sent[place + 1];
      return next !== undefined && next.from < to;
    });
    return overlap ? [`${delivery} was sent by two instances at the same time`] : [];
  });
}

export function ledgerMismatches(outcome: Outcome): string[] {
  return [...outcome.ledger].flatMap(([id, delivery]) => {
    const { status, reason, attempt_count: count } = delivery;
    const sent = outcome.sent.filter((one) => one.delivery === id);
    const arrived = sent.some(({ failure }) => failure === undefined || failure.startsWith("answer"));
    if (status === "delivered" && !arrived) return [`${id} is delivered, and did not arrive`];
    if (status !== "delivered" && sent.some(({ concludedAt }) => concludedAt !== undefined))
      return [`${id} was accepted, and is ${status}: ${reason}`];
    if (status === "suppressed" && count === 0 && arrived && !isLeaseAtRisk(outcome))
      return [`${id} is suppressed (${reason}), and arrived`];
    if (status === "rejected" && sent.every(({ failure }) => failure === undefined))
      return [`${id} is rejected, and every attempt was accepted: ${reason}`];
    if (status !== "delivered" && reason.trim() === "") return [`${id} is ${status} without a reason`];
    return [];
  });
}

/** Returns whether a live instance may lose a claim: because of a clock, or because the claim cannot be renewed. */
function isLeaseAtRisk(outcome: Outcome): boolean {
  return (["clock jump", "store outage", "refusal", "lost answer", "contention", "stall"] as const).some((fault) =>
    hasFault(outcome, fault),
  );
}

interface ReaderRecord {
  readonly name: string;
  readonly reader: Reader;
  readonly entries: readonly Delivery[];
  readonly received: readonly { readonly delivery: Delivery; readonly notice: string }[];
}

/** Returns the notifications that each reader received, in order, and its ledger entries. */
function byReader(outcome: Outcome): ReaderRecord[] {
  const deliveryOf = new Map(outcome.sent.map(({ reader, notice, delivery }) => [`${reader} ${notice}`, delivery]));
  return [...outcome.readers].map(([name, reader]) => {
    const arrivals = outcome.receivers.get(name)?.arrivals ?? [];
    return {
      ...{ name, reader },
      entries: [...outcome.ledger.values()].filter((one) => isOf(one, reader)).sort((a, b) => a.sequence - b.sequence),
      received: arrivals.flatMap(({ notice }) => {
        const delivery = outcome.ledger.get(deliveryOf.get(`${name} ${notice}`) ?? "");
        return delivery === undefined ? [] : [{ delivery, notice }];
      }),
    };
  });
}
