/** What a kind of channel is. The delivery owns what all kinds share: claiming, sending, deadlines, recording. */
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

/** What is told: one event of one incident, with what people need to place it. Frozen when the delivery is planned. */
export interface Notice {
  /** Who reads it. @default engineers */
  readonly audience?: Audience;
  /** What is said in words of the configuration. @default nothing */
  readonly template?: TemplateTexts;
  readonly event: IncidentEvent;
  /** The title of the environment. */
  readonly environment: string;
  /** IANA zone in which people read times. */
  readonly timezone: string;
  /** Name of the channel that is told. */
  readonly channel: string;
  /** Of a kind with recipients: the one that is told. @default all of them */
  readonly recipient?: string;
  /** Every component of the environment, in the order of the configuration. */
  readonly components: readonly Component[];
  /** What the root cause is called, and who must act on it. */
  readonly rootCause: { readonly title: string; readonly team?: string };
  /** When what failed; for engineers, where it is known. */
  readonly picture?: Swimlane;
  /** Where people find the incident; absent where that is not known. */
  readonly url?: string;
  /** Whether that leads to a status page. @default to the incident */
  readonly isPublicUrl?: true;
  /** What its reader can do about the incident, each with an address that is signed when it is sent. @default nothing */
  readonly actions?: readonly NoticeAction[];
  /** The same for every attempt of this delivery, and for no other: derived from incident, event, channel and recipient. */
  readonly key: string;
  /** The key of the opening for this reader, which everything told of the incident belongs to. */
  readonly thread: string;
  /** What the incident was called when this reader first heard of it, so that its thread keeps one name. */
  readonly threadTitle: string;
  /**
   * How it is late. `late`: an opening that could not be told before, and tells how things stand by now. `unheard`: an end whose beginning could not
   * be told before it was over. @default it is told in time
   */
  readonly delay?: "late" | "unheard";
  /** When the all-clear was told to this reader before the incident came back, RFC 3339; absent where it was not. */
  readonly resolvedBefore?: string;
  /** Whether the last that this reader heard is that it is over: whatever is told now begins with that it is not. @default false */
  readonly isBack?: boolean;
}

/** Something that the reader of a notice can do. */
export interface NoticeAction {
  readonly action: AnswerAction;
  /** What its button is called. */
  readonly title: string;
  readonly url: string;
}

/** What messages have that lead to answers. */
interface WithLinks {
  /** Addresses in it that are signed at the moment of sending. @default there are none */
  readonly links?: readonly string[];
}

/** A mail, ready to be sent. */
export interface OutgoingMail extends WithLinks {
  readonly transport: "smtp";
  /** In mails without it, which older versions planned, references to secrets are no placeholders. */
  readonly v: 2;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** The Message-ID that the thread of the incident starts with; absent on the first mail. */
  readonly inReplyTo?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address of the server, with placeholders of secrets. */
  readonly server: { readonly url: string };
}

/**
 * An HTTP request, ready to be sent. `${secret:NAME}` in its address, its headers and its body stands for the value of a secret, which is
 * filled in at the moment of sending, escaped for its place; `$${` stands for the two characters `${`.
 */
export interface OutgoingRequest extends WithLinks {
  readonly transport: "http";
  /** In requests without it, which older versions planned, texts have no placeholders. */
  readonly v: 2;
  readonly method: "GET" | "POST" | "PUT";
  /** A secret at its beginning is an address itself, to which a path and a query may be added. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or empty. */
  readonly body: string;
  /** States id and time of the request, and signs the body with every key, by Standard Webhooks, at the moment of sending. */
  readonly signature?: { readonly id: string; readonly keys: readonly string[] };
  /** Plain http and private addresses are refused unless the channel allows them. */
  readonly allowPrivate: boolean;
  /** How much of the answer is read, in characters. @default its beginning, which is enough to say how it went */
  readonly readAnswer?: number;
}

/** News for a status page, which is then written as things stand. */
export interface OutgoingPage {
  readonly transport: "page";
  /** The channel whose page it is. */
  readonly channel: string;
  readonly news: PageNews;
}

/** What a channel sends. JSON, with secrets unresolved, because it is stored before it is sent. */
export type Outgoing = OutgoingMail | OutgoingRequest | OutgoingPage;

/** What the other side answered: a status of HTTP or SMTP. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; empty for SMTP. */
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of it, bounded and free of secrets. */
  readonly body: string;
}

/**
 * What stood in the place of an answer. `code` is that of the system (`ECONNREFUSED`, `ETIMEDOUT`, …), or `ESETTINGS` for settings
 * with which nothing can ever be sent, `EPRIVATE` for an address that the channel may not reach, `ESECRET` for a secret that cannot be
 * read.
 */
