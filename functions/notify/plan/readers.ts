/** Who may hear of an event: the channels of the configuration, each recipient of those that have several, and whoever was told before. Pure. */

import type { Configuration, ConfiguredChannel } from "../../../shared/config/model.ts";
import { readerName } from "../../../shared/documents/delivery-summary.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { AnyChannelKind } from "../channel.ts";
import { type Delivery, isKnowing, type LedgerEntry } from "../deliver/ledger.ts";

type Kinds = Readonly<Record<string, AnyChannelKind>>;

/** A channel, or one of its recipients, for whom it is decided whether they are told. */
export interface Candidate {
  readonly channel: ConfiguredChannel;
  readonly recipient?: string;
}

/**
 * Returns every configured reader.
 * @param withFormer whether those follow who were told and have left the configuration since
 */
export function candidates(
  {
    configuration,
    kinds,
    ledger,
  }: {
    readonly configuration: Configuration;
    readonly kinds: Kinds;
    /** Everything that the ledger holds on the incident. */
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
    const candidate = { channel: { ...channel, kind: gone, settings: {} } };
    former.set(readerName(delivery), recipient === undefined ? candidate : { ...candidate, recipient });
  }
  return [...configured, ...former.values()];
}

/** Returns the recipients of a channel; none where the channel is told as one, or its settings are invalid. */
export function recipientsOf({ kind, settings }: ConfiguredChannel, kinds: Kinds): readonly string[] {
  const known = ownEntry(kinds, kind);
  if (known?.recipients === undefined) return [];
  const parsed = known.settings.safeParse(settings);
  return parsed.success ? known.recipients(parsed.data) : [];
}

/** Whether the readers of a channel may act on incidents: engineers may, unless the channel says otherwise, and never everybody. */
export function mayAct({ kind, audience = "engineers", mayAct: allowed }: ConfiguredChannel, kinds: Kinds): boolean {
  const known = ownEntry(kinds, kind);
  return known !== undefined && !known.public && (allowed ?? audience === "engineers");
}

/** The kind of a reader that has left the configuration. */
const gone = "";

/**
 * Returns a channel as it was when the reader heard of the incident, of whatever kind it is by now: where the reader has left the configuration, where what was
 * opened there stays open until it is closed, and at the end of the incident, which is owed to whoever heard of it. Otherwise, returns it as it is configured.
 * A configured recipient is reached by the settings of now.
 */
export function asOpened(
  { channel, recipient }: Candidate,
  history: readonly Delivery[],
  kinds: Kinds,
  isAllClear: boolean,
): ConfiguredChannel {
  const opening = history.find((delivery) => delivery.settings !== undefined && isKnowing(delivery));
  if (opening?.settings === undefined) return channel;
  const isBound = channel.kind === gone || ownEntry(kinds, opening.kind)?.lasting === true;
  const isOwed = isAllClear && recipient === undefined && opening.recipient === undefined;
  return isBound || isOwed ? { ...channel, kind: opening.kind, settings: JSON.parse(opening.settings) } : channel;
}
