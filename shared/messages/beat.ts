/** A beat: something that reports to us by itself, one message on the topic `heartbeats`. Its instant is the publish time of the message. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";

/** Says that something ran, and how it went. */
export interface Beat {
  /** Whose beat it is, as the setting `beat` of a probe of the kind heartbeat names it. */
  name: string;
  /** Whether it went well. */
  ok: boolean;
  /** What there is to say about it. */
  message?: string | undefined;
  /** The environment that it is for; without it, any that expects the name. */
  environment?: string | undefined;
}

/** Written by people in scripts, so that as little as possible must be written: `{"name": "nightly-backup"}`. */
const beatSchema = lazily(
  (): z.ZodType<Beat, unknown> =>
    z.object({
      v: z.literal(1).optional(),
      name: z.string().min(1).max(200),
      ok: z.boolean().default(true),
      message: z.string().optional(),
      environment: z.string().optional(),
    }),
);

/**
 * Reads a beat from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseBeat(data: unknown): Beat {
  return parseMessage("beat", beatSchema(), data);
}
