/** Webhook signatures, by which a receiver authenticates the sender. https://github.com/standard-webhooks/standard-webhooks */
import { createHmac } from "node:crypto";

/** An invalid signing key. The message never contains the key. */
export class BadSigningKey extends Error {
  override readonly name = "BadSigningKey";
}

/** Headers that Standard Webhooks requires. */
export interface SignatureHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature"?: string;
}

/**
 * Returns headers with id and time, and a signature for every key, so that keys can be rotated without a gap.
 * @param keys as `whsec_` and base64 of 24 to 64 bytes; the prefix is optional. If empty, nothing is signed
 * @param now milliseconds since the epoch, of this attempt
 * @throws BadSigningKey
 */
export function sign(id: string, body: string, keys: readonly string[], now: number): SignatureHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const stated = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (keys.length === 0) return stated;
  const signatures = keys.map(
    (key) => `v1,${createHmac("sha256", decodeKey(key)).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return { ...stated, "webhook-signature": signatures.join(" ") };
}

function decodeKey(key: string): Buffer {
  const encoded = key.trim().replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw new BadSigningKey("the signing key is not base64: make one with `openssl rand -base64 32`");
  }
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length < 24 || bytes.length > 64) {
    throw new BadSigningKey(
      `the signing key has ${bytes.length} bytes, it must have 24 to 64: make one with \`openssl rand -base64 32\``,
    );
  }
  return bytes;
}
