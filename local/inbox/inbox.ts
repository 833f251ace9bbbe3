/** Shared code of the local inboxes, which stand in for mailboxes and webhooks. */

/** One notice that arrived. */
export interface Received {
  /** When it arrived, milliseconds since the epoch. */
  readonly at: number;
  readonly channel: string;
  /** The address of a mail. */
  readonly recipient?: string;
  readonly incident: string;
  readonly event: string;
  /** The sender's own id of the notice: `Message-ID` or `webhook-id`. A repeated one is counted, not kept. */
  readonly id: string;
}

/** A running inbox. It answers only after it has kept what it was sent, and knows after a restart what it has kept. */
export interface Inbox {
  /** It listens on 127.0.0.1. */
  readonly port: number;
  /** Everything kept, oldest first, earlier runs included. */
  received(): readonly Received[];
  /** Number of repeated deliveries of an ID in this run. */
  repeated(): number;
  stop(): Promise<void>;
}

/** Options of every inbox. */
export interface InboxOptions {
  /** The folder in which it keeps what arrives. */
  readonly directory: string;
  /** @default any that is free */
  readonly port?: number;
  /** Called for everything new. */
  readonly onReceive?: (received: Received) => void;
}
