/**
 * Action links in notices: `BASE/CLAIMS.EXPIRY.SIGNATURE`. The claims name incident, action and reader; the signature is HMAC-SHA256 with a
 * secret of the deployment. A notice is planned with unsigned links of the same length, so that the ledger holds no valid link; they are
 * signed when the notice is sent. Pure.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Secrets } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** Actions that a link can take. */
export const answerActions = ["acknowledge", "silence", "resolve"] as const;

/** An action that the reader of a notice can take. */
export type AnswerAction = (typeof answerActions)[number];

/** The claims of a link. */
export interface AnswerLink {
  readonly action: AnswerAction;
  readonly incident: string;
  /** Channel that the notice was sent to. */
  readonly channel: string;
  /** Recipient that the link belongs to, for channels with recipients. */
  readonly recipient?: string;
  /** Key of the notice. Each notice has its own links. */
  readonly notice: string;
}

/** A link with a valid signature. */
export interface SignedLink extends AnswerLink {
  /** Id of the link, the same for every copy. Safe to store: a link cannot be derived from it. */
  readonly id: string;
  readonly isExpired: boolean;
}

/** Name of the secret that signs links. */
export const answersKey = "answers-key";

/** Minimum length of the key, in characters: 32 bytes in base64 have 44. */
const shortestKey = 32;

/** Validity of a link after it is sent, in milliseconds. */
export const linkValidMs: number = 24 * 3_600_000;

/** Length of an expiry (seconds since the epoch, base 36, until the year 4453) and of a signature in base64url. */
const expiryLength = 7;
const signatureLength = 43;

/** Returns the URL of an unsigned link. @param base base URL for answers, without a trailing slash */
export function unsignedUrl(base: string, link: AnswerLink): string {
  const { action, incident, channel, recipient = "", notice } = link;
  const claims = [action, incident, channel, recipient, digest(notice).slice(0, 12)];
  const encoded = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${base}/${encoded}.${"0".repeat(expiryLength)}.${"0".repeat(signatureLength)}`;
}

/** Signs an unsigned URL. @param now milliseconds since the epoch, the start of the link's validity */
export function signedUrl(unsigned: string, key: string, now: number): string {
  const at = unsigned.lastIndexOf("/") + 1;
  const [claims = ""] = unsigned.slice(at).split(".");
  const expiry = Math.floor((now + linkValidMs) / 1000)
    .toString(36)
    .padStart(expiryLength, "0");
  return `${unsigned.slice(0, at)}${claims}.${expiry}.${signatureOf(claims, expiry, key)}`;
}

/** Reads the last path segment of a link; `undefined` if it was not signed with the key. */
export function readLink(token: string, key: string, now: number): SignedLink | undefined {
  const [claims = "", expiry = "", signature = "", ...rest] = token.split(".");
  if (rest.length > 0 || !isSame(signature, signatureOf(claims, expiry, key))) return undefined;
  const read = claimsSchema().safeParse(parsed(Buffer.from(claims, "base64url").toString()));
  if (!read.success) return undefined;
  const [action, incident, channel, recipient, notice] = read.data;
  return {
    action,
    incident,
    channel,
    ...(recipient === "" ? {} : { recipient }),
    notice,
    id: `link-${digest(claims).slice(0, 22)}`,
    isExpired: Number.parseInt(expiry, 36) * 1000 <= now,
  };
}

/** Reads the signing key of the deployment. @throws Error that describes the problem without the value of the key */
export async function readAnswersKey(secrets: Secrets): Promise<string> {
  const key = (await secrets.read(answersKey)).trim();
  if (key.length < shortestKey)
    throw new Error(`the secret ${answersKey} is too short: make one with \`openssl rand -base64 32\``);
  return key;
}

/** Compares two texts in constant time. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

/** Returns the HMAC-SHA256 of a content. */
export function hmac(key: string, content: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(content).digest();
}

/** Returns the SHA-256 of a content, in base64url. */
export function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64url");
}

/** The prefix before the claims prevents other signatures made with the same key from passing as link signatures. */
function signatureOf(claims: string, expiry: string, key: string): string {
  return hmac(key, `pathkeeper answer link 1\n${claims}\n${expiry}`).toString("base64url");
}

const claimsSchema = lazily(() =>
  z.tuple([z.enum(answerActions), z.string().min(1), z.string().min(1), z.string(), z.string().min(1)]),
);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
