/** The possible readers of an event: the configured channels, each recipient of those with several, and readers notified before. Pure. */

import type { Configuration, ConfiguredChannel } from "../../../shared/config/model.ts";
import { readerName } from "../../../shared/documents/delivery-summary.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { AnyChannelKind } from "../channel.ts";
import { type Delivery, type LedgerEntry, mayReachReader } from "../deliver/ledger.ts";

type Kinds = Readonly<Record<string, AnyChannelKind>>;

/** A channel, or one of its recipients, considered for notification. */
export interface Candidate {
  readonly channel: ConfiguredChannel;
  readonly recipient?: string;
}

/** Returns every configured reader. @param withFormer whether to add notified readers that have since left the configuration */
export function candidates(
  {
    configuration,
    kinds,
    ledger,
  }: {
    readonly configuration: Configuration;
    readonly kinds: Kinds;
    /** All ledger entries of the incident. */
    readonly ledger: readonly LedgerEntry[];
  },
  withFormer: boolean,
): Candidate[] {
  const configured = configuration.channels.flatMap((channel): Candidate[] => {
    const recipients = recipientsOf(channel, kinds);
    return recipients.length === 0 ? [{ channel }] : recipients.map((recipient) => ({ channel, recipient }));
  });
  if (!withFormer) return configured;
  const former = new Map<string, Candidate>();
  for (const { delivery } of ledger) {
    const { channel: name, recipient } = delivery;
    const isConfigured = ({ channel, ...one }: Candidate): boolean =>
      channel.name === name && (recipient === undefined || recipient === one.recipient);
    if (configured.some(isConfigured)) continue;
    const channel = configuration.channels.find((one) => one.name === name) ?? { name };
    const candidate = { channel: { ...channel, kind: removedKind, settings: {} } };
    former.set(readerName(delivery), recipient === undefined ? candidate : { ...candidate, recipient });
  }
  return [...configured, ...former.values()];
}

/** Returns the recipients of a channel; empty if the channel is a single reader, or its settings are invalid. */
export function recipientsOf({ kind, settings }: ConfiguredChannel, kinds: Kinds): readonly string[] {
  const known = ownEntry(kinds, kind);
  if (known?.recipients === undefined) return [];
  const parsed = known.settings.safeParse(settings);
  return parsed.success ? known.recipients(parsed.data) : [];
}

/** Returns whether the readers of a channel may act on incidents: engineers may, unless the channel says otherwise; the public never may. */
export function mayAct({ kind, audience = "engineers", mayAct: allowed }: ConfiguredChannel, kinds: Kinds): boolean {
  const known = ownEntry(kinds, kind);
  return known !== undefined && !known.public && (allowed ?? audience === "engineers");
}

/** Kind of a reader that has left the configuration. */
const removedKind = "";

/**
 * Returns a channel as it was when the reader was notified of the incident, whatever its present kind, in three cases: the reader has left
 * the configuration; the opening created something that stays open until it is closed; or the incident ends, which every notified reader
 * must learn. Otherwise, returns it as configured. A configured recipient is reached with the present settings.
 */
export function asNotified(
  { channel, recipient }: Candidate,
  history: readonly Delivery[],
  kinds: Kinds,
  isAllClear: boolean,
): ConfiguredChannel {
  const opening = history.find((delivery) => delivery.settings !== undefined && mayReachReader(delivery));
  if (opening?.settings === undefined) return channel;
  const isBound = channel.kind === removedKind || ownEntry(kinds, opening.kind)?.lasting === true;
  const isOwed = isAllClear && recipient === undefined && opening.recipient === undefined;
  return isBound || isOwed ? { ...channel, kind: opening.kind, settings: JSON.parse(opening.settings) } : channel;
}
