/** The prober `heartbeat`: checks whether a job has sent its heartbeat in time. */
import { z } from "zod";
import { duration, durationBetween } from "../../../shared/config/fields.ts";
import type { KeptHeartbeat } from "../../../shared/documents/heartbeats.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { formatDuration, spokenDuration } from "../../../shared/text/units.ts";
import { errorText, type SeenFailure } from "../net/faults.ts";
import type { Assessment, Prober } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    beat: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, {
        error: ({ input }) =>
          `invalid report name "${input}": write lowercase letters, digits, ., - and _, such as nightly-backup`,
      })
      .describe("The name in its heartbeats."),
    every: durationBetween(1_000).describe("The expected interval between heartbeats."),
    grace: duration()
      .optional()
      .describe("The maximum delay of a heartbeat. Default: a tenth of `every`, but at least 1m."),
    first_by: z
      .string()
      .refine((text) => !Number.isNaN(Date.parse(text)), "must be an instant such as 2025-09-17T04:00:00Z")
      .optional()
      .describe(
        "The deadline for the first heartbeat, such as 2025-09-17T04:00:00Z. Default: `every` plus `grace` after this probe was added.",
      ),
  }),
);

/** Settings of a `heartbeat` probe; durations in milliseconds. */
export type HeartbeatSettings = z.output<ReturnType<typeof settings>>;

/** The known heartbeats; instants in milliseconds since the epoch. */
export interface HeartbeatObservation {
  readonly now: number;
  /** Absent if there never was one. */
  readonly beat?: KeptHeartbeat | undefined;
  /** Since when the probe has been part of the monitor. @default always */
  readonly awaitedSince?: number | undefined;
  /** Why the heartbeat could not be read. */
  readonly failure?: SeenFailure;
}

/** The prober `heartbeat`. */
export const heartbeat: Prober<HeartbeatSettings, HeartbeatObservation> = {
  kind: "heartbeat",
  title:
    "Expects regular heartbeats from a job, such as a backup. It fails when a heartbeat is overdue or the last one reported a failure.",
  role: "job",
  reach: "private",
  get settings() {
    return settings();
  },
  // Last night's backup says nothing about the database today.
  secondhand: true,
  targetless: true,
  example: `beat: nightly-backup
every: 24h
grace: 2h
schedule: every 5m
`,
  notes: `## Sending heartbeats

Publish a message to the topic \`heartbeats\`: JSON with the \`name\` and, optionally, \`ok\` and \`message\`. The publisher only needs the role
\`roles/pubsub.publisher\` on this topic. For example, at the end of a script:

\`\`\`
gcloud pubsub topics publish heartbeats --message '{"name": "nightly-backup"}'
gcloud pubsub topics publish heartbeats --message '{"name": "nightly-backup", "ok": false, "message": "disk full"}'
npx --no pathkeeper heartbeat nightly-backup --project PROJECT
npx --no pathkeeper heartbeat nightly-backup --project PROJECT --fail "disk full"
\`\`\`

For a Cloud Scheduler job, set Pub/Sub as its target. The newest heartbeat of each name is stored under that name in the collection \`heartbeats\`.
Heartbeats with names that no probe expects are dropped, with an entry in the log of the evaluator. The time of a heartbeat is the time at which
Pub/Sub accepted it, independent of the sender's clock.

A heartbeat is due \`every\` plus \`grace\` after the last one, but not before the same time has passed since the probe was added, so a new probe is
not overdue immediately. A restart or a new revision does not extend the time; a renamed probe starts again. Until then the component is neither up
nor down. The failure distinguishes a heartbeat that never arrived from one that stopped.
`,

  usualSeconds: 0.1,
  signal: "missing",
  awaits: ({ beat }) => beat,
  yields: () => always("heartbeat_age"),

  async observe({ beat }, world) {
    const now = world.now();
    try {
      const reading = Promise.all([world.lastBeat(beat), world.awaitedSince()]);
      const [newest, since] = await readInTime(reading, world.signal);
      // Before the first tick of the evaluator, a probe that has received heartbeats is judged by them, and any other has time.
      const awaitedSince = since ?? (newest === undefined ? now : 0);
      return { now, beat: newest, awaitedSince };
    } catch (error) {
      const kind = world.signal.aborted ? "timeout" : "internal";
      const why = world.signal.aborted ? "the probe timed out while reading them" : errorText(error);
      return { now, failure: { kind, phase: "store", message: cite`the heartbeats could not be read: ${why}` } };
    }
  },

  assess(
    { beat: name, every, grace = Math.max(every / 10, 60_000), first_by },
    { now, beat, awaitedSince = 0, failure },
  ) {
    if (failure) return { failure, measurements: [] };
    const should = `expected every ${formatDuration(every)}`;
    // A manually edited document may have lost its instant.
    const newest = beat === undefined || Number.isNaN(beat.at) ? undefined : beat;
    const dueAfter = (since: number): number => since + every + grace;
    if (newest === undefined) {
      const due = first_by === undefined ? dueAfter(awaitedSince) : Date.parse(first_by);
      if (now < due) return { pending: true, measurements: [] };
      return { ...silence("never reported", `\`${name}\` has never sent a heartbeat; ${should}`), measurements: [] };
    }
    const age = Math.max(0, now - newest.at);
    const measurements = [{ metric: "heartbeat_age" as const, value: age / 1000 }];
    if (now > dueAfter(newest.at)) {
      if (now <= dueAfter(awaitedSince)) return { pending: true, measurements };
      const last = newest.ok ? "" : "; the last heartbeat reported a failure";
      const message = `\`${name}\` has not sent a heartbeat for ${spokenDuration(age)}; ${should}${last}`;
      return { ...silence("overdue", message), measurements };
    }
    if (newest.ok) return { measurements };
    const said = newest.message === undefined ? "no reason given" : cite`"${TargetText.of(newest.message).first(160)}"`;
    const well =
      newest.okAt === undefined
        ? "it has never succeeded"
        : `it last succeeded ${spokenDuration(now - newest.okAt)} ago`;
    const message = cite`\`${name}\` reported a failure ${spokenDuration(age)} ago: ${said}; ${well}`;
    return { failure: { kind: "body", phase: "report", message }, measurements };
  },
};

/** A recheck is pointless: a heartbeat overdue for so long has not arrived since the last check. */
function silence(phase: string, message: string): Pick<Assessment, "failure" | "conclusive"> {
  return { failure: { kind: "unavailable", phase, message, signal: "missing" }, conclusive: true };
}

/** A read from the store cannot be aborted, only abandoned. */
async function readInTime<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([reading, aborted]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
