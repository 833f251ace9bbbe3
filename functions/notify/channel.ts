/** What a kind of channel is. The delivery owns what all kinds share: claiming, sending, deadlines, recording. */
import type { z } from "zod";
import type { SecretReference } from "../../shared/config/fields.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";

/** What is told: one event of one incident, and what the environment is called. Frozen when the delivery is planned. */
export interface Notice {
  readonly event: IncidentEvent;
  /** The title of the environment. */
  readonly environment: string;
  /** IANA zone in which people read times. */
  readonly timezone: string;
  /** The same for every attempt of this delivery, and for no other: derived from incident, event and channel. */
  readonly key: string;
}

/** A mail, ready to be sent. */
export interface OutgoingMail {
  readonly transport: "smtp";
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** The Message-ID that the thread of the incident starts with; absent on the first mail. */
  readonly inReplyTo?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly server: { readonly url: SecretReference | string };
}

/** An HTTP request, ready to be sent. */
export interface OutgoingRequest {
  readonly transport: "http";
  readonly method: "POST" | "PUT";
  readonly url: SecretReference | string;
  readonly headers: Readonly<Record<string, SecretReference | string>>;
  readonly body: string;
  /** Signs the body at the moment of sending, by Standard Webhooks. */
  readonly signature?: { readonly id: string; readonly keys: readonly SecretReference[] };
  /** Plain http and private addresses are refused unless the channel allows them. */
  readonly allowPrivate: boolean;
}

/** What a channel sends. JSON, with secrets unresolved, because it is stored before it is sent. */
export type Outgoing = OutgoingMail | OutgoingRequest;

/** What came back from sending: an answer, or the error that stood in its place. */
export type Reply =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly error: string; readonly code: string };

/** How one attempt ended. */
export type Attempt =
  | { readonly outcome: "delivered"; readonly answer: string }
  | { readonly outcome: "retry"; readonly answer: string; readonly afterMs?: number }
  | { readonly outcome: "rejected"; readonly answer: string };

/** One kind of channel: its settings, what it sends (pure) and how it reads the answer (pure). */
export interface ChannelKind<Settings> {
  readonly kind: string;
  /** One sentence for the documentation and the JSON Schema. */
  readonly title: string;
  /** What the kind reads besides `kind`. A strict object with a description on every field. */
  readonly settings: z.ZodType<Settings, unknown>;
  /** A working example of the settings, in YAML, for the documentation. */
  readonly example: string;
  render(settings: Settings, notice: Notice): Outgoing;
  classify(reply: Reply): Attempt;
}

/** A channel kind whose types the registry does not need to know. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds with different settings; each is called only with its own
export type AnyChannelKind = ChannelKind<any>;
