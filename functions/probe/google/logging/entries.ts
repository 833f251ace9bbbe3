/**
 * Reads entries of Cloud Logging: one page, bounded in entries, bytes and time.
 *
 * Source: https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
 */

import { z } from "zod";
import { lazily } from "../../../../shared/runtime/lazily.ts";
import { ProbeFault } from "../../net/faults.ts";
import type { ProbeWorld } from "../../prober.ts";
import { TargetText } from "../../text/target-text.ts";
import { at, textAt } from "../configuration/json.ts";
import { googleReads } from "../permissions.ts";
import { type Access, ask, isRefused, refusalOf } from "../refusal.ts";
import type { LogAccess } from "./log-prober.ts";

/** A page of entries. */
export interface EntryPage {
  /** In the requested order. */
  readonly entries: readonly LogEntry[];
  /** Whether there are more entries that were not read. */
  readonly more: boolean;
}

/** One entry, with the fields that all entries have; other fields are read where they are needed. */
export interface LogEntry {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly logName: string;
  /** Its message; only in logs with messages. */
  readonly message?: TargetText;
  readonly json: unknown;
}

/** A query for one page of entries, with a filter in the language of Cloud Logging. */
export interface EntryQuery {
  readonly project: string;
  readonly filter: string;
  readonly pageSize: number;
  /** The order of the entries, oldest or newest first. @default the newest */
  readonly order?: "asc" | "desc";
}

/** Returns the access that reading entries requires. */
function loggingAccess(project: string): Access {
  const { api: service, permission, role } = googleReads.log_entries;
  return { api: "Cloud Logging", service, project, permission, role };
}

/** Fields requested of each entry. The payload is complete, because a mask cannot select fields of an arbitrary payload. */
const mask =
  "entries(insertId,timestamp,logName,severity,resource,operation,httpRequest(status),textPayload,jsonPayload,protoPayload),nextPageToken";

/**
 * Reads one page.
 * @throws GoogleApiError when the API refuses; ProbeFault when its answer cannot be understood
 */
export async function readEntries(
  { project, filter, pageSize, order = "desc" }: EntryQuery,
  world: Pick<ProbeWorld, "google" | "signal" | "conceal">,
): Promise<EntryPage> {
  const url = `https://logging.googleapis.com/v2/entries:list?fields=${encodeURIComponent(mask)}`;
  const body = { resourceNames: [`projects/${project}`], filter, orderBy: `timestamp ${order}`, pageSize };
  const answer = pageSchema().safeParse(await ask({ method: "POST", url, body }, world));
  if (!answer.success) {
    const { path, message } = answer.error.issues[0] ?? { path: [], message: "" };
    throw new ProbeFault(
      "protocol",
      `Cloud Logging did not return a page of entries: ${path.join(".") || "it"}: ${message}`,
    );
  }
  const { entries, nextPageToken } = answer.data;
  return { entries: entries.flatMap(entryOf), more: nextPageToken !== "" };
}

function entryOf(json: unknown): LogEntry[] {
  const [id, logName, timestamp] = ["insertId", "logName", "timestamp"].map((field) => textAt(json, field));
  const instant = Date.parse(timestamp ?? "");
  return id === undefined || Number.isNaN(instant) ? [] : [{ id, at: instant, logName: logName ?? "", json }];
}

/** Returns the message of an entry: its text, or the field of its payload that contains one. @param longest in characters */
export function messageOf({ json }: Pick<LogEntry, "json">, longest: number): TargetText {
  const candidates = [
    at(json, "textPayload"),
    at(json, "jsonPayload", "message"),
    at(json, "jsonPayload", "msg"),
    at(json, "jsonPayload", "error"),
    at(json, "jsonPayload", "statusDetails"),
    at(json, "protoPayload", "status", "message"),
  ];
  const found = candidates.find((value): value is string => typeof value === "string" && value !== "");
  const text = found ?? "";
  return TargetText.of(text.slice(0, longest), text.length > longest);
}

/** Quotes a text for a filter. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Returns the console page of an entry. */
export function entryLink(project: string, { id, at: instant }: Pick<LogEntry, "id" | "at">): string {
  const query = encodeURIComponent(`insertId=${quoted(id)}\ntimestamp=${quoted(new Date(instant).toISOString())}`);
  return `https://console.cloud.google.com/logs/query;query=${query}?project=${encodeURIComponent(project)}`;
}

const pageSchema = lazily(() =>
  z.strictObject({
    entries: z.array(z.unknown()).default([]),
    nextPageToken: z.string().default(""),
  }),
);

/** Returns why logs could not be read: a refusal, which leaves the probe good, or a failure of the reading. */
export function unreadLogs(error: unknown, project: string, signal: AbortSignal): LogAccess {
  const failure = refusalOf(error, loggingAccess(project), signal);
  return isRefused(error) ? { refused: failure.message } : { failure };
}
