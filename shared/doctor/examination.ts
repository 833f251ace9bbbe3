/** Questions about a live deployment. Each is one request to a Google API, with the gaps in its response. Pure. */

import type { GoogleRequest } from "../ports.ts";
import { at } from "../runtime/entries.ts";

/** Something that is not as it must be, with the command that fixes it. */
export interface Gap {
  /** The resource, such as `subscription pathkeeper-notify-pages`. */
  readonly what: string;
  /** One sentence, without the name of the thing. */
  readonly says: string;
  /** A line for a shell. */
  readonly fix: string;
}

/** One question. */
export interface Examination {
  /** The resource. */
  readonly what: string;
  readonly request: Omit<GoogleRequest, "signal">;
  /** Message for a 404 response. */
  readonly missing: Omit<Gap, "what">;
  gaps(answer: unknown): readonly Gap[];
}

/** A text of an answer; empty where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  return typeof found === "string"
    ? found
    : typeof found === "number" || typeof found === "boolean"
      ? String(found)
      : "";
}

/** A list of an answer; empty where there is none. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

/** A word of a shell, quoted where it must be. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Message for a project that Cloud Monitoring does not have. */
export const noAnswer = {
  says: "was not answered by Cloud Monitoring",
  fix: "gcloud services enable monitoring.googleapis.com",
};