export interface NoAnswer {
  readonly error: string;
  readonly code: string;
  /** Whether it ended before the other side could take anything: it cannot have arrived. @default as `code` has it */
  readonly unsent?: true;
  /** Whether the other side took everything, up to the final dot of a mail, and owes only its answer. @default false */
  readonly handedOver?: true;
}

/** What came back from sending: an answer, or the error that stood in its place. */
export type Reply = Answer | NoAnswer;

/** What the other side calls a notice, so that later ones can answer it or change it: names and values of its own. */
export type Reference = Readonly<Record<string, string>>;

/** How one attempt ended. */
export type Attempt =
  | { readonly outcome: "delivered"; readonly answer: string; readonly reference?: Reference }
  | {
      readonly outcome: "retry";
      readonly answer: string;
      readonly afterMs?: number;
      /** It may have arrived nevertheless, only the answer is missing. `once`: so probably that it is tried only once more. */
      readonly unsure?: true | "once";
      /** It was refused for what a person can correct, such as a wrong secret. */
      readonly correctable?: true;
    }
  | { readonly outcome: "rejected"; readonly answer: string };

/** What is known when a notice is sent, and was not when it was planned. */
export interface Sending {
  /** What the other side calls the opening of the incident in this channel; absent where that is not known, and for the opening itself. */
  readonly opening?: Reference;
  /** How many attempts there were before this one. Each may have arrived, although no answer came. */
  readonly attempts: number;
  /** When the notice was planned, in milliseconds since the epoch: nothing of it can be older. */
  readonly plannedAt: number;
}

/** One kind of channel: its settings, what it sends (pure) and how it reads the answer (pure). */
export interface ChannelKind<Settings> {
  readonly kind: string;
  /** One sentence for the documentation and the JSON Schema. */
  readonly title: string;
  /** What the kind reads besides `kind`. A strict object with a description on every field. */
  readonly settings: z.ZodType<Settings, unknown>;
  /** A working example of the settings, in YAML, for the documentation. */
  readonly example: string;
  /** What its service takes of a message at most, as it publishes it: of the JSON in the body of a request. @default nothing is known */
  readonly limits?: readonly Limit[];
  /** What it sends has a form of its own, which neither audiences nor templates change. @default false */
  readonly ownForm?: true;
  /** A program listens: it gets every event as it was, in order, however late. @default late news are told as things stand by then */
  readonly everyEvent?: true;
  /** Everybody reads it: it is told of no fire drill, and only by a route that notices do not reach another channel. @default false */
  readonly public?: true;
  /** How an incident looks there as a whole, for the documentation: `one thread, by its key`. @default "a message each" */
  readonly incidentForm?: string;
  /** How much its service takes. @default 60 a minute, and 10 at once */
  readonly pace?: Pace;
  /** The events that have no counterpart on the other side and are not told there, each with the reason. */
  readonly omitted?: Readonly<Partial<Record<IncidentEventKind, string>>>;
  /**
   * An opening opens something on the other side that stays open until it is closed. What follows goes the way of the opening, with its
   * settings, whatever the configuration says by now, and even where the channel has left it. @default false
   */
  readonly lasting?: true;
  /**
   * What was closed there cannot be opened again: a relapse would be another page. So its resolution is held for as long as a relapse re-opens
   * the incident, at most ten minutes. @default false
   */
  readonly closesForGood?: true;
  /** Why a channel with these settings is not told of an event; `undefined` where it is. @default it is */
  omits?(settings: Settings, event: IncidentEventKind): string | undefined;
  /** What is doubtful about right settings, with the key that it is about. @default nothing */
  doubts?(settings: Settings): readonly { readonly key: string; readonly message: string }[];
  /** Of a kind that everybody reads: where. @param folder the folder of URLs below which pages are written, in place of buckets */
  readerUrl?(settings: Settings, folder: string | undefined): string;
  /** The setting of which each channel needs a value of its own, because two would write over each other. */
  readonly owns?: string;
  /** More for the documentation, in Markdown. */
  readonly notes?: string;
  /**
   * Of a kind whose channels have several recipients: who they are. Each hears, is tried again and gets the all-clear independently of the
   * others. @default the channel is told as one
   */
  recipients?(settings: Settings): readonly string[];
  /** How it takes in what its service sends back, such as a button that was pressed. @default it only sends */
  readonly incoming?: Incoming<Settings>;
  render(settings: Settings, notice: Notice): Outgoing;
  classify(reply: Reply): Attempt;
  /**
   * Of a kind that may need more than one request for a notice: what it asks next, after these replies, or how the attempt has ended. All
   * requests together have the time of one attempt. @default it sends what was rendered, and classifies the reply
   */
  converse?(outgoing: Outgoing, sending: Sending, replies: readonly Reply[]): Outgoing | Attempt;
}

/** A channel kind whose types the registry does not need to know. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds with different settings; each is called only with its own
export type AnyChannelKind = ChannelKind<any>;
