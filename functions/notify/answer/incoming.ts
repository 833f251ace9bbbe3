/** What services send back: a button that was pressed, an alert that was acknowledged there. Each kind of channel reads its own. */
import type { AnswerAction } from "./link.ts";

/** A request as it came, before anything of it is believed. */
export interface AnswerRequest {
  readonly method: string;
  /** Below the address at which answers are taken, without a query: `/channels/ops`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes of the body: signatures are made over them. */
  readonly body: Uint8Array;
}

/** What somebody did in another service. */
export interface IncomingAct {
  readonly action: AnswerAction;
  readonly incident: string;
  /** Who did it, as the service calls them. */
  readonly by: string;
  /** The same for every repetition of the message, and for no other. */
  readonly id: string;
  /** When it was done, in milliseconds since the epoch. @default when it came */
  readonly doneAt?: number;
  /** Where and how the service wants to be told what came of it. @default only by the status of the answer */
  readonly reply?: { readonly url: string; body(sentence: string): object };
}

/** How a kind of channel takes in what its service sends. Pure. */
export interface Incoming<Settings> {
  /** The setting that holds the secret with which the service proves who it is. Without it the channel takes nothing in. */
  readonly setting: string;
  /** How it was done, as the end of a sentence: `in Slack`. */
  via(settings: Settings): string;
  /**
   * Reads a message.
   * @param secret the value of the secret
   * @param now milliseconds since the epoch
   * @returns `refused` where the proof is missing, wrong or old; `ignored` for what asks nothing of an incident
   */
  read(request: AnswerRequest, secret: string, now: number, settings: Settings): IncomingAct | "refused" | "ignored";
}

/** Reads JSON of a service that has proved who it is; `undefined` where it is none. */
export function jsonOf(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
