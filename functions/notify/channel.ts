/** The interface of a channel kind. Delivery owns what all kinds share: claims, sending, deadlines and records. */
import type { z } from "zod";
import type { Component } from "../../shared/config/model.ts";
import type { Audience } from "../../shared/config/notification.ts";
import type { TemplateTexts } from "../../shared/config/templates.ts";
import type { IncidentEvent, IncidentEventKind } from "../../shared/messages/incident-event.ts";
import type { Swimlane } from "../../shared/picture/swimlane.ts";
import type { Incoming } from "./answer/incoming.ts";
import type { AnswerAction } from "./answer/link.ts";
import type { Pace } from "./deliver/pace.ts";
import type { PageNews } from "./pages/memory.ts";
import type { Limit } from "./text/limits.ts";

/** The content of a notification: one event of one incident, with its context. Frozen when the delivery is planned. */
export interface Notice {
  /** Audience of the channel. @default engineers */
  readonly audience?: Audience;
  /** Texts from the template in the configuration. @default none */
  readonly template?: TemplateTexts;
  readonly event: IncidentEvent;
  /** The title of the environment. */
  readonly environment: string;
  /** IANA time zone for displayed times. */
  readonly timezone: string;
  /** Name of the channel. */
  readonly channel: string;
  /** Recipient, for kinds with recipients. @default all of them */
  readonly recipient?: string;
  /** All components of the environment, in configuration order. */
  readonly components: readonly Component[];
  /** Title of the root cause, and the team responsible for it. */
  readonly rootCause: { readonly title: string; readonly team?: string };
  /** Timeline of component failures; only for engineers, and only if known. */
  readonly picture?: Swimlane;
  /** URL of the incident; absent if unknown. */
  readonly url?: string;
  /** Set if `url` points to a status page. @default it points to the incident */
  readonly isPublicUrl?: true;
  /** Actions available to the reader, each with a URL that is signed on sending. @default none */
  readonly actions?: readonly NoticeAction[];
  /** Idempotency key: the same for every attempt of this delivery, and unique otherwise. Derived from incident, event, channel and recipient. */
  readonly key: string;
  /** Key of the opening notice for this reader. All notices of the incident belong to its thread. */
  readonly thread: string;
  /** Title of the incident in the first notice to this reader, so that the thread keeps its name. */
  readonly threadTitle: string;
  /**
   * How the notice is late. `late`: an opening that could not be sent before; it describes the present state. `unannounced`: the end of an
   * incident whose opening could not be sent before it was over.
   * @default on time
   */
  readonly delay?: "late" | "unannounced";
  /** Time of the all-clear sent to this reader before a relapse, RFC 3339; absent if none was sent. */
  readonly resolvedBefore?: string;
  /**
   * Whether the last notice to this reader was an all-clear that no longer holds. If so, the notice begins by saying that the incident is
   * back.
   * @default false
   */
  readonly isBack?: boolean;
}

/** An action available to the reader of a notice. */
export interface NoticeAction {
  readonly action: AnswerAction;
  /** Label of the button. */
  readonly title: string;
  readonly url: string;
}

/** Shared by messages with action links. */
interface WithLinks {
  /** URLs in the message that are signed on sending. @default none */
  readonly links?: readonly string[];
}

/** A mail, ready to send. */
export interface OutgoingMail extends WithLinks {
  readonly transport: "smtp";
  /** Version of the format. In mails without it, which older versions planned, references to secrets are not placeholders. */
  readonly v: 2;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** Message-ID of the first mail in the incident's thread; absent on the first mail. */
  readonly inReplyTo?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** URL of the server, with placeholders for secrets. */
  readonly server: { readonly url: string };
}

/**
 * An HTTP request, ready to send. `${secret:NAME}` in its URL, headers and body is a placeholder for the value of a secret, filled in on
 * sending and escaped for its position; `$${` stands for the two characters `${`.
 */
export interface OutgoingRequest extends WithLinks {
  readonly transport: "http";
  /** Version of the format. In requests without it, which older versions planned, texts have no placeholders. */
  readonly v: 2;
  readonly method: "GET" | "POST" | "PUT";
  /** A leading secret is itself a URL, to which a path and a query may be appended. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or empty. */
  readonly body: string;
  /** Adds the id and time of the request, and signs the body with every key on sending, as specified by Standard Webhooks. */
  readonly signature?: { readonly id: string; readonly keys: readonly string[] };
  /** Whether plain HTTP and private addresses are allowed. */
  readonly allowPrivate: boolean;
  /** Maximum length of the response that is read, in characters. @default the beginning, enough to show the result */
  readonly readAnswer?: number;
}

/** An update for a status page, which is then written with the present state. */
export interface OutgoingPage {
  readonly transport: "page";
  /** Channel that owns the page. */
  readonly channel: string;
  readonly news: PageNews;
}

/** A message that a channel sends. Serializable as JSON with unresolved secrets, because it is stored before it is sent. */
export type Outgoing = OutgoingMail | OutgoingRequest | OutgoingPage;

/** Response of the receiver, with its HTTP or SMTP status. */
export interface Answer {
  readonly status: number;
  /** Header names in lower case; empty for SMTP. */
  readonly headers: Readonly<Record<string, string>>;
  /** Beginning of the body, bounded and without secrets. */
  readonly body: string;
}

