/** Edits of incident documents by operators, some of them invalid. */
import type { Value } from "../../shared/ports.ts";

/** One edit, applied to every open incident. */
export interface Edit {
  readonly description: string;
  readonly fields: Readonly<Record<string, Value>>;
  /** Milliseconds from the edit on for which the incident is silenced. */
  readonly silenceMs?: number;
  /** Whether the edit resolves the incidents, regardless of the probes. */
  readonly ends?: true;
}

/** Every possible edit. */
export const edits: readonly Edit[] = [
  { description: "acknowledges", fields: { status: "acknowledged" } },
  { description: "acknowledges in capitals, by name", fields: { status: " ACKNOWLEDGED ", edited_by: "Ann" } },
  { description: "writes a note", fields: { note: "looking at it" } },
  { description: "silences for two minutes", fields: {}, silenceMs: 120_000 },
  { description: "resolves", fields: { status: "resolved" }, ends: true },
  { description: "writes a status that there is not", fields: { status: "closed" } },
  { description: "writes a number as the status and a list as the note", fields: { status: 7, note: ["a", "b"] } },
  { description: "silences until a text", fields: { silenced_until: "tomorrow" } },
];
