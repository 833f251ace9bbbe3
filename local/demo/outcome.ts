/** Checks the outcome of the demo's outage: one incident, the correct cause, and one notification of each event per channel. */

import type { Fields } from "../../shared/ports.ts";
import { ownEntry, setEntry } from "../../shared/runtime/entries.ts";
import type { Received } from "../inbox/inbox.ts";
import type { Outage } from "./script.ts";

/** Last line of output with `--once`. */
export interface Outcome {
  readonly ok: boolean;
  /** Deviations from the expected outcome, as sentences. */
  readonly problems: readonly string[];
  readonly incidents: readonly {
    readonly id: string;
    readonly status: string;
    readonly severity: string;
    readonly root_cause: string;
    readonly verdict: string;
    readonly opened_at: string;
    readonly resolved_at: string | null;
    /** True if its postmortem is written. */
    readonly postmortem: boolean;
  }[];
  /**
   * Number of notifications that each channel received, by event. For a channel with recipients, the counts of the recipient with the most
   * notifications.
   */
  readonly deliveries: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Notifications that arrived again with the same id, because their sender died before it recorded the response. */
  readonly repeated: number;
  /** Number of restarts of functions that died. */
  readonly restarts: number;
}

/** Input for judging the outcome. */
export interface ObservedRun {
  readonly incidents: readonly { readonly id: string; readonly fields: Fields }[];
  readonly received: readonly Received[];
  readonly channels: readonly string[];
  readonly repeated: number;
  readonly restarts: number;
}

/** Judges a run of the demo. @param promised what was played */
export function outcomeOf(
  { incidents, received, channels, repeated, restarts }: ObservedRun,
  { causes, verdict, change }: Pick<Outage, "causes" | "verdict" | "change">,
): Outcome {
  const problems: string[] = [];
  if (incidents.length !== 1) problems.push(`Expected exactly one incident, found ${incidents.length}.`);
  for (const { id, fields } of incidents) {
    const cause = String(fields["root_cause"]);
    if (!causes.includes(cause)) problems.push(`${id} names ${cause} as its cause, but the cause was ${causes[0]}.`);
    if (fields["verdict"] !== verdict) problems.push(`The verdict of ${id} is ${fields["verdict"]}, not ${verdict}.`);
    if (fields["status"] !== "resolved") problems.push(`${id} is ${fields["status"]}, not resolved.`);
    if (postmortemIn(fields) === undefined) problems.push(`${id} has no postmortem.`);
    const named = fields["suspected_change"];
    if (change === undefined ? named !== undefined : !String(named).includes(change))
      problems.push(`${id} names ${named ?? "no change"} as the change before it, but it was ${change ?? "none"}.`);
  }
  const deliveries = Object.fromEntries(channels.map((channel) => [channel, countsOf(channel, received)]));
  for (const channel of channels) {
    const readers = byRecipient(received.filter((one) => one.channel === channel));
    for (const event of ["opened", "resolved"]) {
      const counts = readers.map((own) => own.filter((one) => one.event === event).length);
      const wrong = counts.length === 0 ? 0 : counts.find((count) => count !== 1);
      if (wrong === undefined) continue;
      problems.push(`${channel} received ${wrong} notifications of "${event}" instead of one.`);
    }
  }
  return {
    ok: problems.length === 0,
    problems,
    incidents: incidents.map(({ id, fields }) => ({
      id,
      status: String(fields["status"]),
      severity: String(fields["severity"]),
      root_cause: String(fields["root_cause"]),
      verdict: String(fields["verdict"]),
      opened_at: instant(fields["opened_at"]) ?? "",
      resolved_at: instant(fields["resolved_at"]),
      postmortem: postmortemIn(fields) !== undefined,
    })),
    deliveries,
    repeated,
    restarts,
  };
}

/** The postmortem of an incident; `undefined` while it is not written. */
export function postmortemIn({ postmortem }: Fields): string | undefined {
  return typeof postmortem === "string" && postmortem !== "" ? postmortem : undefined;
}

/** Returns true if the run is complete: no incident is open, every channel received the resolution, and the postmortem is written. */
export function isOver({ incidents, received, channels }: ObservedRun): boolean {
  return (
    incidents.length > 0 &&
    incidents.every(({ fields }) => fields["status"] === "resolved" && postmortemIn(fields) !== undefined) &&
    incidents.every(({ id }) =>
      channels.every((channel) => {
        const own = received.filter((one) => one.incident === id && one.channel === channel);
        return own.length > 0 && byRecipient(own).every((some) => some.some(({ event }) => event === "resolved"));
      }),
    )
  );
}

function countsOf(channel: string, received: readonly Received[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const own of byRecipient(received.filter((one) => one.channel === channel))) {
    for (const [event, some] of Map.groupBy(own, (one) => one.event)) {
      setEntry(counts, event, Math.max(ownEntry(counts, event) ?? 0, some.length));
    }
  }
  return counts;
}

function byRecipient(received: readonly Received[]): (readonly Received[])[] {
  return [...Map.groupBy(received, ({ recipient }) => recipient).values()];
}

function instant(value: unknown): string | null {
  return value instanceof Date ? value.toISOString() : null;
}
