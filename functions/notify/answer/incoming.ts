/** Messages that services send back, such as a pressed button or an alert acknowledged there. Each kind of channel reads its own. */
import type { AnswerAction } from "./link.ts";

/** An unverified request, as received. */
export interface AnswerRequest {
  readonly method: string;
  /** Path below the base URL for answers, without a query: `/channels/ops`. */
  readonly path: string;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Raw bytes of the body, because signatures cover the bytes. */
  readonly body: Uint8Array;
}

/** An action that somebody took in another service. */
export interface IncomingAct {
  readonly action: AnswerAction;
  readonly incident: string;
  /** Name of the person, as the service gives it. */
  readonly by: string;
  /** Id of the message: the same for every repetition, and unique otherwise. */
  readonly id: string;
  /** Time of the action, in milliseconds since the epoch. @default the time of receipt */
  readonly doneAt?: number;
  /** Where and in which form the service expects the result. @default only the response status */
  readonly reply?: { readonly url: string; body(sentence: string): object };
}

/** Reads the messages that the service of a channel kind sends. Pure. */
export interface Incoming<Settings> {
  /** Name of the setting with the secret that authenticates the service. A channel without it accepts no messages. */
  readonly setting: string;
  /** Names the service at the end of a sentence: `in Slack`. */
  via(settings: Settings): string;
  /**
   * Reads a message.
   * @param secret value of the secret
   * @param now milliseconds since the epoch
   * @returns `refused` if the credentials are missing, wrong or expired; `ignored` if the message asks for no change to an incident
   */
  read(request: AnswerRequest, secret: string, now: number, settings: Settings): IncomingAct | "refused" | "ignored";
}

/** Parses JSON from an authenticated service; `undefined` if it is invalid. */
export function jsonOf(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
