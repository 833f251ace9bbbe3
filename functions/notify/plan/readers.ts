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

/** The kind of a reader that has left the configuration. */
const gone = "";

/**
 * Returns a channel with the settings that were used before, of whatever kind it is by now: those of an opening that is lasting, and of any notice where the
 * reader has left the configuration. Otherwise, returns it as it is configured.
 */
export function asOpened(channel: ConfiguredChannel, history: readonly Delivery[], kinds: Kinds): ConfiguredChannel {
  const opening = history.find(
    (delivery) =>
      delivery.settings !== undefined &&
      isKnowing(delivery) &&
      (channel.kind === gone || ownEntry(kinds, delivery.kind)?.lasting),
  );
  if (opening?.settings === undefined) return channel;
  return { ...channel, kind: opening.kind, settings: JSON.parse(opening.settings) };
}
