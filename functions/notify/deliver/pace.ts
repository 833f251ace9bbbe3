/**
 * How fast a reader is told: a token bucket in a document, because many instances tell the same reader. What is critical may empty it; the rest
 * leaves a reserve, so that no crowd of warnings keeps a page waiting.
 */
import { z } from "zod";
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Fields } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** How many notices a channel gets, or each recipient of it. */
export interface Pace {
  /** In the long run. */
  readonly perMinute: number;
  /** At once, after a while without any; two at least. */
  readonly atOnce: number;
}

/** What a kind of channel is told where its service says nothing of how much it takes. */
export const usualPace: Pace = { perMinute: 60, atOnce: 10 };

/** Whether a notice may leave now, and the bucket afterwards, or how long it waits in milliseconds. */
export type Taken =
  | { readonly taken: true; readonly bucket: Bucket }
  | { readonly taken: false; readonly waitMs: number };

/** The collection of buckets, and how long one that nobody uses is kept in milliseconds: it is full long before. */
export const stateCollection = "state";
const keptForMs = 86_400_000;

/** The id of the document of a reader's bucket. */
export function bucketId({ channel, recipient }: Reader): string {
  return recipient === undefined ? `pace:${channel}` : `pace:${channel}:${recipient}`;
}

/** The pace of a channel: that of the configuration, within what its kind takes at once. */
export function paceOf(
  { perMinute }: Pick<ConfiguredChannel, "perMinute">,
  { pace = usualPace }: { readonly pace?: Pace },
): Pace {
  if (perMinute === undefined) return pace;
  return { perMinute, atOnce: Math.max(2, Math.min(pace.atOnce, perMinute)) };
}

/** Takes a token. Pure. @param bucket `undefined` for a reader that was not told for long */
export function take(bucket: Bucket | undefined, { perMinute, atOnce }: Pace, severity: Severity, now: number): Taken {
  const msPerToken = 60_000 / perMinute;
  // The clocks of two instances differ: what one has taken a moment ahead, the other does not get back.
  const at = Math.max(bucket?.at ?? now, now);
  const tokens = Math.min(atOnce, (bucket?.tokens ?? atOnce) + (at - (bucket?.at ?? at)) / msPerToken);
  const needed = severity === "critical" ? 1 : 1 + Math.ceil(atOnce / 4);
  // Times are whole milliseconds, and fractions of tokens are not: nobody waits for a millionth.
  if (tokens < needed - 1e-6) return { taken: false, waitMs: Math.ceil((needed - tokens) * msPerToken) };
  return { taken: true, bucket: { tokens: tokens - 1, at } };
}

/** The bucket from its document. What cannot be read is no bucket, and so a full one. */
export function readBucket(fields: Fields | undefined): Bucket | undefined {
  try {
    return bucketSchema().safeParse(JSON.parse(String(fields?.["data"]))).data;
  } catch {
    return undefined;
  }
}

/** The document of a bucket. */
export function bucketFields(bucket: Bucket, now: number): Fields {
  return { data: JSON.stringify(bucket), updated_at: new Date(now), expires_at: new Date(now + keptForMs) };
}

const bucketSchema = lazily(() =>
  z.object({
    tokens: z.number(),
    /** When it held so many, in milliseconds since the epoch. */
    at: z.number(),
  }),
);

/** The bucket of a reader. */
export type Bucket = z.output<ReturnType<typeof bucketSchema>>;
