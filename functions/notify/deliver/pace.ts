/**
 * Rate limits for readers: a token bucket in a document, because many instances notify the same reader. Critical notices may empty it.
 * Others leave a reserve, so that many warnings cannot delay a page.
 */
import { z } from "zod";
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Fields } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** Rate limit of a channel, or of each of its recipients. */
export interface Pace {
  /** Sustained rate. */
  readonly perMinute: number;
  /** Burst after an idle period; at least two. */
  readonly atOnce: number;
}

/** Default rate limit for kinds whose service publishes none. */
export const usualPace: Pace = { perMinute: 60, atOnce: 10 };

/** Result of taking a token: the bucket afterwards, or the time to wait in milliseconds. */
export type Taken =
  | { readonly taken: true; readonly bucket: Bucket }
  | { readonly taken: false; readonly waitMs: number };

/** Collection of the buckets, and the retention of an unused one in milliseconds: it is full long before. */
export const stateCollection = "state";
const keptForMs = 86_400_000;

/** Returns the document id of a reader's bucket. */
export function bucketId({ channel, recipient }: Reader): string {
  return recipient === undefined ? `pace:${channel}` : `pace:${channel}:${recipient}`;
}

/** Returns the rate limit of a channel: the one configured, within the burst of its kind. */
export function paceOf(
  { perMinute }: Pick<ConfiguredChannel, "perMinute">,
  { pace = usualPace }: { readonly pace?: Pace },
): Pace {
  if (perMinute === undefined) return pace;
  return { perMinute, atOnce: Math.max(2, Math.min(pace.atOnce, perMinute)) };
}

/** Takes a token. Pure. @param bucket `undefined` for a reader without recent notices */
export function take(bucket: Bucket | undefined, { perMinute, atOnce }: Pace, severity: Severity, now: number): Taken {
  const msPerToken = 60_000 / perMinute;
  // Clocks of instances differ: tokens that one took with a fast clock are not restored by another.
  const at = Math.max(bucket?.at ?? now, now);
  const tokens = Math.min(atOnce, (bucket?.tokens ?? atOnce) + (at - (bucket?.at ?? at)) / msPerToken);
  const needed = severity === "critical" ? 1 : 1 + Math.ceil(atOnce / 4);
  // Times are whole milliseconds, but tokens are fractional: ignore differences below a millionth.
  if (tokens < needed - 1e-6) return { taken: false, waitMs: Math.ceil((needed - tokens) * msPerToken) };
  return { taken: true, bucket: { tokens: tokens - 1, at } };
}

/** Reads a bucket from its document. An invalid document counts as a full bucket. */
export function readBucket(fields: Fields | undefined): Bucket | undefined {
  try {
    return bucketSchema().safeParse(JSON.parse(String(fields?.["data"]))).data;
  } catch {
    return undefined;
  }
}

/** Returns the document fields of a bucket. */
export function bucketFields(bucket: Bucket, now: number): Fields {
  return { data: JSON.stringify(bucket), updated_at: new Date(now), expires_at: new Date(now + keptForMs) };
}

const bucketSchema = lazily(() =>
  z.object({
    tokens: z.number(),
    /** Time at which the bucket held that many tokens, in milliseconds since the epoch. */
    at: z.number(),
  }),
);

/** Token bucket of a reader. */
export type Bucket = z.output<ReturnType<typeof bucketSchema>>;
