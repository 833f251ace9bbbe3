/** The tick: time as a message, on the topic `ticks`, once a minute. Its instant is the publish time of the message. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";

const tickSchema = lazily(() => z.object({ v: z.literal(1), environment: z.string() }));

/** Asks the evaluator to look at what only the passing of time changes. */
export type Tick = z.output<ReturnType<typeof tickSchema>>;

/**
 * Reads a tick from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseTick(data: unknown): Tick {
  return parseMessage("tick", tickSchema(), data);
}
