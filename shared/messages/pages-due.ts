/** Says that there is something new to show on status pages: availability has moved on. On the topic `pages`. */
import { z } from "zod";
import type { Configuration, ConfiguredChannel } from "../config/model.ts";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";

const pagesDueSchema = lazily(() => z.object({ v: z.literal(1), environment: z.string() }));

/** Asks the notifier to write its status pages anew. */
export type PagesDue = z.output<ReturnType<typeof pagesDueSchema>>;

/**
 * Reads it from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parsePagesDue(data: unknown): PagesDue {
  return parseMessage("request for pages", pagesDueSchema(), data);
}

/** Returns whether this environment has a status page. */
export function hasPages({ channels }: Pick<Configuration, "channels">): boolean {
  return channels.some(isStatusPage);
}

/** Returns whether a channel is a public page. */
export function isStatusPage({ kind }: Pick<ConfiguredChannel, "kind">): boolean {
  return kind === "status_page";
}
