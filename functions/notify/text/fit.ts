/** How a notice is made to fit what a channel takes: measured in the unit of the limit, folded until it fits, never torn. */
import type { Notice } from "../channel.ts";
import { ampleRoom, type Room, type Wording, wording } from "./notice-text.ts";

/**
 * The roomiest form of a notice that fits. Sentences of lists are folded first, and counted; then texts get shorter. State, impact,
 * since, resolved and where to find more are always said.
 * @param write the message of a wording
 * @param fits whether the channel takes it
 */
export function fitted<Message>(
  notice: Notice,
  write: (words: Wording) => Message,
  fits: (message: Message) => boolean,
): Message {
  let message = write(wording(notice, ampleRoom));
  for (const room of tighterRooms) {
    if (fits(message)) break;
    message = write(wording(notice, room));
  }
  return message;
}

/** The length of a text for limits in characters: its code points. */
export function characters(text: string): number {
  return [...text].length;
}

/** The length of a text for limits in bytes: as UTF-8. */
export function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** A text of at most `limit` code points, with `…` where its end was cut. */
export function cut(text: string, limit: number): string {
  const points = [...text];
  return points.length > limit ? `${points.slice(0, limit - 1).join("")}…` : text;
}

/** JSON without the halves of characters that cutting leaves behind, which receivers refuse. */
export function wellFormedJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === "string" ? part.replaceAll(/\p{Surrogate}/gu, "") : part));
}

/** Rooms below the ample one, each tighter than the one before. */
const tighterRooms: readonly Room[] = [
  ...Array.from({ length: ampleRoom.sentences }, (_, at) => ({
    ...ampleRoom,
    sentences: ampleRoom.sentences - 1 - at,
  })),
  ...[300, 150, 75].map((most) => ({ sentences: 0, characters: most })),
];