/**
 * A failure without a response. `code` is the system's (`ECONNREFUSED`, `ETIMEDOUT`, …), or `ESETTINGS` for settings that can never work,
 * `EPRIVATE` for an address that the channel may not reach, `ESECRET` for a secret that cannot be read.
 */
export interface NoAnswer {
  readonly error: string;
  readonly code: string;
  /** Whether it failed before the receiver could accept anything, so that the message cannot have arrived. @default derived from `code` */
  readonly unsent?: true;
  /** Whether the receiver got everything, up to the final dot of a mail, and only its response is missing. @default false */
  readonly handedOver?: true;
}

/** Result of sending: a response, or the error instead of one. */
export type Reply = Answer | NoAnswer;

/** The receiver's identifiers for a notice, so that later notices can reply to it or update it. Names and values are specific to the kind. */
export type Reference = Readonly<Record<string, string>>;

/** Result of one attempt. */
export type Attempt =
  | { readonly outcome: "delivered"; readonly answer: string; readonly reference?: Reference }
  | {
      readonly outcome: "retry";
      readonly answer: string;
      readonly afterMs?: number;
      /** The message may have arrived, but the response is missing. `once`: likely enough to have arrived that only one more attempt is made. */
      readonly unsure?: true | "once";
      /** The receiver refused it for a reason that a person can correct, such as a wrong secret. */
      readonly correctable?: true;
    }
  | { readonly outcome: "rejected"; readonly answer: string };

/** Facts known only when a notice is sent, not when it is planned. */
export interface Sending {
  /** The receiver's identifiers for the opening notice in this channel; absent if unknown, and for the opening itself. */
  readonly opening?: Reference;
  /** Number of earlier attempts. Each may have arrived, even without a response. */
  readonly attempts: number;
  /** When the notice was planned, in milliseconds since the epoch. No trace of it at the receiver can be older. */
  readonly plannedAt: number;
}

/** One kind of channel: its settings, the messages it renders (pure) and how it classifies replies (pure). */
export interface ChannelKind<Settings> {
  readonly kind: string;
  /** One sentence for the documentation and the JSON Schema. */
  readonly title: string;
  /** Settings besides `kind`. A strict object with a description on every field. */
  readonly settings: z.ZodType<Settings, unknown>;
  /** Example settings that work, in YAML, for the documentation. */
  readonly example: string;
  /** Published message limits of the service, for the JSON in the body of a request. @default unknown */
  readonly limits?: readonly Limit[];
  /** Whether its messages have a fixed form, which audiences and templates do not change. @default false */
  readonly ownForm?: true;
  /**
   * Whether the receiver is a program: it gets every event unchanged and in order, however late.
   * @default late notices describe the present state
   */
  readonly everyEvent?: true;
  /**
   * Whether everybody can read it: it receives no fire drills, and is never the fallback for another channel that notices do not reach.
   * @default false
   */
  readonly public?: true;
  /** Form of a whole incident in the service, for the documentation: `one thread, by its key`. @default "a message each" */
  readonly incidentForm?: string;
  /** Rate limit of the service. @default 60 a minute, with a burst of 10 */
  readonly pace?: Pace;
  /** Events without a counterpart in the service, which are not sent, each with the reason. */
  readonly omitted?: Readonly<Partial<Record<IncidentEventKind, string>>>;
  /**
   * Whether an opening creates something in the service that stays open until it is closed. Later notices use the settings of the opening,
   * even if the configuration has changed or the channel was removed.
   * @default false
   */
  readonly lasting?: true;
  /**
   * Whether the service cannot reopen what was closed, so that a relapse would page again. If so, the resolution is held back for as long as
   * a relapse would reopen the incident, at most ten minutes.
   * @default false
   */
  readonly closesForGood?: true;
  /** Returns the reason a channel with these settings does not receive an event; `undefined` if it does. @default every event is sent */
  omits?(settings: Settings, event: IncidentEventKind): string | undefined;
  /** Returns warnings about valid settings, each with its key. @default none */
  warnings?(settings: Settings): readonly { readonly key: string; readonly message: string }[];
  /** For public kinds: returns the URL of the page. @param folder URL of the folder in which pages are written, instead of buckets */
  readerUrl?(settings: Settings, folder: string | undefined): string;
  /** Setting that must be unique for each channel, because two channels would overwrite each other. */
  readonly owns?: string;
  /** Additional documentation, in Markdown. */
  readonly notes?: string;
  /**
   * For kinds with several recipients: returns them. Each is notified, retried and given the all-clear independently.
   * @default the channel is a single reader
   */
  recipients?(settings: Settings): readonly string[];
  /** Reads messages from the service, such as a pressed button. @default the kind only sends */
  readonly incoming?: Incoming<Settings>;
  render(settings: Settings, notice: Notice): Outgoing;
  classify(reply: Reply): Attempt;
  /**
   * For kinds that may need several requests per notice: returns the next request after these replies, or the result of the attempt. All
   * requests share the time of one attempt.
   * @default sends the rendered message and classifies the reply
   */
  converse?(outgoing: Outgoing, sending: Sending, replies: readonly Reply[]): Outgoing | Attempt;
}

/** A channel kind whose types the registry does not need to know. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds with different settings; each is called only with its own
export type AnyChannelKind = ChannelKind<any>;
