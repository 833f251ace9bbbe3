/** Detects whether people have edited a postmortem, which the monitor then leaves alone. Pure. */
import { createHash } from "node:crypto";
import type { Value } from "../../../../shared/ports.ts";

/** A fingerprint of a postmortem. */
export function fingerprintOf(postmortem: string): string {
  return createHash("sha256").update(postmortem).digest("hex").slice(0, 16);
}

/** Returns whether a text matches a fingerprint. */
export function isOwnPostmortem(text: Value | undefined, fingerprint: string | undefined): boolean {
  return typeof text === "string" && fingerprint !== undefined && fingerprintOf(text) === fingerprint;
}
