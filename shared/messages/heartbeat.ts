/** A beat: something that reports to us by itself, one message on the topic `heartbeats`. Its instant is the publish time of the message. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";

/** Written by people in scripts, so that as little as possible must be written: `{"name": "nightly-backup"}`. */
const beatSchema = lazily(() =>
  z.object({
    v: z.literal(1).optional(),
    /** Whose beat it is, as the setting `beat` of a probe of the kind heartbeat names it. */
    name: z.string().min(1).max(200),
    /** Whether the job succeeded. */
    ok: z.boolean().default(true),
    /** Remark of the job. */
    message: z.string().optional(),
    /** The environment that it is for; without it, any that expects the name. */
    environment: z.string().optional(),
  }),
);

/** Says that something ran, and how it went. */
export type Heartbeat = z.output<ReturnType<typeof beatSchema>>;

/**
 * Reads a beat from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseHeartbeat(data: unknown): Heartbeat {
  return parseMessage("beat", beatSchema(), data);
}
